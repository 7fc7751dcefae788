/**
 * The page of moving_browser_test.ts: an animated picture on screen, from its bytes to the wipe,
 * with the real worker.
 *
 * @module
 */
import { DEFAULT_RULES } from "../../lib/protocol/display_options.ts";
import { Animator } from "../../lib/image/animator.ts";
import type { AnimationFacts } from "../../lib/image/animation_messages.ts";
import { ImageError } from "../../lib/image/errors.ts";
import type { ImageType } from "../../lib/protocol/control.ts";
import { Viewing } from "../../lib/viewer/viewing.ts";

/** What was seen so far. */
export interface MovingLook {
  /** What each animation frame of the page saw in the middle of the canvas, without repetitions. */
  readonly seen: readonly string[];
  /** Animation frames of the page. */
  readonly ticks: number;
  /** Bitmaps that the viewing was given, and how many of them are closed. */
  readonly frames: number;
  readonly closed: number;
  readonly motion: string;
  readonly size: readonly number[];
  /** How many neighbors in the middle row of the canvas differ, as a fraction of all, 0–1. */
  readonly stripes: number;
}

/** What a test may call. */
export interface MovingHarness {
  show(base64: string, type: ImageType, options?: { hold?: boolean }): Promise<AnimationFacts>;
  togglePlay(): void;
  setHeld(held: boolean): void;
  close(): Promise<void>;
  /** Zooms in to the picture's own pixels, or out. */
  zoom(factor: number): void;
  look(): MovingLook;
  /** Opens and decodes up to three frames. Returns the reason if that fails, or "ok". */
  decode(base64: string, type: ImageType): Promise<string>;
}

declare global {
  var moving: MovingHarness;
}

let viewing: Viewing | null = null;
let animator: Animator | null = null;
let bitmaps: ImageBitmap[] = [];
let seen: string[] = [];
let ticks = 0;

function canvas(): HTMLCanvasElement {
  const found = document.querySelector("canvas");
  if (found === null) throw new Error("No canvas in the page");
  return found;
}

function colour(): string {
  const { width, height } = canvas();
  if (width === 0) return "nothing";
  const context = canvas().getContext("2d");
  const [r = 0, g = 0, b = 0] = context?.getImageData(width >> 1, height >> 1, 1, 1).data ?? [];
  const key = [r, g, b].map((value) => value > 128 ? 1 : 0).join("");
  const names: Record<string, string> = {
    "100": "red",
    "010": "green",
    "001": "blue",
    "110": "yellow",
    "000": "covered",
  };
  return names[key] ?? key;
}

/** As in lib/viewer/gestures.ts. */
const WHEEL_RATE = 0.002;
/** Neighbors that differ by more than this, of 255, are parts of a pattern. */
const VISIBLE = 60;

function stripes(): number {
  const { width, height } = canvas();
  if (width < 2) return 0;
  const { data } = canvas().getContext("2d")?.getImageData(0, height >> 1, width, 1) ?? {};
  const sum = (x: number) => [0, 1, 2].reduce((sum, i) => sum + (data?.[4 * x + i] ?? 0), 0);
  const edges = Array.from({ length: width - 1 }, (_, x) => Math.abs(sum(x) - sum(x + 1)));
  return edges.filter((step) => step > VISIBLE).length / edges.length;
}

function watch(): void {
  ticks += 1;
  const now = colour();
  if (now !== "nothing" && seen.at(-1) !== now) seen.push(now);
  requestAnimationFrame(watch);
}

function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
}

const SIDE = { maxWidth: 800, maxHeight: 800 };

function start(): Animator {
  return new Animator(() => new Worker("/animation_worker.js"));
}

globalThis.moving = {
  async show(base64, type, { hold = false } = {}) {
    const source = animator = start();
    const facts = await source.open(bytesOf(base64), type, SIDE);
    const first = await createImageBitmap(new Blob([bytesOf(base64)], { type }));
    bitmaps = [first];
    viewing = new Viewing({
      canvas: canvas(),
      picture: {
        bitmap: first,
        width: first.width,
        height: first.height,
        wide: false,
        render: () => Promise.reject(new Error("Frames are shown as they are")),
        close() {},
      },
      rules: { ...DEFAULT_RULES, seconds: 0, hold },
      moving: {
        facts,
        source: {
          async frame(index, part) {
            const frame = await source.frame(index, part);
            bitmaps.push(frame.bitmap, ...(frame.detail === null ? [] : [frame.detail]));
            return frame;
          },
        },
      },
      onPainted: () => {},
      onClosed: () => {},
    });
    [seen, ticks] = [[], 0];
    return facts;
  },
  togglePlay: () => viewing?.state.peek().togglePlay?.(),
  setHeld: (held) => viewing?.state.peek().setHeld?.(held),
  async close() {
    viewing?.close("user");
    await animator?.wipe();
  },
  zoom(factor) {
    const bubbles = true;
    const deltaY = -Math.log(factor) / WHEEL_RATE;
    canvas().dispatchEvent(new WheelEvent("wheel", { deltaY, bubbles, cancelable: true }));
  },
  look() {
    const { width, height } = canvas();
    return {
      seen,
      ticks,
      frames: bitmaps.length,
      closed: bitmaps.filter((bitmap) => bitmap.width === 0).length,
      motion: viewing?.state.peek().motion ?? "none",
      size: [width, height],
      stripes: stripes(),
    };
  },
  async decode(base64, type) {
    const one = start();
    try {
      const { frames } = await one.open(bytesOf(base64), type, SIDE);
      for (let i = 0; i < Math.min(frames, 3); i++) (await one.frame(i)).bitmap.close();
      return "ok";
    } catch (error) {
      return error instanceof ImageError ? error.reason : `${error}`;
    } finally {
      await one.wipe();
    }
  },
};

requestAnimationFrame(watch);
