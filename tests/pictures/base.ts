/**
 * The input of the encoders: a small picture whose sides and corners differ from each other, as PNG
 * of any kind; and a color profile that contains names.
 *
 * @module
 */
import { crc32, deflateSync } from "node:zlib";
import { concat } from "../../lib/protocol/bytes.ts";

/** Width and height of the base picture. */
export const SIZE = [96, 64] as const;

/** Kinds of pixels. */
export interface PngOptions {
  readonly depth: 8 | 16;
  readonly alpha: boolean;
  /** Shifts its content, for consecutive frames. */
  readonly frame?: number;
}

/** The base picture as a PNG. */
export function basePng({ depth, alpha, frame = 0 }: PngOptions): Uint8Array<ArrayBuffer> {
  const [width, height] = SIZE;
  const channels = alpha ? 4 : 3;
  const bytes = depth / 8;
  const row = 1 + width * channels * bytes;
  const data = new Uint8Array(height * row);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      colour(x, y, frame).slice(0, channels).forEach((value, i) => {
        const at = y * row + 1 + (x * channels + i) * bytes;
        data[at] = value;
        // The lower half of 16 bits does not matter on a screen.
        if (bytes === 2) data[at + 1] = value ^ 0x5a;
      });
    }
  }
  const header = new DataView(new ArrayBuffer(13));
  header.setUint32(0, width);
  header.setUint32(4, height);
  header.setUint8(8, depth);
  header.setUint8(9, alpha ? 6 : 2);
  return concat(
    Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
    pngChunk("IHDR", new Uint8Array(header.buffer)),
    pngChunk("IDAT", deflateSync(data)),
    pngChunk("IEND", new Uint8Array()),
  );
}

/**
 * Smooth, so that encoders with chroma subsampling stay close; the top left corner is bright, and a
 * dark block moves.
 */
function colour(x: number, y: number, frame: number): readonly number[] {
  const [width, height] = SIZE;
  const [u, v] = [x / width, y / height];
  if (x >= 20 + 12 * frame && x < 36 + 12 * frame && y >= 24 && y < 40) return [40, 30, 60, 255];
  const red = Math.round(230 - 160 * u);
  const green = Math.round(210 - 120 * v);
  const blue = Math.round(60 + 90 * u * v);
  return [red, green, blue, Math.round(255 - 200 * v * u)];
}

/** One chunk: length, type, data, CRC. */
export function pngChunk(type: string, data: Uint8Array): Uint8Array<ArrayBuffer> {
  const body = concat(new TextEncoder().encode(type), data);
  const chunk = new DataView(new ArrayBuffer(body.length + 8));
  chunk.setUint32(0, data.length);
  new Uint8Array(chunk.buffer).set(body, 4);
  chunk.setUint32(4 + body.length, crc32(body));
  return new Uint8Array(chunk.buffer);
}

/**
 * Display P3's colors, under a person's name. ICC.1:2001-04, a three-column profile with one gamma.
 */
export function namedProfile(): Uint8Array<ArrayBuffer> {
  const name = "Color LCD of Anna Schmidt, serial 7F3A";
  const text = ascii(name);
  const gamma = fields("curv", (view) => {
    view.setUint32(8, 1);
    view.setUint16(12, 0x0233);
  }, 16);
  const tags: readonly (readonly [string, Uint8Array])[] = [
    [
      "desc",
      fields("desc", (view) => {
        view.setUint32(8, text.length);
        new Uint8Array(view.buffer).set(text, 12);
      }, 12 + text.length + 78),
    ],
    ["cprt", concat(ascii("text"), new Uint8Array(4), ascii("Anna Schmidt\0"))],
    ["wtpt", xyz(0.9642, 1, 0.8249)],
    ["rXYZ", xyz(0.5151, 0.2412, -0.0011)],
    ["gXYZ", xyz(0.292, 0.6922, 0.0419)],
    ["bXYZ", xyz(0.1571, 0.0666, 0.7841)],
    ["rTRC", gamma],
    ["gTRC", gamma],
    ["bTRC", gamma],
  ];
  const table = new DataView(new ArrayBuffer(4 + 12 * tags.length));
  table.setUint32(0, tags.length);
  const parts: Uint8Array[] = [];
  let at = 128 + table.byteLength;
  for (const [i, [tag, data]] of tags.entries()) {
    const padded = new Uint8Array(Math.ceil(data.length / 4) * 4);
    padded.set(data);
    new Uint8Array(table.buffer).set(ascii(tag), 4 + 12 * i);
    table.setUint32(8 + 12 * i, at);
    table.setUint32(12 + 12 * i, data.length);
    parts.push(padded);
    at += padded.length;
  }
  const header = new DataView(new ArrayBuffer(128));
  header.setUint32(0, at);
  header.setUint32(8, 0x02100000);
  const put = (offset: number, value: string) =>
    new Uint8Array(header.buffer).set(ascii(value), offset);
  put(4, "lcms");
  put(12, "mntrRGB XYZ ");
  [2024, 7, 20, 13, 26, 6].forEach((value, i) => header.setUint16(24 + 2 * i, value));
  put(36, "acspAPPL");
  put(48, "ANNA7F3A");
  new Uint8Array(header.buffer).set(xyz(0.9642, 1, 0.8249).subarray(8), 68);
  return concat(new Uint8Array(header.buffer), new Uint8Array(table.buffer), ...parts);
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function fields(
  type: string,
  fill: (view: DataView) => void,
  length: number,
): Uint8Array {
  const view = new DataView(new ArrayBuffer(length));
  new Uint8Array(view.buffer).set(ascii(type));
  fill(view);
  return new Uint8Array(view.buffer);
}

function xyz(...values: readonly number[]): Uint8Array {
  return fields("XYZ ", (view) => {
    values.forEach((value, i) => view.setInt32(8 + 4 * i, Math.round(value * 65_536)));
  }, 20);
}
