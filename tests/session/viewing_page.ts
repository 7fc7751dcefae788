/**
 * The page of viewing_browser_test.ts: one picture on screen, from a bitmap to the wipe.
 *
 * @module
 */
import { Viewing } from "../../lib/session/viewing.ts";

/** What happened to it so far. */
export interface ViewingLook {
  readonly painted: number;
  /** Reason, and whether it had been on screen for any time. */
  readonly closed: readonly (readonly [why: string, seen: boolean])[];
  readonly size: readonly number[];
  readonly bitmapClosed: boolean;
  readonly seconds: number | null;
  readonly covered: boolean;
}

/** What a test may ask for. */
export interface ViewingHarness {
  show(seconds: number): Promise<void>;
  close(): void;
  look(): ViewingLook;
}

declare global {
  var viewing: ViewingHarness;
}

let current: Viewing | null = null;
let bitmap: ImageBitmap | null = null;
let painted = 0;
let closed: (readonly [string, boolean])[] = [];

function canvas(): HTMLCanvasElement {
  const found = document.querySelector("canvas");
  if (found === null) throw new Error("No canvas in the page");
  return found;
}

globalThis.viewing = {
  async show(seconds) {
    painted = 0;
    closed = [];
    const source = new OffscreenCanvas(80, 60);
    source.getContext("2d")?.fillRect(0, 0, 80, 60);
    bitmap = await createImageBitmap(source);
    current = new Viewing({
      canvas: canvas(),
      bitmap,
      seconds,
      mark: "for Anna",
      onPainted: () => painted++,
      onClosed: (why, ms) => closed.push([why, ms > 0]),
    });
  },
  close: () => current?.close("user"),
  look() {
    const { width, height } = canvas();
    const { seconds = null, covered = false } = current?.state.peek() ?? {};
    return {
      painted,
      closed,
      size: [width, height],
      bitmapClosed: bitmap?.width === 0,
      seconds,
      covered,
    };
  },
};
