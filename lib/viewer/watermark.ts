/**
 * The text that is burned into every painted frame.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { MAX_MARK_LENGTH } from "../protocol/limits.ts";

const ANGLE_DEGREES = -24;
const FONT_PX = 17;
const FAMILY = "system-ui, sans-serif";

/**
 * Makes one line of at most {@linkcode MAX_MARK_LENGTH} units: control, bidi and other invisible characters become
 * spaces, runs of spaces one.
 */
export function cleanMark(text: string): string {
  // Cc and Cf hold bidi overrides, joiners, tags; Zl and Zp line breaks; Co and Cn what no font can paint.
  const visible = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}\p{Cs}]+/gu, " ")
    .replace(/(\p{M}{4})\p{M}+/gu, "$1").replace(/\s+/g, " ").trim();
  return visible.slice(0, MAX_MARK_LENGTH).replace(/\p{Cs}/gu, "").trim();
}

/** A tile that repeats without seams: two rows, the second one shifted by half. */
export interface Tile {
  readonly width: number;
  readonly height: number;
  /** Left ends of the text's baseline middle; those beyond an edge come in again at the other. */
  readonly marks: readonly { readonly x: number; readonly y: number }[];
}

/** Lays out a tile for text of this width, in the same unit as `fontSize`. */
export function tileOf(textWidth: number, fontSize: number): Tile {
  const width = Math.ceil(textWidth + 4 * fontSize);
  const row = Math.ceil(5.5 * fontSize);
  const half = Math.round(width / 2);
  return {
    width,
    height: 2 * row,
    marks: [
      // Not at the very edge, which would cut off the rim of the first letter.
      { x: fontSize, y: row / 2 },
      { x: half, y: 1.5 * row },
      { x: half - width, y: 1.5 * row },
    ],
  };
}

/** How {@linkcode Watermark.paint} paints. */
export interface WatermarkOptions {
  /** Device pixels of a CSS pixel. */
  readonly pixelRatio: number;
  /** Any number; 1 moves the text by one tile. */
  readonly phase: number;
}

/** Paints one text, tiled and rotated, over a canvas. */
export class Watermark {
  readonly #text: string;
  #pattern: CanvasPattern | null = null;
  #tileWidth = 0;
  #madeFor = 0;

  /** `text` is cleaned; when nothing remains, nothing is painted. */
  constructor(text: string) {
    this.#text = cleanMark(text);
  }

  /** Paints over the whole canvas. */
  paint(context: CanvasRenderingContext2D, { pixelRatio, phase }: WatermarkOptions): void {
    if (this.#text === "") return;
    const { width, height } = context.canvas;
    // Letters shrink on small pictures, else one mark alone could cover them.
    const fontSize = pixelRatio *
      Math.min(FONT_PX, Math.max(9, Math.min(width, height) / pixelRatio / 16));
    if (this.#madeFor !== fontSize) this.#make(context, fontSize);
    if (this.#pattern === null) return;
    const matrix = new DOMMatrix().rotate(ANGLE_DEGREES)
      .translate((phase - Math.floor(phase)) * this.#tileWidth, 0);
    this.#pattern.setTransform(matrix);
    context.fillStyle = this.#pattern;
    context.fillRect(0, 0, width, height);
  }

  /** One tile, painted once: filling with it costs a fifth of writing the text all over (12 times a second). */
  #make(context: CanvasRenderingContext2D, fontSize: number): void {
    const font = `500 ${fontSize}px ${FAMILY}`;
    context.font = font;
    const tile = tileOf(context.measureText(this.#text).width, fontSize);
    const canvas = new OffscreenCanvas(tile.width, tile.height);
    const pen = canvas.getContext("2d");
    if (pen === null) return;
    pen.font = font;
    pen.textBaseline = "middle";
    pen.lineJoin = "round";
    pen.lineWidth = fontSize / 8;
    // A light letter with a dark rim stands out from any background.
    pen.strokeStyle = "rgb(0 0 0 / 18%)";
    pen.fillStyle = "rgb(255 255 255 / 38%)";
    for (const { x, y } of tile.marks) {
      pen.strokeText(this.#text, x, y);
      pen.fillText(this.#text, x, y);
    }
    this.#pattern = context.createPattern(canvas, "repeat");
    this.#tileWidth = tile.width;
    this.#madeFor = fontSize;
  }
}
