/**
 * Determines what a file is from its bytes alone, before anything decodes it: a PNG of 31 KB may
 * decode to 1 GB.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { encodeHex } from "@std/encoding/hex";
import { IMAGE_TYPES, type ImageType } from "../protocol/control.ts";
import { MAX_IMAGE_BYTES, MAX_IMAGE_PIXELS, MAX_IMAGE_SIDE } from "../protocol/limits.ts";
import { ImageError, type ImageProblem } from "./errors.ts";
import {
  boxAt,
  type FileType,
  type Header,
  latin1,
  parseAvif,
  parseBmp,
  parseGif,
  parseIcon,
  parseJpeg,
  parsePng,
  type Parser,
  parseTiff,
  parseWebp,
  skipSubBlocks,
  uint,
} from "./headers.ts";
import { parseJxl } from "./jxl.ts";

/** A picture that may be decoded. Coded pixels, before any orientation is applied. */
export interface ImageFacts {
  readonly ok: true;
  readonly type: ImageType;
  readonly width: number;
  readonly height: number;
  /**
   * EXIF orientation of a JPEG, 1–8; 5–8 swap width and height on screen. Absent if the file has
   * none.
   */
  readonly orientation?: number;
}

/** Result of {@linkcode inspectImage}. */
export type ImageInfo = ImageFacts | { readonly ok: false; readonly reason: ImageProblem };

/**
 * The same for a chosen file: any format that may be decoded, and any size that may be scaled down.
 */
export interface FileFacts extends Omit<ImageFacts, "type"> {
  readonly type: FileType;
}

/** Result of {@linkcode inspectFile}. */
export type FileInfo = FileFacts | { readonly ok: false; readonly reason: ImageProblem };

/** Limits of a picture. */
export interface Limits {
  readonly bytes: number;
  readonly pixels: number;
  /** Of width and height, in pixels. */
  readonly side: number;
}

/** Limits of pictures that are sent. */
const SENT: Limits = { bytes: MAX_IMAGE_BYTES, pixels: MAX_IMAGE_PIXELS, side: MAX_IMAGE_SIDE };

/**
 * Limits of chosen files, which are scaled down if they are too large to be sent. 200 megapixels
 * decode to 800 MB, which computers have.
 */
export const CHOSEN: Limits = { bytes: 512 * 1024 * 1024, pixels: 200_000_000, side: Infinity };

const WINDOW_BYTES = 64 * 1024;

// Beginnings, in hex, of formats that people may well call pictures: for those, the result is
// "unsupported" instead of "not_an_image".
const UNSUPPORTED = [
  /^424d.{8}00000000/, // BMP with a header of an unknown kind
  /^38425053/, // Photoshop
  /^(0000000c6a502020|ff4fff51)/, // JPEG 2000
  /^(49492b00|4d4d002b)/, // BigTIFF
];

/** Formats that are decoded and encoded again. */
const PAINTED: readonly (readonly [RegExp, () => Parser<Header | ImageProblem>])[] = [
  [/^424d.{24}(0c|[1-7].)000000/, parseBmp],
  [/^00000[12]00..00/, parseIcon],
  [/^(49492a00|4d4d002a)/, parseTiff],
  [/^(ff0a|0000000c4a584c20)/, parseJxl],
];

// Beginnings, in hex, of videos that have no `ftyp`.
const VIDEOS = [
  /^1a45dfa3/, // WebM, Matroska
  /^52494646.{8}41564920/, // AVI
  /^.{8}(6d6f6f76|77696465|6d646174)/, // QuickTime: moov, wide, mdat
];

function* parseHeader(): Parser<Header | ImageProblem> {
  const head = yield { at: 0, length: 1024 };
  if (head.length === 0) return "empty";
  const hex = encodeHex(head.subarray(0, 18));
  const painted = PAINTED.find(([pattern]) => pattern.test(hex));
  if (painted !== undefined) return yield* painted[1]();
  if (UNSUPPORTED.some((pattern) => pattern.test(hex))) return "unsupported";
  const magic = latin1(head, 0, 16);
  if (magic.startsWith("\xff\xd8\xff")) return yield* parseJpeg();
  if (magic.startsWith("\x89PNG\r\n\x1a\n")) return yield* parsePng();
  if (/^GIF8[79]a/.test(magic)) return yield* parseGif();
  if (/^RIFF.{4}WEBP/s.test(magic)) return yield* parseWebp();
  if (magic.slice(4, 8) === "ftyp") return yield* parseAvif();
  if (VIDEOS.some((pattern) => pattern.test(hex))) return "video";
  const text = latin1(head, 0, 1024);
  return /^(\xef\xbb\xbf)?\s*</.test(text) && /<svg[\s>:]|<!DOCTYPE svg/i.test(text)
    ? "svg"
    : "not_an_image";
}

function judge(header: Header | ImageProblem, limits: Limits): FileInfo {
  if (typeof header === "string") return { ok: false, reason: header };
  const { type, width, height, orientation } = header;
  if (width === 0 || height === 0) return { ok: false, reason: "not_an_image" };
  if (width * height > limits.pixels) return { ok: false, reason: "too_many_pixels" };
  if (Math.max(width, height) > limits.side) return { ok: false, reason: "too_long" };
  return { ok: true, type, width, height, ...(orientation === undefined ? {} : { orientation }) };
}

/** Judges a picture that was received or is to be sent: only the five formats are accepted. */
function judgeSent(header: Header | ImageProblem): ImageInfo {
  const info = judge(header, SENT);
  if (!info.ok) return info;
  const { type } = info;
  return isSent(type) ? { ...info, type } : { ok: false, reason: "unsupported" };
}

/** True for the formats that are sent. */
export function isSent(type: FileType): type is ImageType {
  return IMAGE_TYPES.some((known) => known === type);
}

/**
 * True if the picture's data ends within a file of `size` bytes; what follows it is not examined.
 */
function* isWhole(header: Header, size: number): Parser<boolean> {
  switch (header.type) {
    case "image/webp":
      // Encoders disagree about counting the last padding byte.
      return header.next <= size + 1;
    case "image/gif":
      return (yield* skipSubBlocks(header.next)) !== null;
    case "image/png":
      for (let at = header.next; at < size;) {
        const chunk = yield { at, length: 8 };
        at += 12 + uint(chunk, 0, 4);
        if (latin1(chunk, 4, 4) === "IEND") return at <= size;
      }
      return false;
    case "image/avif":
      for (let at = header.next, step = 0; at < size && step < 64; step++) {
        const box = yield* boxAt(at);
        // Not a box: something was appended.
        if (box === null || !/^[\w ]{4}$/.test(box.kind)) return step > 0;
        if (box.end > size && box.end !== Infinity) return false;
        at = box.end;
      }
      return true;
    case "image/jpeg": {
      // In entropy-coded data 0xff is always followed by 0, RSTn or the next segment's marker, so
      // FF D9 is the end. Usually it is within the last bytes; after it, phones may append a video
      // of megabytes (motion photos).
      const tail = Math.max(header.next, size - 4096);
      if (hasEnd(yield { at: tail, length: 4096 })) return true;
      for (let at = header.next; at < tail; at += WINDOW_BYTES) {
        if (hasEnd(yield { at, length: WINDOW_BYTES + 1 })) return true;
      }
      return false;
    }
    case "image/bmp":
    case "image/x-icon":
    case "image/tiff":
    case "image/jxl":
    case "application/octet-stream":
      return true;
    default:
      return header.type satisfies never;
  }
}

function hasEnd(bytes: Uint8Array): boolean {
  for (let at = bytes.indexOf(0xff); at !== -1; at = bytes.indexOf(0xff, at + 1)) {
    if (bytes[at + 1] === 0xd9) return true;
  }
  return false;
}

/**
 * Reads type and size from the first bytes of a picture (or from the whole of it) and checks them
 * against the limits. Looks at headers only; `truncated` means that the header does not fit into
 * `head`. Never throws.
 */
export function inspectImage(head: Uint8Array): ImageInfo {
  if (head.length > MAX_IMAGE_BYTES) return { ok: false, reason: "too_large" };
  const parser = parseHeader();
  let step = parser.next();
  while (!step.done) {
    const { at, length } = step.value;
    step = parser.next(head.subarray(at, at + length));
  }
  return judgeSent(step.value);
}

/**
 * Like {@linkcode inspectImage} for a whole file, of which only the needed parts are read; also
 * detects a file that was cut off (`truncated`). Bytes after the end of a picture, as phones append
 * them, are fine. Throws `ImageError` (`unreadable`) if the file can no longer be read.
 */
export async function inspectBlob(blob: Blob): Promise<ImageInfo> {
  if (blob.size > MAX_IMAGE_BYTES) return { ok: false, reason: "too_large" };
  const reader = new WindowReader(blob);
  const header = await reader.run(parseHeader());
  const info = judgeSent(header);
  if (!info.ok || typeof header === "string") return info;
  return await reader.run(isWhole(header, blob.size)) ? info : { ok: false, reason: "truncated" };
}

/**
 * Reads type and size of a chosen file, and checks them against the limits for chosen files. The
 * code that cleans or decodes the file checks whether its end is missing. Throws `ImageError`
 * (`unreadable`) if the file can no longer be read.
 */
export async function inspectFile(blob: Blob): Promise<FileInfo> {
  if (blob.size > CHOSEN.bytes) return { ok: false, reason: "too_large" };
  return judge(await new WindowReader(blob).run(parseHeader()), CHOSEN);
}

/**
 * True if the end is missing in a file that `inspectFile` accepted. Throws `ImageError`
 * (`unreadable`).
 */
export async function isCutOff(blob: Blob): Promise<boolean> {
  const reader = new WindowReader(blob);
  const header = await reader.run(parseHeader());
  return typeof header !== "string" && !await reader.run(isWhole(header, blob.size));
}

/** Serves a parser from one window of the file at a time; small jumps forward need no read. */
class WindowReader {
  readonly #blob: Blob;
  #start = 0;
  #window = new Uint8Array();

  constructor(blob: Blob) {
    this.#blob = blob;
  }

  async run<T>(parser: Parser<T>): Promise<T> {
    let step = parser.next();
    while (!step.done) {
      const at = Math.min(step.value.at, this.#blob.size);
      const end = Math.min(at + step.value.length, this.#blob.size);
      if (at < this.#start || end > this.#start + this.#window.length) await this.#read(at, end);
      step = parser.next(this.#window.subarray(at - this.#start, end - this.#start));
    }
    return step.value;
  }

  async #read(at: number, end: number): Promise<void> {
    const until = Math.max(end, at + WINDOW_BYTES);
    try {
      this.#window = new Uint8Array(await this.#blob.slice(at, until).arrayBuffer());
    } catch (cause) {
      throw new ImageError("unreadable", { cause });
    }
    this.#start = at;
  }
}
