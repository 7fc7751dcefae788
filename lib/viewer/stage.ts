/**
 * Where the picture is seen: owns the canvas and the bitmap until they are wiped.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { Watermark } from "./watermark.ts";
import { clampZoom, type Point, type Size, WHOLE, type Zoom, zoomAt } from "./zoom.ts";

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
  /** Of the picture; what is painted of it may have fewer pixels. */
  readonly #size: Size;
  #bitmap: ImageBitmap;
  readonly #watermark: Watermark;
  readonly #box: HTMLElement;
  readonly #surface: string;
  readonly #drifts: boolean;
  readonly #listening = new AbortController();
  readonly #observer = new ResizeObserver(() => this.#resize());
  readonly #startedAt = performance.now();
  #pixelRatio = 1;
  #zoom: Zoom = WHOLE;
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
    this.#size = { width: bitmap.width, height: bitmap.height };
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

  /** True once a frame of it may be on the screen. */
  get painted(): boolean {
    return this.#painted;
  }

  /** The element that the picture fits into. */
  get box(): HTMLElement {
    return this.#box;
  }

  /** 1 = the whole picture. */
  get scale(): number {
    return this.#zoom.scale;
  }

  /** Larger by `factor` around a place, counted from the middle of the box in CSS pixels; with the next frame. */
  zoomBy(factor: number, at: Point): void {
    this.#look(zoomAt(this.#zoom, factor, at));
  }

  /** Moves the picture by CSS pixels, as far as there is more of it; with the next frame. */
  panBy(x: number, y: number): void {
    this.#look({ ...this.#zoom, x: this.#zoom.x + x, y: this.#zoom.y + y });
  }

  /** Shows the whole picture again; with the next frame. */
  showWhole(): void {
    this.#look(WHOLE);
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

  /**
   * Puts other pixels in the picture's place, e.g. the next frame of one that moves: stretched to where the picture is,
   * in whatever size `bitmap` has. Zoom, watermark and time stay. The old pixels are closed and the new ones painted at
   * once, in the same task, unless the stage is covered; so nothing flickers. Takes ownership of `bitmap`: it is closed
   * with the next one, or by `wipe()`; after `wipe()` it is closed right away. May be called as often as one likes.
   */
  show(bitmap: ImageBitmap): void {
    if (this.wiped) return bitmap.close();
    const old = this.#bitmap;
    this.#bitmap = bitmap;
    if (old !== bitmap) old.close();
    if (!this.#covered) this.#paint();
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

  #look(zoom: Zoom): void {
    if (this.wiped) return;
    const { scale, x, y } = clampZoom(zoom, this.#fitted(), this.#boxSize());
    if (scale === this.#zoom.scale && x === this.#zoom.x && y === this.#zoom.y) return;
    this.#zoom = { scale, x, y };
    if (this.#covered) return;
    this.#rest();
    this.#nextFrame();
  }

  #boxSize(): Size {
    return { width: this.#box.clientWidth, height: this.#box.clientHeight };
  }

  /** The whole picture in its box, in CSS pixels; never more than one for a pixel of it: larger shows nothing more. */
  #fitted(): Size {
    const { width, height } = this.#size;
    const box = this.#boxSize();
    const scale = Math.min(1, box.width / width, box.height / height);
    return { width: width * scale, height: height * scale };
  }

  #resize(): void {
    if (this.wiped) return;
    this.#zoom = clampZoom(this.#zoom, this.#fitted(), this.#boxSize());
    if (!this.#layOut() && this.#zoom.scale === 1) return;
    if (this.#covered) this.#clear();
    else this.#paint();
  }

  /** Gives the canvas the size of what is seen of the picture; true where that made it blank. */
  #layOut(): boolean {
    const box = this.#boxSize();
    const fitted = this.#fitted();
    const { scale } = this.#zoom;
    const ratio = globalThis.devicePixelRatio;
    const width = Math.max(1, Math.round(Math.min(box.width, fitted.width * scale) * ratio));
    const height = Math.max(1, Math.round(Math.min(box.height, fitted.height * scale) * ratio));
    const same = width === this.#canvas.width && height === this.#canvas.height;
    if (same && ratio === this.#pixelRatio) return false;
    this.#pixelRatio = ratio;
    this.#canvas.width = width;
    this.#canvas.height = height;
    this.#canvas.style.width = `${width / ratio}px`;
    this.#canvas.style.height = `${height / ratio}px`;
    return true;
  }

  #clear(): void {
    this.#context.fillStyle = this.#surface;
    this.#context.fillRect(0, 0, this.#canvas.width, this.#canvas.height);
  }

  #paint(): void {
    this.#rest();
    this.#layOut();
    this.#clear();
    this.#drawPicture();
    const phase = this.#drifts ? (performance.now() - this.#startedAt) / DRIFT_MS : 0;
    this.#watermark.paint(this.#context, { pixelRatio: this.#pixelRatio, phase });
    if (!this.#painted) this.#reportFirstFrame();
    if (this.#drifts) this.#timer = setTimeout(() => this.#nextFrame(), FRAME_MS);
  }

  #drawPicture(): void {
    const { width, height } = this.#canvas;
    const { scale, x, y } = this.#zoom;
    this.#context.imageSmoothingQuality = "high";
    if (scale === 1) return this.#context.drawImage(this.#bitmap, 0, 0, width, height);
    const fitted = this.#fitted();
    const ratio = this.#pixelRatio;
    const shown = { width: fitted.width * scale * ratio, height: fitted.height * scale * ratio };
    this.#context.drawImage(
      this.#bitmap,
      (width - shown.width) / 2 + x * ratio,
      (height - shown.height) / 2 + y * ratio,
      shown.width,
      shown.height,
    );
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
