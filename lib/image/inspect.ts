/**
 * Finds out what a file is from its bytes alone, before anything decodes it: a PNG of 31 KB may decode to 1 GB.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { ImageType } from "../protocol/control.ts";
import type { ImageProblem } from "./errors.ts";

/** A picture that may be decoded. Coded pixels, before any orientation is applied. */
export interface ImageFacts {
  readonly ok: true;
  readonly type: ImageType;
  readonly width: number;
  readonly height: number;
  /** EXIF orientation of a JPEG, 1–8; 5–8 swap width and height on screen. Absent where the file says nothing. */
  readonly orientation?: number;
}

/** What {@linkcode inspectImage} says. */
export type ImageInfo = ImageFacts | { readonly ok: false; readonly reason: ImageProblem };

/**
 * Reads type and size from the first bytes of a picture (or from the whole of it) and checks them against the limits.
 * Looks at headers only; `truncated` means that the header does not fit into `head`. Never throws.
 */
export function inspectImage(_head: Uint8Array): ImageInfo {
  return { ok: false, reason: "not_an_image" };
}

/**
 * Like {@linkcode inspectImage} for a whole file of which only the needed parts are read; also finds a file that was
 * cut off (`truncated`). Bytes behind the end of a picture, as phones append them, are fine.
 *
 * Throws `ImageError` (`unreadable`) when the file can no longer be read.
 */
export function inspectBlob(_blob: Blob): Promise<ImageInfo> {
  return Promise.resolve({ ok: false, reason: "not_an_image" });
}
