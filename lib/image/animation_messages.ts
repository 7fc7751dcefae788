/**
 * What the page asks of its animation worker. Both come from the same build, so neither parses.
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

/** Decodes one frame, counted from 0. Answered with a {@linkcode Frame}. */
export interface FrameRequest {
  readonly kind: "frame";
  readonly index: number;
}

/** Zeroes the bytes. */
export interface WipeRequest {
  readonly kind: "wipe";
}

/** What the animation worker can be asked. */
export type AnimationRequest = OpenRequest | FrameRequest | WipeRequest;

/** What is known of a picture that moves. */
export interface AnimationFacts {
  /** How many frames it has, at least 2. */
  readonly frames: number;
  /** How often all of them are shown: 1 or more; `Infinity` = for ever. */
  readonly plays: number;
}

/** One frame, upright, within the bounds. The caller closes the bitmap. */
export interface Frame {
  readonly bitmap: ImageBitmap;
  /** How long it is to be seen, in milliseconds, as the file says. */
  readonly ms: number;
}
