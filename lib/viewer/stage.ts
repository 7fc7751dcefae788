/**
 * Where the picture is seen: owns the canvas and the bitmap until they are wiped.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { Watermark } from "./watermark.ts";
import {
  clampZoom,
  fittedScale,
  maxScale,
  type Point,
  type Region,
  type Size,
  WHOLE,
  type Zoom,
  zoomAt,
} from "./zoom.ts";

/**
 * Makes the part `region` of the picture, `width` × `height` pixels. The caller owns the bitmap.
 */
export type Render = (view: Size & { readonly region: Region }) => Promise<ImageBitmap>;

/** Settings of a {@linkcode Stage}. */
export interface StageOptions {
  /** Text of the watermark, cleaned before use. */
  readonly mark: string;
  /**
   * The element that the picture has to fit into; its size must not depend on the canvas. Default:
   * the canvas's parent.
   */
  readonly box?: HTMLElement;
  /** Of the upright picture, in its own pixels. Default: the bitmap's. */
  readonly size?: Size;
  /** Where sharper pixels come from. Default: there are none but the bitmap's. */
  readonly render?: Render;
  /** The picture may have colours that sRGB does not. */
  readonly wide?: boolean;
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
 * How long the old pixels are shown before new ones are asked for: each step of a zoom or of a
 * resize would need some.
 */
const SHARPEN_MS = 80;
/** Device pixels; boxes have fractions of CSS pixels, which browsers round. */
const ROUNDING = 1 / 32;

/**
 * A part of the picture in as many pixels as it takes on the canvas, and the size of the picture
 * that they belong to.
 */
interface Detail {
  readonly bitmap: ImageBitmap;
  readonly place: Place;
}

/**
 * What is to be made: a part of the picture for where it is seen now, or all of it for where it is
 * fitted.
 */
interface Missing {
  readonly part: boolean;
  readonly place: Place;
}

/** Device pixels: the canvas, and where on it the picture is that is `shown` so large. */
interface Place {
  readonly left: number;
  readonly top: number;
  readonly canvas: Size;
  readonly shown: Size;
}

/**
 * Paints picture and watermark into the canvas, fitted into the box, in device pixels. Takes
 * ownership of `bitmap`.
 *
 * One pixel of the canvas is one of the device, whatever the window, the browser's zoom and the
 * screen; and where `render` was given, so is one of the bitmap's: whenever the picture is seen in
 * another size, or another part of it, the pixels that are there are stretched at once, and
 * replaced as soon as the right ones were made.
 *
 * The canvas is positioned absolutely in the middle of its box, which therefore needs a `position`
 * and a size of its own. It keeps away the context menu, dragging and selection; a screenshot or a
 * camera can't be kept away.
 */
export class Stage {
  /**
   * `performance.now()` of the first frame with the picture in it; `null` when it was wiped before
   * any. Never rejects.
   */
  readonly firstFrame: Promise<number | null>;

  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #size: Size;
  #render: Render | null;
  /** The whole picture. */
  #bitmap: ImageBitmap;
  /** What is seen of it, where that is not all. */
  #detail: Detail | null = null;
  readonly #watermark: Watermark;
  readonly #box: HTMLElement;
  readonly #surface: string;
  readonly #drifts: boolean;
  readonly #listening = new AbortController();
  readonly #observer = new ResizeObserver(() => this.#resize());
  readonly #startedAt = performance.now();
  /** Until the pixel ratio is another one. */
  #screen = new AbortController();
  #watchedRatio = 0;
  #sharpening: ReturnType<typeof setTimeout> | undefined;
  #rendering = false;
  #pixelRatio = 1;
  #zoom: Zoom = WHOLE;
  #covered: boolean;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #frame = 0;
  #onFirstFrame: (at: number | null) => void = () => {};
  #painted = false;

  /**
   * Paints at once (unless `covered`). Throws `TypeError` without a box, and `Error` when the
   * browser has no 2D canvas to give; the bitmap is closed then.
   */
  constructor(canvas: HTMLCanvasElement, bitmap: ImageBitmap, options: StageOptions) {
    const box = options.box ?? canvas.parentElement;
    // Opaque: half the work for the compositor, and nothing behind shines through a covered canvas.
    const context = canvas.getContext("2d", {
      alpha: false,
      colorSpace: options.wide ? "display-p3" : "srgb",
    });
    if (box === null || context === null) {
      bitmap.close();
      if (box === null) throw new TypeError("Cannot show picture: the canvas has no parent");
      throw new Error("Cannot show picture: no 2D canvas");
    }
    this.#canvas = canvas;
    this.#context = context;
    this.#bitmap = bitmap;
    this.#size = options.size ?? { width: bitmap.width, height: bitmap.height };
    this.#render = options.render ?? null;
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
    // The browser's zoom and a move to another screen change the pixel ratio, not always the box.
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

  /** Where the picture leaves no room in its box. */
  get fillScale(): number {
    const { width, height } = this.#boxSize();
    const fitted = this.#fitted();
    return Math.max(
      width / (this.#size.width * fitted),
      height / (this.#size.height * fitted),
    );
  }

  /**
   * Larger by `factor` around a place, counted from the middle of the box in CSS pixels; with the
   * next frame.
   */
  zoomBy(factor: number, at: Point): void {
    this.#look(zoomAt(this.#zoom, factor, at, maxScale(this.#fitted(), devicePixelRatio)));
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
   * Puts other pixels in the picture's place, e.g. the next frame of one that moves: stretched to
   * where the picture is, in whatever size `bitmap` has. Zoom, watermark and time stay. The old
   * pixels are closed and the new ones painted at once, in the same task, unless the stage is
   * covered; so nothing flickers. Takes ownership of `bitmap`: it is closed with the next one, or
   * by `wipe()`; after `wipe()` it is closed right away. May be called as often as one likes. Where
   * the stage has a `render`, it goes on asking that for sharper pixels of what is seen.
   */
  show(bitmap: ImageBitmap): void {
    if (this.wiped) return bitmap.close();
    const old = this.#bitmap;
    this.#bitmap = bitmap;
    if (old !== bitmap) old.close();
    this.#dropDetail();
    if (!this.#covered) this.#paint();
  }

  /**
   * Closes the bitmap, clears the canvas and makes it 0×0, removes everything that could paint
   * again. Idempotent.
   */
  wipe(): void {
    if (this.wiped) return;
    this.#listening.abort();
    this.#observer.disconnect();
    this.#screen.abort();
    clearTimeout(this.#sharpening);
    this.#rest();
    this.#clear();
    this.#bitmap.close();
    this.#dropDetail();
    this.#render = null;
    this.#canvas.width = 0;
    this.#canvas.height = 0;
    this.#onFirstFrame(null);
  }

  #dress(): void {
    const { style } = this.#canvas;
    style.position = "absolute";
    style.inset = "auto";
    style.margin = "0";
    style.placeSelf = "start";
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
    const { scale, x, y } = this.#clamp(zoom);
    if (scale === this.#zoom.scale && x === this.#zoom.x && y === this.#zoom.y) return;
    this.#zoom = { scale, x, y };
    this.#sharpen();
    if (this.#covered) return;
    this.#rest();
    this.#nextFrame();
  }

  #clamp(zoom: Zoom): Zoom {
    const { width, height } = this.#size;
    const scale = this.#fitted() / devicePixelRatio;
    const box = this.#boxSize();
    const css = { width: box.width / devicePixelRatio, height: box.height / devicePixelRatio };
    return clampZoom(zoom, { width: width * scale, height: height * scale }, css);
  }

  /** In whole device pixels. */
  #boxSize(): Size {
    const { width, height } = this.#box.getBoundingClientRect();
    const { offsetWidth, clientWidth, offsetHeight, clientHeight } = this.#box;
    const whole = (length: number) => Math.max(1, Math.floor(length * devicePixelRatio + ROUNDING));
    return {
      width: whole(width - (offsetWidth - clientWidth)),
      height: whole(height - (offsetHeight - clientHeight)),
    };
  }

  /** Device pixels for a pixel of the picture where all of it is seen. */
  #fitted(): number {
    return fittedScale(this.#size, this.#boxSize(), devicePixelRatio);
  }

  #resize(): void {
    if (this.wiped) return;
    this.#watchScreen();
    const fitted = maxScale(this.#fitted(), devicePixelRatio);
    const scale = Math.min(fitted, this.#zoom.scale);
    this.#zoom = this.#clamp({ ...this.#zoom, scale });
    this.#sharpen();
    if (!this.#layOut(this.#place()) && this.#zoom.scale === 1) return;
    if (this.#covered) this.#clear();
    else this.#paint();
  }

  /** Not every browser has a `resize` for a window that is moved to another screen. */
  #watchScreen(): void {
    if (this.#watchedRatio === devicePixelRatio) return;
    this.#watchedRatio = devicePixelRatio;
    this.#screen.abort();
    this.#screen = new AbortController();
    matchMedia(`(resolution: ${devicePixelRatio}dppx)`)
      .addEventListener("change", () => this.#resize(), { signal: this.#screen.signal });
  }

  /** Where what is seen of the picture is, in whole device pixels. */
  #place({ scale: zoomed, x, y } = this.#zoom): Place {
    const box = this.#boxSize();
    const scale = this.#fitted() * zoomed;
    const shown = {
      width: Math.max(1, Math.round(this.#size.width * scale)),
      height: Math.max(1, Math.round(this.#size.height * scale)),
    };
    const canvas = {
      width: Math.min(box.width, shown.width),
      height: Math.min(box.height, shown.height),
    };
    const start = (of: number, all: number, moved: number) => {
      const middle = Math.round((of - all) / 2 + moved * devicePixelRatio);
      return Math.min(0, Math.max(of - all, middle));
    };
    return {
      left: start(canvas.width, shown.width, x),
      top: start(canvas.height, shown.height, y),
      canvas,
      shown,
    };
  }

  /** Gives the canvas the size of what is seen of the picture; true where that made it blank. */
  #layOut({ canvas }: Place): boolean {
    const ratio = devicePixelRatio;
    const { style } = this.#canvas;
    this.#align(canvas);
    const same = canvas.width === this.#canvas.width && canvas.height === this.#canvas.height;
    if (same && ratio === this.#pixelRatio) return false;
    this.#pixelRatio = ratio;
    this.#canvas.width = canvas.width;
    this.#canvas.height = canvas.height;
    style.width = `${canvas.width / ratio}px`;
    style.height = `${canvas.height / ratio}px`;
    return true;
  }

  /**
   * In the middle of the box, and no pixel of the canvas on two of the device: a browser would mix
   * them.
   */
  #align(canvas: Size): void {
    const box = this.#box.getBoundingClientRect();
    const inside = this.#boxSize();
    const start = (edge: number, border: number, room: number) => {
      const at = edge + border;
      const device = Math.round(at * devicePixelRatio + room / 2);
      return `${device / devicePixelRatio - at}px`;
    };
    const { clientLeft, clientTop } = this.#box;
    this.#canvas.style.left = start(box.left, clientLeft, inside.width - canvas.width);
    this.#canvas.style.top = start(box.top, clientTop, inside.height - canvas.height);
  }

  /** Asks, in a moment, for the pixels that are seen and not there; one question at a time. */
  #sharpen(): void {
    if (this.#render === null || this.#rendering || this.#sharpening !== undefined) return;
    this.#sharpening = setTimeout(() => this.#sharpenNow(), SHARPEN_MS);
  }

  async #sharpenNow(): Promise<void> {
    this.#sharpening = undefined;
    const missing = this.#missing();
    if (missing === null || this.#render === null) return;
    const { place: { left, top, canvas, shown } } = missing;
    const [across, down] = [this.#size.width / shown.width, this.#size.height / shown.height];
    const region = {
      // Not -0.
      x: (0 - left) * across,
      y: (0 - top) * down,
      width: canvas.width * across,
      height: canvas.height * down,
    };
    this.#rendering = true;
    try {
      this.#take(missing, await this.#render({ region, ...canvas }));
    } catch {
      // What is there stays: less sharp, and nothing else is lost.
      this.#render = null;
    } finally {
      this.#rendering = false;
    }
    this.#sharpen();
  }

  /** What is seen first; then all of it, for what may be seen next. */
  #missing(): Missing | null {
    const place = this.#place();
    const whole = this.#place(WHOLE);
    if (this.#zoom.scale > 1 && !isSame(place, this.#detail?.place)) {
      return { part: true, place };
    }
    return isSize(this.#bitmap, whole.canvas) ? null : { part: false, place: whole };
  }

  #take({ part, place }: Missing, bitmap: ImageBitmap): void {
    if (this.wiped) return bitmap.close();
    if (part) {
      this.#dropDetail();
      this.#detail = { bitmap, place };
    } else {
      this.#bitmap.close();
      this.#bitmap = bitmap;
    }
    if (!this.#covered) this.#paint();
  }

  #dropDetail(): void {
    this.#detail?.bitmap.close();
    this.#detail = null;
  }

  #clear(): void {
    this.#context.fillStyle = this.#surface;
    this.#context.fillRect(0, 0, this.#canvas.width, this.#canvas.height);
  }

  #paint(): void {
    this.#rest();
    const place = this.#place();
    this.#layOut(place);
    this.#clear();
    this.#drawPicture(place);
    const phase = this.#drifts ? (performance.now() - this.#startedAt) / DRIFT_MS : 0;
    this.#watermark.paint(this.#context, { pixelRatio: this.#pixelRatio, phase });
    if (!this.#painted) this.#reportFirstFrame();
    if (this.#drifts) this.#timer = setTimeout(() => this.#nextFrame(), FRAME_MS);
  }

  #drawPicture(place: Place): void {
    const { left, top, shown } = place;
    // Sharp pixels of the whole are enough for it.
    if (this.#zoom.scale === 1) this.#dropDetail();
    const detail = this.#detail;
    if (!isSame(place, detail?.place)) {
      this.#draw(this.#bitmap, { x: left, y: top, ...shown });
    }
    if (detail === null) return;
    const { place: then } = detail;
    const [across, down] = [shown.width / then.shown.width, shown.height / then.shown.height];
    const at = {
      x: left - then.left * across,
      y: top - then.top * down,
      width: then.canvas.width * across,
      height: then.canvas.height * down,
    };
    // What shines through it is the surface, not the picture once more.
    this.#context.fillRect(at.x, at.y, at.width, at.height);
    this.#draw(detail.bitmap, at);
  }

  #draw(bitmap: ImageBitmap, { x, y, width, height }: Region): void {
    // Pixel for pixel there is nothing to smooth.
    this.#context.imageSmoothingEnabled = !isSize(bitmap, { width, height });
    this.#context.imageSmoothingQuality = "high";
    this.#context.drawImage(bitmap, x, y, width, height);
  }

  /**
   * A frame is on its way to the screen when a task runs behind its animation frame; a hidden page
   * has no frames.
   */
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

function isSize(one: Size, other: Size): boolean {
  return one.width === other.width && one.height === other.height;
}

function isSame(one: Place, other: Place | undefined): boolean {
  return other !== undefined && one.left === other.left && one.top === other.top &&
    isSize(one.canvas, other.canvas) && isSize(one.shown, other.shown);
}
