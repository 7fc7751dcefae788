/**
 * Paints the watermark over pictures of one tone, and over a busy one, and measures how far it
 * stands out.
 *
 * @module
 */
import { Watermark } from "../../lib/viewer/watermark.ts";

/** A part of the picture, in fractions of its sides. */
export interface Part {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

declare global {
  var contrasts: (
    background: string,
    part: Part,
    phase: number,
  ) => { readonly strongest: number; readonly covered: number; readonly mean: number };
}

/** Relative luminance of a pixel (WCAG 2). */
function luminance(data: Uint8ClampedArray, at: number): number {
  const [r = 0, g = 0, b = 0] = [0, 1, 2].map((c) => {
    const value = (data[at + c] ?? 0) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

globalThis.contrasts = (background, part, phase) => {
  const canvas = document.createElement("canvas");
  canvas.width = 800;
  canvas.height = 600;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (context === null) throw new Error("no 2d context");
  if (background === "busy") {
    const noise = context.createImageData(canvas.width, canvas.height);
    for (let i = 0; i < noise.data.length; i += 4) {
      const tone = Math.floor(Math.random() * 256);
      noise.data.set([tone, 255 - tone, (tone * 7) % 256, 255], i);
    }
    context.putImageData(noise, 0, 0);
  } else {
    context.fillStyle = background;
    context.fillRect(0, 0, canvas.width, canvas.height);
  }
  const { width, height } = canvas;
  const read = () =>
    context.getImageData(
      part.x * width,
      part.y * height,
      part.width * width,
      part.height * height,
    ).data;
  const before = read();
  new Watermark("24/11/2026 · otter anchor lemon").paint(context, { pixelRatio: 1, phase });
  const after = read();
  const ratios: number[] = [];
  let changed = 0;
  for (let i = 0; i < after.length; i += 4) {
    const [a, b] = [luminance(before, i), luminance(after, i)];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio > 1.05) changed++;
    ratios.push(ratio);
  }
  ratios.sort((a, b) => b - a);
  // The letters: the strongest hundredth of all pixels.
  return {
    strongest: ratios[Math.floor(ratios.length / 100)] ?? 1,
    covered: changed / ratios.length,
    mean: ratios.reduce((sum, ratio) => sum + ratio - 1, 0) / ratios.length,
  };
};
