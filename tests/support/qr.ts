/**
 * Reads QR codes from a screenshot, with a reader that shares no code with what draws them.
 *
 * @module
 */
import jsqr from "npm:jsqr@^1.4.0";
import type { TestBrowser } from "./browser.ts";

/** A QR code as a reader decodes it. */
export interface ReadQr {
  readonly text: string;
  /** Width of the light margin above and on the left of it, in modules: the smaller of the two. */
  readonly quiet: number;
}

/**
 * Reads the QR code in a PNG (base64); `null` if the reader finds none. Only dark on light, as
 * simple scanners do.
 */
export async function readQr(browser: TestBrowser, png: string): Promise<ReadQr | null> {
  const page = await browser.newPage();
  try {
    const { width, height, rgba } = await page.page.evaluate(decode, png);
    const pixels = Uint8ClampedArray.from(atob(rgba), (byte) => byte.charCodeAt(0));
    const code = jsqr.default(pixels, width, height, { inversionAttempts: "dontInvert" });
    if (code === null) return null;
    const dark = (x: number, y: number) => pixels[(y * width + x) * 4]! < 128;
    // Its corners may be round, so only the middle of a row shows whether it is light.
    const edge = Math.round(width * 0.1);
    const light = (y: number) => span(width - 2 * edge, (x) => !dark(edge + x, y)).complete;
    const top = span(height, light).length;
    const left = span(width, (x) => !dark(x, top)).length;
    // The first dark run in the first row is the edge of a finder pattern, seven modules long.
    const finder = span(width - left, (x) => dark(left + x, top)).length;
    return { text: code.data, quiet: Math.min(top, left) / (finder / 7) };
  } finally {
    await page.close();
  }
}

/** Number of consecutive positions, starting at 0, for which `test` holds. */
function span(
  end: number,
  test: (at: number) => boolean,
): { readonly length: number; readonly complete: boolean } {
  let length = 0;
  while (length < end && test(length)) length++;
  return { length, complete: length === end };
}

/** Runs in the browser, so it must not use anything outside of it. */
async function decode(base64: string) {
  const bytes = Uint8Array.from(atob(base64), (byte) => byte.charCodeAt(0));
  const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext("2d");
  if (context === null) throw new Error("Cannot read the picture: no 2d context");
  context.drawImage(bitmap, 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  let binary = "";
  for (let i = 0; i < data.length; i += 8_192) {
    binary += String.fromCharCode(...data.subarray(i, i + 8_192));
  }
  return { width, height, rgba: btoa(binary) };
}
