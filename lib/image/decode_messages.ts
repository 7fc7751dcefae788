/**
 * What the page and its decode worker say to each other. Both come from the same build, so neither parses.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { Bytes } from "../protocol/bytes.ts";
import type { ImageType } from "../protocol/control.ts";
import type { ImageErrorReason } from "./errors.ts";

/** The page asks for one bitmap. */
export interface DecodeRequest {
  readonly source: Bytes | Blob;
  readonly type: ImageType;
  /** Bounds in device pixels; `Infinity` = none. */
  readonly maxWidth: number;
  readonly maxHeight: number;
}

/** The worker's one answer to each request. */
export type DecodeResponse =
  | { readonly ok: true; readonly bitmap: ImageBitmap }
  | { readonly ok: false; readonly reason: ImageErrorReason };
