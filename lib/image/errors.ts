/**
 * The error of lib/image, with a reason. The sentences that a person reads are in lib/i18n, by
 * `reason`.
 *
 * This module is browser compatible.
 *
 * @module
 */

/** What is wrong with a file that should be a picture. */
export const IMAGE_PROBLEMS = [
  "empty",
  "not_an_image",
  "svg",
  "heic",
  "video",
  "unsupported",
  "truncated",
  "too_many_pixels",
  "too_long",
  "too_large",
] as const;

/**
 * One of {@linkcode IMAGE_PROBLEMS}; `unsupported` is a known format that this browser doesn't show
 * (TIFF, JPEG XL …).
 */
export type ImageProblem = typeof IMAGE_PROBLEMS[number];

/**
 * Why a picture could not be prepared or decoded: a problem of the file, or
 * - `undecodable`: its header is fine, but the browser can't decode the rest;
 * - `beyond_device`: it has more pixels than this browser can decode;
 * - `unreadable`: the file vanished or changed after it was chosen;
 * - `timeout`: decoding took too long;
 * - `aborted`: the caller gave up;
 * - `crashed`: the worker crashed;
 * - `unloaded`: the worker's script could not be loaded, because the server did not answer;
 * - `unavailable`: this browser lacks workers or createImageBitmap.
 */
export type ImageErrorReason =
  | ImageProblem
  | "undecodable"
  | "beyond_device"
  | "unreadable"
  | "timeout"
  | "aborted"
  | "crashed"
  | "unloaded"
  | "unavailable";

/** Thrown by everything in lib/image; callers switch on `reason`. */
export class ImageError extends Error {
  override readonly name = "ImageError";
  readonly reason: ImageErrorReason;

  constructor(reason: ImageErrorReason, options?: ErrorOptions) {
    super(`Cannot use picture: ${reason.replaceAll("_", " ")}`, options);
    this.reason = reason;
  }
}
