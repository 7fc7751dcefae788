/**
 * The text that is burned into every painted frame.
 *
 * This module is browser compatible.
 *
 * @module
 */

/** Makes one line of at most {@linkcode MAX_MARK_LENGTH} units: control, bidi and invisible characters are removed. */
export function cleanMark(text: string): string {
  return text;
}

/** Paints one text, tiled and rotated, over a canvas. */
export class Watermark {
  /** `text` is cleaned; when nothing remains, nothing is painted. */
  constructor(_text: string) {}

  /** Paints over the whole canvas. `pixelRatio` scales the letters, `phase` (any number, 1 = one tile) lets them drift. */
  paint(
    _context: CanvasRenderingContext2D,
    _options: { pixelRatio: number; phase: number },
  ): void {}
}
