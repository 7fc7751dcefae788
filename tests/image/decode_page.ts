/**
 * The page of decode_browser_test.ts: decodes a picture from bytes, and from a file whose bytes
 * arrive one after the other.
 *
 * @module
 */
import { decodeRaw } from "../../lib/image/decode.ts";

declare global {
  /** The mean difference of the two, of 255. */
  var arriving: (type: "image/jpeg" | "image/png" | "image/webp") => Promise<number>;
}

const WIDTH = 500;
const HEIGHT = 400;
const PIECE = 5_000;

/** A picture of small colored boxes, with many sharp edges. */
function draw(): OffscreenCanvas {
  const canvas = new OffscreenCanvas(WIDTH, HEIGHT);
  const context = canvas.getContext("2d");
  if (context === null) throw new Error("No 2D canvas");
  for (let i = 0; i < 4_000; i++) {
    context.fillStyle = `rgb(${i % 256} ${i * 7 % 256} ${i * 13 % 256})`;
    context.fillRect(i * 37 % WIDTH, i * 91 % HEIGHT, 30, 20);
  }
  return canvas;
}

/** A file that is read piece by piece, as large ones are. */
class SlowBlob extends Blob {
  override stream(): ReadableStream<Uint8Array<ArrayBuffer>> {
    let at = 0;
    return new ReadableStream({
      pull: async (controller) => {
        controller.enqueue(new Uint8Array(await this.slice(at, at + PIECE).arrayBuffer()));
        at += PIECE;
        if (at >= this.size) controller.close();
      },
    });
  }
}

globalThis.arriving = async (type) => {
  const bytes = new Uint8Array(
    await (await draw().convertToBlob({ type, quality: 0.8 })).arrayBuffer(),
  );
  const facts = { ok: true, type, width: WIDTH, height: HEIGHT } as const;
  const pixels = async (source: Uint8Array<ArrayBuffer> | Blob) => {
    const { bitmap } = await decodeRaw({ source, facts, eighths: 8 });
    const context = new OffscreenCanvas(WIDTH, HEIGHT).getContext("2d");
    if (context === null) throw new Error("No 2D canvas");
    context.drawImage(bitmap, 0, 0);
    bitmap.close();
    return context.getImageData(0, 0, WIDTH, HEIGHT).data;
  };
  const whole = await pixels(bytes.slice());
  const arrived = await pixels(new SlowBlob([bytes], { type }));
  return whole.reduce((sum, value, i) => sum + Math.abs(value - (arrived[i] ?? 0)), 0) /
    whole.length;
};
