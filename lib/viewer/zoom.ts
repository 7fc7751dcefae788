/**
 * Which part of the picture is visible: its scale and its offset.
 *
 * This module is browser compatible.
 *
 * @module
 */

/** Every picture can be zoomed to at least this scale; fitted into its box, it has 1. */
const MIN_MAX_SCALE = 6;

/** `x` and `y`: offset from the middle of the box to the middle of the picture, in CSS pixels. */
export interface Zoom {
  readonly scale: number;
  readonly x: number;
  readonly y: number;
}

/** A part of a picture, in fractional pixels of the picture. */
export interface Region extends Size {
  readonly x: number;
  readonly y: number;
}

/** A size in any kind of pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** CSS pixels from the middle of the box. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** The whole picture, in the middle. */
export const WHOLE: Zoom = { scale: 1, x: 0, y: 0 };

/**
 * Device pixels per pixel of the picture when all of it fits into `box`, which is given in device
 * pixels. At most `ratio`, i.e. one CSS pixel: larger shows nothing more.
 */
export function fittedScale(picture: Size, box: Size, ratio: number): number {
  return Math.min(ratio, box.width / picture.width, box.height / picture.height);
}

/**
 * The largest scale: each pixel of the picture has at least one device pixel and one CSS pixel, and
 * the scale is never below {@linkcode MIN_MAX_SCALE}.
 */
export function maxScale(fitted: number, ratio: number): number {
  return Math.max(MIN_MAX_SCALE, Math.max(1, ratio) / fitted);
}

/**
 * Zooms by `factor`, up to the scale `most`; what is at `point` stays there, as far as the limits
 * allow.
 */
export function zoomAt(zoom: Zoom, factor: number, point: Point, most: number): Zoom {
  const scale = Math.min(most, Math.max(1, zoom.scale * factor));
  const grown = scale / zoom.scale;
  return {
    scale,
    x: point.x - (point.x - zoom.x) * grown,
    y: point.y - (point.y - zoom.y) * grown,
  };
}

/** The zoom closest to `zoom` that shows no empty space that could be avoided. */
export function clampZoom(zoom: Zoom, fitted: Size, box: Size): Zoom {
  const x = room(fitted.width * zoom.scale, box.width);
  const y = room(fitted.height * zoom.scale, box.height);
  return {
    scale: zoom.scale,
    x: Math.min(x, Math.max(0 - x, zoom.x)),
    y: Math.min(y, Math.max(0 - y, zoom.y)),
  };
}

function room(picture: number, box: number): number {
  return Math.max(0, (picture - box) / 2);
}
