/**
 * Animated pictures, made by whatever encoders this machine has: ImageMagick, ffmpeg, gif2webp and
 * img2webp, avifenc. None of them is required.
 *
 * @module
 */
import { join } from "node:path";
import type { ImageType } from "../../lib/protocol/control.ts";
import { type Rgb, solidPng } from "./image_bytes.ts";

/** An animated picture, with the name of its encoder. */
export interface Encoded {
  readonly name: string;
  readonly type: ImageType;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

interface Recipe {
  readonly type: ImageType;
  readonly file: string;
  readonly command: string;
  /** `frames` are paths of PNGs in order. The last argument is usually the output file. */
  readonly args: (frames: readonly string[], out: string) => readonly string[];
}

const RGB: Readonly<Record<string, Rgb>> = {
  red: [255, 0, 0],
  green: [0, 255, 0],
  blue: [0, 0, 255],
  yellow: [255, 255, 0],
};

const PATTERN = "%d.png";

function ffmpeg(...codec: readonly string[]): Recipe["args"] {
  return ([first = ""], out) => {
    const input = join(first, "..", PATTERN);
    return ["-loglevel", "error", "-y", "-framerate", "20", "-i", input, ...codec, out];
  };
}

const RECIPES: readonly Recipe[] = [
  {
    type: "image/gif",
    file: "magick.gif",
    command: "convert",
    args: (frames, out) => ["-delay", "5", "-loop", "0", ...frames, out],
  },
  // Frames that contain only what changed.
  {
    type: "image/gif",
    file: "layers.gif",
    command: "convert",
    args: (frames, out) => ["-delay", "5", "-loop", "0", ...frames, "-layers", "Optimize", out],
  },
  { type: "image/gif", file: "ffmpeg.gif", command: "ffmpeg", args: ffmpeg("-loop", "0") },
  {
    type: "image/png",
    file: "ffmpeg.apng",
    command: "ffmpeg",
    args: ffmpeg("-pix_fmt", "rgb24", "-f", "apng", "-plays", "0"),
  },
  {
    type: "image/webp",
    file: "lossy.webp",
    command: "img2webp",
    args: (frames, out) => ["-loop", "0", "-d", "50", "-lossy", ...frames, "-o", out],
  },
  {
    type: "image/webp",
    file: "mixed.webp",
    command: "ffmpeg",
    args: ffmpeg("-c:v", "libwebp_anim", "-loop", "0"),
  },
  {
    type: "image/avif",
    file: "avifenc.avif",
    command: "avifenc",
    args: (frames, out) => ["--fps", "20", "-s", "10", ...frames, out],
  },
];

/** Encodes frames of these colors, 50 ms each, in an endless loop, with every encoder available. */
export async function encodeMoving(colours: readonly string[]): Promise<Encoded[]> {
  const directory = await Deno.makeTempDir({ prefix: "ephemeral-moving-" });
  try {
    const frames: string[] = [];
    for (const [i, colour] of colours.entries()) {
      const path = join(directory, PATTERN.replace("%d", `${i}`));
      await Deno.writeFile(path, solidPng(96, 64, RGB[colour] ?? [0, 0, 0]));
      frames.push(path);
    }
    const made: Encoded[] = [];
    for (const { type, file, command, args } of RECIPES) {
      const out = join(directory, file);
      const done = await run(command, args(frames, out));
      if (done) made.push({ name: `${command}: ${file}`, type, bytes: await Deno.readFile(out) });
    }
    return made;
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** False if there is no such command, or it can't do this. */
async function run(command: string, args: readonly string[]): Promise<boolean> {
  try {
    const options = { stdout: "null", stderr: "null" } as const;
    return (await new Deno.Command(command, { ...options, args: [...args] }).output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
