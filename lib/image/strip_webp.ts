/**
 * Rebuilds a WebP from its picture alone (RFC 9649): header, color profile, frames with their
 * transparency.
 *
 * This module is browser compatible.
 *
 * @module
 */
import {
  ascii,
  type Collector,
  EXIF,
  isTurned,
  orientationTiff,
  u32Le,
  Unfollowed,
} from "./collector.ts";
import { ImageError } from "./errors.ts";
import { latin1, uintLe } from "./headers.ts";
import { neutralProfile } from "./icc.ts";
import { exifKinds, exifOrientation, xmpKinds } from "./metadata.ts";

const HAS_ANIMATION = 0x02;
const HAS_EXIF = 0x08;
const HAS_ALPHA = 0x10;
const HAS_PROFILE = 0x20;

/** Maximum number of chunks; no animation has that many frames. */
const MAX_CHUNKS = 65_536;

/** The size of an ANMF's own fields, before its chunks. */
const FRAME_HEAD = 16;

interface Chunk {
  readonly name: string;
  /** Start and end of its content. */
  readonly start: number;
  readonly end: number;
}

/** Content of the new file in order; a `Chunk` is copied from the old one, with a header. */
type Piece = Chunk | readonly number[];

/**
 * Throws `ImageError` (`truncated`) if a chunk of the picture is cut off, `Unfollowed` if there is
 * no such chunk.
 */
export function stripWebp(out: Collector): void {
  const { bytes } = out;
  const { chunks, end } = chunksIn(out, 12, bytes.length);
  const head = chunks.find(({ name }) => name === "VP8X");
  const flags = head === undefined ? 0 : bytes[head.start] ?? 0;
  const moves = (flags & HAS_ANIMATION) !== 0;
  const pieces: Piece[] = [];
  let turned: number | undefined;
  let found = new Set<string>();
  for (const chunk of chunks) {
    const { name, start, end } = chunk;
    const first = !found.has(name);
    found = found.add(name);
    const payload = bytes.subarray(start, end);
    if (name === "VP8X" && first) {
      if (end - start > 10) out.drop("other");
    } else if (name === "ICCP" && first && (flags & HAS_PROFILE) !== 0) {
      pieces.push(neutralIcc(out, chunk));
    } else if (name === "ANIM" && first && moves) pieces.push(cut(out, chunk, 6));
    else if (name === "ANMF" && moves) pieces.push(...frame(out, chunk));
    else if (isPicture(name) && first && !moves) pieces.push(chunk);
    else if (name === "EXIF") {
      const tiff = latin1(payload, 0, 6) === EXIF ? payload.subarray(6) : payload;
      out.drop(...exifKinds(tiff));
      turned = exifOrientation(tiff);
    } else out.drop(...(name === "XMP " ? xmpKinds(payload) : ["other" as const]));
  }
  if (head !== undefined) {
    const kept = flags & (HAS_ANIMATION | HAS_ALPHA | (found.has("ICCP") ? HAS_PROFILE : 0));
    const size = bytes.subarray(head.start + 4, head.start + 10);
    const first = kept | (isTurned(turned) ? HAS_EXIF : 0);
    pieces.unshift([...chunkHead("VP8X", 10), first, 0, 0, 0, ...size]);
    if (isTurned(turned)) {
      const tiff = orientationTiff(turned);
      pieces.push([...chunkHead("EXIF", tiff.length), ...tiff]);
    }
  }
  const size = pieces.reduce((sum, piece) => sum + sizeOf(piece), 4);
  out.put(0, [...ascii("RIFF"), ...u32Le(size), ...ascii("WEBP")]);
  for (const piece of pieces) write(out, piece);
  out.dropTail(end);
}

function isPicture(name: string): boolean {
  return ["VP8 ", "VP8L", "ALPH"].includes(name);
}

/** The chunks of a range. If one that is no part of the picture is cut off, it is ignored. */
function chunksIn(
  { bytes }: Collector,
  from: number,
  to: number,
): { chunks: readonly Chunk[]; end: number } {
  // Encoders may count wrongly: RIFF's length is used only if it is within the file.
  const said = 8 + uintLe(bytes, 4, 4);
  const stop = from === 12 && said > 12 ? Math.min(to, said) : to;
  const chunks: Chunk[] = [];
  let at = from;
  while (at + 8 <= stop && chunks.length < MAX_CHUNKS) {
    const name = latin1(bytes, at, 4);
    const start = at + 8;
    const end = start + uintLe(bytes, at + 4, 4);
    if (end > to) {
      if (isPicture(name) || name === "ANMF") throw new ImageError("truncated");
      return { chunks, end: at };
    }
    chunks.push({ name, start, end });
    // Encoders disagree about the padding of the last chunk.
    at = Math.min(to, end + (end - start) % 2);
  }
  return { chunks, end: at };
}

/** Cuts a chunk to its first bytes. */
function cut(out: Collector, { name, start, end }: Chunk, length: number): Chunk {
  if (end - start > length) out.drop("other");
  return { name, start, end: Math.min(end, start + length) };
}

/** Returns a color profile, without names. */
function neutralIcc(out: Collector, chunk: Chunk): Piece {
  const bytes = out.bytes.subarray(chunk.start, chunk.end);
  const neutral = neutralProfile(bytes);
  if (neutral === null) throw new Unfollowed("undecodable");
  if (neutral.length === bytes.length && neutral.every((byte, i) => byte === bytes[i])) {
    return chunk;
  }
  out.drop("other");
  const padding = neutral.length % 2 === 0 ? [] : [0];
  return [...chunkHead("ICCP", neutral.length), ...neutral, ...padding];
}

/** A frame of an animation: its own fields, its transparency, its picture. */
function frame(out: Collector, { start, end }: Chunk): Piece[] {
  if (end - start < FRAME_HEAD) throw new ImageError("truncated");
  const { chunks } = chunksIn(out, start + FRAME_HEAD, end);
  const found = new Set<string>();
  const pieces: Piece[] = [];
  for (const chunk of chunks) {
    if (isPicture(chunk.name) && !found.has(chunk.name)) pieces.push(chunk);
    else out.drop("other");
    found.add(chunk.name);
  }
  const size = pieces.reduce((sum, piece) => sum + sizeOf(piece), FRAME_HEAD);
  const fields = out.bytes.subarray(start, start + FRAME_HEAD);
  return [[...chunkHead("ANMF", size), ...fields], ...pieces];
}

function sizeOf(piece: Piece): number {
  if (!("name" in piece)) return piece.length;
  const length = piece.end - piece.start;
  return 8 + length + length % 2;
}

function chunkHead(name: string, length: number): number[] {
  return [...ascii(name), ...u32Le(length)];
}

function write(out: Collector, piece: Piece): void {
  if (!("name" in piece)) return out.add(Uint8Array.from(piece));
  const { name, start, end } = piece;
  out.put(start - 8, chunkHead(name, end - start));
  out.keep(start, end);
  if ((end - start) % 2 === 0) return;
  if (out.bytes[end] === 0) out.keep(end, end + 1);
  else out.add(new Uint8Array(1));
}
