/**
 * Takes metadata out of a picture without touching its pixels: what is kept is copied byte by byte. What is not known to be part of
 * the picture is left out, so that what nobody thought of goes as well.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { ImageType } from "../protocol/control.ts";
import { ImageError } from "./errors.ts";
import { latin1, uint, uintLe } from "./headers.ts";
import { exifKinds, METADATA_KINDS, type MetadataKind, xmpKinds } from "./metadata.ts";
import { avifMetadata } from "./strip_avif.ts";

/** A part of the new file: bytes of the old one, or new ones. */
export type Part = { readonly start: number; readonly end: number } | Uint8Array<ArrayBuffer>;

/** What {@linkcode stripMetadata} found and left. */
export interface Stripped {
  readonly parts: readonly Part[];
  /** What was taken out, in the order of {@linkcode METADATA_KINDS}. */
  readonly removed: readonly MetadataKind[];
}

/** Settings of {@linkcode stripMetadata}. */
export interface StripOptions {
  readonly type: ImageType;
  /** EXIF orientation, 1–8, which is kept: it says how the pixels are to be seen. */
  readonly orientation?: number | undefined;
}

/** Finds what of a file is the picture. Throws `ImageError` (`truncated`) where its structure breaks off. */
export function stripMetadata(bytes: Uint8Array, { type, orientation }: StripOptions): Stripped {
  const out = new Collector(bytes);
  switch (type) {
    case "image/jpeg":
      stripJpeg(out, orientation);
      break;
    case "image/png":
      stripPng(out);
      break;
    case "image/webp":
      stripWebp(out);
      break;
    case "image/gif":
      stripGif(out);
      break;
    case "image/avif":
      blankAvif(out);
      break;
    default:
      return type satisfies never;
  }
  return out.result();
}

/** Collects what is kept, and what was not. */
class Collector {
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
    } else this.#parts.push({ start, end });
  }

  add(bytes: Uint8Array<ArrayBuffer>): void {
    this.#parts.push(bytes);
  }

  drop(...kinds: readonly MetadataKind[]): void {
    for (const kind of kinds) this.#removed.add(kind);
  }

  /** Whatever stands behind the end of the picture: phones put films there. */
  dropTail(start: number): void {
    if (start < this.bytes.length) {
      this.drop(this.bytes.length - start > 4_096 ? "preview" : "other");
    }
  }

  /** All new parts in the place of a length that is known now. */
  size(): number {
    return this.#parts.reduce(
      (sum, part) => sum + ("start" in part ? part.end - part.start : part.length),
      0,
    );
  }

  replaceFirst(part: Uint8Array<ArrayBuffer>): void {
    this.#parts[0] = part;
  }

  result(): Stripped {
    const removed = METADATA_KINDS.filter((kind) => this.#removed.has(kind));
    return { parts: this.#parts, removed };
  }
}

const EXIF = "Exif\0\0";
const XMP = "http://ns.adobe.com/xap/1.0/\0";
const XMP_EXTENSION = "http://ns.adobe.com/xmp/extension/\0";

/** A TIFF block that says nothing but the orientation. */
function orientationTiff(orientation: number): readonly number[] {
  // deno-fmt-ignore
  return [0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0];
}

/** True where pixels have to be turned or mirrored to be seen. */
function isTurned(orientation: number | undefined): orientation is number {
  return orientation !== undefined && orientation >= 2 && orientation <= 8;
}

/** ITU T.81 B.1. */
function stripJpeg(out: Collector, orientation: number | undefined): void {
  const { bytes } = out;
  out.keep(0, 2);
  if (isTurned(orientation)) {
    const tiff = orientationTiff(orientation);
    const length = 2 + EXIF.length + tiff.length;
    out.add(Uint8Array.from([0xff, 0xe1, 0, length, ...ascii(EXIF), ...tiff]));
  }
  let at = 2;
  for (;;) {
    if (bytes[at] !== 0xff) throw new ImageError("truncated");
    const marker = bytes[at + 1];
    if (marker === undefined) throw new ImageError("truncated");
    if (marker === 0xff) {
      // A fill byte.
      at += 1;
      continue;
    }
    if (marker === 0xd9) {
      out.keep(at, at + 2);
      return out.dropTail(at + 2);
    }
    if (marker === 0 || marker === 1 || (marker >= 0xd0 && marker <= 0xd8)) {
      // Without a length, and without a place here.
      throw new ImageError("undecodable");
    }
    const end = at + 2 + uint(bytes, at + 2, 2);
    if (end < at + 4 || end > bytes.length) throw new ImageError("truncated");
    const isNote = (marker >= 0xe0 && marker <= 0xef) || marker === 0xfe;
    if (isNote) stripSegment(out, { marker, start: at, end });
    else out.keep(at, end);
    at = end;
    if (marker === 0xda) {
      const next = endOfScan(bytes, at);
      out.keep(at, next);
      at = next;
    }
  }
}

/** Where the entropy-coded data that begins at `at` ends: at the next marker that is no restart and no escaped 0xff. */
function endOfScan(bytes: Uint8Array, at: number): number {
  for (let next = bytes.indexOf(0xff, at); next !== -1; next = bytes.indexOf(0xff, next + 1)) {
    const marker = bytes[next + 1];
    if (marker === undefined) break;
    const inside = marker === 0 || marker === 0xff || (marker >= 0xd0 && marker <= 0xd7);
    if (!inside) return next;
  }
  throw new ImageError("truncated");
}

/** An application's segment or a comment: three of them are part of the picture. */
function stripSegment(
  out: Collector,
  { marker, start, end }: { marker: number; start: number; end: number },
): void {
  const payload = out.bytes.subarray(start + 4, end);
  const is = (name: string) => latin1(payload, 0, name.length) === name;
  if (marker === 0xe0 && is("JFIF\0") && payload.length >= 14) {
    // Its head alone: behind it may stand a small picture.
    out.add(Uint8Array.from([0xff, 0xe0, 0, 16, ...payload.subarray(0, 12), 0, 0]));
    if (payload.length > 14) out.drop("preview");
  } else if (marker === 0xe2 && is("ICC_PROFILE\0")) out.keep(start, end);
  else if (marker === 0xee && is("Adobe") && payload.length === 12) out.keep(start, end);
  else if (marker === 0xe1 && is(EXIF)) out.drop(...exifKinds(payload.subarray(EXIF.length)));
  else if (marker === 0xe1 && is(XMP)) out.drop(...xmpKinds(payload.subarray(XMP.length)));
  else if (marker === 0xe1 && is(XMP_EXTENSION)) out.drop(...xmpKinds(payload));
  else if (marker === 0xed || marker === 0xfe) out.drop("text");
  else out.drop(is("JFXX\0") || is("MPF\0") ? "preview" : "other");
}

/** What of a PNG is the picture: colours, transparency, size, animation. */
const PNG_CHUNKS: readonly string[] = (
  "IHDR PLTE IDAT IEND tRNS gAMA cHRM sRGB iCCP sBIT bKGD pHYs cICP mDCV cLLI acTL fcTL fdAT"
).split(" ");

/** PNG 3rd edition. */
function stripPng(out: Collector): void {
  const { bytes } = out;
  out.keep(0, 8);
  for (let at = 8;;) {
    const end = at + 12 + uint(bytes, at, 4);
    if (end > bytes.length) throw new ImageError("truncated");
    const name = latin1(bytes, at + 4, 4);
    const payload = bytes.subarray(at + 8, end - 4);
    if (PNG_CHUNKS.includes(name)) out.keep(at, end);
    else if (name === "eXIf") {
      out.drop(...exifKinds(payload));
      const turned = exifOrientation(payload);
      if (isTurned(turned)) out.add(pngChunk("eXIf", orientationTiff(turned)));
    } else if (name === "tIME") out.drop("time");
    else if (name === "iTXt" && latin1(payload, 0, 17) === "XML:com.adobe.xmp") {
      out.drop(...xmpKinds(payload));
    } else out.drop(/^(tEXt|zTXt|iTXt)$/.test(name) ? "text" : "other");
    at = end;
    if (name === "IEND") return out.dropTail(at);
  }
}

/** The orientation in a TIFF block; `undefined` where it says none. */
function exifOrientation(tiff: Uint8Array): number | undefined {
  const read = latin1(tiff, 0, 2) === "II" ? uintLe : uint;
  const ifd = read(tiff, 4, 4);
  const entries = Math.min(read(tiff, ifd, 2), 512);
  for (let i = 0; i < entries; i++) {
    const at = ifd + 2 + 12 * i;
    if (read(tiff, at, 2) === 0x0112) return read(tiff, at + 8, 2);
  }
  return undefined;
}

function pngChunk(name: string, payload: readonly number[]): Uint8Array<ArrayBuffer> {
  const body = [...ascii(name), ...payload];
  return Uint8Array.from([...u32(payload.length), ...body, ...u32(crc32(body))]);
}

/** PNG 3rd edition, annex D; bit by bit, since it is for a few bytes. */
function crc32(bytes: readonly number[]): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
}

const WEBP_CHUNKS: readonly string[] = ["VP8 ", "VP8L", "VP8X", "ANIM", "ANMF", "ALPH", "ICCP"];
const WEBP_HAS_EXIF = 0x08;
const WEBP_HAS_XMP = 0x04;

/** RFC 9649. */
function stripWebp(out: Collector): void {
  const { bytes } = out;
  const size = Math.min(bytes.length, 8 + uintLe(bytes, 4, 4));
  out.keep(0, 12);
  let kept = 0;
  let turned: number | undefined;
  let flagsAt = -1;
  for (let at = 12; at + 8 <= size;) {
    const name = latin1(bytes, at, 4);
    const length = uintLe(bytes, at + 4, 4);
    // Writers disagree about the padding of the last chunk.
    const end = Math.min(size, at + 8 + length + length % 2);
    if (at + 8 + length > size) throw new ImageError("truncated");
    const payload = bytes.subarray(at + 8, at + 8 + length);
    if (name === "VP8X") {
      flagsAt = at + 8;
      out.add(payload.length > 0 ? webpChunk("VP8X", [...payload]) : new Uint8Array());
      kept += 18;
    } else if (WEBP_CHUNKS.includes(name)) {
      out.keep(at, end);
      kept += end - at;
    } else if (name === "EXIF") {
      const tiff = latin1(payload, 0, 6) === EXIF ? payload.subarray(6) : payload;
      out.drop(...exifKinds(tiff));
      turned = exifOrientation(tiff);
    } else out.drop(...(name === "XMP " ? xmpKinds(payload) : ["other" as const]));
    at = end;
  }
  if (isTurned(turned) && flagsAt !== -1) out.add(webpChunk("EXIF", orientationTiff(turned)));
  out.dropTail(8 + uintLe(bytes, 4, 4));
  finishWebp(out, { turned: isTurned(turned) });
  if (kept === 0) throw new ImageError("truncated");
}

/** The new length, and flags that say what is still there. */
function finishWebp(out: Collector, { turned }: { turned: boolean }): void {
  out.replaceFirst(
    Uint8Array.from([...ascii("RIFF"), ...u32(out.size() - 8).reverse(), ...ascii("WEBP")]),
  );
  for (const part of out.result().parts) {
    if ("start" in part || latin1(part, 0, 4) !== "VP8X") continue;
    const flags = (part[8] ?? 0) & ~(WEBP_HAS_EXIF | WEBP_HAS_XMP);
    part[8] = turned ? flags | WEBP_HAS_EXIF : flags;
  }
}

function webpChunk(name: string, payload: readonly number[]): Uint8Array<ArrayBuffer> {
  const padding = payload.length % 2 === 0 ? [] : [0];
  return Uint8Array.from([
    ...ascii(name),
    ...u32(payload.length).reverse(),
    ...payload,
    ...padding,
  ]);
}

/** Extensions that change what is seen: loops, colours. */
const GIF_EXTENSIONS: readonly string[] = ["NETSCAPE2.0", "ANIMEXTS1.0", "ICCRGBG1012"];

/** GIF89a. */
function stripGif(out: Collector): void {
  const { bytes } = out;
  const table = (flags: number) => flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0;
  const first = 13 + table(bytes[10] ?? 0);
  out.keep(0, first);
  for (let at = first;;) {
    const kind = bytes[at];
    if (kind === 0x3b) {
      out.keep(at, at + 1);
      return out.dropTail(at + 1);
    }
    if (kind === 0x2c) {
      const end = skipBlocks(bytes, at + 11 + table(bytes[at + 9] ?? 0));
      out.keep(at, end);
      at = end;
    } else if (kind === 0x21) {
      const end = skipBlocks(bytes, at + 2);
      const label = bytes[at + 1];
      const name = latin1(bytes, at + 3, 11);
      const seen = label === 0xf9 || label === 0x01 ||
        (label === 0xff && GIF_EXTENSIONS.includes(name));
      if (seen) out.keep(at, end);
      else if (name === "XMP DataXMP") out.drop(...xmpKinds(bytes.subarray(at, end)));
      else out.drop(label === 0xfe ? "text" : "other");
      at = end;
    } else throw new ImageError("truncated");
  }
}

function skipBlocks(bytes: Uint8Array, at: number): number {
  for (;;) {
    const length = bytes[at];
    if (length === undefined) throw new ImageError("truncated");
    at += 1 + length;
    if (length === 0) return at;
  }
}

/** Places in an AVIF are counted from its beginning, so what is taken out leaves zeros. */
function blankAvif(out: Collector): void {
  let at = 0;
  for (const { start, end, kinds } of avifMetadata(out.bytes)) {
    if (end <= at) continue;
    const from = Math.max(start, at);
    out.keep(at, from);
    out.add(new Uint8Array(end - from));
    out.drop(...kinds);
    at = end;
  }
  out.keep(at, out.bytes.length);
}

function ascii(text: string): number[] {
  return Array.from(text, (character) => character.charCodeAt(0));
}

function u32(value: number): number[] {
  return [value >>> 24, value >>> 16 & 0xff, value >>> 8 & 0xff, value & 0xff];
}
