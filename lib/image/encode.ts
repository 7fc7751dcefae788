/**
 * Encodes pictures that are painted anew.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { ImageError } from "./errors.ts";
import { strips } from "./strips.ts";

/**
 * Up to this size, a picture that is encoded again keeps every pixel exactly; beyond it, what WebP
 * leaves out is hardly visible.
 */
const MOST_EXACT_BYTES = 24 * 1024 * 1024;

/** Quality of what is not kept exactly. */
export const QUALITY = 0.9;

/**
 * Keeps every pixel if that takes no more than `most` bytes. Transparency is kept in any case.
 */
export async function encodeExactly(
  canvas: OffscreenCanvas,
  { most = MOST_EXACT_BYTES, quality = QUALITY } = {},
): Promise<Blob> {
  const exact = await canvas.convertToBlob({ type: "image/png" });
  return exact.size <= most ? exact : await encodeNearly(canvas, quality);
}

/**
 * Keeps transparency. The result is WebP or, in browsers that can't encode it (WebKit, which gives
 * PNG without a word), a JPEG. A transparent picture is a PNG there, of many times the bytes.
 */
export async function encodeNearly(canvas: OffscreenCanvas, quality: number): Promise<Blob> {
  // A single pixel tells: a PNG of a photo takes seconds, and would be thrown away.
  const webp = await pixel().convertToBlob({ type: "image/webp" });
  const type = webp.type === "image/webp" || !isOpaque(canvas) ? webp.type : "image/jpeg";
  return await canvas.convertToBlob({ type, quality });
}

function pixel(): OffscreenCanvas {
  const canvas = new OffscreenCanvas(1, 1);
  // Without a context it would have nothing to encode.
  canvas.getContext("2d");
  return canvas;
}

function isOpaque(canvas: OffscreenCanvas): boolean {
  const { width, height } = canvas;
  const context = canvas.getContext("2d");
  if (context === null) throw new ImageError("unavailable");
  for (const data of strips(context, { x: 0, y: 0, width, height })) {
    for (let at = 3; at < data.length; at += 4) if (data[at] !== 255) return false;
  }
  return true;
}
