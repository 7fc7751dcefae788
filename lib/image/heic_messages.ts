/**
 * What the page asks of the worker that decodes HEIC. Both come from the same build, so neither
 * parses.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { MetadataKind } from "./metadata.ts";

/** The page asks for the picture of one file. */
export interface HeicRequest {
  readonly kind: "heic";
  readonly source: Blob;
}

/** A JPEG or PNG of the same pixels, and what the file told beside them. */
export interface Converted {
  readonly blob: Blob;
  readonly removed: readonly MetadataKind[];
}
