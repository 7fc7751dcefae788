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

/** Reads the file, which stays in the worker. Answered with {@linkcode AnimationFacts}. */
export interface OpenRequest {
  readonly kind: "open";
  readonly source: Bytes | Blob;
  readonly type: ImageType;
  /** Bounds of each frame in device pixels. */
  readonly maxWidth: number;
  readonly maxHeight: number;
}

/** Decodes one frame; frames count from 0. Answered with a {@linkcode Frame}. */
export interface FrameRequest {
  readonly kind: "frame";
  readonly index: number;
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

/** One frame, upright, within the bounds. The caller closes the bitmap. */
export interface Frame {
  readonly bitmap: ImageBitmap;
  /** Duration in the file, in milliseconds. */
  readonly ms: number;
}
