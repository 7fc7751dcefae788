/**
 * What the cleaners of all formats share: parts that are kept, kinds that were not, and small
 * writers.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { ImageError } from "./errors.ts";
import { METADATA_KINDS, type MetadataKind } from "./metadata.ts";

/** A part of the new file: bytes of the old one, or new ones. */
export type Part = { readonly start: number; readonly end: number } | Uint8Array<ArrayBuffer>;

/** What a cleaner found and left. */
export interface Stripped {
  readonly parts: readonly Part[];
  /** What was taken out, in the order of {@linkcode METADATA_KINDS}. */
  readonly removed: readonly MetadataKind[];
}

/**
 * Thrown where a file may well be shown, but not be followed byte by byte: it has to be painted
 * anew. Its `reason` is what is wrong with it where the browser can't decode it either.
 */
export class Unfollowed extends ImageError {
  /** What was found before. */
  removed: readonly MetadataKind[] = [];
}

/** Collects what is kept, and what was not. */
export class Collector {
  readonly bytes: Uint8Array;
  readonly #parts: Part[] = [];
  readonly #removed = new Set<MetadataKind>();

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** Keeps bytes of the file; neighbours become one part. */
  keep(start: number, end: number): void {
    if (end > this.bytes.length) throw new ImageError("truncated");
    const last = this.#parts.at(-1);
    if (last !== undefined && "start" in last && last.end === start) {
      this.#parts[this.#parts.length - 1] = { start: last.start, end };
    } else if (end > start) this.#parts.push({ start, end });
  }

  /**
   * Bytes that replace those of the file from `start` on; where they are the same, the file's are
   * kept.
   */
  put(start: number, bytes: readonly number[]): void {
    if (bytes.every((byte, i) => this.bytes[start + i] === byte)) {
      this.keep(start, start + bytes.length);
    } else this.add(Uint8Array.from(bytes));
  }

  /** Bytes that are not in the file. */
  add(bytes: Uint8Array<ArrayBuffer>): void {
    this.#parts.push(bytes);
  }

  /** Notes what was left out. */
  drop(...kinds: readonly MetadataKind[]): void {
    for (const kind of kinds) this.#removed.add(kind);
  }

  /** Whatever stands behind the end of the picture: phones put films there. */
  dropTail(start: number): void {
    if (start < this.bytes.length) {
      this.drop(this.bytes.length - start > 4_096 ? "preview" : "other");
    }
  }

  /** What was noted so far, in the order of {@linkcode METADATA_KINDS}. */
  get removed(): readonly MetadataKind[] {
    return METADATA_KINDS.filter((kind) => this.#removed.has(kind));
  }

  /** Everything that was collected. */
  result(): Stripped {
    return { parts: this.#parts, removed: this.removed };
  }
}

/** The name of an EXIF block. */
export const EXIF = "Exif\0\0";

/** A TIFF block that says nothing but the orientation. */
export function orientationTiff(orientation: number): readonly number[] {
  // deno-fmt-ignore
  return [0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0];
}

/** True where pixels have to be turned or mirrored to be seen. */
export function isTurned(orientation: number | undefined): orientation is number {
  return orientation !== undefined && orientation >= 2 && orientation <= 8;
}

/** The codes of a text of Latin-1 characters. */
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
