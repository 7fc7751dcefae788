/**
 * The page of edits_browser_test.ts: makes a picture with a secret in it, edits it as the picture
 * worker does, and returns the result.
 *
 * @module
 */
import { type Edits, paintEdits } from "../../lib/image/edits.ts";

/** What a test may call. */
export interface EditsHarness {
  /**
   * SHA-256 of what is sent of a picture with `secret` written on it, on white or as plain "dark"
   * and "light", at 30–70% of its width and 40–60% of its height.
   */
  send(secret: string, edits: Edits, type: string): Promise<string>;
  /** The color of the result at a place, in fractions of its sides; and its size. */
  look(secret: string, edits: Edits, at: readonly [number, number]): Promise<readonly number[]>;
}

declare global {
  var editing: EditsHarness;
}

const SIZE = { width: 403, height: 302 };

async function picture(secret: string): Promise<ImageBitmap> {
  const canvas = new OffscreenCanvas(SIZE.width, SIZE.height);
  const context = canvas.getContext("2d");
  if (context === null) throw new Error("No 2D canvas");
  const colours = context.createLinearGradient(0, 0, SIZE.width, SIZE.height);
  colours.addColorStop(0, "#d04020");
  colours.addColorStop(1, "#2060c0");
  context.fillStyle = colours;
  context.fillRect(0, 0, SIZE.width, SIZE.height);
  const [x, y] = [Math.ceil(0.3 * SIZE.width), Math.ceil(0.4 * SIZE.height)];
  const [width, height] = [Math.floor(0.4 * SIZE.width), Math.floor(0.2 * SIZE.height)];
  context.save();
  context.beginPath();
  context.rect(x, y, width, height);
  context.clip();
  // Every pixel of it differs between the two, up to its edges.
  context.fillStyle = secret === "dark" ? "#000" : "#fff";
  context.fillRect(x, y, width, height);
  context.fillStyle = "#000";
  context.font = "bold 40px sans-serif";
  if (/\d/.test(secret)) context.fillText(secret, x + 12, y + 44);
  context.restore();
  return await createImageBitmap(canvas);
}

async function edit(secret: string, edits: Edits): Promise<OffscreenCanvas> {
  const bitmap = await picture(secret);
  try {
    return paintEdits(bitmap, edits);
  } finally {
    bitmap.close();
  }
}

globalThis.editing = {
  async send(secret, edits, type) {
    const blob = await (await edit(secret, edits)).convertToBlob({ type, quality: 0.9 });
    return new Uint8Array(await crypto.subtle.digest("SHA-256", await blob.arrayBuffer())).toHex();
  },
  async look(secret, edits, [x, y]) {
    const canvas = await edit(secret, edits);
    const { width, height } = canvas;
    const data = canvas.getContext("2d")?.getImageData(
      Math.floor(x * width),
      Math.floor(y * height),
      1,
      1,
    ).data ?? [];
    return [...data.slice(0, 3), width, height];
  },
};
