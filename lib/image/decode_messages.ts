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
