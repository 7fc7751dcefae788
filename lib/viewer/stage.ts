/**
 * Where the picture is seen: owns the canvas and the bitmap until they are wiped.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { Watermark } from "./watermark.ts";

/** Settings of a {@linkcode Stage}. */
export interface StageOptions {
  /** Text of the watermark, cleaned before use. */
  readonly mark: string;
  /** The element that the picture has to fit into; its size must not depend on the canvas. Default: the canvas's parent. */
  readonly box?: HTMLElement;
  /** CSS colour behind transparent pictures, and of the covered canvas. Default: a light grey. */
  readonly surface?: string;
  /** No drift of the watermark. Default: what the system says. */
  readonly reducedMotion?: boolean;
  /** Starts covered; nothing is painted until `uncover()`. */
  readonly covered?: boolean;
}

const SURFACE = "#e7e7e4";
// Drift is slow; more frames would only cost battery.
const FRAME_MS = 80;
const DRIFT_MS = 24_000;

/**
 * Paints picture and watermark into the canvas, fitted into the box, in device pixels. Takes ownership of `bitmap`.
 *
 * The canvas is positioned absolutely in the middle of its box, which therefore needs a `position` and a size of its own.
 * It keeps away the context menu, dragging and selection; a screenshot or a camera can't be kept away.
 */
export class Stage {
  /**
   * `performance.now()` of the first frame with the picture in it; `null` when it was wiped before any. Never rejects.
   */
  readonly firstFrame: Promise<number | null>;

  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #bitmap: ImageBitmap;
  readonly #watermark: Watermark;
  readonly #box: HTMLElement;
  readonly #surface: string;
  readonly #drifts: boolean;
  readonly #listening = new AbortController();
  readonly #observer = new ResizeObserver(() => this.#resize());
  readonly #startedAt = performance.now();
  #pixelRatio = 1;
  #covered: boolean;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #frame = 0;
  #onFirstFrame: (at: number | null) => void = () => {};
  #painted = false;

  /**
   * Paints at once (unless `covered`). Throws `TypeError` without a box, and `Error` when the browser has no 2D canvas to
   * give; the bitmap is closed then.
   */
  constructor(canvas: HTMLCanvasElement, bitmap: ImageBitmap, options: StageOptions) {
    const box = options.box ?? canvas.parentElement;
    // Opaque: half the work for the compositor, and nothing behind shines through a covered canvas.
    const context = canvas.getContext("2d", { alpha: false });
    if (box === null || context === null) {
      bitmap.close();
      if (box === null) throw new TypeError("Cannot show picture: the canvas has no parent");
      throw new Error("Cannot show picture: no 2D canvas");
    }
    this.#canvas = canvas;
    this.#context = context;
    this.#bitmap = bitmap;
    this.#box = box;
    this.#watermark = new Watermark(options.mark);
    this.#surface = options.surface ?? SURFACE;
    this.#covered = options.covered ?? false;
    this.#drifts = !(options.reducedMotion ??
      matchMedia("(prefers-reduced-motion: reduce)").matches);
    this.firstFrame = new Promise((resolve) => this.#onFirstFrame = resolve);
    this.#dress();
    this.#resize();
    this.#observer.observe(box);
    // Zoom and a move to another screen change the pixel ratio, not always the box.
    globalThis.addEventListener("resize", () => this.#resize(), { signal: this.#listening.signal });
  }

  /** True when nothing is left to show. */
  get wiped(): boolean {
    return this.#listening.signal.aborted;
  }

  /** Replaces every pixel by the surface, synchronously. */
  cover(): void {
    this.#covered = true;
    this.#rest();
    if (!this.wiped) this.#clear();
  }

  /** Shows the picture again, synchronously; nothing happens after `wipe()`. */
  uncover(): void {
    if (this.wiped || !this.#covered) return;
    this.#covered = false;
    this.#paint();
  }

  /** Closes the bitmap, clears the canvas and makes it 0×0, removes everything that could paint again. Idempotent. */
  wipe(): void {
    if (this.wiped) return;
    this.#listening.abort();
    this.#observer.disconnect();
    this.#rest();
    this.#clear();
    this.#bitmap.close();
    this.#canvas.width = 0;
    this.#canvas.height = 0;
    this.#onFirstFrame(null);
  }

  #dress(): void {
    const { style } = this.#canvas;
    style.position = "absolute";
    style.inset = "0";
    style.margin = "auto";
    style.userSelect = "none";
    style.setProperty("-webkit-user-select", "none");
    // iOS: no "save image" sheet after a long press.
    style.setProperty("-webkit-touch-callout", "none");
    for (const kind of ["contextmenu", "dragstart", "selectstart"]) {
      const options = { signal: this.#listening.signal };
      this.#canvas.addEventListener(kind, (event) => event.preventDefault(), options);
    }
  }

  #resize(): void {
    if (this.wiped) return;
    const { clientWidth, clientHeight } = this.#box;
    const ratio = globalThis.devicePixelRatio;
    // Never more than one CSS pixel for a pixel of the picture: larger shows nothing more.
    const scale = Math.min(
      1,
      clientWidth / this.#bitmap.width,
      clientHeight / this.#bitmap.height,
    );
    const width = Math.max(1, Math.round(this.#bitmap.width * scale * ratio));
    const height = Math.max(1, Math.round(this.#bitmap.height * scale * ratio));
    const same = width === this.#canvas.width && height === this.#canvas.height;
    if (same && ratio === this.#pixelRatio) return;
    this.#pixelRatio = ratio;
    this.#canvas.width = width;
    this.#canvas.height = height;
    this.#canvas.style.width = `${width / ratio}px`;
    this.#canvas.style.height = `${height / ratio}px`;
    if (this.#covered) this.#clear();
    else this.#paint();
  }

  #clear(): void {
    this.#context.fillStyle = this.#surface;
    this.#context.fillRect(0, 0, this.#canvas.width, this.#canvas.height);
  }

  #paint(): void {
    this.#rest();
    const { width, height } = this.#canvas;
    this.#clear();
    this.#context.imageSmoothingQuality = "high";
    this.#context.drawImage(this.#bitmap, 0, 0, width, height);
    const phase = this.#drifts ? (performance.now() - this.#startedAt) / DRIFT_MS : 0;
    this.#watermark.paint(this.#context, { pixelRatio: this.#pixelRatio, phase });
    if (!this.#painted) this.#reportFirstFrame();
    if (this.#drifts) this.#timer = setTimeout(() => this.#nextFrame(), FRAME_MS);
  }

  /** A frame is on its way to the screen when a task runs behind its animation frame; a hidden page has no frames. */
  #reportFirstFrame(): void {
    requestAnimationFrame(() => {
      if (this.#painted || this.#covered || this.wiped) return;
      this.#painted = true;
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => {
        port1.close();
        this.#onFirstFrame(performance.now());
      };
      port2.postMessage(null);
    });
  }

  #nextFrame(): void {
    this.#frame = requestAnimationFrame(() => this.#paint());
  }

  #rest(): void {
    clearTimeout(this.#timer);
    cancelAnimationFrame(this.#frame);
  }
}
