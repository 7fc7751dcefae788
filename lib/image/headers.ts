/**
 * Header parsers of the five formats that are sent, and of BMP, icons and TIFF. Each is a generator
 * that requests byte ranges, so that one parser works both on an array and on a file of which only
 * some parts are read; a range past the end is returned shorter. Each loop is bounded, so that
 * hostile bytes also produce a result.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { ImageType } from "../protocol/control.ts";
import type { ImageProblem } from "./errors.ts";

/** Range of bytes that a parser requests next. */
export interface Range {
  readonly at: number;
  readonly length: number;
}

/**
 * Formats that browsers show, but that are never sent as they are: pictures in them are converted
 * to another format.
 */
export type PaintedType =
  | "image/bmp"
  | "image/x-icon"
  | "image/tiff"
  | "image/jxl"
  /** A file of an unknown format that this browser decodes. */
  | "application/octet-stream";

/** Formats of files that may be chosen. */
export type FileType = ImageType | PaintedType;

/** Facts from a header. */
export interface Header {
  readonly type: FileType;
  readonly width: number;
  readonly height: number;
  readonly orientation?: number;
  /** Where the picture data continues, for the check that the file is complete. */
  readonly next: number;
}

/** Yields ranges, and receives their bytes. */
export type Parser<T> = Generator<Range, T, Uint8Array>;

type Parsed = Header | ImageProblem;

// A segment, box or chunk has some kilobytes in honest files. A file of 64 MiB whose steps are
// shorter than 1 KiB is no picture.
const MAX_STEPS = 65_536;
// AVIF's metadata boxes take hundreds of bytes, a few kilobytes with many tiles.
const MAX_META_BYTES = 256 * 1024;

/** Big-endian unsigned integer of up to 4 bytes; bytes past the end count as 0. */
export function uint(bytes: Uint8Array, at: number, length: number): number {
  let value = 0;
  for (let i = 0; i < length; i++) value = value * 256 + (bytes[at + i] ?? 0);
  return value;
}

/** The same, little-endian. */
export function uintLe(bytes: Uint8Array, at: number, length: number): number {
  let value = 0;
  for (let i = length - 1; i >= 0; i--) value = value * 256 + (bytes[at + i] ?? 0);
  return value;
}

/** Bytes as Latin-1, for magic words. */
export function latin1(bytes: Uint8Array, at: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + length));
}

/** Orientation (tag 0x0112 of IFD0) in an APP1 payload, if it is EXIF and holds one of 1–8. */
function exifOrientation(app1: Uint8Array): number | undefined {
  if (latin1(app1, 0, 6) !== "Exif\0\0") return undefined;
  const tiff = app1.subarray(6);
  const order = latin1(tiff, 0, 2);
  if (order !== "II" && order !== "MM") return undefined;
  const read = order === "II" ? uintLe : uint;
  const ifd = read(tiff, 4, 4);
  const entries = Math.min(read(tiff, ifd, 2), 512);
  for (let i = 0; i < entries; i++) {
    const entry = ifd + 2 + 12 * i;
    if (read(tiff, entry, 2) !== 0x0112) continue;
    const value = read(tiff, entry + 8, 2);
    return value >= 1 && value <= 8 ? value : undefined;
  }
  return undefined;
}

/**
 * JPEG: ITU T.81 B.1. Reads the segments up to the start of frame, and skips what is between them,
 * as decoders do.
 */
export function* parseJpeg(): Parser<Parsed> {
  let orientation: number | undefined;
  let at = 2;
  for (let step = 0; step < MAX_STEPS; step++) {
    const start = yield* nextMarker(at);
    if (start === null) return "truncated";
    const head = yield { at: start, length: 9 };
    if (head.length < 4) return "truncated";
    const marker = head[1] ?? 0;
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    // Lossless, differential and arithmetic frames: no browser decodes them.
    if (isFrame && marker > 0xc2) return "unsupported";
    if (isFrame) {
      if (head.length < 9) return "truncated";
      const size = { width: uint(head, 7, 2), height: uint(head, 5, 2) };
      const turned = orientation === undefined ? {} : { orientation };
      return { type: "image/jpeg", ...size, ...turned, next: start + 2 + uint(head, 2, 2) };
    }
    if (marker === 1 || (marker >= 0xd0 && marker <= 0xd7)) {
      // Markers without a length, and without a meaning here.
      at = start + 2;
      continue;
    }
    const length = uint(head, 2, 2);
    // Start of scan or end of image before any frame, or a segment without room for its own length.
    if (marker === 0xda || marker === 0xd9 || length < 2) return "not_an_image";
    if (marker === 0xe1 && orientation === undefined) {
      orientation = exifOrientation(yield { at: start + 4, length: length - 2 });
    }
    at = start + 2 + length;
  }
  return "unsupported";
}

/** How many bytes between two segments are searched for the next marker: per read, and in total. */
const GAP_BYTES = 1024;
const MAX_GAP_BYTES = 1024 * 1024;

/**
 * Where the next marker begins: a 0xff followed by anything but 0 and 0xff. `null` if the file ends
 * before, or it is too far away.
 */
function* nextMarker(start: number): Parser<number | null> {
  // Nearly always the marker is right here.
  const here = yield { at: start, length: 2 };
  if (here[0] === 0xff && here[1] !== 0 && here[1] !== 0xff && here[1] !== undefined) return start;
  for (let at = start; at < start + MAX_GAP_BYTES; at += GAP_BYTES) {
    const bytes = yield { at, length: GAP_BYTES + 1 };
    for (let i = bytes.indexOf(0xff); i !== -1 && i < GAP_BYTES; i = bytes.indexOf(0xff, i + 1)) {
      const marker = bytes[i + 1];
      if (marker !== undefined && marker !== 0 && marker !== 0xff) return at + i;
    }
    if (bytes.length <= GAP_BYTES) return null;
  }
  return null;
}

/** PNG, APNG: IHDR is the first chunk. */
export function* parsePng(): Parser<Parsed> {
  const head = yield { at: 0, length: 33 };
  if (head.length < 33) return "truncated";
  // Apple's "optimized" PNGs of app bundles begin with CgBI, and only Apple's software reads them.
  if (latin1(head, 12, 4) === "CgBI") return "unsupported";
  if (uint(head, 8, 4) !== 13 || latin1(head, 12, 4) !== "IHDR") return "not_an_image";
  return { type: "image/png", width: uint(head, 16, 4), height: uint(head, 20, 4), next: 33 };
}

/** WebP: RFC 9649; lossy, lossless, or extended with the canvas size. */
export function* parseWebp(): Parser<Parsed> {
  const head = yield { at: 0, length: 30 };
  // The smallest lossless files are shorter than the header of the other kinds.
  if (head.length < (latin1(head, 12, 4) === "VP8L" ? 25 : 30)) return "truncated";
  const next = 8 + uintLe(head, 4, 4);
  const facts = (width: number, height: number) =>
    ({ type: "image/webp", width, height, next }) as const;
  switch (latin1(head, 12, 4)) {
    case "VP8 ":
      if (uint(head, 23, 3) !== 0x9d012a) return "not_an_image";
      return facts(uintLe(head, 26, 2) & 0x3fff, uintLe(head, 28, 2) & 0x3fff);
    case "VP8L": {
      if (head[20] !== 0x2f) return "not_an_image";
      const bits = uintLe(head, 21, 4);
      return facts((bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1);
    }
    case "VP8X":
      return facts(uintLe(head, 24, 3) + 1, uintLe(head, 27, 3) + 1);
    default:
      return "not_an_image";
  }
}

/** GIF: screen size and the first frame's size; the limits apply to the larger one. */
export function* parseGif(): Parser<Parsed> {
  const head = yield { at: 0, length: 13 };
  if (head.length < 13) return "truncated";
  const table = (flags: number) => flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0;
  let at = 13 + table(head[10] ?? 0);
  for (let step = 0; step < MAX_STEPS; step++) {
    const block = yield { at, length: 10 };
    if (block[0] === 0x2c) {
      if (block.length < 10) return "truncated";
      const width = Math.max(uintLe(head, 6, 2), uintLe(block, 1, 2) + uintLe(block, 5, 2));
      const height = Math.max(uintLe(head, 8, 2), uintLe(block, 3, 2) + uintLe(block, 7, 2));
      return { type: "image/gif", width, height, next: at + 11 + table(block[9] ?? 0) };
    }
    if (block.length < 2) return "truncated";
    if (block[0] !== 0x21) return "not_an_image";
    const end = yield* skipSubBlocks(at + 2);
    if (end === null) return "truncated";
    at = end;
  }
  return "unsupported";
}

/** Skips GIF's length-prefixed blocks up to the empty one; `null` if the file ends before. */
export function* skipSubBlocks(start: number): Parser<number | null> {
  let at = start;
  // Bounded by the file's length: even 64 MiB in blocks of 1 byte are quick, because a step takes
  // nanoseconds.
  for (;;) {
    const length = (yield { at, length: 1 })[0];
    if (length === undefined) return null;
    at += 1 + length;
    if (length === 0) return at;
  }
}

interface Box {
  readonly kind: string;
  readonly at: number;
  readonly end: number;
}

/** ISO BMFF boxes in `bytes`, from `start` to `end`; stops at the first invalid one. */
function boxesIn(bytes: Uint8Array, start: number, end = bytes.length): Box[] {
  const boxes: Box[] = [];
  let at = start;
  while (at + 8 <= end && boxes.length < 4096) {
    const length = uint(bytes, at, 4);
    if (length < 8 || at + length > end) break;
    boxes.push({ kind: latin1(bytes, at + 4, 4), at: at + 8, end: at + length });
    at += length;
  }
  return boxes;
}

/**
 * The largest `ispe` of all items counts as the picture's. Tiles, alpha planes and thumbnails are
 * never larger; and if one were, a decoder might allocate memory for its size.
 */
function avifSize(meta: Uint8Array): { width: number; height: number } | null {
  const inside = (boxes: readonly Box[], kind: string) => {
    const found = boxes.find((box) => box.kind === kind);
    return found === undefined ? [] : boxesIn(meta, found.at, found.end);
  };
  const properties = inside(inside(boxesIn(meta, 4), "iprp"), "ipco");
  return properties.filter(({ kind }) => kind === "ispe")
    .map(({ at }) => ({ width: uint(meta, at + 4, 4), height: uint(meta, at + 8, 4) }))
    .sort((a, b) => b.width * b.height - a.width * a.height)[0] ?? null;
}

/** The largest track of an animation, which may have no picture besides it; sides are 16.16. */
function filmSize(moov: Uint8Array): { width: number; height: number } | null {
  const headers = boxesIn(moov, 0).filter(({ kind }) => kind === "trak")
    .flatMap(({ at, end }) => boxesIn(moov, at, end))
    .filter(({ kind }) => kind === "tkhd");
  return headers.map(({ end }) => ({
    width: uint(moov, end - 8, 2),
    height: uint(moov, end - 4, 2),
  }))
    .sort((a, b) => b.width * b.height - a.width * a.height)[0] ?? null;
}

/** Brands of MP4, QuickTime and similar formats. */
const VIDEO_BRANDS =
  /^(iso[m2-9]|mp4[12v]|qt {2}|M4V[ HP]|avc1|hvc1|3g[2eghprs][0-9a-z]|mmp4|dash|f4v |XAVC)$/;

/**
 * AVIF: top-level boxes up to `meta` or `moov`. Returns `heic` for the sibling format and `video`
 * for videos.
 */
export function* parseAvif(): Parser<Parsed> {
  const ftyp = yield { at: 0, length: 512 };
  const length = uint(ftyp, 0, 4);
  const brands = latin1(ftyp, 8, Math.min(length, 512) - 8).match(/.{4}/gs) ?? [];
  if (!brands.some((brand) => brand === "avif" || brand === "avis")) {
    if (brands.some((brand) => /^(hei[cxms]|hev[cxms]|mif1|msf1)$/.test(brand))) return "heic";
    // Audio files may list the brands of videos too, but the first brand says what the file is.
    const isFilm = !/^M4[AB] $/.test(brands[0] ?? "") &&
      brands.some((brand) => VIDEO_BRANDS.test(brand));
    return isFilm ? "video" : "not_an_image";
  }
  let at = length;
  for (let step = 0; step < 64; step++) {
    const box = yield* boxAt(at);
    if (box === null) return "truncated";
    // The short form of `meta`, which is not parsed here.
    if (box.kind === "mini") return "unsupported";
    if (box.kind === "meta" || box.kind === "moov") {
      const inside = yield { at: box.at, length: Math.min(box.end - box.at, MAX_META_BYTES) };
      const size = box.kind === "meta" ? avifSize(inside) : filmSize(inside);
      if (size !== null) return { type: "image/avif", ...size, next: at };
      return box.end - box.at > inside.length ? "truncated" : "unsupported";
    }
    at = box.end;
  }
  return "unsupported";
}

/**
 * The top-level box at `at`; its end is Infinity if it extends to the end of the file; `null` if
 * there is none.
 */
export function* boxAt(at: number): Parser<Box | null> {
  const head = yield { at, length: 16 };
  if (head.length < 8) return null;
  const kind = latin1(head, 4, 4);
  const length = uint(head, 0, 4);
  if (length === 0) return { kind, at: at + 8, end: Infinity };
  if (length !== 1) return length < 8 ? null : { kind, at: at + 8, end: at + length };
  const long = uint(head, 8, 4) * 2 ** 32 + uint(head, 12, 4);
  return head.length < 16 || long < 16 ? null : { kind, at: at + 16, end: at + long };
}

/**
 * BMP: the file's header, then one of several kinds of bitmap header, of which the first has 16
 * bits per side.
 */
export function* parseBmp(): Parser<Parsed> {
  const head = yield { at: 0, length: 26 };
  if (head.length < 26) return "truncated";
  const size = bitmapSize(head, 14);
  return size === null ? "not_an_image" : { type: "image/bmp", ...size, next: 26 };
}

/** The size in a bitmap header; a height below 0 means that rows are stored top to bottom. */
function bitmapSize(bytes: Uint8Array, at: number): { width: number; height: number } | null {
  const length = uintLe(bytes, at, 4);
  if (length === 12) return { width: uintLe(bytes, at + 4, 2), height: uintLe(bytes, at + 6, 2) };
  if (length < 16 || length > 124) return null;
  return {
    width: Math.abs(uintLe(bytes, at + 4, 4) | 0),
    height: Math.abs(uintLe(bytes, at + 8, 4) | 0),
  };
}

/** Maximum number of pictures in an icon. */
const MAX_ICONS = 64;

/**
 * ICO, CUR: pictures of several sizes. Takes the largest side that the table lists; only a decoder
 * knows which of them it chooses, and its real size.
 */
export function* parseIcon(): Parser<Parsed> {
  const head = yield { at: 0, length: 6 };
  const count = uintLe(head, 4, 2);
  if (count === 0 || count > MAX_ICONS) return "not_an_image";
  let [width, height] = [0, 0];
  for (let i = 0; i < count; i++) {
    const entry = yield { at: 6 + 16 * i, length: 16 };
    if (entry.length < 16) return "truncated";
    // A side of 256 is written as 0.
    width = Math.max(width, entry[0] || 256);
    height = Math.max(height, entry[1] || 256);
  }
  return { type: "image/x-icon", width, height, next: 6 + 16 * count };
}

/** TIFF, which some browsers show: the size is in its first directory. */
export function* parseTiff(): Parser<Parsed> {
  const head = yield { at: 0, length: 8 };
  const read = latin1(head, 0, 2) === "II" ? uintLe : uint;
  const at = read(head, 4, 4);
  const count = Math.min(read(yield { at, length: 2 }, 0, 2), 512);
  const entries = yield { at: at + 2, length: 12 * count };
  let [width, height] = [0, 0];
  for (let i = 0; i < count; i++) {
    const [tag, type] = [read(entries, 12 * i, 2), read(entries, 12 * i + 2, 2)];
    const value = read(entries, 12 * i + 8, type === 3 ? 2 : 4);
    if (tag === 0x0100) width = value;
    if (tag === 0x0101) height = value;
  }
  return width === 0 || height === 0
    ? "unsupported"
    : { type: "image/tiff", width, height, next: 8 };
}
