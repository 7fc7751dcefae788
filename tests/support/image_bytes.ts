/**
 * Pictures written byte by byte: those that a canvas can't make, because they are animated, of an
 * exact size, or broken on purpose.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { crc32, deflateSync } from "node:zlib";
import { seededRandom } from "./random.ts";

/** A colour as red, green, blue, 0…255. */
export type Rgb = readonly [number, number, number];

/**
 * Colors near the four corners of every fixture, so that a test can tell how a picture is oriented.
 */
export const CORNERS = {
  topLeft: [220, 40, 40],
  topRight: [40, 180, 60],
  bottomLeft: [50, 80, 220],
  bottomRight: [235, 200, 40],
} as const satisfies Record<string, Rgb>;

/** Colors near the corners of a picture as displayed. */
export type Corners = Readonly<Record<keyof typeof CORNERS, Rgb>>;

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
/** length 4 ‖ type 4 ‖ … ‖ CRC 4 */
const CHUNK_OVERHEAD = 12;
/**
 * Largest stored (uncompressed) block of DEFLATE and its header: final 1 ‖ length 2 ‖ ~length 2.
 */
const STORED_MAX = 65_535;
const STORED_HEADER = 5;
/** Bytes of the zlib header and of the Adler-32 after the data. */
const ZLIB_OVERHEAD = 6;

function pngChunk(type: string, data: Uint8Array): Uint8Array {
  const chunk = new Uint8Array(CHUNK_OVERHEAD + data.length);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, data.length);
  for (let i = 0; i < 4; i++) chunk[4 + i] = type.charCodeAt(i);
  chunk.set(data, 8);
  view.setUint32(8 + data.length, crc32(chunk.subarray(4, 8 + data.length)));
  return chunk;
}

function pngHeader(width: number, height: number, depth: number, colourType: number): Uint8Array {
  const data = new Uint8Array(13);
  const view = new DataView(data.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  data[8] = depth;
  data[9] = colourType;
  return pngChunk("IHDR", data);
}

function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

function adler32(data: Uint8Array): number {
  let a = 1;
  let b = 0;
  // 5,552 bytes are the most that can't overflow 32 bits between two reductions (zlib's NMAX).
  for (let start = 0; start < data.length; start += 5_552) {
    for (const byte of data.subarray(start, start + 5_552)) {
      a += byte;
      b += a;
    }
    a %= 65_521;
    b %= 65_521;
  }
  return ((b << 16) | a) >>> 0;
}

/** A picture with a given file size. */
export interface SizedPng {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly width: number;
  readonly height: number;
}

/**
 * A valid PNG of exactly `size` bytes (at least 4 KiB) without any metadata that could be removed:
 * noise over a gradient between the four {@linkcode CORNERS}, stored uncompressed. 64 MiB are 22
 * megapixels.
 *
 * @throws {RangeError} if `size` is too small
 */
export function pngOfSize(size: number, seed = 1): SizedPng {
  if (size < 4_096) throw new RangeError(`Cannot make a PNG of ${size} bytes: needs 4096`);
  const frame = SIGNATURE.length + (CHUNK_OVERHEAD + 13) + CHUNK_OVERHEAD + CHUNK_OVERHEAD +
    ZLIB_OVERHEAD;
  const pixels = Math.floor(size / 3);
  const width = Math.max(16, Math.min(4_096, Math.floor(Math.sqrt(pixels * 4 / 3))));
  const row = 1 + width * 3;
  const total = (height: number) =>
    frame + height * row + STORED_HEADER * Math.ceil(height * row / STORED_MAX);
  let height = Math.floor((size - frame) / row);
  // The rest is filled with empty blocks of 5 bytes and chunk borders of 12; every number from 44
  // on is a sum of these.
  while (size - total(height) < 44) height--;
  const missing = size - total(height);
  let borders = 0;
  while ((missing - borders * CHUNK_OVERHEAD) % STORED_HEADER !== 0) borders++;
  const emptyBlocks = (missing - borders * CHUNK_OVERHEAD) / STORED_HEADER;

  const raw = gradientRows(width, height, seed);
  const stream: Uint8Array[] = [Uint8Array.of(0x78, 0x01)];
  const block = (data: Uint8Array, final: boolean) => {
    const header = new Uint8Array(STORED_HEADER);
    header[0] = final ? 1 : 0;
    new DataView(header.buffer).setUint16(1, data.length, true);
    new DataView(header.buffer).setUint16(3, ~data.length & 0xffff, true);
    stream.push(header, data);
  };
  for (let i = 0; i < emptyBlocks; i++) block(new Uint8Array(), false);
  for (let start = 0; start < raw.length; start += STORED_MAX) {
    block(raw.subarray(start, start + STORED_MAX), start + STORED_MAX >= raw.length);
  }
  const check = new Uint8Array(4);
  new DataView(check.buffer).setUint32(0, adler32(raw));
  stream.push(check);
  const data = concat(stream);
  const part = Math.ceil(data.length / (borders + 1));
  const chunks: Uint8Array[] = [];
  for (let i = 0; i <= borders; i++) {
    chunks.push(pngChunk("IDAT", data.subarray(i * part, (i + 1) * part)));
  }
  const bytes = concat([
    SIGNATURE,
    pngHeader(width, height, 8, 2),
    ...chunks,
    pngChunk("IEND", new Uint8Array()),
  ]);
  return { bytes, width, height };
}

/** Rows of a PNG: filter byte 0, then RGB; a gradient between the corners with noise of ±16. */
function gradientRows(width: number, height: number, seed: number): Uint8Array {
  const { topLeft, topRight, bottomLeft, bottomRight } = CORNERS;
  const random = seededRandom(seed);
  const rows = new Uint8Array(height * (1 + width * 3));
  let offset = 0;
  for (let y = 0; y < height; y++) {
    const v = y / height;
    offset++;
    const left = topLeft.map((c, i) => c * (1 - v) + bottomLeft[i]! * v);
    const right = topRight.map((c, i) => c * (1 - v) + bottomRight[i]! * v);
    for (let x = 0; x < width; x++) {
      const u = x / width;
      const noise = random();
      for (let i = 0; i < 3; i++) {
        const value = left[i]! * (1 - u) + right[i]! * u + ((noise >>> (i * 8)) & 31) - 16;
        rows[offset++] = Math.max(0, Math.min(255, value));
      }
    }
  }
  return rows;
}

/**
 * A PNG whose quarters each have exactly one of the {@linkcode CORNERS}: any other color was
 * painted over it later.
 */
export function flatPng(width = 800, height = 600): Uint8Array {
  const colours = Object.values(CORNERS);
  const row = 1 + width * 3;
  const raw = new Uint8Array(height * row);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const quarter = (y >= height / 2 ? 2 : 0) + (x >= width / 2 ? 1 : 0);
      raw.set(colours[quarter]!, y * row + 1 + x * 3);
    }
  }
  return concat([
    SIGNATURE,
    pngHeader(width, height, 8, 2),
    pngChunk("IDAT", deflateSync(raw)),
    pngChunk("IEND", new Uint8Array()),
  ]);
}

/** A PNG of one colour. */
export function solidPng(width: number, height: number, rgb: Rgb): Uint8Array {
  const row = Uint8Array.from([0, ...Array.from({ length: width }, () => rgb).flat()]);
  return concat([
    SIGNATURE,
    pngHeader(width, height, 8, 2),
    pngChunk("IDAT", deflateSync(concat(Array.from({ length: height }, () => row)))),
    pngChunk("IEND", new Uint8Array()),
  ]);
}

/** A valid PNG of about 31 KB that decodes to `side` × `side` pixels, at 16,000 that is 1 GB. */
export function pngBomb(side = 16_000): Uint8Array {
  const raw = new Uint8Array(side * (1 + Math.ceil(side / 8)));
  return concat([
    SIGNATURE,
    pngHeader(side, side, 1, 0),
    pngChunk("IDAT", deflateSync(raw, { level: 9 })),
    pngChunk("IEND", new Uint8Array()),
  ]);
}

/**
 * An animated GIF: the first frame has {@linkcode CORNERS} in its quadrants, the others are gray,
 * so a test can tell which frame is displayed. Codes have exactly 8 bits, with a clear code before
 * the table could grow: larger than necessary, but only a few lines.
 */
export function animatedGif(width = 64, height = 48, frames = 3): Uint8Array {
  const MIN_CODE = 7;
  const CLEAR = 1 << MIN_CODE;
  const palette = new Uint8Array(CLEAR * 3);
  [...Object.values(CORNERS), [128, 128, 128]].forEach((rgb, i) => palette.set(rgb, i * 3));
  const word = (n: number) => [n & 0xff, n >>> 8];
  const bytes = [...new TextEncoder().encode("GIF89a"), ...word(width), ...word(height)];
  bytes.push(0x80 | (MIN_CODE - 1), 0, 0, ...palette);
  // Netscape extension: loop forever.
  bytes.push(0x21, 0xff, 11, ...new TextEncoder().encode("NETSCAPE2.0"), 3, 1, 0, 0, 0);
  for (let frame = 0; frame < frames; frame++) {
    bytes.push(0x21, 0xf9, 4, 4, ...word(10), 0, 0);
    bytes.push(0x2c, 0, 0, 0, 0, ...word(width), ...word(height), 0, MIN_CODE);
    const codes: number[] = [];
    for (let i = 0; i < width * height; i++) {
      if (i % 120 === 0) codes.push(CLEAR);
      const quadrant = (i >= width * height / 2 ? 2 : 0) + (i % width >= width / 2 ? 1 : 0);
      codes.push(frame === 0 ? quadrant : 4);
    }
    codes.push(CLEAR + 1);
    for (let start = 0; start < codes.length; start += 255) {
      const block = codes.slice(start, start + 255);
      bytes.push(block.length, ...block);
    }
    bytes.push(0);
  }
  bytes.push(0x3b);
  return Uint8Array.from(bytes);
}

/**
 * An AVIF of 64 × 48 pixels with {@linkcode CORNERS} in its quadrants, encoded by avifenc 0.11,
 * because no canvas encodes AVIF.
 */
export function avif(): Uint8Array {
  return new Uint8Array(Buffer.from(AVIF_BASE64, "base64"));
}

const AVIF_BASE64 =
  "AAAAIGZ0eXBhdmlmAAAAAGF2aWZtaWYxbWlhZk1BMUEAAADybWV0YQAAAAAAAAAoaGRscgAAAAAAAAAAcGljdAAAAAAA" +
  "AAAAAAAAAGxpYmF2aWYAAAAADnBpdG0AAAAAAAEAAAAeaWxvYwAAAABEAAABAAEAAAABAAABGgAAADcAAAAoaWluZgAA" +
  "AAAAAQAAABppbmZlAgAAAAABAABhdjAxQ29sb3IAAAAAamlwcnAAAABLaXBjbwAAABRpc3BlAAAAAAAAAEAAAAAwAAAA" +
  "EHBpeGkAAAAAAwgICAAAAAxhdjFDgSAAAAAAABNjb2xybmNseAABAA0ABoAAAAAXaXBtYQAAAAAAAAABAAEEAQKDBAAA" +
  "AD9tZGF0EgAKCTgVf7+UBDQaQDIoRZAAABAQ5TQo+pDRJELYev7R5YjwDSS3+kaxTAI6OG6ua4sfICZlwA==";

/** An SVG that would run a script if it were allowed to. */
export function svg(): Uint8Array {
  return new TextEncoder().encode(
    `<svg xmlns="http://www.w3.org/2000/svg" width="64" height="48">` +
      `<script>globalThis.svgRan = true</script><rect width="64" height="48" fill="red"/></svg>`,
  );
}

/** What {@linkcode withExif} writes. */
export interface ExifOptions {
  /** 1…8, as in EXIF. */
  readonly orientation: number;
  /** Degrees. */
  readonly latitude: number;
  readonly longitude: number;
}

/**
 * Inserts an EXIF segment with camera, orientation and GPS position after the start of a JPEG, as
 * phones do.
 *
 * @throws {TypeError} if `jpeg` is not a JPEG
 */
export function withExif(jpeg: Uint8Array, options: ExifOptions): Uint8Array {
  if (jpeg[0] !== 0xff || jpeg[1] !== 0xd8) throw new TypeError("Cannot add EXIF: not a JPEG");
  const tiff = exifTiff(options);
  const head = Uint8Array.of(0xff, 0xe1, (tiff.length + 8) >>> 8, (tiff.length + 8) & 0xff);
  const name = new TextEncoder().encode("Exif\0\0");
  return concat([jpeg.subarray(0, 2), head, name, tiff, jpeg.subarray(2)]);
}

const CAMERA = "Ephemeral test camera\0";

/**
 * Little-endian TIFF: header 8 ‖ IFD0 (make, orientation, GPS pointer) ‖ GPS IFD (4 entries) ‖
 * values.
 */
function exifTiff({ orientation, latitude, longitude }: ExifOptions): Uint8Array {
  const ASCII = 2, SHORT = 3, LONG = 4, RATIONAL = 5;
  const gpsAt = 8 + 2 + 3 * 12 + 4;
  const valuesAt = gpsAt + 2 + 4 * 12 + 4;
  const tiff = new Uint8Array(valuesAt + CAMERA.length + 2 * 24);
  const view = new DataView(tiff.buffer);
  tiff.set([0x49, 0x49, 42, 0, 8, 0, 0, 0]);
  let at = 8;
  const entry = (tag: number, type: number, count: number, value: number) => {
    view.setUint16(at, tag, true);
    view.setUint16(at + 2, type, true);
    view.setUint32(at + 4, count, true);
    view.setUint32(at + 8, value, true);
    at += 12;
  };
  const rationals = (offset: number, degrees: number) => {
    const positive = Math.abs(degrees);
    const minutes = (positive % 1) * 60;
    [Math.floor(positive), Math.floor(minutes), Math.round((minutes % 1) * 6_000)].forEach(
      (value, i) => {
        view.setUint32(offset + i * 8, value, true);
        view.setUint32(offset + i * 8 + 4, i === 2 ? 100 : 1, true);
      },
    );
  };
  const latitudeAt = valuesAt + CAMERA.length;
  view.setUint16(at, 3, true);
  at += 2;
  entry(0x010f, ASCII, CAMERA.length, valuesAt);
  entry(0x0112, SHORT, 1, orientation);
  entry(0x8825, LONG, 1, gpsAt);
  at += 4;
  view.setUint16(at, 4, true);
  at += 2;
  entry(1, ASCII, 2, (latitude < 0 ? "S" : "N").charCodeAt(0));
  entry(2, RATIONAL, 3, latitudeAt);
  entry(3, ASCII, 2, (longitude < 0 ? "W" : "E").charCodeAt(0));
  entry(4, RATIONAL, 3, latitudeAt + 24);
  tiff.set(new TextEncoder().encode(CAMERA), valuesAt);
  rationals(latitudeAt, latitude);
  rationals(latitudeAt + 24, longitude);
  return tiff;
}
