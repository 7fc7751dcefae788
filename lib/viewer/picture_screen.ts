/**
 * Takes a picture from its bytes to the canvas: decodes it, lets it play, shows it, wipes it. This
 * is the only place where a picture that was received meets the page.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { computed, type ReadonlySignal, signal } from "@preact/signals";
import type { Bytes } from "../protocol/bytes.ts";
import type { ClosedReason, ImageType } from "../protocol/control.ts";
import type { ViewRules } from "../protocol/display_options.ts";
import { type Animator, canAnimate } from "../image/animator.ts";
import type { Decoder, OpenPicture } from "../image/decoder.ts";
import { isMoving } from "../image/motion.ts";
import { type Moving, Viewing, type ViewingState } from "./viewing.ts";

/** A picture to show. */
export interface Showing {
  readonly type: ImageType;
  readonly rules: ViewRules;
  /**
   * Called when the first pixel was painted. `still`: only the first frame is shown, although the
   * picture moves.
   */
  readonly onPainted: (still: boolean) => void;
  /** Called once, after the wipe, with the milliseconds that it was on screen. */
  readonly onClosed: (why: ClosedReason, ms: number) => void;
}

/** Shows one picture at a time. */
export class PictureScreen {
  readonly #decoder: Pick<Decoder, "open">;
  readonly #makeAnimator: () => Animator | null;
  readonly #viewing = signal<Viewing | null>(null);
  readonly #state = computed(() => this.#viewing.value?.state.value ?? null);
  #canvas = Promise.withResolvers<HTMLCanvasElement>();
  /** Set for a picture that may be animated. */
  #animator: Animator | null = null;
  /** Aborted when the picture must not be shown any longer. */
  #showing = new AbortController();

  /** Without `makeAnimator`, only the first frame of animated pictures is shown. */
  constructor(decoder: Pick<Decoder, "open">, makeAnimator: () => Animator | null = () => null) {
    this.#decoder = decoder;
    this.#makeAnimator = makeAnimator;
  }

  /** What the page shows beside the picture; `null` while there is none. */
  get viewing(): ReadonlySignal<ViewingState | null> {
    return this.#state;
  }

  /** The page added the canvas, or removed it (`null`). */
  setCanvas(canvas: HTMLCanvasElement | null): void {
    if (canvas === null) this.#canvas = Promise.withResolvers();
    else this.#canvas.resolve(canvas);
  }

  /** Loads the player while the server is reachable; later it may not be. */
  prepare(type: ImageType): void {
    if (type !== "image/jpeg" && canAnimate()) this.#animator = this.#makeAnimator();
  }

  /**
   * Takes over `bytes`, and shows them once there is a canvas, unless {@linkcode
   * PictureScreen.clear} is called before. Throws `ImageError` if they can't be decoded.
   */
  async show(bytes: Bytes, showing: Showing): Promise<void> {
    const { type, rules, onPainted, onClosed } = showing;
    const { signal } = this.#showing = new AbortController();
    const opening = isMoving(bytes, type) ? this.#animate(bytes.slice(), type) : null;
    const picture = await this.#decoder.open(bytes, type, { ...windowSize(), signal });
    let free = () => drop(picture);
    if (signal.aborted) return free();
    signal.addEventListener("abort", () => free(), { once: true });
    const moving = await opening;
    if (signal.aborted) return;
    if (moving === null) this.#endAnimator();
    const canvas = await this.#canvas.promise;
    if (signal.aborted) return;
    const still = moving === "still";
    const viewing = new Viewing({
      canvas,
      picture,
      rules,
      moving,
      onPainted: () => onPainted(still),
      onClosed,
    });
    free = () => viewing.close("left");
    this.#viewing.value = viewing;
  }

  /** Adds time, in seconds. Returns false if there is no time limit to extend. */
  extend(seconds: number): boolean {
    return this.#viewing.peek()?.extend(seconds) ?? false;
  }

  /** Wipes the picture. Returns false if none is on the canvas. */
  close(why: ClosedReason): boolean {
    const viewing = this.#viewing.peek();
    viewing?.close(why);
    return viewing !== null;
  }

  /** Stops decoding, and wipes whatever is here. Idempotent. */
  clear(): void {
    this.#showing.abort();
    this.#viewing.value = null;
    this.#endAnimator();
  }

  /** Opens an animated picture and takes over `bytes`; `"still"` if this browser can't play it. */
  async #animate(bytes: Bytes, type: ImageType): Promise<Moving | "still"> {
    const source = this.#animator;
    try {
      if (source === null) return "still";
      return { source, facts: await source.open(bytes, type, screenSize()) };
    } catch {
      return "still";
    } finally {
      // Empty if the buffer was transferred: then `fill` would throw a TypeError.
      if (bytes.length > 0) bytes.fill(0);
    }
  }

  #endAnimator(): void {
    void this.#animator?.wipe();
    this.#animator = null;
  }
}

function drop(picture: OpenPicture): void {
  picture.bitmap.close();
  picture.close();
}

/**
 * The size that the picture has to fit into, in most cases. The stage knows the exact size, and
 * requests other pixels if it differs.
 */
function windowSize(): { maxWidth: number; maxHeight: number; maxScale: number } {
  return {
    maxWidth: Math.floor(innerWidth * devicePixelRatio),
    maxHeight: Math.floor(innerHeight * devicePixelRatio),
    maxScale: devicePixelRatio,
  };
}

/**
 * The screen in device pixels, for either orientation. For frames, which are not decoded again when
 * the window changes.
 */
function screenSize(): { maxWidth: number; maxHeight: number } {
  const side = Math.ceil(Math.max(screen.width, screen.height) * devicePixelRatio);
  return { maxWidth: side, maxHeight: side };
}
