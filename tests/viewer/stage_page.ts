/**
 * The page of stage_browser_test.ts: what an island would do with lib/image and lib/viewer, as a
 * test requests.
 *
 * @module
 */
import { UNTOUCHED } from "../../lib/image/edits.ts";
import { Decoder } from "../../lib/image/decoder.ts";
import { ImageError } from "../../lib/image/errors.ts";
import type { ImageType } from "../../lib/protocol/control.ts";
import { Stage } from "../../lib/viewer/stage.ts";
import { type CoverKind, watchCover } from "../../lib/viewer/cover.ts";

/**
 * Red, green, blue at the four corners (a tenth inside) of a bitmap or canvas, clockwise from top
 * left.
 */
type Corners = readonly (readonly number[])[];

/** What {@linkcode Harness.decode} should do. */
export interface DecodeTask {
  readonly type: ImageType;
  readonly maxWidth?: number;
  /** Path of the worker's script. */
  readonly worker?: string;
  readonly timeoutMs?: number;
  readonly abortAfterMs?: number;
}

/** The result for a file. */
export type Outcome =
  | {
    readonly ok: true;
    readonly size: readonly number[];
    readonly corners: Corners;
  }
  | {
    readonly ok: false;
    readonly reason: string; /** Nothing of the bytes is left in the page. */
    readonly zeroed?: boolean;
  };

/** What a test may call; everything works on the file in the page's input. */
export interface Harness {
  readonly events: CoverKind[];
  /** As the sender does; `size` and `corners` are the thumbnail's. */
  prepare(): Promise<Outcome>;
  /** As the viewer does, with a worker of its own. */
  decode(task: DecodeTask): Promise<Outcome>;
  /**
   * Shows the file. Resolves to the milliseconds from bytes to first frame, `null` if it starts
   * covered.
   */
  show(options: { mark?: string; covered?: boolean; reducedMotion?: boolean }): Promise<
    number | null
  >;
  stage(action: "cover" | "uncover" | "wipe"): void;
  /**
   * Replaces the picture by a bitmap of one color. Returns whether the previous one is closed,
   * within the same task.
   */
  replace(colour: string): Promise<boolean>;
  zoom(factor: number): void;
  look(): CanvasLook;
}

/** The content of the canvas. */
export interface CanvasLook {
  readonly size: readonly number[];
  /** In CSS pixels: left, top, width, height. */
  readonly place: readonly number[];
  readonly corners: Corners;
  /** Number of distinct colors, at most 1,000. */
  readonly colours: number;
  /** Sum of all samples, which shows any change. */
  readonly sum: number;
  readonly bitmapClosed: boolean;
}

declare global {
  var harness: Harness;
}

declare const trustedTypes: {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): {
    createScriptURL(url: string): string;
  };
};

const policy = trustedTypes.createPolicy("workers", { createScriptURL: (url) => url });
const makeWorker = (path: string) => () => new Worker(policy.createScriptURL(path));
const decoder = new Decoder(makeWorker("/picture_worker.js"));
const OPTIONS = { thumbnailSide: 200, fullSize: false, edits: UNTOUCHED };
const canvas = find("canvas", HTMLCanvasElement);
let stage: Stage | null = null;
let bitmap: ImageBitmap | null = null;

function find<T extends Element>(selector: string, type: new () => T): T {
  const found = document.querySelector(selector);
  if (!(found instanceof type)) throw new Error(`No ${selector} in the page`);
  return found;
}

function file(): File {
  const chosen = find("input", HTMLInputElement).files?.[0];
  if (chosen === undefined) throw new Error("No file chosen");
  return chosen;
}

function reasonOf(error: unknown): string {
  if (error instanceof ImageError) return error.reason;
  throw error;
}

function pixels(source: ImageBitmap | HTMLCanvasElement): ImageData | null {
  const { width, height } = source;
  if (width === 0) return null;
  const copy = new OffscreenCanvas(width, height).getContext("2d");
  copy?.drawImage(source, 0, 0);
  return copy?.getImageData(0, 0, width, height) ?? null;
}

function corners(image: ImageData | null): Corners {
  if (image === null) return [];
  const { data, width, height } = image;
  const at = (x: number, y: number) => {
    const start = 4 * (Math.floor(y * height) * width + Math.floor(x * width));
    return [...data.subarray(start, start + 3)];
  };
  return [at(0.1, 0.1), at(0.9, 0.1), at(0.9, 0.9), at(0.1, 0.9)];
}

function describe(result: ImageBitmap): Outcome {
  const found = corners(pixels(result));
  const size = [result.width, result.height];
  result.close();
  return { ok: true, size, corners: found };
}

const events: CoverKind[] = [];
globalThis.harness = {
  events,
  async prepare() {
    try {
      return describe((await decoder.prepare(file(), OPTIONS)).thumbnail);
    } catch (error) {
      return { ok: false, reason: reasonOf(error) };
    }
  },
  async decode({ type, maxWidth = Infinity, worker = "/picture_worker.js", ...task }) {
    const bytes = new Uint8Array(await file().arrayBuffer());
    const own = new Decoder(
      makeWorker(worker),
      task.timeoutMs === undefined ? {} : { timeoutMs: task.timeoutMs },
    );
    const giveUp = new AbortController();
    if (task.abortAfterMs !== undefined) setTimeout(() => giveUp.abort(), task.abortAfterMs);
    try {
      return describe(await own.decode(bytes, type, { maxWidth, signal: giveUp.signal }));
    } catch (error) {
      return {
        ok: false,
        reason: reasonOf(error),
        zeroed: bytes.length === 0 || !bytes.some(Boolean),
      };
    } finally {
      own.close();
    }
  },
  async show({ mark = "", covered = false, reducedMotion = true }) {
    const { type, thumbnail } = await decoder.prepare(file(), OPTIONS);
    thumbnail.close();
    const bytes = new Uint8Array(await file().arrayBuffer());
    const start = performance.now();
    bitmap = await decoder.decode(bytes, type, {
      maxWidth: innerWidth * devicePixelRatio,
      maxHeight: innerHeight * devicePixelRatio,
    });
    stage = new Stage(canvas, bitmap, { mark, covered, reducedMotion });
    if (covered) return null;
    const at = await stage.firstFrame;
    return at === null ? null : at - start;
  },
  stage(action) {
    stage?.[action]();
  },
  async replace(colour) {
    const context = new OffscreenCanvas(40, 30).getContext("2d");
    if (context === null) throw new Error("No 2D canvas");
    context.fillStyle = colour;
    context.fillRect(0, 0, 40, 30);
    const next = await createImageBitmap(context.canvas);
    const before = bitmap;
    bitmap = next;
    stage?.show(next);
    return before?.width === 0;
  },
  zoom(factor) {
    stage?.zoomBy(factor, { x: 0, y: 0 });
  },
  look() {
    const image = pixels(canvas);
    const place = canvas.getBoundingClientRect();
    const seen = new Set(new Uint32Array(image?.data.buffer ?? new ArrayBuffer()));
    return {
      size: [canvas.width, canvas.height],
      place: [place.left, place.top, place.width, place.height],
      corners: corners(image),
      colours: Math.min(seen.size, 1_000),
      sum: image?.data.reduce((sum, value) => sum + value, 0) ?? 0,
      bitmapClosed: bitmap?.width === 0,
    };
  },
};
watchCover({
  onCover(kind) {
    events.push(kind);
    if (kind === "pagehide" || kind === "freeze") stage?.wipe();
    else stage?.cover();
  },
  onUncover: () => stage?.uncover(),
});
