/**
 * Where an AVIF keeps its metadata: ISO/IEC 14496-12 (boxes), 23008-12 (items).
 *
 * This module is browser compatible.
 *
 * @module
 */
import { ImageError } from "./errors.ts";
import { latin1, uint } from "./headers.ts";
import { exifKinds, type MetadataKind, xmpKinds } from "./metadata.ts";

/** Bytes that say something about a picture, and are no part of it. */
export interface Place {
  readonly start: number;
  readonly end: number;
  readonly kinds: readonly MetadataKind[];
}

interface Box {
  readonly kind: string;
  /** Where its content begins. */
  readonly start: number;
  readonly end: number;
}

/** Boxes that hold nothing of a picture, at the top and in a film's `moov`. */
const NOTES: readonly string[] = ["uuid", "udta", "free", "skip", "meco"];

/** More boxes, items or extents than any picture has. */
const MAX_COUNT = 4_096;

/** All such places, in order. Throws `ImageError` where the structure can't be followed: then nobody could say what is where. */
export function avifMetadata(bytes: Uint8Array): Place[] {
  const places: Place[] = [];
  const top = boxes(bytes, { start: 0, end: bytes.length });
  const moov = top.find(({ kind }) => kind === "moov");
  const film = moov === undefined ? [] : boxes(bytes, moov);
  for (const { kind, start, end } of [...top, ...film]) {
    if (NOTES.includes(kind) && end > start) places.push({ start, end, kinds: ["other"] });
  }
  const meta = top.find(({ kind }) => kind === "meta");
  if (meta !== undefined) places.push(...items(bytes, meta));
  const last = top.at(-1);
  // Not a box: appended by somebody.
  if (last !== undefined && last.end < bytes.length) {
    places.push({ start: last.end, end: bytes.length, kinds: ["other"] });
  }
  // Zeros are what was left by whoever was here before.
  return places.filter(({ start, end }) => bytes.subarray(start, end).some((byte) => byte !== 0))
    .sort((a, b) => a.start - b.start);
}

function boxes(bytes: Uint8Array, { start, end }: { start: number; end: number }): Box[] {
  const found: Box[] = [];
  for (let at = start; at + 8 <= end;) {
    const short = uint(bytes, at, 4);
    const long = short === 1;
    const size = long ? uint(bytes, at + 8, 4) * 2 ** 32 + uint(bytes, at + 12, 4) : short;
    const kind = latin1(bytes, at + 4, 4);
    if (!/^[\w +]{4}$/.test(kind)) break;
    const header = (long ? 16 : 8) + (kind === "uuid" ? 16 : 0);
    const stop = size === 0 ? end : at + size;
    if (stop < at + header || stop > end || found.length >= MAX_COUNT) {
      throw new ImageError("truncated");
    }
    found.push({ kind, start: at + header, end: stop });
    at = stop;
  }
  return found;
}

/** EXIF and XMP are items beside the picture. */
function items(bytes: Uint8Array, meta: Box): Place[] {
  // A full box: version and flags first.
  const inside = boxes(bytes, { start: meta.start + 4, end: meta.end });
  const find = (kind: string) => inside.find((box) => box.kind === kind);
  const [iinf, iloc, idat] = [find("iinf"), find("iloc"), find("idat")];
  if (iinf === undefined) return [];
  const notes = noteItems(bytes, iinf);
  if (notes.size === 0) return [];
  if (iloc === undefined) throw new ImageError("unsupported");
  return locate(bytes, iloc).flatMap(({ id, method, start, length }) => {
    const type = notes.get(id);
    if (type === undefined) return [];
    if (method > 1 || (method === 1 && idat === undefined)) throw new ImageError("unsupported");
    const from = start + (method === 1 ? idat?.start ?? 0 : 0);
    const end = length === 0 ? bytes.length : from + length;
    if (end > bytes.length) throw new ImageError("truncated");
    const content = bytes.subarray(from, end);
    // EXIF begins with how far away its TIFF header is.
    const kinds = type === "Exif"
      ? exifKinds(content.subarray(4 + uint(content, 0, 4)))
      : xmpKinds(content);
    return [{ start: from, end, kinds: [...kinds] }];
  });
}

/** Items that are not pictures, nor parts of them, by their number. */
function noteItems(bytes: Uint8Array, { start, end }: Box): Map<number, string> {
  const version = bytes[start] ?? 0;
  const found = new Map<number, string>();
  const first = start + 4 + (version === 0 ? 2 : 4);
  for (const box of boxes(bytes, { start: first, end })) {
    if (box.kind !== "infe") continue;
    const wide = (bytes[box.start] ?? 0) === 3;
    const at = box.start + 4;
    const id = uint(bytes, at, wide ? 4 : 2);
    const type = latin1(bytes, at + (wide ? 4 : 2) + 2, 4);
    if (["Exif", "mime", "uri "].includes(type)) found.set(id, type);
  }
  return found;
}

interface Extent {
  readonly id: number;
  /** 0 = in the file, 1 = in `idat`, 2 = in another item. */
  readonly method: number;
  readonly start: number;
  readonly length: number;
}

function locate(bytes: Uint8Array, { start, end }: Box): Extent[] {
  const version = bytes[start] ?? 0;
  const sizes = uint(bytes, start + 4, 2);
  const [offsetSize, lengthSize, baseSize] = [sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15];
  const indexSize = version === 0 ? 0 : sizes & 15;
  let at = start + 6;
  const take = (size: number) => {
    const value = size <= 4
      ? uint(bytes, at, size)
      : uint(bytes, at, size - 4) * 2 ** 32 + uint(bytes, at + size - 4, 4);
    at += size;
    if (at > end) throw new ImageError("truncated");
    return value;
  };
  const wide = version === 2 ? 4 : 2;
  const count = take(wide);
  const found: Extent[] = [];
  for (let i = 0; i < count; i++) {
    const id = take(wide);
    const method = version === 0 ? 0 : take(2) & 15;
    take(2);
    const base = take(baseSize);
    const extents = take(2);
    for (let j = 0; j < extents; j++) {
      take(indexSize);
      found.push({ id, method, start: base + take(offsetSize), length: take(lengthSize) });
      if (found.length > MAX_COUNT) throw new ImageError("unsupported");
    }
  }
  return found;
}
