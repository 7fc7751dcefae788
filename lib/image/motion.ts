/**
 * Determines whether a picture is animated, from the structure of its file alone: nothing is
 * decoded, and each loop is bounded.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { ImageType } from "../protocol/control.ts";
import { MAX_IMAGE_PIXELS, MAX_IMAGE_SIDE } from "../protocol/limits.ts";
import { latin1, uint, uintLe } from "./headers.ts";

/**
 * Maximum number of chunks, blocks or boxes examined; honest files have a second frame long before.
 */
const MAX_STEPS = 4_096;

/** Boxes that contain the boxes of interest. */
const CONTAINERS: readonly string[] = ["moov", "trak", "mdia", "minf", "stbl"];

/**
 * True if the file has more than one frame; for AVIF, only if each track is also small enough to be
 * decoded. Says nothing about whether this browser can play the file. Never throws.
 */
export function isMoving(bytes: Uint8Array, type: ImageType): boolean {
  switch (type) {
    case "image/gif":
      return hasSecondImage(bytes);
    case "image/png":
      return hasFrames(bytes);
    case "image/webp":
      return hasSecondFrame(bytes);
    case "image/avif":
      return hasSequence(bytes);
    case "image/jpeg":
      return false;
    default:
      return type satisfies never;
  }
}

/** GIF: a second image descriptor. */
function hasSecondImage(bytes: Uint8Array): boolean {
  const table = (flags: number) => flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0;
  let at = 13 + table(bytes[10] ?? 0);
  let images = 0;
  for (let step = 0; step < MAX_STEPS; step++) {
    if (bytes[at] === 0x2c) {
      images += 1;
      if (images === 2) return true;
      at += 11 + table(bytes[at + 9] ?? 0);
    } else if (bytes[at] === 0x21) {
      at += 2;
    } else {
      return false;
    }
    // Skips sub-blocks up to the empty one; each step moves forward, so the file's length is the
    // bound.
    while (at < bytes.length && bytes[at] !== 0) at += 1 + (bytes[at] ?? 0);
    at += 1;
  }
  return false;
}

/** PNG: `acTL` with more than one frame, before the pixels. */
function hasFrames(bytes: Uint8Array): boolean {
  let at = 8;
  for (let step = 0; step < MAX_STEPS && at + 8 <= bytes.length; step++) {
    const kind = latin1(bytes, at + 4, 4);
    if (kind === "acTL") return uint(bytes, at + 8, 4) > 1;
    if (kind === "IDAT") return false;
    at += 12 + uint(bytes, at, 4);
  }
  return false;
}

/** WebP: the animation flag of `VP8X`, and a second `ANMF`. */
function hasSecondFrame(bytes: Uint8Array): boolean {
  if (latin1(bytes, 12, 4) !== "VP8X" || ((bytes[20] ?? 0) & 2) === 0) return false;
  let at = 12;
  let frames = 0;
  for (let step = 0; step < MAX_STEPS && at + 8 <= bytes.length; step++) {
    if (latin1(bytes, at, 4) === "ANMF") frames += 1;
    if (frames === 2) return true;
    const length = uintLe(bytes, at + 4, 4);
    at += 8 + length + length % 2;
  }
  return false;
}

/**
 * AVIF: a track with more than one sample. The size of a track is in its own header; the size that
 * was checked before is the still picture's.
 */
function hasSequence(bytes: Uint8Array): boolean {
  let moves = false;
  let at = 0;
  for (let step = 0; step < MAX_STEPS && at + 8 <= bytes.length; step++) {
    const kind = latin1(bytes, at + 4, 4);
    const short = uint(bytes, at, 4);
    const head = short === 1 ? 16 : 8;
    const length = short === 1 ? uint(bytes, at + 8, 4) * 2 ** 32 + uint(bytes, at + 12, 4) : short;
    if (kind === "stsz" || kind === "stz2") moves ||= uint(bytes, at + head + 8, 4) > 1;
    if (kind === "tkhd" && !isTrackSize(bytes, at + length)) return false;
    if (CONTAINERS.includes(kind)) at += head;
    else if (length < head) return moves;
    else at += length;
  }
  return moves;
}

/**
 * Width and height, in 65,536ths of a pixel, are the last eight bytes of a track's header. An audio
 * track has 0.
 */
function isTrackSize(bytes: Uint8Array, end: number): boolean {
  const [width, height] = [uint(bytes, end - 8, 2), uint(bytes, end - 4, 2)];
  return Math.max(width, height) <= MAX_IMAGE_SIDE && width * height <= MAX_IMAGE_PIXELS;
}
