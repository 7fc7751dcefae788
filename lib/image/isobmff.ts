/**
 * Reads and writes boxes of ISO/IEC 14496-12. Reading is bounded and throws only `ImageError`.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { ascii, u32 } from "./collector.ts";
import { ImageError } from "./errors.ts";
import { latin1, uint } from "./headers.ts";

/** A range of bytes of a file; `end` is exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A box; its span is that of its content. */
export interface Box extends Span {
  readonly kind: string;
}

/** Upper bound for boxes in one place, items, references or extents; no picture has that many. */
export const MAX_COUNT = 4_096;

/**
 * The consecutive boxes in a span, up to the first invalid one. Throws `truncated` if one extends
 * beyond the span.
 */
export function boxes(bytes: Uint8Array, { start, end }: Span): Box[] {
  const found: Box[] = [];
  for (let at = start; at + 8 <= end;) {
    const short = uint(bytes, at, 4);
    const long = short === 1;
    const size = long ? uint(bytes, at + 8, 4) * 2 ** 32 + uint(bytes, at + 12, 4) : short;
    const kind = latin1(bytes, at + 4, 4);
    if (!/^[\w +]{4}$/.test(kind)) break;
    const header = (long ? 16 : 8) + (kind === "uuid" ? 16 : 0);
    const stop = size === 0 ? end : at + size;
    if (stop < at + header || stop > end) throw new ImageError("truncated");
    if (found.length >= MAX_COUNT) throw new ImageError("unsupported");
    found.push({ kind, start: at + header, end: stop });
    at = stop;
  }
  return found;
}

/**
 * The first box of a kind inside of another; `skip` is the number of bytes before the inner boxes,
 * 4 in a full box.
 */
export function child(bytes: Uint8Array, within: Span, kind: string, skip = 0): Box | undefined {
  return children(bytes, within, skip).find((box) => box.kind === kind);
}

/** All boxes inside of another. */
export function children(bytes: Uint8Array, { start, end }: Span, skip = 0): Box[] {
  return boxes(bytes, { start: start + skip, end });
}

/** Reads numbers one after the other. Throws `truncated` at the end of its span. */
export class Cursor {
  readonly bytes: Uint8Array;
  readonly end: number;
  at: number;

  constructor(bytes: Uint8Array, { start, end }: Span) {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
  }

  /** Reads an unsigned number of up to 8 bytes. */
  take(size: number): number {
    const at = this.skip(size);
    if (size <= 4) return uint(this.bytes, at, size);
    return uint(this.bytes, at, size - 4) * 2 ** 32 + uint(this.bytes, at + size - 4, 4);
  }

  /** Reads raw bytes. */
  raw(size: number): number[] {
    const at = this.skip(size);
    return [...this.bytes.subarray(at, at + size)];
  }

  /** Reads a four-letter code. */
  word(): string {
    return latin1(this.bytes, this.skip(4), 4);
  }

  /** Skips bytes, and returns the position before them. */
  skip(size: number): number {
    const at = this.at;
    if (at + size > this.end) throw new ImageError("truncated");
    this.at += size;
    return at;
  }

  /** Reads text up to its zero, or to the end. */
  text(): string {
    const zero = this.bytes.subarray(this.at, this.end).indexOf(0);
    const stop = zero === -1 ? this.end : this.at + zero;
    // Enough for comparing: no name that is looked for is longer.
    return latin1(this.bytes, this.at, Math.min(stop - this.at, 256));
  }
}

/** Two bytes. */
export function u16(value: number): number[] {
  return [value >>> 8 & 0xff, value & 0xff];
}

/** A box of these contents. */
export function box(kind: string, ...contents: readonly (readonly number[])[]): number[] {
  const content = contents.flat();
  return [u32(content.length + 8), ascii(kind), content].flat();
}

/** The same with version and flags. */
export function fullBox(
  kind: string,
  { version = 0, flags = 0 }: { version?: number; flags?: number },
  ...contents: readonly (readonly number[])[]
): number[] {
  return box(kind, [version, ...u32(flags).slice(1)], ...contents);
}

/** A `hdlr` without a name: encoders write their own there. */
export function handler(kind: string): number[] {
  return fullBox("hdlr", {}, u32(0), ascii(kind), new Array<number>(13).fill(0));
}
