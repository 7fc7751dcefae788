/**
 * The messages that let several connections carry the lane for files: their signaling, the order of
 * records, and how many have arrived.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { type Bytes, concat } from "./bytes.ts";
import { PLACE_LENGTH, RECORD } from "./record.ts";

/** Connections in addition to the first, numbered from 1. */
export const STRIPES = 3;

/**
 * Most records that may be in flight without the peer's report that they arrived in order. A side
 * therefore never holds more than this out of order. It is 4 MiB, which allows 40 MB/s at a round
 * trip of 100 ms. Less than the chunks that may arrive before their `meta`, which is sent on
 * another lane.
 */
export const STRIPE_WINDOW = 64;

/** Number of further records in order after which the peer is told. */
export const ARRIVED_EVERY = 8;

/** `12 ‖ n u8 ‖ message`: signaling of the n-th connection. */
export function encodeStripe(n: number, message: Bytes): Bytes {
  return concat(new Uint8Array([RECORD.stripe, n]), message);
}

/** `13 ‖ place u32 ‖ record`: a record, and the number of records before it. */
export function encodePlaced(place: number, record: Bytes): Bytes {
  return concat(numbered(RECORD.placed, place), record);
}

/** `14 ‖ place u32`: everything before this place has arrived. */
export function encodeArrived(place: number): Bytes {
  return numbered(RECORD.arrived, place);
}

/** The place in either message; `null` if it is too short for one. */
export function placeOf(message: Bytes): number | null {
  if (message.length < PLACE_LENGTH) return null;
  return new DataView(message.buffer, message.byteOffset, PLACE_LENGTH).getUint32(1);
}

function numbered(type: number, place: number): Bytes {
  const head = new Uint8Array(PLACE_LENGTH);
  head[0] = type;
  new DataView(head.buffer).setUint32(1, place);
  return head;
}
