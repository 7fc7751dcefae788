/**
 * From a chosen file to what is sent, inside the picture worker.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { decode } from "./decode.ts";
import { type Edits, isUntouched, paintEdits } from "./edits.ts";
import { ImageError } from "./errors.ts";
import { type ImageFacts, inspectBlob } from "./inspect.ts";
import type { MetadataKind } from "./metadata.ts";
import type { Made, PrepareRequest } from "./prepared.ts";
import { stripMetadata } from "./strip.ts";

/** Larger pictures are made smaller, in pixels: phones run out of memory with more, and few screens show as many. */
const MOST_PIXELS = 16_000_000;

/** Of what is encoded anew. */
const QUALITY = 0.9;

/** Checks, cleans, fits. Throws `ImageError`. */
export async function prepare(request: PrepareRequest): Promise<Made> {
  const { source, thumbnailSide, fullSize, edits } = request;
  const facts = await look(source);
  const { blob, removed } = await clean(source, facts);
  const pixels = facts.width * facts.height;
  const reduced = pixels > MOST_PIXELS && !fullSize;
  const most = reduced ? MOST_PIXELS : pixels;
  const sent = reduced || !isUntouched(edits) ? await encode(blob, { facts, most, edits }) : blob;
  const { ok: _, ...sentFacts } = await look(sent);
  const side = { maxWidth: thumbnailSide, maxHeight: thumbnailSide };
  const thumbnail = await decode({ kind: "decode", source: sent, type: sentFacts.type, ...side });
  return {
    blob: sent,
    size: sent.size,
    ...sentFacts,
    sourceType: facts.type,
    removed,
    thumbnail,
    ...(reduced ? { reducedFrom: pixels } : {}),
  };
}

async function look(blob: Blob): Promise<ImageFacts> {
  const info = await inspectBlob(blob);
  if (!info.ok) throw new ImageError(info.reason);
  return info;
}

async function clean(
  blob: Blob,
  { type, orientation }: ImageFacts,
): Promise<{ blob: Blob; removed: readonly MetadataKind[] }> {
  const bytes = await read(blob);
  const { parts, removed } = stripMetadata(bytes, { type, orientation });
  // Slices of the file itself: what is sent is read from where it is.
  const kept = parts.map((part) => "start" in part ? blob.slice(part.start, part.end) : part);
  return { blob: new Blob(kept, { type }), removed };
}

async function read(blob: Blob): Promise<Uint8Array> {
  try {
    return new Uint8Array(await blob.arrayBuffer());
  } catch (cause) {
    throw new ImageError("unreadable", { cause });
  }
}

/** Scaled to at most so many pixels, upright, and edited. */
async function encode(
  blob: Blob,
  { facts, most, edits }: { facts: ImageFacts; most: number; edits: Edits },
): Promise<Blob> {
  const { type, width, height } = facts;
  const scale = Math.min(1, Math.sqrt(most / (width * height)));
  const longest = Math.floor(Math.max(width, height) * scale);
  const bounds = { maxWidth: longest, maxHeight: longest };
  const bitmap = await decode({ kind: "decode", source: blob, type, ...bounds });
  try {
    // WebP keeps transparency; browsers that can't write it write PNG.
    const wanted = type === "image/jpeg" ? type : "image/webp";
    return await paintEdits(bitmap, edits).convertToBlob({ type: wanted, quality: QUALITY });
  } finally {
    bitmap.close();
  }
}
