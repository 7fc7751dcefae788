/**
 * Removes from a PNG (3rd edition), animated or not, what its picture does not need. Every chunk
 * that stays has its exact length, and its streams hold exactly the bytes of the picture.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { type Collector, isTurned, orientationTiff, u32, Unfollowed } from "./collector.ts";
import { ImageError } from "./errors.ts";
import { latin1, uint } from "./headers.ts";
import { NAME, neutralProfile } from "./icc.ts";
import { canInflate, inflate } from "./inflate.ts";
import { exifKinds, exifOrientation, xmpKinds } from "./metadata.ts";
import { crc32, pngChunk, profileChunk } from "./png_chunk.ts";

/** Chunks for color and animation, and their exact lengths. */
const EXACT: ReadonlyMap<string, number> = new Map([
  ["gAMA", 4],
  ["cHRM", 32],
  ["sRGB", 1],
  ["cICP", 4],
  ["mDCV", 24],
  ["cLLI", 8],
  ["acTL", 8],
]);

/**
 * Chunks that browsers ignore, and the most bytes that an honest one has: their removal is not
 * reported.
 */
const IDLE: ReadonlyMap<string, number> = new Map([["sBIT", 4], ["bKGD", 6], ["pHYs", 9]]);

const MAX_PROFILE_BYTES = 4 * 1024 * 1024;
/** Maximum bytes of rows that are checked in all frames of an animation. */
const MAX_INFLATED = 2 ** 30;

interface Chunk {
  readonly name: string;
  readonly start: number;
  /** Start and end of its content; its checksum follows. */
  readonly from: number;
  readonly to: number;
}

/** Rows of the picture or of one frame, and the pieces of the stream that holds them. */
interface Rows {
  readonly width: number;
  readonly height: number;
  readonly pieces: Uint8Array<ArrayBuffer>[];
}

/**
 * Throws `ImageError` (`truncated`) if rows and the end are missing, or a frame of an animation is
 * cut off; `Unfollowed` if the file is malformed, or this browser can't inflate.
 */
export async function stripPng(out: Collector): Promise<void> {
  const { bytes } = out;
  out.keep(0, 8);
  const rows: Rows = { width: uint(bytes, 16, 4), height: uint(bytes, 20, 4), pieces: [] };
  const frames: Rows[] = [];
  const place = { hasData: false, moves: false, hasProfile: false };
  let isEnded = false;
  let at = 8;
  while (at + 8 <= bytes.length) {
    const name = latin1(bytes, at + 4, 4);
    const chunk = { name, start: at, from: at + 8, to: at + 8 + uint(bytes, at, 4) };
    if (chunk.to + 4 > bytes.length) {
      if (name === "IDAT") completeData(out, chunk, rows);
      else if (name === "fdAT" || name === "fcTL") throw new ImageError("truncated");
      else out.drop("other");
      at = bytes.length;
      break;
    }
    at = chunk.to + 4;
    if (name === "IEND") {
      out.put(chunk.start, END);
      if (chunk.to > chunk.from) out.drop("other");
      isEnded = true;
      break;
    }
    if (name === "IDAT") {
      place.hasData = true;
      rows.pieces.push(slice(bytes, chunk.from, chunk.to));
      out.keep(chunk.start, at);
    } else if (name === "fcTL" || name === "fdAT") {
      frameChunk(out, chunk, { place, frames });
    } else await note(out, chunk, place);
    if (name === "acTL") place.moves = true;
  }
  if (!isEnded) out.add(Uint8Array.from(END));
  out.dropTail(at);
  await check(bytes, { rows, frames, isEnded });
}

const END = [0, 0, 0, 0, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82];

/**
 * The last data chunk extends to the end of the file: the part that is there may hold the whole
 * picture.
 */
function completeData(out: Collector, { start, from }: Chunk, rows: Rows): void {
  const { bytes } = out;
  // A part of the checksum may be there; the stream's end is found without knowing where the
  // checksum begins.
  const stop = Math.min(bytes.length, from + uint(bytes, start, 4));
  rows.pieces.push(slice(bytes, from, stop));
  const body = bytes.subarray(start + 4, stop);
  out.add(Uint8Array.from(u32(stop - from)));
  out.keep(start + 4, stop);
  out.add(Uint8Array.from(u32(crc32(body))));
}

/** Handles a frame of an animation, or a part of its rows. */
function frameChunk(
  out: Collector,
  { name, start, from, to }: Chunk,
  { place, frames }: {
    place: { readonly hasData: boolean; readonly moves: boolean };
    frames: Rows[];
  },
): void {
  const { bytes } = out;
  if (!place.moves) return out.drop("preview");
  if (name === "fcTL") {
    if (to - from !== 26) throw new Unfollowed("undecodable");
    const size = { width: uint(bytes, from + 4, 4), height: uint(bytes, from + 8, 4) };
    // An `fcTL` before the picture's own data gives the duration of that picture.
    if (place.hasData) frames.push({ ...size, pieces: [] });
  } else {
    const frame = frames.at(-1);
    if (frame === undefined || to - from < 4) throw new Unfollowed("undecodable");
    frame.pieces.push(slice(bytes, from + 4, to));
  }
  out.keep(start, to + 4);
}

/** Handles any other chunk. */
async function note(
  out: Collector,
  chunk: Chunk,
  place: { readonly hasData: boolean; hasProfile: boolean },
): Promise<void> {
  const { name, start, from, to } = chunk;
  const payload = out.bytes.subarray(from, to);
  const exact = EXACT.get(name);
  const idle = IDLE.get(name);
  // Decoders ignore a chunk with a wrong checksum, and color chunks after the picture's data.
  const counts = () =>
    !place.hasData && crc32(out.bytes.subarray(start + 4, to)) === uint(out.bytes, to, 4);
  if (name === "IHDR" || name === "PLTE") {
    if (place.hasData) return out.drop("other");
    const isRight = name === "IHDR" ? start === 8 : isPalette(payload, out.bytes);
    if (!isRight) throw new Unfollowed("undecodable");
    out.keep(start, to + 4);
  } else if (exact !== undefined && payload.length === exact && counts()) out.keep(start, to + 4);
  else if (name === "tRNS" && counts()) {
    const wanted = [2, -1, 6][out.bytes[25] ?? 0];
    const isRight = wanted === undefined ? payload.length <= 256 : payload.length === wanted;
    if (!isRight) throw new Unfollowed("undecodable");
    out.keep(start, to + 4);
  } else if (name === "iCCP" && !place.hasProfile && counts()) {
    // Of several profiles, decoders use the first.
    place.hasProfile = true;
    await profile(out, chunk);
  } else if (idle !== undefined && payload.length <= idle) return;
  else if (name === "eXIf") {
    out.drop(...exifKinds(payload));
    const turned = exifOrientation(payload);
    if (isTurned(turned)) out.add(pngChunk("eXIf", orientationTiff(turned)));
  } else if (name === "tIME") out.drop("time");
  else if (name === "iTXt" && latin1(payload, 0, 17) === "XML:com.adobe.xmp") {
    out.drop(...xmpKinds(payload));
  } else out.drop(/^(tEXt|zTXt|iTXt)$/.test(name) ? "text" : "other");
}

/** Three bytes per color, and no more colors than pixels can reference. */
function isPalette({ length }: Uint8Array, bytes: Uint8Array): boolean {
  const most = bytes[25] === 3 ? 3 * 2 ** (bytes[24] ?? 0) : 768;
  return length % 3 === 0 && length <= most;
}

/** Writes a color profile, without names. */
async function profile(out: Collector, { start, from, to }: Chunk): Promise<void> {
  if (!canInflate()) throw new Unfollowed("undecodable");
  const payload = out.bytes.subarray(from, to);
  const end = payload.subarray(0, 80).indexOf(0);
  if (end === -1 || payload[end + 1] !== 0) throw new Unfollowed("undecodable");
  const parts: Uint8Array[] = [];
  const stream = slice(out.bytes, from + end + 2, to);
  const { whole } = await inflate([stream], MAX_PROFILE_BYTES, (bytes) => parts.push(bytes));
  const bytes = new Uint8Array(await new Blob(parts.map((part) => part.slice())).arrayBuffer());
  const neutral = whole ? neutralProfile(bytes) : null;
  if (neutral === null) throw new Unfollowed("undecodable");
  const isNeutral = latin1(payload, 0, end) === NAME && neutral.length === bytes.length &&
    neutral.every((byte, i) => byte === bytes[i]);
  if (isNeutral) return out.keep(start, to + 4);
  out.drop("other");
  out.add(await profileChunk(neutral));
}

/** Checks that all streams hold exactly what they should. */
async function check(
  bytes: Uint8Array,
  { rows, frames, isEnded }: { rows: Rows; frames: readonly Rows[]; isEnded: boolean },
): Promise<void> {
  if (!canInflate()) throw new Unfollowed("undecodable");
  const [depth = 0, colour = 0, , , interlace = 0] = bytes.subarray(24, 29);
  const bits = depth * (CHANNELS[colour] ?? 0);
  let left = MAX_INFLATED;
  for (const part of [rows, ...frames]) {
    const wanted = rowBytes(part, bits, interlace === 1);
    left -= wanted;
    if (part !== rows && left < 0) throw new Unfollowed("undecodable");
    const { length, whole } = await inflate(part.pieces, wanted);
    if (part === rows && length < wanted && !isEnded) throw new ImageError("truncated");
    if (!whole || length !== wanted) throw new Unfollowed("undecodable");
  }
}

/** Samples per pixel, by color type. */
const CHANNELS = [1, 0, 3, 1, 2, 0, 4];

/** Start and step of the seven passes of Adam7, across and down. */
const PASSES = [
  [0, 8, 0, 8],
  [4, 8, 0, 8],
  [0, 4, 4, 8],
  [2, 4, 0, 4],
  [0, 2, 2, 4],
  [1, 2, 0, 2],
  [0, 1, 1, 2],
] as const;

/** Number of bytes of all rows, including their filters. */
function rowBytes({ width, height }: Rows, bits: number, isInterlaced: boolean): number {
  const size = (columns: number, rows: number) =>
    columns === 0 ? 0 : rows * (1 + Math.ceil(columns * bits / 8));
  if (!isInterlaced) return size(width, height);
  return PASSES.reduce((sum, [x, right, y, down]) => {
    const count = (all: number, first: number, step: number) =>
      Math.max(0, Math.ceil((all - first) / step));
    return sum + size(count(width, x, right), count(height, y, down));
  }, 0);
}

/** A view whose buffer is known not to be shared. */
function slice(bytes: Uint8Array, from: number, to: number): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset } = bytes;
  return buffer instanceof ArrayBuffer
    ? new Uint8Array(buffer, byteOffset + from, to - from)
    : bytes.slice(from, to);
}
