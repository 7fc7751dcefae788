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
  /**
   * What is sent. Where nothing had to be encoded anew, it refers to parts of the file, which is
   * not copied.
   */
  readonly blob: Blob;
  readonly type: ImageType;
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
  /**
   * It was decoded and encoded anew at its own size, since its file could not be cleaned byte by
   * byte, or is not of a format that is sent.
   */
  readonly repainted?: boolean;
  /**
   * What became of the frames of a file that moves: they are sent, or only the first one is. Absent
   * where it does not.
   */
  readonly motion?: "kept" | "lost";
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

/** The page asks for the picture of a file as its sender sees it. */
export interface PreviewRequest {
  readonly kind: "preview";
  readonly source: Blob;
  /** Bounds in device pixels. */
  readonly maxWidth: number;
  readonly maxHeight: number;
}
