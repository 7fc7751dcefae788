/**
 * Prepares a chosen file for sending, inside the picture worker. A file that can be parsed byte by
 * byte is cleaned, and its pixels stay as they are. Other formats that browsers show, and pictures
 * that are too large, are decoded and encoded again, so that only pixels are left.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { MAX_IMAGE_BYTES, MAX_IMAGE_PIXELS, MAX_IMAGE_SIDE } from "../protocol/limits.ts";
import { Unfollowed } from "./collector.ts";
import { decode, decodeChecked, fit, type Rendered } from "./decode.ts";
import { type Edits, isUntouched, paintEdits } from "./edits.ts";
import { encodeExactly, encodeNearly, QUALITY } from "./encode.ts";
import { ImageError, type ImageErrorReason, type ImageProblem } from "./errors.ts";
import { CHOSEN, type FileFacts, inspectBlob, inspectFile, isCutOff, isSent } from "./inspect.ts";
import type { MetadataKind } from "./metadata.ts";
import { onePiece } from "./one_piece.ts";
import { isMoving } from "./motion.ts";
import type { Made, PrepareRequest, PreviewRequest } from "./prepared.ts";
import { type Cleaned, stripMetadata, type StripOptions } from "./strip.ts";
import { isWholeJpeg } from "./whole.ts";

/**
 * Larger pictures are scaled down, in pixels: phones run out of memory with more, and few screens
 * show as many.
 */
const MOST_PIXELS = 16_000_000;

/** Sides are rounded, which may add up to this many pixels. */
const ROUNDING = MAX_IMAGE_SIDE;

/** Quality of a JPEG that is encoded again at its own size. */
const SAME_QUALITY = 0.95;

/** How much of a file that is too large to be read is searched for metadata. */
const HEAD_BYTES = 4 * 1024 * 1024;

/** What is known of a file before it is painted. */
interface Opened {
  readonly facts: FileFacts;
  /** The file's picture alone, if it could be extracted byte by byte and may be sent. */
  readonly clean: Blob | null;
  /** What the decoder receives: the file, or only its picture. */
  readonly blob: Blob;
  readonly removed: readonly MetadataKind[];
  /** Whether it has more than one frame. */
  readonly moves: boolean;
  /** The reason to report if it can't be decoded. */
  readonly otherwise: ImageErrorReason;
}

/** Checks, cleans and scales down. Throws `ImageError`. */
export async function prepare(request: PrepareRequest): Promise<Made> {
  const { source, thumbnailSide, fullSize, edits } = request;
  const facts = await look(source);
  const most = fullSize ? MAX_IMAGE_PIXELS - ROUNDING : MOST_PIXELS;
  const isLarge = isLargerThan(facts, most);
  const opened = await open(source, facts, isLarge);
  const { removed } = opened;
  const side = { maxWidth: thumbnailSide, maxHeight: thumbnailSide };
  if (opened.clean !== null && !isLarge && isUntouched(edits)) {
    const made = await finish(opened.clean, { side, removed });
    if (made !== null) return { ...made, ...(opened.moves ? { motion: "kept" } : {}) };
  }
  const isSame = !isLarge && isUntouched(edits);
  const painted = await paint(opened, { most, edits, isSame });
  // Cleaned once more: encoders name themselves in the profiles that they write.
  const { clean: sent } = await open(painted, await look(painted), false);
  if (sent === null) throw new ImageError("undecodable");
  const made = await finish(sent, { side, removed });
  if (made === null) throw new ImageError("undecodable");
  return {
    ...made,
    encoded: true,
    ...(isLarge ? { reducedFrom: facts.width * facts.height } : {}),
    ...(isSame ? { repainted: "whole" } : {}),
    ...(opened.moves ? { motion: "lost" } : {}),
  };
}

/** The picture of a file as its sender sees it, upright. Throws `ImageError`. */
export async function preview({ source, ...bounds }: PreviewRequest): Promise<ImageBitmap> {
  const facts = await look(source);
  const opened = await open(source, facts, isLargerThan(facts, MOST_PIXELS));
  return (await decodeOpened(opened, bounds)).bitmap;
}

function isLargerThan({ width, height }: FileFacts, most: number): boolean {
  return width * height > most || Math.max(width, height) > MAX_IMAGE_SIDE;
}

/** Decodes what is to be sent, as a check; `null` if it can't be decoded, or is too large. */
async function finish(
  blob: Blob,
  { side, removed }: {
    side: { readonly maxWidth: number; readonly maxHeight: number };
    removed: readonly MetadataKind[];
  },
): Promise<Made | null> {
  const info = await inspectBlob(blob);
  if (!info.ok) return null;
  const { ok: _, ...facts } = info;
  try {
    const thumbnail = await decode({ kind: "decode", source: blob, type: facts.type, ...side });
    return { blob, size: blob.size, ...facts, removed, thumbnail };
  } catch (error) {
    if (error instanceof ImageError && error.reason === "undecodable") return null;
    throw error;
  }
}

async function look(blob: Blob): Promise<FileFacts> {
  const info = await inspectFile(blob);
  // An icon holds several pictures, and damaged ones lie about their sizes: a decoder chooses one.
  const isUnsure = info.ok ? info.type === "image/x-icon" : UNREAD.includes(info.reason);
  if (info.ok && !isUnsure) return info;
  const shown = isUnsure ? await decodableFacts(blob) : null;
  if (shown === null) throw new ImageError(info.ok ? "undecodable" : info.reason);
  return shown;
}

/** Reasons that only mean that the header can't be read here. */
const UNREAD: readonly ImageProblem[] = ["not_an_image", "unsupported"];

/**
 * Facts of a picture whose header can't be read here although this browser decodes it, such as a
 * JPEG with a damaged comment; `null` for any other file. Only its own sender's browser decodes it:
 * what is sent is painted anew.
 */
async function decodableFacts(blob: Blob): Promise<FileFacts | null> {
  // Most files that are no picture end up here, and large ones are not worth reading whole.
  if (blob.size > MAX_IMAGE_BYTES) return null;
  const bitmap = await createImageBitmap(await onePiece(blob)).catch(() => null);
  if (bitmap === null) return null;
  const { width, height } = bitmap;
  bitmap.close();
  if (width * height > CHOSEN.pixels) return null;
  return { ok: true, type: "application/octet-stream", width, height };
}

/** Extracts the picture from a file. Throws `ImageError`: `truncated`, `unreadable`. */
async function open(source: Blob, facts: FileFacts, isLarge: boolean): Promise<Opened> {
  const otherwise = facts.type === "image/tiff" || facts.type === "image/jxl"
    ? "unsupported"
    : "undecodable";
  const unfollowed = {
    facts,
    clean: null,
    blob: source,
    removed: [],
    moves: false,
    otherwise,
  } as const;
  const { type, orientation } = facts;
  if (!isSent(type)) return unfollowed;
  if (isLarge && source.size > MAX_IMAGE_BYTES) {
    // The file is decoded and encoded again in any case, without reading all of it into memory.
    const head = await read(source.slice(0, HEAD_BYTES));
    const removed = await metadataIn(head, { type, orientation });
    return { ...unfollowed, removed, moves: isMoving(head, type) };
  }
  const bytes = await read(source);
  const moves = isMoving(bytes, type);
  try {
    const cleaned = await stripMetadata(bytes, { type, orientation });
    const clean = new Blob(cleaned.parts.map((part) => partOf(source, part)), { type });
    if (!cleaned.isEnded && !await isWholeJpeg(clean)) throw new ImageError("truncated");
    // A picture that is too large to be sent is decoded and encoded again as well.
    const isFit = clean.size <= MAX_IMAGE_BYTES;
    const { removed } = cleaned;
    return { ...unfollowed, clean: isFit ? clean : null, blob: clean, removed, moves };
  } catch (error) {
    if (!(error instanceof Unfollowed)) throw error;
    return { ...unfollowed, removed: error.removed, moves, otherwise: error.reason };
  }
}

/** Slices of the file itself: what is sent is read from there. */
function partOf(source: Blob, part: Cleaned["parts"][number]): Blob | Uint8Array<ArrayBuffer> {
  return "start" in part ? source.slice(part.start, part.end) : part;
}

/** The kinds of metadata in the beginning of a file, as far as it can be parsed. */
async function metadataIn(
  head: Uint8Array,
  options: StripOptions,
): Promise<readonly MetadataKind[]> {
  try {
    return (await stripMetadata(head, options)).removed;
  } catch (error) {
    return error instanceof Unfollowed ? error.removed : [];
  }
}

async function read(blob: Blob): Promise<Uint8Array> {
  try {
    return new Uint8Array(await blob.arrayBuffer());
  } catch (cause) {
    throw new ImageError("unreadable", { cause });
  }
}

/** Decodes what was opened. Throws `ImageError`, with a reason that is true of the file. */
async function decodeOpened(
  { facts, blob, otherwise }: Opened,
  bounds: { readonly maxWidth: number; readonly maxHeight: number },
): Promise<Rendered> {
  const { type } = facts;
  try {
    if (!isSent(type)) return { bitmap: await decodeOther(blob, facts, bounds), wide: false };
    return await decodeChecked({ kind: "decode", source: blob, type, ...bounds }, {
      ...facts,
      type,
    });
  } catch (error) {
    if (!(error instanceof ImageError) || error.reason !== "undecodable") throw error;
    if (await isCutOff(blob)) throw new ImageError("truncated", { cause: error });
    const isBeyond = isLargerThan(facts, MAX_IMAGE_PIXELS);
    throw new ImageError(isBeyond ? "beyond_device" : otherwise, { cause: error });
  }
}

/** Decodes a format that is not sent. */
async function decodeOther(
  blob: Blob,
  { type, width, height }: FileFacts,
  bounds: { readonly maxWidth: number; readonly maxHeight: number },
): Promise<ImageBitmap> {
  const [resizeWidth, resizeHeight] = fit([width, height], bounds);
  const typed = blob.slice(0, blob.size, type);
  try {
    const whole = await createImageBitmap(typed);
    if (whole.width <= resizeWidth && whole.height <= resizeHeight) return whole;
    whole.close();
    return await createImageBitmap(typed, { resizeWidth, resizeHeight, resizeQuality: "high" });
  } catch (cause) {
    throw new ImageError("undecodable", { cause });
  }
}

/**
 * Paints the picture upright with its edits, scaled down to at most `most` pixels, and encodes it.
 */
async function paint(
  opened: Opened,
  { most, edits, isSame }: { most: number; edits: Edits; isSame: boolean },
): Promise<Blob> {
  const { type, width, height } = opened.facts;
  const longer = Math.max(width, height);
  const scale = Math.min(1, Math.sqrt(most / (width * height)), MAX_IMAGE_SIDE / longer);
  const longest = Math.max(1, Math.floor(longer * scale));
  const { bitmap, wide } = await decodeOpened(opened, { maxWidth: longest, maxHeight: longest });
  let canvas: OffscreenCanvas;
  try {
    canvas = paintEdits(bitmap, edits, wide);
  } finally {
    // Before encoding, which needs as much memory once more.
    bitmap.close();
  }
  if (type === "image/jpeg") {
    return await canvas.convertToBlob({ type, quality: isSame ? SAME_QUALITY : QUALITY });
  }
  return await (isSame ? encodeExactly(canvas) : encodeNearly(canvas, QUALITY));
}
