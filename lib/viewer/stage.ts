/**
 * Shows the picture: owns the canvas and the bitmap until they are wiped.
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

/** The part `region` of the picture, in `width` × `height` pixels. */
export interface View extends Size {
  readonly region: Region;
}

/**
 * Renders a part of the picture. The caller owns the bitmap. `null`: not now, and not before the
 * next call of {@linkcode Stage.sharpen}.
 */
export type Render = (view: View) => Promise<ImageBitmap | null>;

/** Settings of a {@linkcode Stage}. */
export interface StageOptions {
  /** Text of the watermark, cleaned before use. */
  readonly mark: string;
  /**
   * The element that the picture has to fit into; its size must not depend on the canvas. Default:
   * the canvas's parent.
   */
  readonly box?: HTMLElement;
  /** Size of the upright picture, in its own pixels. Default: the bitmap's. */
  readonly size?: Size;
  /** Renders sharper pixels. Default: none; only the bitmap is shown. */
  readonly render?: Render;
  /**
   * Whether the bitmap is replaced frame by frame: then only parts of a frame are rendered.
   * Default: false.
   */
  readonly moves?: boolean;
  /** Whether the picture may have colors outside of sRGB. */
  readonly wide?: boolean;
  /** CSS color behind transparent pictures. Default: a light gray. */
  readonly surface?: string;
  /** Whether the watermark stays still. Default: the system's setting. */
  readonly reducedMotion?: boolean;
  /** Starts covered; nothing is painted until `uncover()`. */
  readonly covered?: boolean;
}

const SURFACE = "#e7e7e4";
/** Of the covered canvas: dark, so that it neither glares nor looks like a picture. */
const COVER = "#1a1917";
// The watermark drifts slowly; more frames would only drain the battery.
const FRAME_MS = 80;
const DRIFT_MS = 24_000;
/**
 * Minimum time between the arrival of sharper pixels and the next request, in ms: otherwise each
 * step of zooming or resizing would send one. The first step does not wait.
 */
const SHARPEN_MS = 80;
/**
 * Tolerance in device pixels: boxes are measured in fractions of CSS pixels, which browsers round.
 */
const ROUNDING = 1 / 32;

/**
 * A rendered part of the picture, at its size on the canvas, and the size of the picture that it
 * was rendered for.
 */
export interface Detail {
  readonly bitmap: ImageBitmap;
  readonly place: Place;
}

/** The visible part of the picture: which it is, and where it will be painted. */
export interface VisiblePart {
  readonly view: View;
  readonly place: Place;
}

/** What is to be rendered next: the visible part of the picture, or all of it at fitted size. */
interface Missing {
  readonly part: boolean;
  readonly place: Place;
}

/** In device pixels: the canvas, and the position and size (`shown`) of the picture on it. */
export interface Place {
  readonly left: number;
  readonly top: number;
  readonly canvas: Size;
  readonly shown: Size;
}

/**
 * Paints picture and watermark into the canvas, fitted into the box, in device pixels. Takes
 * ownership of `bitmap`.
 *
 * One pixel of the canvas is one device pixel, whatever the window, the browser's zoom and the
 * screen. With `render`, it is also one pixel of the bitmap: whenever another part or size of the
 * picture becomes visible, the current pixels are stretched at once, and replaced as soon as the
 * exact ones were rendered.
 *
 * The canvas is positioned absolutely in the middle of its box, which therefore needs a `position`
 * and a size of its own. The stage prevents the context menu, dragging and selection; it can't
 * prevent a screenshot or a camera.
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
  readonly #moves: boolean;
  #render: Render | null;
  /** Number of bitmaps that were replaced: what was rendered for an older one is late. */
  #shows = 0;
  /** The whole picture. */
  #bitmap: ImageBitmap;
  /** The visible part, if that is not all of it. */
  #detail: Detail | null = null;
  readonly #watermark: Watermark;
  readonly #box: HTMLElement;
  readonly #surface: string;
  readonly #drifts: boolean;
  readonly #listening = new AbortController();
  readonly #observer = new ResizeObserver(() => this.#resize());
  readonly #startedAt = performance.now();
  /** Aborted once the pixel ratio changes. */
  #screen = new AbortController();
  #watchedRatio = 0;
  #sharpening: ReturnType<typeof setTimeout> | undefined;
  #rendering = false;
  #sharpenedAt = -Infinity;
  #pixelRatio = 1;
  #zoom: Zoom = WHOLE;
  #covered: boolean;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #frame = 0;
  #onFirstFrame: (at: number | null) => void = () => {};
  #painted = false;

  /**
   * Paints at once (unless `covered`). Throws `TypeError` without a box, and `Error` if the browser
   * provides no 2D canvas; the bitmap is closed then.
   */
  constructor(canvas: HTMLCanvasElement, bitmap: ImageBitmap, options: StageOptions) {
    const box = options.box ?? canvas.parentElement;
    // Opaque: half the work for the compositor, and nothing behind a covered canvas shines through.
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
    this.#moves = options.moves ?? false;
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
    // The browser's zoom, and moving to another screen, change the pixel ratio but not always the
    // box.
    globalThis.addEventListener("resize", () => this.#resize(), { signal: this.#listening.signal });
  }

  /** True when nothing is left to show. */
  get wiped(): boolean {
    return this.#listening.signal.aborted;
  }

  /** True once a frame with the picture may be on the screen. */
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

  /** The scale at which the picture fills its box. */
  get fillScale(): number {
    const { width, height } = this.#boxSize();
    const fitted = this.#fitted();
    return Math.max(
      width / (this.#size.width * fitted),
      height / (this.#size.height * fitted),
    );
  }

  /** The visible part, if it is not the whole picture: what the next frame is needed for. */
  get part(): VisiblePart | null {
    if (this.#zoom.scale === 1) return null;
    const place = this.#place();
    return { view: this.#viewOf(place), place };
  }

  /**
   * Zooms by `factor` around a point, in CSS pixels from the middle of the box; applied with the
   * next frame.
   */
  zoomBy(factor: number, at: Point): void {
    this.#look(zoomAt(this.#zoom, factor, at, maxScale(this.#fitted(), devicePixelRatio)));
  }

  /**
   * Moves the picture by CSS pixels, as far as it extends beyond the box; applied with the next
   * frame.
   */
  panBy(x: number, y: number): void {
    this.#look({ ...this.#zoom, x: this.#zoom.x + x, y: this.#zoom.y + y });
  }

  /** Shows the whole picture again; applied with the next frame. */
  showWhole(): void {
    this.#look(WHOLE);
  }

  /** Paints one dark color over every pixel, synchronously. */
  cover(): void {
    this.#covered = true;
    this.#rest();
    if (!this.wiped) this.#fill(COVER);
  }

  /** Shows the picture again, synchronously; does nothing after `wipe()`. */
  uncover(): void {
    if (this.wiped || !this.#covered) return;
    this.#covered = false;
    this.#paint();
  }

  /**
   * Replaces the picture's pixels, e.g. by the next frame of an animation. `bitmap` may have any
   * size: it is stretched to the picture's place. Zoom, watermark and time stay. Unless the stage
   * is covered, the new pixels are painted in the same task in which the old ones are closed, so
   * nothing flickers. `detail` are the sharper pixels of a {@linkcode part}.
   *
   * Takes ownership of the bitmaps: they are closed when the next ones replace them, or by
   * `wipe()`; after `wipe()` they are closed right away. May be called any number of times.
   */
  show(bitmap: ImageBitmap, detail: Detail | null = null): void {
    if (this.wiped) {
      bitmap.close();
      detail?.bitmap.close();
      return;
    }
    const old = this.#bitmap;
    this.#bitmap = bitmap;
    this.#shows++;
    if (old !== bitmap) old.close();
    this.#dropDetail();
    this.#detail = detail;
    if (!this.#covered) this.#paint();
  }

  /** Requests sharper pixels again, after `render` had none. */
  sharpen(): void {
    if (!this.wiped) this.#sharpen();
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
    this.#fill(COVER);
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

  /** Size of the box in whole device pixels. */
  #boxSize(): Size {
    const { width, height } = this.#box.getBoundingClientRect();
    const { offsetWidth, clientWidth, offsetHeight, clientHeight } = this.#box;
    const whole = (length: number) => Math.max(1, Math.floor(length * devicePixelRatio + ROUNDING));
    return {
      width: whole(width - (offsetWidth - clientWidth)),
      height: whole(height - (offsetHeight - clientHeight)),
    };
  }

  /** Device pixels for each pixel of the picture when all of it is visible. */
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
    if (this.#covered) this.#fill(COVER);
    else this.#paint();
  }

  /** Not every browser sends `resize` when a window moves to another screen. */
  #watchScreen(): void {
    if (this.#watchedRatio === devicePixelRatio) return;
    this.#watchedRatio = devicePixelRatio;
    this.#screen.abort();
    this.#screen = new AbortController();
    matchMedia(`(resolution: ${devicePixelRatio}dppx)`)
      .addEventListener("change", () => this.#resize(), { signal: this.#screen.signal });
  }

  /** Where the visible part of the picture is, in whole device pixels. */
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

  /** Resizes the canvas to the visible part of the picture; returns true if that made it blank. */
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
   * Centers the canvas in the box so that each of its pixels falls on one device pixel: otherwise
   * the browser would blend them.
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

  /** Requests sharper pixels for the visible part, soon; one request at a time. */
  #sharpen(): void {
    if (this.#render === null || this.#rendering || this.#sharpening !== undefined) return;
    const wait = Math.max(0, this.#sharpenedAt + SHARPEN_MS - performance.now());
    this.#sharpening = setTimeout(() => this.#sharpenNow(), wait);
  }

  async #sharpenNow(): Promise<void> {
    this.#sharpening = undefined;
    const missing = this.#missing();
    if (missing === null || this.#render === null) return;
    const shows = this.#shows;
    this.#rendering = true;
    try {
      const bitmap = await this.#render(this.#viewOf(missing.place));
      if (bitmap === null) return;
      if (shows === this.#shows) this.#take(missing, bitmap);
      else bitmap.close();
    } catch {
      // The current pixels stay: less sharp, but nothing else is lost.
      this.#render = null;
    } finally {
      this.#rendering = false;
      this.#sharpenedAt = performance.now();
    }
    this.#sharpen();
  }

  #viewOf({ left, top, canvas, shown }: Place): View {
    const [across, down] = [this.#size.width / shown.width, this.#size.height / shown.height];
    const region = {
      // Avoids -0.
      x: (0 - left) * across,
      y: (0 - top) * down,
      width: canvas.width * across,
      height: canvas.height * down,
    };
    return { region, ...canvas };
  }

  /** The visible part comes first; then the whole picture, which may be seen next. */
  #missing(): Missing | null {
    const place = this.#place();
    const whole = this.#place(WHOLE);
    if (this.#zoom.scale > 1 && !isSame(place, this.#detail?.place)) {
      return { part: true, place };
    }
    return this.#moves || isSize(this.#bitmap, whole.canvas) ? null : { part: false, place: whole };
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

  #fill(color: string): void {
    this.#context.fillStyle = color;
    this.#context.fillRect(0, 0, this.#canvas.width, this.#canvas.height);
  }

  #paint(): void {
    this.#rest();
    const place = this.#place();
    this.#layOut(place);
    this.#fill(this.#surface);
    this.#drawPicture(place);
    const phase = this.#drifts ? (performance.now() - this.#startedAt) / DRIFT_MS : 0;
    this.#watermark.paint(this.#context, { pixelRatio: this.#pixelRatio, phase });
    if (!this.#painted) this.#reportFirstFrame();
    if (this.#drifts) this.#timer = setTimeout(() => this.#nextFrame(), FRAME_MS);
  }

  #drawPicture(place: Place): void {
    const { left, top, shown } = place;
    // Unzoomed, the sharp pixels of the whole picture are enough.
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
    // Transparent parts of the detail must show the surface, not the whole picture below it.
    this.#context.fillStyle = this.#surface;
    this.#context.fillRect(at.x, at.y, at.width, at.height);
    this.#draw(detail.bitmap, at);
  }

  #draw(bitmap: ImageBitmap, { x, y, width, height }: Region): void {
    // At one to one there is nothing to smooth.
    this.#context.imageSmoothingEnabled = !isSize(bitmap, { width, height });
    this.#context.imageSmoothingQuality = "high";
    this.#context.drawImage(bitmap, x, y, width, height);
  }

  /**
   * A frame is on its way to the screen once a task runs after its animation frame; a hidden page
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
