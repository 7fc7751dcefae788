/**
 * The page of viewing_browser_test.ts: one picture on screen, from a bitmap to the wipe.
 *
 * @module
 */
import type { OpenPicture } from "../../lib/image/decoder.ts";
import { DEFAULT_RULES } from "../../lib/protocol/display_options.ts";
import { Viewing } from "../../lib/viewer/viewing.ts";

/** What happened to it so far. */
export interface ViewingLook {
  readonly painted: number;
  /** Reason, and whether it had been on screen for any time. */
  readonly closed: readonly (readonly [why: string, seen: boolean])[];
  readonly size: readonly number[];
  /** Nothing is left of the picture either. */
  readonly bitmapClosed: boolean;
  readonly seconds: number | null;
  readonly covered: boolean;
  readonly hold: string;
  readonly spoken: number | null;
  /** Distinct colors in the canvas: 1 while none of the picture is in it, 0 once it is wiped. */
  readonly colours: number;
}

/** What a test may call. */
export interface ViewingHarness {
  show(seconds: number, options?: { hold?: boolean; size?: number }): Promise<void>;
  setHeld(held: boolean): void;
  close(): void;
  look(): ViewingLook;
}

declare global {
  var viewing: ViewingHarness;
}

let current: Viewing | null = null;
let bitmap: ImageBitmap | null = null;
let pictureClosed = false;
let painted = 0;
let closed: (readonly [string, boolean])[] = [];

function canvas(): HTMLCanvasElement {
  const found = document.querySelector("canvas");
  if (found === null) throw new Error("No canvas in the page");
  return found;
}

/** What the worker would return. */
function open(bitmap: ImageBitmap): OpenPicture {
  const { width, height } = bitmap;
  return {
    bitmap,
    width,
    height,
    wide: false,
    render: ({ region: { x, y, width, height }, ...size }) =>
      createImageBitmap(bitmap, x, y, width, height, {
        resizeWidth: size.width,
        resizeHeight: size.height,
      }),
    close: () => pictureClosed = true,
  };
}

function colours(): number {
  const { width, height } = canvas();
  const data = width === 0 ? null : canvas().getContext("2d")?.getImageData(0, 0, width, height);
  return new Set(new Uint32Array(data?.data.buffer ?? new ArrayBuffer())).size;
}

globalThis.viewing = {
  async show(seconds, { hold = false, size = 1 } = {}) {
    painted = 0;
    closed = [];
    pictureClosed = false;
    const source = new OffscreenCanvas(80 * size, 60 * size);
    const context = source.getContext("2d");
    // Left red, right blue: the color tells which part is visible.
    for (const [i, colour] of ["#f00", "#00f"].entries()) {
      if (context === null) throw new Error("No 2D canvas");
      context.fillStyle = colour;
      context.fillRect(40 * size * i, 0, 40 * size, 60 * size);
    }
    bitmap = await createImageBitmap(source);
    current = new Viewing({
      canvas: canvas(),
      picture: open(bitmap),
      rules: { ...DEFAULT_RULES, seconds, hold, mark: "for Anna" },
      onPainted: () => painted++,
      onClosed: (why, ms) => closed.push([why, ms > 0]),
    });
  },
  setHeld: (held) => current?.state.peek().setHeld?.(held),
  close: () => current?.close("user"),
  look() {
    const { width, height } = canvas();
    const { seconds = null, covered = false, hold = "never", spoken = null } =
      current?.state.peek() ?? {};
    return {
      painted,
      closed,
      size: [width, height],
      bitmapClosed: bitmap?.width === 0 && pictureClosed,
      seconds,
      covered,
      hold,
      spoken,
      colours: colours(),
    };
  },
};
