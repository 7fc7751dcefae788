/**
 * Reads the pixels of a canvas a few rows at a time, because those of 40 megapixels at once are
 * 160 MB.
 *
 * This module is browser compatible.
 *
 * @module
 */

/** Number of pixels that are read at once. */
const STRIP_PIXELS = 1_000_000;

/** A part of a canvas, in whole pixels. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The pixels of a part, from top to bottom: red, green, blue, opacity of each, 0–255, as sRGB. */
export function* strips(
  context: OffscreenCanvasRenderingContext2D,
  { x, y, width, height }: Box,
): Generator<Uint8ClampedArray> {
  const rows = Math.max(1, Math.floor(STRIP_PIXELS / width));
  for (let top = 0; top < height; top += rows) {
    const high = Math.min(rows, height - top);
    yield context.getImageData(x, y + top, width, high, { colorSpace: "srgb" }).data;
  }
}
