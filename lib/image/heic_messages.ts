/**
 * Messages between the page and the worker that decodes HEIC. Both are from the same build, so
 * neither validates them.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { MetadataKind } from "./metadata.ts";

/** Requests the picture of one file. */
export interface HeicRequest {
  readonly kind: "heic";
  readonly source: Blob;
}

/** A JPEG or PNG of the same pixels, and the kinds of metadata that the file held. */
export interface Converted {
  readonly blob: Blob;
  readonly removed: readonly MetadataKind[];
}
