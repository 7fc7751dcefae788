/**
 * Several connections that carry one lane of files: what goes over which, in what order, and how
 * far it is.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { type Bytes, concat } from "./bytes.ts";
import { PLACE_LENGTH, RECORD } from "./record.ts";

/** Connections beside the first; they have the numbers from 1 on. */
export const STRIPES = 3;

/**
 * Records that may be under way and not known to be in order, and so what a side holds that came
 * too early: 4 MiB, which is 40 MB/s at 100 ms. Less than may come before its `meta`, which is on a
 * lane of its own.
 */
export const STRIPE_WINDOW = 64;

/** How many records are in order before the other side is told so again. */
export const ARRIVED_EVERY = 8;

/** `12 ‖ n u8 ‖ message`: signaling of the n-th connection. */
export function encodeStripe(n: number, message: Bytes): Bytes {
  return concat(new Uint8Array([RECORD.stripe, n]), message);
}

/** `13 ‖ place u32 ‖ record`: a record, and how many went before it. */
export function encodePlaced(place: number, record: Bytes): Bytes {
  return concat(numbered(RECORD.placed, place), record);
}

/** `14 ‖ place u32`: everything before this place has arrived. */
export function encodeArrived(place: number): Bytes {
  return numbered(RECORD.arrived, place);
}

/** The place in front of either; `null` where it is too short for one. */
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
