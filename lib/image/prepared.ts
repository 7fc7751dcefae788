/**
 * A picture that may be announced, and the options for preparing it.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { ImageType } from "../protocol/control.ts";
import type { Edits } from "./edits.ts";
import type { MetadataKind } from "./metadata.ts";

/**
 * Why a picture was decoded and encoded again at its own size:
 * - `whole`: its file could not be cleaned byte by byte, or its format is not sent;
 * - `part`: its file is damaged, and only what this browser shows of it is sent;
 * - `standard`: it is HDR, and browsers show its standard picture differently.
 */
export type Repainted = "whole" | "part" | "standard";

/** The worker's result for a file: `type`, `size`, `width`, `height` are what `meta` needs. */
export interface Made {
  /**
   * What is sent. If nothing had to be encoded again, it refers to parts of the file, which is not
   * copied.
   */
  readonly blob: Blob;
  readonly type: ImageType;
  /** In bytes. */
  readonly size: number;
  /** Coded pixels, before orientation. */
  readonly width: number;
  readonly height: number;
  readonly orientation?: number;
  /** The kinds of metadata in the file, which are not in `blob`. */
  readonly removed: readonly MetadataKind[];
  /** Number of pixels in the file, if the picture was scaled down. */
  readonly reducedFrom?: number;
  /** Whether its pixels were encoded again. How small that makes them differs between browsers. */
  readonly encoded?: true;
  /** Why it was decoded and encoded again at its own size; absent if it was not. */
  readonly repainted?: Repainted;
  /**
   * Whether all frames of an animated file are sent, or only the first one. Absent if it is not
   * animated.
   */
  readonly motion?: "kept" | "lost";
  /**
   * Thumbnail for the sender's page, upright, at most `thumbnailSide` on each side. The caller
   * closes it.
   */
  readonly thumbnail: ImageBitmap;
}

/** A picture that may be announced. */
export interface Prepared extends Made {
  /** The chosen file, from which it can be prepared again. It stays on this page. */
  readonly source: Blob;
  readonly edits: Edits;
}

/** How a file is prepared. */
export interface PrepareOptions {
  /** Longest side of the thumbnail in device pixels. */
  readonly thumbnailSide: number;
  /** Whether large pictures stay in full size. */
  readonly fullSize: boolean;
  /** Edits, which are painted into the pixels. */
  readonly edits: Edits;
}

/** The request to the worker. */
export interface PrepareRequest extends PrepareOptions {
  readonly kind: "prepare";
  readonly source: Blob;
}

/** Requests the picture of a file as its sender sees it. */
export interface PreviewRequest {
  readonly kind: "preview";
  readonly source: Blob;
  /** Bounds in device pixels. */
  readonly maxWidth: number;
  readonly maxHeight: number;
}
