/**
 * The page of prepare_browser_test.ts: prepares files as the picture worker does, and compares what
 * is sent with what an `<img>` shows.
 *
 * @module
 */
import { UNTOUCHED } from "../../lib/image/edits.ts";
import { ImageError } from "../../lib/image/errors.ts";
import { prepare, preview } from "../../lib/image/prepare.ts";
import type { Repainted } from "../../lib/image/prepared.ts";

/** What happened to a file. */
export type Outcome = {
  readonly ok: true;
  readonly type: string;
  readonly width: number;
  readonly height: number;
  readonly size: number;
  readonly removed: readonly string[];
  readonly reducedFrom: number | null;
  readonly repainted: Repainted | null;
  /** What is sent, in base64. */
  readonly sent: string;
  /**
   * The difference between what an `<img>` shows of the file and of what is sent, of 255: the mean
   * and the maximum.
   */
  readonly mean: number;
  readonly largest: number;
} | { readonly ok: false; readonly reason: string };

/** What a test may call. */
export interface PrepareHarness {
  run(base64: string, fullSize?: boolean): Promise<Outcome>;
  /**
   * A file as the editor sees it: its size and its first pixel; or the reason why it is refused.
   */
  look(base64: string): Promise<string>;
  /**
   * A picture made by this engine, of any size: stripes, with a color for every row of its last
   * pixels.
   */
  make(width: number, height: number, type: string): Promise<string>;
  /** Pixels of a picture as an `<img>` shows it, or `null`. */
  pixels(base64: string): Promise<readonly number[] | null>;
}

declare global {
  var preparing: PrepareHarness;
}

function blobOf(base64: string): Blob {
  return new Blob([Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))]);
}

async function base64Of(blob: Blob): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const reader = new FileReader();
  reader.onload = () => resolve(String(reader.result).replace(/^[^,]*,/, ""));
  reader.readAsDataURL(blob);
  return await promise;
}

const MOST_SIDE = 256;

async function shown(blob: Blob): Promise<ImageData | null> {
  const url = URL.createObjectURL(blob);
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    const { naturalWidth, naturalHeight } = image;
    const scale = Math.min(1, MOST_SIDE / naturalWidth, MOST_SIDE / naturalHeight);
    const width = Math.max(1, Math.round(naturalWidth * scale));
    const height = Math.max(1, Math.round(naturalHeight * scale));
    const context = new OffscreenCanvas(width, height).getContext("2d");
    if (context === null) throw new Error("No 2D canvas");
    context.imageSmoothingQuality = "high";
    context.drawImage(image, 0, 0, width, height);
    return context.getImageData(0, 0, width, height);
  } catch {
    return null;
  } finally {
    URL.revokeObjectURL(url);
  }
}

function difference(a: ImageData | null, b: ImageData | null): { mean: number; largest: number } {
  if (a === null || b === null || a.width !== b.width || a.height !== b.height) {
    return { mean: 255, largest: 255 };
  }
  const values = Array.from(a.data, (value, i) => Math.abs(value - (b.data[i] ?? 0)));
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { mean, largest: values.reduce((most, value) => Math.max(most, value), 0) };
}

globalThis.preparing = {
  async run(base64, fullSize = false) {
    const source = blobOf(base64);
    try {
      const made = await prepare({
        kind: "prepare",
        source,
        thumbnailSide: 64,
        fullSize,
        edits: UNTOUCHED,
      });
      made.thumbnail.close();
      const { type, width, height, size, removed, reducedFrom, repainted, blob } = made;
      const compared = difference(await shown(source), await shown(blob));
      return {
        ok: true,
        ...{ type, width, height, size, removed },
        reducedFrom: reducedFrom ?? null,
        repainted: repainted ?? null,
        sent: await base64Of(blob),
        ...compared,
      };
    } catch (error) {
      return { ok: false, reason: error instanceof ImageError ? error.reason : String(error) };
    }
  },

  async look(base64) {
    try {
      const bounds = { maxWidth: 100, maxHeight: 100 };
      const bitmap = await preview({ kind: "preview", source: blobOf(base64), ...bounds });
      const size = `${bitmap.width}×${bitmap.height}`;
      bitmap.close();
      return size;
    } catch (error) {
      return error instanceof ImageError ? error.reason : String(error);
    }
  },

  async make(width, height, type) {
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext("2d");
    if (context === null) throw new Error("No 2D canvas");
    for (let y = 0; y < height; y += 40) {
      context.fillStyle = `hsl(${(y * 7) % 360} 70% 50%)`;
      context.fillRect(0, y, width, 40);
    }
    return await base64Of(await canvas.convertToBlob({ type }));
  },

  async pixels(base64) {
    const data = await shown(blobOf(base64));
    return data === null ? null : [...data.data];
  },
};
