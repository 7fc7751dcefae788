/**
 * Shared by the cleaners of all formats: the collector of what is kept and removed, and functions
 * that write numbers and texts as bytes.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { ImageError } from "./errors.ts";
import { METADATA_KINDS, type MetadataKind } from "./metadata.ts";

/** A part of the new file: a range of the old file, or new bytes. */
export type Part = { readonly start: number; readonly end: number } | Uint8Array<ArrayBuffer>;

/** Result of a cleaner. */
export interface Stripped {
  readonly parts: readonly Part[];
  /** The kinds that were removed, in the order of {@linkcode METADATA_KINDS}. */
  readonly removed: readonly MetadataKind[];
}

/**
 * Thrown if a file can't be parsed byte by byte, but may be displayable: it has to be decoded and
 * encoded again. If the browser can't decode the file either, `reason` says what is wrong with it.
 */
export class Unfollowed extends ImageError {
  /** The kinds of metadata found so far. */
  removed: readonly MetadataKind[] = [];
}

/** Collects the parts to keep, and the kinds of metadata that were removed. */
export class Collector {
  readonly bytes: Uint8Array;
  readonly #parts: Part[] = [];
  readonly #removed = new Set<MetadataKind>();

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** Keeps a range of the file; adjacent ranges become one part. */
  keep(start: number, end: number): void {
    if (end > this.bytes.length) throw new ImageError("truncated");
    const last = this.#parts.at(-1);
    if (last !== undefined && "start" in last && last.end === start) {
      this.#parts[this.#parts.length - 1] = { start: last.start, end };
    } else if (end > start) this.#parts.push({ start, end });
  }

  /**
   * Writes bytes in place of those of the file from `start` on. If they are equal, the file's own
   * are kept.
   */
  put(start: number, bytes: readonly number[]): void {
    if (bytes.every((byte, i) => this.bytes[start + i] === byte)) {
      this.keep(start, start + bytes.length);
    } else this.add(Uint8Array.from(bytes));
  }

  /** Adds bytes that are not in the file. */
  add(bytes: Uint8Array<ArrayBuffer>): void {
    this.#parts.push(bytes);
  }

  /** Records kinds that were left out. */
  drop(...kinds: readonly MetadataKind[]): void {
    for (const kind of kinds) this.#removed.add(kind);
  }

  /** Drops everything after the end of the picture: phones append videos there. */
  dropTail(start: number): void {
    if (start < this.bytes.length) {
      this.drop(this.bytes.length - start > 4_096 ? "preview" : "other");
    }
  }

  /** The kinds recorded so far, in the order of {@linkcode METADATA_KINDS}. */
  get removed(): readonly MetadataKind[] {
    return METADATA_KINDS.filter((kind) => this.#removed.has(kind));
  }

  /** Everything that was collected. */
  result(): Stripped {
    return { parts: this.#parts, removed: this.removed };
  }
}

/** Identifier at the start of an EXIF block. */
export const EXIF = "Exif\0\0";

/** A TIFF block that holds only the orientation. */
export function orientationTiff(orientation: number): readonly number[] {
  // deno-fmt-ignore
  return [
    0x4d, 0x4d, 0, 42, 0, 0, 0, 8,
    0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0,
  ];
}

/** True if the pixels have to be rotated or mirrored for display. */
export function isTurned(orientation: number | undefined): orientation is number {
  return orientation !== undefined && orientation >= 2 && orientation <= 8;
}

/** The codes of a text in Latin-1. */
export function ascii(text: string): number[] {
  return Array.from(text, (character) => character.charCodeAt(0));
}

/** Four bytes, big-endian. */
export function u32(value: number): number[] {
  return [value >>> 24, value >>> 16 & 0xff, value >>> 8 & 0xff, value & 0xff];
}

/** Four bytes, little-endian. */
export function u32Le(value: number): number[] {
  return u32(value).reverse();
}
