/**
 * The page of sharp_browser_test.ts: a picture of known pixels, from its bytes in the picture
 * worker to the canvas.
 *
 * @module
 */
import { Decoder, type OpenPicture } from "../../lib/image/decoder.ts";
import type { ImageType } from "../../lib/protocol/control.ts";
import { Stage, type View } from "../../lib/viewer/stage.ts";

/** The content of a picture: alternating black and white pixels, or a color for each place. */
export type Pattern = "checks" | "places" | "photo";

/** What is on the canvas. */
export interface SharpLook {
  /** Device pixels. */
  readonly size: readonly [width: number, height: number];
  /** Its top left corner, in device pixels of the window. */
  readonly corner: readonly [x: number, y: number];
  readonly scale: number;
  readonly colorSpace: string;
}

/** What a test may call. */
export interface SharpHarness {
  show(pattern: Pattern, width: number, height: number): Promise<void>;
  /**
   * Shows a file that is readable only in the one array that is opened: passed in base64, XORed
   * with a mask.
   */
  showMasked(type: ImageType, masked: string, mask: string): Promise<void>;
  look(): SharpLook;
  /**
   * Canvas pixels that differ from the picture's, if each picture pixel takes one canvas pixel,
   * starting at its pixel `x`, `y`.
   */
  wrong(x: number, y: number): number;
  /**
   * Mean difference of the canvas's values, of 255, from the whole picture scaled to its size in
   * one step.
   */
  difference(): number;
  /** The pixel of the picture that is painted in the canvas's top left corner; `places` only. */
  first(): readonly [x: number, y: number];
  /** How many parts of this picture were rendered. */
  rendered(): number;
  zoomBy(factor: number, x?: number, y?: number): void;
  panBy(x: number, y: number): void;
  wipe(): void;
}

declare global {
  var sharp: SharpHarness;
}

const decoder = new Decoder("/picture_worker.js");
let source: OffscreenCanvas | null = null;
let picture: OpenPicture | null = null;
let stage: Stage | null = null;
let renderings = 0;
let canvas = newCanvas();

function newCanvas(): HTMLCanvasElement {
  const found = document.querySelector("canvas");
  if (found === null) throw new Error("No canvas in the page");
  return found;
}

function paint(pattern: Pattern, width: number, height: number): OffscreenCanvas {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  if (context === null) throw new Error("No 2D canvas");
  const image = new ImageData(width, height);
  const values = new Uint32Array(image.data.buffer);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) values[y * width + x] = pixel(pattern, x, y);
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

/** As a little-endian number: alpha, blue, green, red. */
function pixel(pattern: Pattern, x: number, y: number): number {
  if (pattern === "checks") return (x + y) % 2 === 0 ? 0xff000000 : 0xffffffff;
  // 12 bits of x and 12 of y.
  if (pattern === "places") return (0xff000000 | (y & 0xfff) << 12 | (x & 0xfff)) >>> 0;
  const wave = (of: number) => Math.round(127 + 120 * Math.sin(of));
  const [red, green, blue] = [wave(x / 40), wave(y / 70), wave((x + y) / 90)];
  return (0xff000000 | blue << 16 | green << 8 | red) >>> 0;
}

function dataOf(from: HTMLCanvasElement | OffscreenCanvas): ImageData {
  const context = from.getContext("2d");
  if (context === null || !("getImageData" in context)) throw new Error("No 2D canvas");
  return context.getImageData(0, 0, from.width, from.height);
}

async function open(bytes: Uint8Array<ArrayBuffer>, type: ImageType): Promise<void> {
  picture = await decoder.open(bytes, type, {
    maxWidth: innerWidth * devicePixelRatio,
    maxHeight: innerHeight * devicePixelRatio,
    maxScale: devicePixelRatio,
  });
  const { bitmap, wide, ...size } = picture;
  const of = picture;
  renderings = 0;
  const render = async (view: View) => {
    const bitmap = await of.render(view);
    renderings++;
    return bitmap;
  };
  // A canvas that was wiped keeps its context, whatever its color space is.
  const next = canvas.cloneNode() as HTMLCanvasElement;
  canvas.replaceWith(next);
  canvas = next;
  stage = new Stage(canvas, bitmap, { mark: "", reducedMotion: true, size, wide, render });
  await stage.firstFrame;
}

let pattern: Pattern = "checks";
globalThis.sharp = {
  async show(kind, width, height) {
    pattern = kind;
    source = paint(kind, width, height);
    const blob = await source.convertToBlob({ type: "image/png" });
    await open(new Uint8Array(await blob.arrayBuffer()), "image/png");
  },
  async showMasked(type, masked, mask) {
    const [bytes, key] = [Uint8Array.fromBase64(masked), Uint8Array.fromBase64(mask)];
    for (let i = 0; i < bytes.length; i++) bytes[i] = (bytes[i] ?? 0) ^ (key[i] ?? 0);
    await open(bytes, type);
  },
  look() {
    const { left, top } = canvas.getBoundingClientRect();
    return {
      size: [canvas.width, canvas.height],
      corner: [left * devicePixelRatio, top * devicePixelRatio],
      scale: stage?.scale ?? 0,
      colorSpace: dataOf(canvas).colorSpace,
    };
  },
  wrong(x, y) {
    const { data, width, height } = dataOf(canvas);
    const values = new Uint32Array(data.buffer);
    return values.reduce((wrong, value, i) => {
      const wanted = pixel(pattern, x + i % width, y + Math.floor(i / width));
      return wrong + (value === wanted && i < width * height ? 0 : 1);
    }, 0);
  },
  difference() {
    if (source === null) return NaN;
    const { data, width, height } = dataOf(canvas);
    const whole = new OffscreenCanvas(width, height);
    const context = whole.getContext("2d");
    if (context === null) return NaN;
    context.imageSmoothingQuality = "high";
    context.drawImage(source, 0, 0, width, height);
    const wanted = dataOf(whole).data;
    return data.reduce((sum, value, i) => sum + Math.abs(value - (wanted[i] ?? 0)), 0) /
      data.length;
  },
  first() {
    const [value = 0] = new Uint32Array(dataOf(canvas).data.buffer);
    return [value & 0xfff, value >>> 12 & 0xfff];
  },
  rendered: () => renderings,
  zoomBy(factor, x = 0, y = 0) {
    stage?.zoomBy(factor, { x, y });
  },
  panBy(x, y) {
    stage?.panBy(x, y);
  },
  wipe() {
    stage?.wipe();
    picture?.close();
  },
};
