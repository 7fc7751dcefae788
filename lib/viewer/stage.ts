/**
 * Where the picture is seen: owns the canvas and the bitmap until they are wiped.
 *
 * This module is browser compatible.
 *
 * @module
 */

/** Settings of a {@linkcode Stage}. */
export interface StageOptions {
  /** Text of the watermark, cleaned before use. */
  readonly mark: string;
  /** The element that the picture has to fit into; its size must not depend on the canvas. Default: the canvas's parent. */
  readonly box?: HTMLElement;
  /** CSS colour behind transparent pictures, and of the covered canvas. */
  readonly surface?: string;
  /** No drift of the watermark. Default: what the system says. */
  readonly reducedMotion?: boolean;
  /** Starts covered; nothing is painted until `uncover()`. */
  readonly covered?: boolean;
}

/**
 * Paints picture and watermark into the canvas, fitted into the box, in device pixels. Takes ownership of `bitmap`.
 *
 * It keeps away the context menu, dragging and selection; a screenshot or a camera can't be kept away.
 */
export class Stage implements Disposable {
  /**
   * `performance.now()` of the first frame with the picture in it; `null` when it was wiped before any. Never rejects.
   */
  readonly firstFrame: Promise<number | null> = Promise.resolve(null);

  /** Paints at once (unless `covered`). */
  constructor(_canvas: HTMLCanvasElement, _bitmap: ImageBitmap, _options: StageOptions) {}

  /** True when nothing is left to show. */
  get wiped(): boolean {
    return true;
  }

  /** Replaces every pixel by the surface, synchronously. */
  cover(): void {}

  /** Shows the picture again, synchronously; nothing happens after `wipe()`. */
  uncover(): void {}

  /** Closes the bitmap, clears the canvas and makes it 0×0, removes everything that could paint again. Idempotent. */
  wipe(): void {}

  /** The same as {@linkcode Stage.wipe}. */
  [Symbol.dispose](): void {
    this.wipe();
  }
}
