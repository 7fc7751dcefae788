/**
 * The page of bench.ts: puts one file after the other through the product's own picture worker, and
 * compares what a viewer would see with what this browser shows in an `<img>` of the original.
 *
 * @module
 */
import { UNTOUCHED } from "../../lib/image/edits.ts";
import { Decoder } from "../../lib/image/decoder.ts";
import { ImageError } from "../../lib/image/errors.ts";
import type { Prepared, Repainted } from "../../lib/image/prepared.ts";
import { heicWorkerMaker, workerMaker } from "../../lib/device/environment.ts";

/** What `<img>` made of a file. */
export interface Shown {
  readonly width: number;
  readonly height: number;
  /**
   * False if the decoder stopped before the end of the first frame: the rest of it is gray or
   * missing.
   */
  readonly whole: boolean;
}

/** What the product made of a file. */
export type Outcome =
  | { readonly ok: false; readonly reason: string }
  | {
    readonly ok: true;
    readonly type: string;
    readonly size: number;
    readonly width: number;
    readonly height: number;
    readonly removed: readonly string[];
    /** Why it was painted anew at its own size; `null` if it was not. */
    readonly repainted: Repainted | null;
    /** Why a viewer would not see it all the same. */
    readonly unseen: string | null;
  };

/** Mean absolute differences in Display P3, of 255; 255 if the aspect ratios differ. */
export interface Difference {
  /** Of red, green and blue. */
  readonly colours: number;
  /** Of the brightness, which chroma subsampling leaves alone. */
  readonly luma: number;
}

/** The result for one file. */
export interface Look {
  readonly shown: Shown | null;
  readonly outcome: Outcome;
  /** `null`: nothing to compare. */
  readonly difference: Difference | null;
  /** How long preparing took, in milliseconds. */
  readonly ms: number;
}

/** What a test may call. */
export interface PicturesHarness {
  /** Looks at the file that the server has under this number, and uploads what would be sent. */
  look(number: number): Promise<Look>;
}

declare global {
  var pictures: PicturesHarness;
}

/** Both pictures are compared at this size at most. */
const MOST_COMPARED = 4_000_000;
/** Neither white nor black nor gray: lost transparency shows on it whatever it turned into. */
const GROUND = [140, 93, 193] as const;

const WORKER = "/workers/picture_worker.js";
const decoder = new Decoder(workerMaker(WORKER), { makeHeicWorker: heicWorkerMaker(WORKER) });

globalThis.pictures = {
  async look(number) {
    const response = await fetch(`/file/${number}`);
    const file = await response.blob();
    const start = performance.now();
    const prepared = await prepare(file);
    const ms = Math.round(performance.now() - start);
    const whole = await isWhole(file);
    const image = await show(file, whole);
    const shown = image === null
      ? null
      : { width: image.naturalWidth, height: image.naturalHeight, whole };
    if (typeof prepared === "string") {
      if (image !== null) URL.revokeObjectURL(image.src);
      return { shown, outcome: { ok: false, reason: prepared }, difference: null, ms };
    }
    await fetch(`/sent/${number}`, { method: "POST", body: prepared.blob });
    const { type, size, width, height, removed, repainted = null } = prepared;
    let unseen: string | null = null;
    let difference: Difference | null = null;
    try {
      const seen = await decoder.decode(prepared.blob, prepared.type);
      if (image !== null && shown !== null) difference = compare(image, seen, shown.whole);
      seen.close();
    } catch (error) {
      unseen = reasonOf(error);
    }
    if (image !== null) URL.revokeObjectURL(image.src);
    const facts = { type, size, width, height, removed, repainted } as const;
    const outcome = { ok: true, ...facts, unseen } as const;
    return { shown, outcome, difference, ms };
  },
};

async function prepare(file: Blob): Promise<Prepared | string> {
  try {
    const options = { thumbnailSide: 320, fullSize: false, edits: UNTOUCHED };
    const prepared = await decoder.prepare(file, options);
    prepared.thumbnail.close();
    return prepared;
  } catch (error) {
    return reasonOf(error);
  }
}

function reasonOf(error: unknown): string {
  return error instanceof ImageError ? error.reason : `not an ImageError: ${error}`;
}

async function show(file: Blob, whole: boolean): Promise<HTMLImageElement | null> {
  const image = new Image();
  const loaded = new Promise<boolean>((resolve) => {
    image.onload = () => resolve(image.naturalWidth > 0);
    image.onerror = () => resolve(false);
  });
  image.src = URL.createObjectURL(file);
  if (await loaded && (whole || hasPixels(image))) return image;
  URL.revokeObjectURL(image.src);
  return null;
}

/** Whether it has any content: for `<img>` a size alone is enough to count as loaded. */
function hasPixels(image: HTMLImageElement): boolean {
  const side = 64;
  const context = new OffscreenCanvas(side, side).getContext("2d", { willReadFrequently: true });
  context?.drawImage(image, 0, 0, side, side);
  const pixels = context?.getImageData(0, 0, side, side).data ?? [];
  return pixels.some((value) => value > 0);
}

/** WebCodecs' ImageDecoder, as far as it is used. */
interface ImageDecoderLike {
  decode(options: { completeFramesOnly: boolean }): Promise<{ readonly image: VideoFrame }>;
  close(): void;
}

declare const ImageDecoder: new (init: { data: ArrayBuffer; type: string }) => ImageDecoderLike;

/** Each of the possible types: the decoder requires one, and a file name may be wrong. */
const TYPES: readonly (readonly [RegExp, string])[] = [
  [/^ffd8/, "image/jpeg"],
  [/^89504e47/, "image/png"],
  [/^47494638/, "image/gif"],
  [/^52494646/, "image/webp"],
  [/^424d/, "image/bmp"],
  [/^0000[0-9a-f]{4}66747970/, "image/avif"],
];

async function isWhole(file: Blob): Promise<boolean> {
  const head = new Uint8Array(await file.slice(0, 12).arrayBuffer());
  const hex = Array.from(head, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const type = TYPES.find(([pattern]) => pattern.test(hex))?.[1];
  // The rest (icons) has no decoder that could tell where it stopped.
  if (type === undefined) return await createImageBitmap(file).then(() => true, () => false);
  const own = new ImageDecoder({ data: await file.arrayBuffer(), type });
  try {
    (await own.decode({ completeFramesOnly: true })).image.close();
    return true;
  } catch {
    return false;
  } finally {
    own.close();
  }
}

/**
 * If `<img>` shows it in part, what it left out is not compared: the product may know how to
 * complete it. If the product scaled it down, so is the `<img>`, first to the same size: fine
 * patterns depend on every step of scaling.
 */
function compare(image: HTMLImageElement, seen: ImageBitmap, whole: boolean): Difference {
  const wanted = seen.width / seen.height;
  const has = image.naturalWidth / image.naturalHeight;
  // A side of n pixels may be rounded by one.
  const slack = 1.5 / Math.min(seen.width, seen.height, image.naturalWidth, image.naturalHeight);
  if (Math.abs(wanted / has - 1) > slack) return { colours: 255, luma: 255 };
  const scale = Math.min(1, Math.sqrt(MOST_COMPARED / (seen.width * seen.height)));
  const width = Math.max(1, Math.round(seen.width * scale));
  const height = Math.max(1, Math.round(seen.height * scale));
  const ours = paint(seen, width, height);
  const isReduced = seen.width * seen.height < image.naturalWidth * image.naturalHeight;
  const shown = isReduced ? draw(image, seen.width, seen.height).canvas : image;
  const theirs = paint(shown, width, height);
  let colours = 0;
  let luma = 0;
  let count = 0;
  for (let at = 0; at < ours.length; at += 4) {
    if (!whole && GROUND.every((value, i) => Math.abs((theirs[at + i] ?? 0) - value) <= 8)) {
      continue;
    }
    count++;
    const red = (ours[at] ?? 0) - (theirs[at] ?? 0);
    const green = (ours[at + 1] ?? 0) - (theirs[at + 1] ?? 0);
    const blue = (ours[at + 2] ?? 0) - (theirs[at + 2] ?? 0);
    colours += Math.abs(red) + Math.abs(green) + Math.abs(blue);
    luma += Math.abs(0.299 * red + 0.587 * green + 0.114 * blue);
  }
  if (count === 0) return { colours: 0, luma: 0 };
  return { colours: colours / count / 3, luma: luma / count };
}

function paint(source: CanvasImageSource, width: number, height: number): Uint8ClampedArray {
  return draw(source, width, height).getImageData(0, 0, width, height).data;
}

function draw(
  source: CanvasImageSource,
  width: number,
  height: number,
): OffscreenCanvasRenderingContext2D {
  const canvas = new OffscreenCanvas(width, height);
  const options = { colorSpace: "display-p3", willReadFrequently: true } as const;
  const context = canvas.getContext("2d", options);
  if (context === null) throw new Error("Cannot compare: no 2D canvas");
  context.fillStyle = `color(display-p3 ${GROUND.map((value) => value / 255).join(" ")})`;
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = "high";
  context.drawImage(source, 0, 0, width, height);
  return context;
}
