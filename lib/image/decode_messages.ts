/**
 * What the page asks of its picture worker. Both come from the same build, so neither parses.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { Bytes } from "../protocol/bytes.ts";
import type { ImageType } from "../protocol/control.ts";

/** The page asks for one bitmap. */
export interface DecodeRequest {
  readonly kind: "decode";
  readonly source: Bytes | Blob;
  readonly type: ImageType;
  /** Bounds in device pixels; `Infinity` = none. */
  readonly maxWidth: number;
  readonly maxHeight: number;
}

/** How large the whole picture is wanted at first, in device pixels. */
export interface Bounds {
  readonly maxWidth: number;
  readonly maxHeight: number;
  /** Device pixels for a pixel of the picture, at most. */
  readonly maxScale: number;
}

/** A part of an upright picture, in its own pixels and fractions of them. */
export interface Region {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Which pixels of an open picture are wanted: `region`, made `width` × `height`. */
export interface View {
  readonly region: Region;
  readonly width: number;
  readonly height: number;
}

/**
 * The page opens a picture, of which it will want more than one bitmap. The one before it is
 * closed.
 */
export interface OpenRequest extends Bounds {
  readonly kind: "open";
  /** Which one it is, in the requests that follow. */
  readonly picture: number;
  /** Stay in the worker until it is closed. */
  readonly source: Bytes;
  readonly type: ImageType;
}

/** What it hears: the whole picture within the bounds, and the size that it really has, upright. */
export interface Opened {
  readonly bitmap: ImageBitmap;
  readonly width: number;
  readonly height: number;
  /** It may have colours that sRGB does not; then `bitmap` is in display-p3. */
  readonly wide: boolean;
}

/** The page asks for a part of the open picture. */
export interface RenderRequest extends View {
  readonly kind: "render";
  readonly picture: number;
}

/** Nothing more of it will be asked: all that is left of it is wiped. Has no answer. */
export interface CloseRequest {
  readonly kind: "close";
  readonly picture: number;
}
