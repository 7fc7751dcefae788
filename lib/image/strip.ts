/**
 * Takes metadata out of a picture without touching its pixels: what is kept is copied byte by byte. What is not known to be part of
 * the picture is left out, so that what nobody thought of goes as well.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { ImageType } from "../protocol/control.ts";
import {
  ascii,
  Collector,
  EXIF,
  isTurned,
  orientationTiff,
  type Stripped,
  u32,
} from "./collector.ts";
import { ImageError } from "./errors.ts";
import { latin1, uint } from "./headers.ts";
import { exifKinds, exifOrientation, xmpKinds } from "./metadata.ts";
import { rebuildAvif } from "./strip_avif.ts";
import { stripWebp } from "./strip_webp.ts";

export type { Part, Stripped } from "./collector.ts";

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
      stripAvif(out);
      break;
    default:
      return type satisfies never;
  }
  return out.result();
}

const XMP = "http://ns.adobe.com/xap/1.0/\0";
const XMP_EXTENSION = "http://ns.adobe.com/xmp/extension/\0";

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

/** Made anew: of an AVIF only the coded pixels are copied. */
function stripAvif(out: Collector): void {
  const { parts, removed } = rebuildAvif(out.bytes);
  for (const part of parts) {
    if ("start" in part) out.keep(part.start, part.end);
    else out.add(part);
  }
  out.drop(...removed);
}
