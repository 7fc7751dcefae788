/**
 * The page of heic_browser_test.ts: prepares files as the sender's page does, and compares them
 * with their sources.
 *
 * @module
 */
import { Decoder } from "../../lib/image/decoder.ts";
import { UNTOUCHED } from "../../lib/image/edits.ts";
import { ImageError } from "../../lib/image/errors.ts";
import { onePiece } from "../../lib/image/one_piece.ts";

/** What a test may call. */
export interface HeicHarness {
  /**
   * For a HEIC: what is sent of it, and its mean difference from a PNG, of 255; `turns` is by how
   * many right angles the PNG has to be rotated counterclockwise.
   */
  compare(heic: string, png: string, turns?: number): Promise<
    {
      readonly type: string;
      readonly removed: readonly string[];
      readonly size: readonly [number, number];
      readonly difference: number;
      readonly bytes: string;
    } | string
  >;
}

declare global {
  var heic: HeicHarness;
}

const decoder = new Decoder("/picture_worker.js", {
  makeHeicWorker: () => new Worker("/heic_worker.js"),
});

function blob(base64: string): Blob {
  return new Blob([Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))]);
}

async function pixels(source: Blob, turns: number): Promise<ImageData> {
  const bitmap = await createImageBitmap(await onePiece(source));
  const { width, height } = bitmap;
  const canvas = turns % 2 === 0
    ? new OffscreenCanvas(width, height)
    : new OffscreenCanvas(height, width);
  // Colors within sRGB are the same in both; those beyond sRGB show in this one.
  const context = canvas.getContext("2d", { colorSpace: "display-p3" });
  if (context === null) throw new Error("No 2D canvas");
  context.translate(canvas.width / 2, canvas.height / 2);
  context.rotate(-turns * Math.PI / 2);
  context.drawImage(bitmap, -width / 2, -height / 2);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

globalThis.heic = {
  async compare(heic, png, turns = 0) {
    try {
      const made = await decoder.prepare(blob(heic), {
        thumbnailSide: 640,
        fullSize: false,
        edits: UNTOUCHED,
      });
      const [is, was] = await Promise.all([pixels(made.blob, 0), pixels(blob(png), turns)]);
      const total = is.data.reduce(
        (sum, value, i) => sum + Math.abs(value - (was.data[i] ?? 999)),
        0,
      );
      const bytes = new Uint8Array(await made.blob.arrayBuffer());
      return {
        type: made.type,
        removed: made.removed,
        size: [made.width, made.height],
        difference: total / is.data.length,
        bytes: Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""),
      };
    } catch (error) {
      if (error instanceof ImageError) return error.reason;
      throw error;
    }
  },
};
