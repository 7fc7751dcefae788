/**
 * Films of a QR code before a camera, for Chromium's fake one
 * (`--use-file-for-fake-video-capture`).
 *
 * @module
 */
import { encode } from "uqr";

const WIDTH = 640;
const HEIGHT = 480;
const FRAMES = 24;

/** Sides of the code in the film, in pixels: it comes nearer. */
const SMALLEST = 200;
const LARGEST = 380;

/** Largest angle by which it is held askew, in radians. */
const TILT = 0.2;

/** Brightness of paper and ink, out of 255: a room, not a screen. */
const PAPER = 200;
const INK = 60;
const TABLE = 110;

/**
 * A film in YUV4MPEG2 in which a QR code with `text` moves over a table, comes nearer and is held
 * askew.
 */
export function filmOf(text: string): Uint8Array {
  const { data, size } = encode(text, { ecc: "M", border: 4 });
  const encoder = new TextEncoder();
  const header = encoder.encode(`YUV4MPEG2 W${WIDTH} H${HEIGHT} F12:1 Ip A1:1 C420jpeg\n`);
  const begin = encoder.encode("FRAME\n");
  const area = WIDTH * HEIGHT;
  const length = begin.length + area * 3 / 2;
  const film = new Uint8Array(header.length + FRAMES * length);
  film.set(header);
  for (let frame = 0; frame < FRAMES; frame++) {
    const at = header.length + frame * length;
    film.set(begin, at);
    paint(film.subarray(at + begin.length, at + begin.length + area), data, size, frame / FRAMES);
    // Without color.
    film.fill(128, at + begin.length + area, at + length);
  }
  return film;
}

/** Paints the moment `time`, from 0 to 1, of which the end leads to the beginning. */
function paint(
  luma: Uint8Array,
  modules: readonly (readonly boolean[])[],
  size: number,
  time: number,
): void {
  const turn = 2 * Math.PI * time;
  const side = SMALLEST + (LARGEST - SMALLEST) * (1 - Math.cos(turn)) / 2;
  const [centerX, centerY] = [WIDTH / 2 + 60 * Math.sin(turn), HEIGHT / 2 + 30 * Math.cos(turn)];
  const [sin, cos] = [Math.sin(TILT * Math.sin(turn)), Math.cos(TILT * Math.sin(turn))];
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      const [left, up] = [x - centerX, y - centerY];
      const column = Math.floor(((left * cos + up * sin) / side + 0.5) * size);
      const row = Math.floor(((up * cos - left * sin) / side + 0.5) * size);
      const dark = modules[row]?.[column];
      luma[y * WIDTH + x] = dark === undefined ? TABLE : dark ? INK : PAPER;
    }
  }
}
