/**
 * What a sender does to a picture before it is sent: rotate, crop, redact. The picture worker
 * paints the edits into the pixels; the encoded result contains nothing from under a black box or
 * outside of the crop.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { type Box, strips } from "./strips.ts";

/** A part of the upright picture before it is rotated, in fractions of its sides, 0–1. */
export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/**
 * How an area is covered: in black, or by a few large squares. Squares reveal a little: they are
 * for faces, not for text.
 */
export const COVER_KINDS = ["black", "pixels"] as const;

/** One of {@linkcode COVER_KINDS}. */
export type CoverKind = typeof COVER_KINDS[number];

/** A covered area. */
export interface Cover {
  readonly kind: CoverKind;
  readonly rect: Rect;
}

/** All edits of a picture. */
export interface Edits {
  /** Rotation in steps of 90° clockwise, 0–3. */
  readonly turns: number;
  readonly crop: Rect | null;
  readonly covers: readonly Cover[];
}

/** No edits. */
export const UNTOUCHED: Edits = { turns: 0, crop: null, covers: [] };

/** True if nothing was edited. */
export function isUntouched({ turns, crop, covers }: Edits): boolean {
  return turns === 0 && crop === null && covers.length === 0;
}

/** Rotates by `by` further steps of 90° clockwise, or counterclockwise if `by` is negative. */
export function turned(edits: Edits, by: number): Edits {
  return { ...edits, turns: (((edits.turns + by) % 4) + 4) % 4 };
}

/** Minimum side of an area, in fractions of a side: a finger can't hit smaller ones. */
const LEAST = 0.02;

/** Moves an area into the picture, and enlarges it to the minimum. */
export function clampRect({ x, y, width, height }: Rect): Rect {
  const fit = (start: number, size: number) => {
    const length = Math.min(1, Math.max(LEAST, size));
    return [Math.min(1 - length, Math.max(0, start)), length] as const;
  };
  const [left, wide] = fit(x, width);
  const [top, high] = fit(y, height);
  return { x: left, y: top, width: wide, height: high };
}

/** The area between two points, in any order. */
export function rectBetween(
  a: { readonly x: number; readonly y: number },
  b: { readonly x: number; readonly y: number },
): Rect {
  return {
    x: Math.min(a.x, b.x),
    y: Math.min(a.y, b.y),
    width: Math.abs(a.x - b.x),
    height: Math.abs(a.y - b.y),
  };
}

/** Where an area of the unrotated picture appears after `turns` rotations by 90° clockwise. */
export function turnRect(rect: Rect, turns: number): Rect {
  let { x, y, width, height } = rect;
  for (let i = 0; i < turns; i++) {
    [x, y, width, height] = [1 - y - height, x, height, width];
  }
  return { x, y, width, height };
}

/** The reverse of {@linkcode turnRect}. */
export function unturnRect(rect: Rect, turns: number): Rect {
  return turnRect(rect, (4 - turns) % 4);
}

/** Every pixel that an area touches. */
function outward(rect: Rect, { width, height }: { width: number; height: number }): Box {
  const x = Math.max(0, Math.floor(rect.x * width));
  const y = Math.max(0, Math.floor(rect.y * height));
  return {
    x,
    y,
    width: Math.min(width, Math.ceil((rect.x + rect.width) * width)) - x,
    height: Math.min(height, Math.ceil((rect.y + rect.height) * height)) - y,
  };
}

/**
 * Maximum number of squares along the longer side of a covered area, and the minimum size of a
 * square, as a fraction of the picture's longer side.
 */
const SQUARES = 4;
const LEAST_SQUARE = 1 / 48;
/**
 * Levels of brightness of a square, and levels of the one color that all squares of an area share.
 */
const LEVELS = 4;
const COLOUR_LEVELS = 8;

type Context = OffscreenCanvasRenderingContext2D;

/** The means of red, of green and of blue in an area, 0–1. */
function mean(context: Context, box: Box): readonly [number, number, number] {
  let [red, green, blue] = [0, 0, 0];
  for (const data of strips(context, box)) {
    for (let at = 0; at < data.length; at += 4) {
      red += data[at] ?? 0;
      green += data[at + 1] ?? 0;
      blue += data[at + 2] ?? 0;
    }
  }
  const all = 255 * box.width * box.height;
  return [red / all, green / all, blue / all];
}

function round(value: number, levels: number): number {
  return Math.round(value * (levels - 1)) / (levels - 1);
}

function brightness([red, green, blue]: readonly [number, number, number]): number {
  return 0.299 * red + 0.587 * green + 0.114 * blue;
}

/**
 * Fills an area with a few squares of one color in a few levels of brightness: a shape is left, and
 * hardly anything that could be read.
 */
function pixelate(context: Context, box: Box): void {
  const { width, height } = context.canvas;
  const longer = Math.max(box.width, box.height);
  const side = Math.ceil(Math.max(longer / SQUARES, LEAST_SQUARE * Math.max(width, height)));
  const colour = mean(context, box).map((value) => round(value, COLOUR_LEVELS));
  const bright = Math.max(0.05, brightness([colour[0] ?? 0, colour[1] ?? 0, colour[2] ?? 0]));
  for (let y = box.y; y < box.y + box.height; y += side) {
    for (let x = box.x; x < box.x + box.width; x += side) {
      const square = {
        x,
        y,
        width: Math.min(side, box.x + box.width - x),
        height: Math.min(side, box.y + box.height - y),
      };
      const level = round(brightness(mean(context, square)), LEVELS) / bright;
      const painted = colour.map((value) => Math.round(255 * Math.min(1, value * level)));
      context.fillStyle = `rgb(${painted.join(" ")})`;
      context.fillRect(square.x, square.y, square.width, square.height);
    }
  }
}

function contextOf(width: number, height: number, colorSpace: PredefinedColorSpace): Context {
  const context = new OffscreenCanvas(width, height).getContext("2d", { colorSpace });
  if (context === null) throw new Error("Cannot edit picture: no 2D canvas");
  return context;
}

/**
 * Paints an upright picture with its edits. No pixel of the result holds what is covered or
 * cropped. `wide`: it may have colors outside of sRGB, and keeps them.
 */
export function paintEdits(
  source: ImageBitmap,
  { turns, crop, covers }: Edits,
  wide = false,
): OffscreenCanvas {
  const colorSpace = wide ? "display-p3" : "srgb";
  const size = { width: source.width, height: source.height };
  const whole = contextOf(size.width, size.height, colorSpace);
  whole.drawImage(source, 0, 0);
  const blacken = () => {
    whole.fillStyle = "#000";
    for (const { kind, rect } of covers) {
      if (kind !== "black") continue;
      const { x, y, width, height } = outward(rect, size);
      whole.fillRect(x, y, width, height);
    }
  };
  // Before the squares, so that they mix in nothing that is covered in black; and after them, so
  // that no square lies over the black.
  blacken();
  for (const { kind, rect } of covers) {
    if (kind === "pixels") pixelate(whole, outward(rect, size));
  }
  blacken();
  if (turns === 0 && crop === null) return whole.canvas;
  const part = outward(crop ?? { x: 0, y: 0, width: 1, height: 1 }, size);
  const across = turns % 2 === 1;
  const [width, height] = across ? [part.height, part.width] : [part.width, part.height];
  const result = contextOf(width, height, colorSpace);
  // No smoothing: nothing from outside of the part is mixed into its edges.
  result.imageSmoothingEnabled = false;
  result.translate(result.canvas.width / 2, result.canvas.height / 2);
  result.rotate(turns * Math.PI / 2);
  const [left, top] = [-part.width / 2, -part.height / 2];
  result.drawImage(
    whole.canvas,
    part.x,
    part.y,
    part.width,
    part.height,
    left,
    top,
    part.width,
    part.height,
  );
  // Does not wait for the garbage collector: 40 megapixels take 160 MB.
  whole.canvas.width = whole.canvas.height = 0;
  return result.canvas;
}
