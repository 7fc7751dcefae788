/**
 * Messages between the page and its picture worker. Both are from the same build, so neither
 * validates them.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { Bytes } from "../protocol/bytes.ts";
import type { ImageType } from "../protocol/control.ts";

/** Requests one bitmap of a file. */
export interface DecodeRequest {
  readonly kind: "decode";
  readonly source: Bytes | Blob;
  readonly type: ImageType;
  /** Bounds in device pixels; `Infinity` = none. */
  readonly maxWidth: number;
  readonly maxHeight: number;
}

/** Bounds for the first bitmap of the whole picture, in device pixels. */
export interface Bounds {
  readonly maxWidth: number;
  readonly maxHeight: number;
  /** Maximum number of device pixels per pixel of the picture. */
  readonly maxScale: number;
}

/** A part of an upright picture, in fractional pixels of the picture. */
export interface Region {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Which pixels of an open picture to render: `region`, at `width` × `height`. */
export interface View {
  readonly region: Region;
  readonly width: number;
  readonly height: number;
}

/**
 * Opens a picture of which several bitmaps will be requested. Closes the one that was open before.
 */
export interface OpenRequest extends Bounds {
  readonly kind: "open";
  /** Identifies it in the requests that follow. */
  readonly picture: number;
  /** The bytes stay in the worker until the picture is closed. */
  readonly source: Bytes;
  readonly type: ImageType;
}

/** The answer: the whole picture within the bounds, and its real size, upright. */
export interface Opened {
  readonly bitmap: ImageBitmap;
  readonly width: number;
  readonly height: number;
  /** Whether it may have colors outside of sRGB; then `bitmap` is in display-p3. */
  readonly wide: boolean;
}

/** Requests a part of the open picture. */
export interface RenderRequest extends View {
  readonly kind: "render";
  readonly picture: number;
}

/** Closes the picture: everything left of it is wiped. Has no answer. */
export interface CloseRequest {
  readonly kind: "close";
  readonly picture: number;
}
