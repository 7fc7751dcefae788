/**
 * Pictures as `<img>` shows them, on the sender's page. It shows some that no other decoder of the
 * same browser accepts, such as the intact part of a damaged file, and maps the brightness of HDR
 * differently (Chromium 156). A picture of the viewer's is never shown this way. Loaded when it is
 * needed.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { MAX_IMAGE_PIXELS, MAX_IMAGE_SIDE } from "../protocol/limits.ts";
import { encodeExactly } from "./encode.ts";
import { ImageError } from "./errors.ts";
import { CHOSEN } from "./inspect.ts";

/**
 * A JPEG is a photograph, in most cases: kept exactly, it would take several times the bytes of its
 * file.
 */
const OF_JPEG = { most: 2 * 1024 * 1024, quality: 0.95 };

/** Side of the square on which it is determined whether anything is visible. */
const SAMPLE = 64;

/** Mean difference of the brightness, of 255, that nobody sees. */
const SAME = 1;

/** In an AVIF, colors that are given as numbers begin within this many bytes. */
const HEAD_BYTES = 65_536;

/** Transfer characteristics of ITU-T H.273: perceptual quantization, hybrid log-gamma. */
const HDR: readonly number[] = [16, 18];

/** The file's picture as this browser shows it, or `null` if it shows nothing of it. */
export function paintShown(source: Blob): Promise<Blob | null> {
  return withShown(source, async (image) => {
    const { naturalWidth: width, naturalHeight: height } = image;
    if (width * height > CHOSEN.pixels || !hasPixels(image)) return null;
    const scale = Math.min(
      1,
      Math.sqrt(MAX_IMAGE_PIXELS / (width * height)),
      MAX_IMAGE_SIDE / Math.max(width, height),
    );
    const side = (length: number) => Math.max(1, Math.floor(length * scale));
    const { canvas } = draw(image, side(width), side(height));
    return await encodeExactly(canvas, await isJpeg(source) ? OF_JPEG : {});
  });
}

/** Whether a picture that was decoded elsewhere looks as this browser shows its file. */
export async function looksAsShown(source: Blob, bitmap: ImageBitmap): Promise<boolean> {
  const alike = await withShown(source, (image) => {
    const { width, height } = bitmap;
    const ours = pixelsOf(draw(bitmap, width, height));
    const theirs = pixelsOf(draw(image, width, height));
    return Promise.resolve(difference(ours, theirs) <= SAME);
  });
  return alike ?? true;
}

/** Whether an AVIF says that it is HDR. */
export async function isHdr(source: Blob): Promise<boolean> {
  const head = await source.slice(0, HEAD_BYTES).arrayBuffer();
  const numbers = new TextDecoder("latin1").decode(head).split("colrnclx").slice(1);
  // After the primaries, each in two bytes.
  return numbers.some((text) => HDR.includes(text.charCodeAt(3)));
}

async function withShown<Result>(
  source: Blob,
  use: (image: HTMLImageElement) => Promise<Result>,
): Promise<Result | null> {
  const image = new Image();
  // Without its own type, which could make it a document (SVG): browsers look at the bytes.
  image.src = URL.createObjectURL(source.slice(0, source.size, "application/octet-stream"));
  try {
    const loaded = await new Promise<boolean>((resolve) => {
      image.addEventListener("load", () => resolve(image.naturalWidth > 0));
      image.addEventListener("error", () => resolve(false));
    });
    if (!loaded) return null;
    // Decodes beside the page; a damaged picture is drawn all the same.
    await image.decode().catch(() => {});
    return await use(image);
  } finally {
    URL.revokeObjectURL(image.src);
    image.removeAttribute("src");
  }
}

/** A size alone is enough for `<img>` to count as loaded. */
function hasPixels(image: HTMLImageElement): boolean {
  const sample = pixelsOf(draw(image, SAMPLE, SAMPLE));
  return sample.some((value, i) => i % 4 === 3 && value > 0);
}

function draw(
  source: CanvasImageSource,
  width: number,
  height: number,
): OffscreenCanvasRenderingContext2D {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { colorSpace: "display-p3" });
  if (context === null) throw new ImageError("unavailable");
  context.imageSmoothingQuality = "high";
  context.drawImage(source, 0, 0, width, height);
  return context;
}

function pixelsOf(context: OffscreenCanvasRenderingContext2D): Uint8ClampedArray {
  const { width, height } = context.canvas;
  return context.getImageData(0, 0, width, height).data;
}

/** Mean difference of the brightness: how chroma subsampling is interpolated does not count. */
function difference(ours: Uint8ClampedArray, theirs: Uint8ClampedArray): number {
  let total = 0;
  for (let at = 0; at < ours.length; at += 4) total += Math.abs(luma(ours, at) - luma(theirs, at));
  return total / (ours.length / 4);
}

function luma(pixels: Uint8ClampedArray, at: number): number {
  return 0.299 * (pixels[at] ?? 0) + 0.587 * (pixels[at + 1] ?? 0) + 0.114 * (pixels[at + 2] ?? 0);
}

async function isJpeg(source: Blob): Promise<boolean> {
  const [first, second] = new Uint8Array(await source.slice(0, 2).arrayBuffer());
  return first === 0xff && second === 0xd8;
}
