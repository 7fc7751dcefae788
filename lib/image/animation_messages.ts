/**
 * Messages between the page and its animation worker. Both are from the same build, so neither
 * validates them.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { Bytes } from "../protocol/bytes.ts";
import type { ImageType } from "../protocol/control.ts";
import type { View } from "./decode_messages.ts";

/** Reads the file, which stays in the worker. Answered with {@linkcode AnimationFacts}. */
export interface OpenRequest {
  readonly kind: "open";
  readonly source: Bytes | Blob;
  readonly type: ImageType;
  /** Bounds of each frame in device pixels. */
  readonly maxWidth: number;
  readonly maxHeight: number;
}

/**
 * A part of a frame, and the pixels to render it in. Its region is in fractions of the frame's
 * sides, 0–1: a track of an AVIF may have another size than its still picture.
 */
export type FramePart = View;

/** Decodes one frame; frames count from 0. Answered with a {@linkcode Frame}. */
export interface FrameRequest {
  readonly kind: "frame";
  readonly index: number;
  /** What is to be rendered besides the whole frame. */
  readonly part: FramePart | null;
}

/** Zeroes the bytes. */
export interface WipeRequest {
  readonly kind: "wipe";
}

/** A request to the animation worker. */
export type AnimationRequest = OpenRequest | FrameRequest | WipeRequest;

/** Facts about an animated picture. */
export interface AnimationFacts {
  /** Number of frames, at least 2. */
  readonly frames: number;
  /** How often all frames are shown: 1 or more; `Infinity` = forever. */
  readonly plays: number;
}

/** One frame, upright, within the bounds. The caller closes its bitmaps. */
export interface Frame {
  readonly bitmap: ImageBitmap;
  /** The requested part; the caller closes it as well. */
  readonly detail: ImageBitmap | null;
  /** Duration in the file, in milliseconds. */
  readonly ms: number;
}
