/**
 * A picture that may be announced, and what the page says about how to make it one.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { ImageType } from "../protocol/control.ts";
import type { Edits } from "./edits.ts";
import type { MetadataKind } from "./metadata.ts";

/** What the worker makes of a file: `type`, `size`, `width`, `height` are what `meta` wants. */
export interface Made {
  /** What is sent. Where nothing had to be encoded anew, it refers to parts of the file, which is not copied. */
  readonly blob: Blob;
  readonly type: ImageType;
  /** Of the file. */
  readonly sourceType: ImageType;
  /** Bytes. */
  readonly size: number;
  /** Coded pixels, before orientation. */
  readonly width: number;
  readonly height: number;
  readonly orientation?: number;
  /** What the file told beside the picture, which is not in `blob`. */
  readonly removed: readonly MetadataKind[];
  /** Pixels of the file, where it was larger than what is sent. */
  readonly reducedFrom?: number;
  /** For the sender's page, upright, at most `thumbnailSide` on each side. The caller closes it. */
  readonly thumbnail: ImageBitmap;
}

/** A picture that may be announced. */
export interface Prepared extends Made {
  /** What was chosen, from which it can be prepared anew. It stays on this page. */
  readonly source: Blob;
  readonly edits: Edits;
}

/** How a file is prepared. */
export interface PrepareOptions {
  /** Longest side of the thumbnail in device pixels. */
  readonly thumbnailSide: number;
  /** Leaves large pictures as they are. */
  readonly fullSize: boolean;
  /** What is done to it; painted into its pixels. */
  readonly edits: Edits;
}

/** What the worker is asked for. */
export interface PrepareRequest extends PrepareOptions {
  readonly kind: "prepare";
  readonly source: Blob;
}
