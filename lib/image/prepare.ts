/**
 * What the sender's page does with a chosen file before it is announced: refuse what can't be shown, make a thumbnail.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { ImageType } from "../protocol/control.ts";
import type { Decoder } from "./decoder.ts";
import { ImageError } from "./errors.ts";
import { inspectBlob } from "./inspect.ts";

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
  /** Longest side of the thumbnail in device pixels. Default: 640. */
  readonly thumbnailSide?: number;
  readonly signal?: AbortSignal;
}

/**
 * Checks a file and tries to decode it in the worker, so that nothing is announced that the viewer could not see.
 * Anything refusable by its header is refused before decoding. The file is read where it is, not copied.
 *
 * Throws `ImageError`.
 */
export async function preparePicture(
  blob: Blob,
  decoder: Decoder,
  options: PrepareOptions = {},
): Promise<Prepared> {
  const info = await inspectBlob(blob);
  if (options.signal?.aborted) throw new ImageError("aborted");
  if (!info.ok) throw new ImageError(info.reason);
  const { ok: _, ...facts } = info;
  const side = options.thumbnailSide ?? 640;
  const thumbnail = await decoder.decode(blob, info.type, {
    maxWidth: side,
    maxHeight: side,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  return { blob, size: blob.size, ...facts, thumbnail };
}
