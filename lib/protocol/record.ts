/**
 * The 8-byte header in front of every record on the two DataChannels:
 * `type u8 | flags u8 | image u16 | seq u32`, big endian. All of it is authenticated.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { Bytes } from "./bytes.ts";

/** Length of the header in bytes. */
export const HEADER_LENGTH = 8;

/** Length of an AES-GCM tag in bytes. */
export const TAG_LENGTH = 16;

/** First byte of each message on the channels. */
export const RECORD = {
  bind: 0x10,
  rebind: 0x11,
  stripe: 0x12,
  placed: 0x13,
  arrived: 0x14,
  probe: 0x15,
  alive: 0x16,
  control: 0x20,
  chunk: 0x21,
} as const;

/** Flag of the last chunk of a picture. */
export const FLAG_FINAL = 1;

/**
 * Length of a full chunk record (the last one may be shorter): the largest message that stayed fast
 * in Chromium. bench/transfer.ts compares 16 and 64 KiB.
 */
export const RECORD_LENGTH = 64 * 1024;

/** Plaintext bytes in a full chunk. */
export const CHUNK_SIZE = RECORD_LENGTH - HEADER_LENGTH - TAG_LENGTH;

/**
 * Longest message on either channel. Browsers would accept four times as much, but queues are
 * counted in messages.
 */
export const MAX_RECORD_LENGTH = HEADER_LENGTH + CHUNK_SIZE + TAG_LENGTH;

/**
 * Length of `13 ‖ place u32`, the prefix of a record that is sent over one of several connections.
 */
export const PLACE_LENGTH = 1 + 4;

/** Longest message with that prefix. */
export const MAX_PLACED_LENGTH = PLACE_LENGTH + MAX_RECORD_LENGTH;

/** A parsed header. */
export interface RecordHeader {
  readonly type: number;
  readonly flags: number;
  /** Number of the picture; 0 in control records. */
  readonly image: number;
  readonly seq: number;
}

/** Encodes a header into 8 bytes. */
export function encodeHeader(header: RecordHeader): Bytes {
  const out = new Uint8Array(HEADER_LENGTH);
  const view = new DataView(out.buffer);
  view.setUint8(0, header.type);
  view.setUint8(1, header.flags);
  view.setUint16(2, header.image);
  view.setUint32(4, header.seq);
  return out;
}

/** Parses the header of a record; `null` if the record is too short for a header and a tag. */
export function parseHeader(record: Uint8Array): RecordHeader | null {
  if (record.length < HEADER_LENGTH + TAG_LENGTH) return null;
  const view = new DataView(record.buffer, record.byteOffset, HEADER_LENGTH);
  return {
    type: view.getUint8(0),
    flags: view.getUint8(1),
    image: view.getUint16(2),
    seq: view.getUint32(4),
  };
}

/** How many chunks a picture of `size` bytes (at least 1) has. */
export function chunkCount(size: number): number {
  return Math.ceil(size / CHUNK_SIZE);
}

/** Plaintext bytes of chunk `index` of a picture of `size` bytes. */
export function chunkLength(size: number, index: number): number {
  return Math.min(CHUNK_SIZE, size - index * CHUNK_SIZE);
}
