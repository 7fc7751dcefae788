/**
 * The page's side of the decode worker.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { Bytes } from "../protocol/bytes.ts";
import type { ImageType } from "../protocol/control.ts";

/** Bounds of the wanted bitmap in device pixels, and how to give up. */
export interface DecodeOptions {
  /** The bitmap is made at most this wide, keeping proportions; never enlarged. Default: unbounded. */
  readonly maxWidth?: number;
  /** The same for its height. */
  readonly maxHeight?: number;
  /** Gives up: the worker is terminated, `decode` rejects with `aborted`. */
  readonly signal?: AbortSignal;
}

/** Settings of a {@linkcode Decoder}. */
export interface DecoderOptions {
  /** Longest time for one picture, in milliseconds. */
  readonly timeoutMs?: number;
}

/**
 * Decodes pictures in a worker, one after the other. The worker is started by the constructor, so that it is warm when
 * the first picture comes, and started anew after a crash, a timeout or an abort.
 */
export class Decoder implements Disposable {
  /**
   * `worker` is the URL of the bundled decode_worker.js (a classic script), or a function that makes the worker (for
   * Trusted Types, where a plain string is refused).
   */
  constructor(_worker: string | URL | (() => Worker), _options: DecoderOptions = {}) {}

  /**
   * Decodes a picture: first frame, EXIF orientation applied. A byte array's buffer is transferred (it is empty for the
   * caller at once) and zeroed by the worker after decoding; a `Blob` is only referred to.
   *
   * Throws `ImageError`: any reason of {@linkcode inspectImage}, `undecodable`, `unreadable`, `timeout`, `aborted`,
   * `crashed`, `unavailable`. The caller owns the bitmap and closes it.
   */
  decode(
    _source: Bytes | Blob,
    _type: ImageType,
    _options: DecodeOptions = {},
  ): Promise<ImageBitmap> {
    return Promise.reject(new Error("Not written yet"));
  }

  /** Terminates the worker; a decode under way rejects with `aborted`. Idempotent. */
  close(): void {}

  /** The same as {@linkcode Decoder.close}. */
  [Symbol.dispose](): void {
    this.close();
  }
}
