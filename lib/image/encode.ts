/**
 * Encodes pictures that are painted anew at their own size.
 *
 * This module is browser compatible.
 *
 * @module
 */

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

/** Keeps transparency. Browsers that can't encode WebP produce PNG. */
export function encodeNearly(canvas: OffscreenCanvas, quality: number): Promise<Blob> {
  return canvas.convertToBlob({ type: "image/webp", quality });
}
