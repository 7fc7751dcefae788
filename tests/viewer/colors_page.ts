/**
 * The page of colors_browser_test.ts: pictures with saturated corners, from the chosen file to the
 * viewer's canvas.
 *
 * @module
 */
import { Animation } from "../../lib/image/animation.ts";
import { Decoder } from "../../lib/image/decoder.ts";
import { type Edits, UNTOUCHED } from "../../lib/image/edits.ts";
import type { ImageType } from "../../lib/protocol/control.ts";
import { type Render, Stage } from "../../lib/viewer/stage.ts";

/** Red, green and blue of the corners, clockwise from the top left. */
type Corners = readonly (readonly number[])[];

/** The final content of the canvas. */
export interface ColorsLook {
  readonly size: readonly [width: number, height: number];
  readonly corners: Corners;
  /** Whether it was scaled down before sending. */
  readonly reduced: boolean;
}

/** What a test may call. */
export interface ColorsHarness {
  /** A picture with red, green, blue and yellow quarters, as saturated as `space` has them. */
  make(size: readonly [number, number], type: string, space: PredefinedColorSpace): Promise<string>;
  /** Prepares, opens and shows a file; reads the canvas in `space`. */
  show(file: string, space: PredefinedColorSpace, edits?: Edits): Promise<ColorsLook>;
  /** Zooms to the top left corner as far as possible, and reads it once its pixels are painted. */
  zoom(space: PredefinedColorSpace): Promise<readonly number[] | undefined>;
  /** The corners of a frame of an animated file. */
  frame(file: string, index: number): Promise<Corners>;
}

declare global {
  var colors: ColorsHarness;
}

const decoder = new Decoder("/picture_worker.js");
let stage: Stage | null = null;
let close = () => {};
let rendered = Promise.withResolvers<void>();

function freshCanvas(): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  document.querySelector("canvas")?.replaceWith(canvas);
  return canvas;
}

let canvas = freshCanvas();

function context2d(width: number, height: number, colorSpace: PredefinedColorSpace) {
  const context = new OffscreenCanvas(width, height).getContext("2d", { colorSpace });
  if (context === null) throw new Error("No 2D canvas");
  return context;
}

function cornersOf(
  context: CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D,
  colorSpace: PredefinedColorSpace,
): Corners {
  const { width, height } = context.canvas;
  const [right, bottom] = [Math.floor(0.9 * width), Math.floor(0.9 * height)];
  const [left, top] = [Math.floor(0.1 * width), Math.floor(0.1 * height)];
  return [[left, top], [right, top], [right, bottom], [left, bottom]].map(([x = 0, y = 0]) => [
    ...context.getImageData(x, y, 1, 1, { colorSpace }).data.subarray(0, 3),
  ]);
}

function looked(space: PredefinedColorSpace): Corners {
  const context = canvas.getContext("2d");
  if (context === null) throw new Error("No 2D canvas");
  return cornersOf(context, space);
}

globalThis.colors = {
  async make([width, height], type, space) {
    const context = context2d(width, height, space);
    const name = space === "srgb" ? "srgb" : "display-p3";
    const quarters = [["1 0 0", 0, 0], ["0 1 0", 1, 0], ["0 0 1", 1, 1], ["1 1 0", 0, 1]] as const;
    for (const [color, x, y] of quarters) {
      context.fillStyle = `color(${name} ${color})`;
      context.fillRect(x * width / 2, y * height / 2, width / 2, height / 2);
    }
    // For WebP, this quality means lossless.
    const blob = await context.canvas.convertToBlob({ type, quality: 1 });
    return new Uint8Array(await blob.arrayBuffer()).toBase64();
  },

  async show(file, space, edits = UNTOUCHED) {
    close();
    const made = await decoder.prepare(new Blob([Uint8Array.fromBase64(file)]), {
      thumbnailSide: 64,
      fullSize: false,
      edits,
    });
    made.thumbnail.close();
    const bytes = new Uint8Array(await made.blob.arrayBuffer());
    const picture = await decoder.open(bytes, made.type, {
      maxWidth: innerWidth,
      maxHeight: innerHeight,
      maxScale: 1,
    });
    const { bitmap, width, height, wide } = picture;
    const render: Render = async (view) => {
      const part = await picture.render(view);
      rendered.resolve();
      return part;
    };
    canvas = freshCanvas();
    const size = { width, height };
    const next = new Stage(canvas, bitmap, { mark: "", reducedMotion: true, size, wide, render });
    stage = next;
    close = () => {
      next.wipe();
      picture.close();
    };
    await next.firstFrame;
    return {
      size: [width, height],
      corners: looked(space),
      reduced: made.reducedFrom !== undefined,
    };
  },

  async zoom(space) {
    rendered = Promise.withResolvers<void>();
    stage?.zoomBy(100, { x: 0, y: 0 });
    stage?.panBy(1_000_000, 1_000_000);
    await rendered.promise;
    // The stage waits for the same answer and paints in the same task.
    await new Promise((resolve) => setTimeout(resolve));
    return looked(space)[0];
  },

  async frame(file, index) {
    const source = Uint8Array.fromBase64(file);
    const bounds = { maxWidth: 40, maxHeight: 40 };
    const type: ImageType = "image/png";
    const [animation] = await Animation.open({ kind: "open", source, type, ...bounds });
    const { bitmap } = await animation.frame({ index, part: null });
    const context = context2d(bitmap.width, bitmap.height, "display-p3");
    context.drawImage(bitmap, 0, 0);
    bitmap.close();
    animation.wipe();
    return cornersOf(context, "display-p3");
  },
};
