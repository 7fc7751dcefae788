/**
 * What the sender's page does with a chosen file before it is announced: refuse what can't be shown, make a thumbnail.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { ImageType } from "../protocol/control.ts";
import type { Decoder } from "./decoder.ts";

/** A picture that may be announced: `type`, `size`, `width`, `height` are what `meta` wants. */
export interface Prepared {
  readonly blob: Blob;
  readonly type: ImageType;
  /** Bytes. */
  readonly size: number;
  /** Coded pixels, before orientation. */
  readonly width: number;
  readonly height: number;
  readonly orientation?: number;
  /** For the sender's page, upright, at most `thumbnailSide` on each side. The caller closes it. */
  readonly thumbnail: ImageBitmap;
}

/** Settings of {@linkcode preparePicture}. */
export interface PrepareOptions {
  /** Longest side of the thumbnail in device pixels. */
  readonly thumbnailSide?: number;
  readonly signal?: AbortSignal;
}

/**
 * Checks a file and tries to decode it in the worker, so that nothing is announced that the viewer could not see.
 * Anything refusable by its header is refused before decoding.
 *
 * Throws `ImageError`.
 */
export function preparePicture(
  _blob: Blob,
  _decoder: Decoder,
  _options: PrepareOptions = {},
): Promise<Prepared> {
  return Promise.reject(new Error("Not written yet"));
}
