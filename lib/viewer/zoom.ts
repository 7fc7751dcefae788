/**
 * Which part of the picture is seen: how much larger than fitted, and how far moved.
 *
 * This module is browser compatible.
 *
 * @module
 */

/** How far one can go into any picture; fitted is 1. */
const MIN_MAX_SCALE = 6;

/** `x` and `y`: from the middle of the box to the middle of the picture, in CSS pixels. */
export interface Zoom {
  readonly scale: number;
  readonly x: number;
  readonly y: number;
}

/** A part of a picture, in its own pixels and fractions of them. */
export interface Region extends Size {
  readonly x: number;
  readonly y: number;
}

/** Of whatever pixels. */
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
 * Device pixels for a pixel of the whole picture in a box of so many device pixels; never more than
 * one CSS pixel, of which `ratio` says how large it is: larger shows nothing more.
 */
export function fittedScale(picture: Size, box: Size, ratio: number): number {
  return Math.min(ratio, box.width / picture.width, box.height / picture.height);
}

/**
 * How far one can go in: until each pixel of the picture has one of the device's and one of CSS's,
 * and a few times at least.
 */
export function maxScale(fitted: number, ratio: number): number {
  return Math.max(MIN_MAX_SCALE, Math.max(1, ratio) / fitted);
}

/**
 * Larger by `factor`, up to `most`; what is at `point` stays there, as long as the limits let it.
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

/**
 * As near to `zoom` as can be without showing anything beside the picture that need not be seen.
 */
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
