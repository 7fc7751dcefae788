/**
 * The picture that is shown on the screenshots: drawn, so that no real photograph is in the
 * repository.
 *
 * @module
 */
import type { Page } from "../support/puppeteer.ts";

/** Draws a lake in the evening, 2400 × 1800, as JPEG. */
export async function drawLake(page: Page, path: string): Promise<void> {
  const base64 = await page.evaluate(async () => {
    const [width, height] = [2_400, 1_800];
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext("2d");
    if (context === null) throw new Error("Cannot draw: no 2D canvas");
    const shore = height * 0.62;
    const gradient = (from: number, to: number, stops: readonly (readonly [number, string])[]) => {
      const made = context.createLinearGradient(0, from, 0, to);
      for (const [at, colour] of stops) made.addColorStop(at, colour);
      return made;
    };
    context.fillStyle = gradient(0, shore, [[0, "#27345c"], [0.45, "#85648f"], [0.8, "#e59a78"], [
      1,
      "#f8cf9a",
    ]]);
    context.fillRect(0, 0, width, shore);
    context.fillStyle = "#fff1d0";
    context.beginPath();
    context.arc(width * 0.64, shore - 190, 96, 0, 2 * Math.PI);
    context.fill();
    // A sum of waves makes a ridge; the same numbers always make the same ridge.
    const ridge = (base: number, rise: number, seed: number, colour: string) => {
      context.fillStyle = colour;
      context.beginPath();
      context.moveTo(0, shore);
      for (let x = 0; x <= width; x += 4) {
        const t = x / width * 6 + seed;
        const wave = Math.sin(t) + 0.5 * Math.sin(2.3 * t + 1) + 0.22 * Math.sin(5.9 * t) +
          0.06 * Math.sin(23 * t) + 0.03 * Math.sin(61 * t);
        context.lineTo(x, base - rise * (wave + 1.2));
      }
      context.lineTo(width, shore);
      context.fill();
    };
    ridge(shore - 60, 130, 0.4, "#8a6a8e");
    ridge(shore - 20, 105, 2.6, "#5c4a72");
    ridge(shore, 62, 5.1, "#33304f");
    // The lake mirrors what is above it, darker, in wavering slices.
    for (let y = 0; y < height - shore; y += 3) {
      const from = Math.max(0, shore - y * 1.25 - 3);
      const shift = Math.sin(y * 0.19) * (1 + y * 0.02) + Math.sin(y * 0.051) * y * 0.016;
      context.drawImage(canvas, 0, from, width, 3, shift - 8, shore + y, width + 16, 3);
    }
    context.fillStyle = gradient(shore, height, [[0, "rgb(18 20 46 / 20%)"], [
      1,
      "rgb(12 14 34 / 78%)",
    ]]);
    context.fillRect(0, shore, width, height - shore);
    // A jetty and a boat.
    context.fillStyle = "#17172a";
    context.fillRect(width * 0.08, shore + 250, width * 0.27, 16);
    for (let x = 0.09; x < 0.35; x += 0.05) context.fillRect(width * x, shore + 250, 12, 130);
    context.beginPath();
    context.moveTo(width * 0.47, shore + 270);
    context.quadraticCurveTo(width * 0.55, shore + 350, width * 0.63, shore + 262);
    context.quadraticCurveTo(width * 0.55, shore + 292, width * 0.47, shore + 270);
    context.fill();
    const blob = await canvas.convertToBlob({ type: "image/jpeg", quality: 0.9 });
    const bytes = new Uint8Array(await blob.arrayBuffer());
    let binary = "";
    for (let i = 0; i < bytes.length; i += 8_192) {
      binary += String.fromCharCode(...bytes.subarray(i, i + 8_192));
    }
    return btoa(binary);
  });
  await Deno.writeFile(path, Uint8Array.fromBase64(base64));
}
