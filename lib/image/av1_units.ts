/**
 * The units of an AV1 bitstream (OBUs, AV1 specification 5.3). Some of them are no part of the
 * picture.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { ImageError } from "./errors.ts";
import { MAX_COUNT, type Span } from "./isobmff.ts";

/** Sequence header, temporal delimiter, frame header, tile group, frame, redundant frame header. */
const OF_THE_PICTURE: readonly number[] = [1, 2, 3, 4, 6, 7];

const METADATA = 5;

/** Metadata types: content light level, and mastering display. Both are a few numbers. */
const LIGHT: readonly (number | undefined)[] = [1, 2];
const MAX_LIGHT_BYTES = 32;

/**
 * The units of a sample that make up the picture, in order: without padding and without metadata
 * other than {@linkcode LIGHT}, because both may contain anything. Throws `ImageError`
 * (`unsupported`) if the units can't be told apart.
 */
export function pictureUnits(bytes: Uint8Array, { start, end }: Span): Span[] {
  const kept: Span[] = [];
  for (let at = start, count = 0; at < end; count++) {
    const head = bytes[at] ?? 0;
    if (head & 0x80 || count >= MAX_COUNT) throw new ImageError("unsupported");
    const type = head >>> 3 & 15;
    let next = at + (head & 4 ? 2 : 1);
    let size = end - next;
    if (head & 2) {
      const length = leb128(bytes, next);
      next += length.size;
      size = length.value;
    }
    if (size < 0 || next + size > end) throw new ImageError("unsupported");
    const isLight = type === METADATA && LIGHT.includes(bytes[next]) && size <= MAX_LIGHT_BYTES;
    if (isLight || OF_THE_PICTURE.includes(type)) {
      const last = kept.at(-1);
      if (last?.end === at) kept[kept.length - 1] = { start: last.start, end: next + size };
      else kept.push({ start: at, end: next + size });
    }
    at = next + size;
  }
  return kept;
}

/** Reads a LEB128 number: seven bits per byte, the lowest first. */
function leb128(bytes: Uint8Array, at: number): { value: number; size: number } {
  let value = 0;
  for (let i = 0; i < 8; i++) {
    const byte = bytes[at + i] ?? 0;
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return { value, size: i + 1 };
  }
  throw new ImageError("unsupported");
}
