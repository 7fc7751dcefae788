/**
 * Removes metadata from a picture without touching its pixels: what is kept is copied byte by byte.
 * Everything not known to be part of the picture is left out, so that unknown metadata is removed
 * as well.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { ImageType } from "../protocol/control.ts";
import { Collector, type Stripped, Unfollowed } from "./collector.ts";
import { rebuildAvif } from "./strip_avif.ts";
import { stripGif } from "./strip_gif.ts";
import { stripJpeg } from "./strip_jpeg.ts";
import { stripPng } from "./strip_png.ts";
import { stripWebp } from "./strip_webp.ts";

export type { Part, Stripped } from "./collector.ts";

/** Settings of {@linkcode stripMetadata}. */
export interface StripOptions {
  readonly type: ImageType;
  /** EXIF orientation, 1–8, which is kept: it determines how the pixels are displayed. */
  readonly orientation?: number | undefined;
}

/** Result of {@linkcode stripMetadata}. */
export interface Cleaned extends Stripped {
  /**
   * False if the end marker was missing, and was added: only decoding can tell whether the picture
   * is complete.
   */
  readonly isEnded: boolean;
}

/**
 * Finds the parts of a file that make up the picture. Throws `ImageError` (`truncated`) if its
 * picture is cut off, and `Unfollowed` if it can't be parsed, but may be decodable.
 */
export async function stripMetadata(
  bytes: Uint8Array,
  { type, orientation }: StripOptions,
): Promise<Cleaned> {
  const out = new Collector(bytes);
  try {
    return { isEnded: await strip(out, { type, orientation }), ...out.result() };
  } catch (error) {
    if (error instanceof Unfollowed) error.removed = out.removed;
    throw error;
  }
}

/** Returns whether the end of the picture was present. */
async function strip(out: Collector, { type, orientation }: StripOptions): Promise<boolean> {
  switch (type) {
    case "image/jpeg":
      return stripJpeg(out, orientation);
    case "image/png":
      await stripPng(out);
      return true;
    case "image/webp":
      stripWebp(out);
      return true;
    case "image/gif":
      stripGif(out);
      return true;
    case "image/avif":
      stripAvif(out);
      return true;
    default:
      return type satisfies never;
  }
}

/** Rebuilds an AVIF, of which only the coded pixels are copied. */
function stripAvif(out: Collector): void {
  const { parts, removed } = rebuildAvif(out.bytes);
  for (const part of parts) {
    if ("start" in part) out.keep(part.start, part.end);
    else out.add(part);
  }
  out.drop(...removed);
}
