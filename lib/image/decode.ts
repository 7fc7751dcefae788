/**
 * From bytes to a bitmap, inside the picture worker.
 *
 * Measured from bytes to the first painted pixel, worker warm, median of 5; a photograph of 12 MP
 * and 3.5 MB (JPEG, 4:2:0), two cores, no GPU, Chromium 156 / Firefox 153, in milliseconds:
 *
 * | way                                                  | shown at 960×720 | at 2880×2160 |
 * |------------------------------------------------------|------------------|--------------|
 * | createImageBitmap(blob), on the page                 | 146 / 93         |              |
 * | the same in a worker                                 | 119–138 / 95     | 138          |
 * | createImageBitmap(blob, resizeWidth …, "high")       | 126 / 139        |              |
 * | createImageBitmap(blob), then scaled in a canvas     | 114 / 107        | 149          |
 * | ImageDecoder asked for a smaller size, then scaled   | 58–62 / 145      | 139          |
 *
 * With watermark and stage, at 1200×900: 81 in Chromium (96 with a cold worker), 118 in Firefox
 * (1067×800).
 *
 * A JPEG can be decoded to eighths of its size at a fraction of the work, and only ImageDecoder
 * gives access to that. It also keeps the picture out of the browser's blob storage, which may page
 * to disk.
 *
 * A `VideoFrame` is never drawn: drawImage(frame) leaves the whole picture in memory that renderer
 * and browser process share, long after everything is closed (Chromium 156).
 * createImageBitmap(frame) leaves nothing, but can't be trusted with a frame that is turned.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { Bounds, DecodeRequest, View } from "./decode_messages.ts";
import { ImageError } from "./errors.ts";
import { type ImageFacts, inspectBlob, inspectImage } from "./inspect.ts";

/** WebCodecs' ImageDecoder, as far as it is used; TypeScript's own library does not know it. */
interface ImageDecoderLike {
  decode(): Promise<{ readonly image: TurnedFrame }>;
  close(): void;
}

/** Clockwise by `rotation` degrees, then mirrored left to right. */
export interface TurnedFrame extends VideoFrame {
  readonly rotation?: number;
  readonly flip?: boolean;
}

/** Turned further, then mirrored. */
interface TurnedInit extends VideoFrameInit {
  readonly rotation: number;
  readonly flip: boolean;
}

interface ImageDecoderInit {
  readonly data: BufferSource | ReadableStream;
  readonly type: string;
  readonly desiredWidth?: number;
  readonly desiredHeight?: number;
}

declare const ImageDecoder: new (init: ImageDecoderInit) => ImageDecoderLike;

/** What is decoded, and how many eighths of its size have to be. */
export interface RawRequest {
  readonly source: Uint8Array<ArrayBuffer> | Blob;
  readonly facts: ImageFacts;
  /** 1–8. Only a JPEG is decoded to less than 8. */
  readonly eighths: number;
}

/** Decoded, and not upright yet. Whoever has it closes `bitmap`. */
export interface Raw {
  readonly bitmap: ImageBitmap;
  /** Clockwise, in degrees. */
  readonly rotation: number;
  /** Mirrored left to right after that. */
  readonly flip: boolean;
  /** It may have colours that sRGB does not. */
  readonly wide: boolean;
}

/** A bitmap, and whether it may have colours that sRGB does not. */
export interface Rendered {
  readonly bitmap: ImageBitmap;
  readonly wide: boolean;
}

/**
 * Decodes the first frame, upright, at most `maxWidth` × `maxHeight`. Bytes are zeroed afterwards,
 * whatever happens.
 *
 * Throws `ImageError`: whatever inspection says, `undecodable`, `unreadable`.
 */
export async function decode(request: DecodeRequest): Promise<ImageBitmap> {
  return (await decodeInColour(request)).bitmap;
}

/** The same as {@linkcode decode}, and says what colours there may be in it. */
export async function decodeInColour(request: DecodeRequest): Promise<Rendered> {
  const { source, type } = request;
  try {
    // The page has looked before, but this is the last line before a decoder written in C++.
    const facts = source instanceof Blob ? await inspectBlob(source) : inspectImage(source);
    if (!facts.ok) throw new ImageError(facts.reason);
    if (facts.type !== type) throw new ImageError("undecodable");
    return await decodeChecked(request, facts);
  } finally {
    if (source instanceof Uint8Array) source.fill(0);
  }
}

/** The same for a picture that has been looked at; of a `Blob` nothing but its header was. */
export async function decodeChecked(
  request: DecodeRequest,
  facts: ImageFacts,
): Promise<Rendered> {
  const { source } = request;
  const upright = uprightSize(facts);
  const wanted = fit(upright, request)[0] / upright[0];
  const raw = await decodeRaw({ source, facts, eighths: eighthsFor(wanted) });
  const of = rawSize(raw);
  return { bitmap: paintWhole(raw, of, fit(of, request)), wide: raw.wide };
}

/**
 * How many eighths of its size a picture has to be decoded to, so that it is not smaller than
 * `scale` of it.
 */
export function eighthsFor(scale: number): number {
  return Math.min(8, Math.max(1, Math.ceil(8 * scale - 1e-6)));
}

/** Throws `ImageError`: `undecodable`. */
export function decodeRaw(request: RawRequest): Promise<Raw> {
  return decodesToFrames() ? decodeFrame(request) : decodeBlob(request);
}

/**
 * True in Chromium. Firefox 153 has ImageDecoder too, but squeezes turned pictures when it is asked
 * for a size, and is slower by half; it does not know `rotation` yet.
 */
function decodesToFrames(): boolean {
  return "ImageDecoder" in globalThis && "VideoFrame" in globalThis &&
    "rotation" in VideoFrame.prototype;
}

async function decodeFrame(request: RawRequest): Promise<Raw> {
  const { source, facts: { type } } = request;
  const data = source instanceof Blob ? source.stream() : source;
  // Without a wish for a still picture it begins as `<img>` does, with the track of an AVIF that
  // moves and the first frame of an APNG.
  const decoder = new ImageDecoder({ data, type, ...scaledSize(request) });
  try {
    const { image } = await decoder.decode();
    try {
      return await toRaw(image);
    } finally {
      image.close();
    }
  } catch (cause) {
    throw new ImageError("undecodable", { cause });
  } finally {
    decoder.close();
  }
}

/** The pixels of a decoder's frame, as they are stored. The frame stays the caller's. */
export async function toRaw(frame: TurnedFrame): Promise<Raw> {
  const { rotation = 0, flip = false, colorSpace: { primaries } } = frame;
  const plain = rotation === 0 && !flip ? frame.clone() : unturned(frame);
  try {
    const wide = primaries !== "bt709" && hasWideCanvas();
    return { bitmap: await createImageBitmap(plain), rotation, flip, wide };
  } finally {
    plain.close();
  }
}

/**
 * The same pixels as they are stored: of a frame that is turned, createImageBitmap makes a bitmap
 * that is squeezed, or one that is right, after how it was decoded (Chromium 156).
 */
function unturned(frame: TurnedFrame): VideoFrame {
  const { rotation = 0, flip = false, timestamp } = frame;
  const init: TurnedInit = { timestamp, rotation: flip ? rotation : (360 - rotation) % 360, flip };
  return new VideoFrame(frame, init);
}

async function decodeBlob({ source, facts: { type } }: RawRequest): Promise<Raw> {
  const blob = source instanceof Blob ? source : new Blob([source], { type });
  try {
    const wide = hasWideCanvas() && await hasProfile(blob);
    return { bitmap: await createImageBitmap(blob), rotation: 0, flip: false, wide };
  } catch (cause) {
    throw new ImageError("undecodable", { cause });
  }
}

/** False in Firefox 153, which turns all colours into sRGB when it decodes. */
function hasWideCanvas(): boolean {
  const context = new OffscreenCanvas(1, 1).getContext("2d", { colorSpace: "display-p3" });
  return context?.getImageData(0, 0, 1, 1).colorSpace === "display-p3";
}

/** Where profiles of all formats begin. */
const HEAD_BYTES = 65_536;

async function hasProfile(blob: Blob): Promise<boolean> {
  const head = new TextDecoder("latin1").decode(await blob.slice(0, HEAD_BYTES).arrayBuffer());
  return /ICC_PROFILE|iCCP|ICCP|cICP|colrnclx|colrprof/.test(head);
}

/** For a JPEG so many eighths; Chromium rounds down what it is asked for. */
function scaledSize(
  { facts: { type, width, height }, eighths }: RawRequest,
): { desiredWidth?: number; desiredHeight?: number } {
  if (type !== "image/jpeg" || eighths >= 8) return {};
  return {
    desiredWidth: Math.ceil(width * eighths / 8),
    desiredHeight: Math.ceil(height * eighths / 8),
  };
}

type Size = readonly [width: number, height: number];

/** Of a picture as it is seen. */
export function uprightSize({ width, height, orientation = 1 }: ImageFacts): Size {
  return orientation >= 5 ? [height, width] : [width, height];
}

/** Of the picture that was decoded, as it is seen. */
export function rawSize({ bitmap: { width, height }, rotation }: Raw): Size {
  return rotation % 180 === 0 ? [width, height] : [height, width];
}

/**
 * Paints all of a picture of the size `of` upright at another size. Closes what was decoded, or
 * gives it back as it is.
 */
export function paintWhole(raw: Raw, of: Size, [width, height]: Size): ImageBitmap {
  const { bitmap, rotation, flip } = raw;
  // A second bitmap would only cost time.
  if (bitmap.width === width && bitmap.height === height && rotation === 0 && !flip) return bitmap;
  try {
    const region = { x: 0, y: 0, width: of[0], height: of[1] };
    return paintPart(raw, { of, region, width, height });
  } finally {
    bitmap.close();
  }
}

/** What is painted of an upright picture that has the size `of`. */
export interface Part extends View {
  readonly of: Size;
}

/** Paints a part of a picture upright. Throws `ImageError`: `unavailable`. */
export function paintPart(raw: Raw, { of, region, width, height }: Part): ImageBitmap {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { colorSpace: raw.wide ? "display-p3" : "srgb" });
  if (context === null) throw new ImageError("unavailable");
  const { bitmap, rotation, flip } = raw;
  const [across, down] = [width / region.width, height / region.height];
  const turned = rotation % 180 !== 0;
  const wide = turned ? of[1] : of[0];
  const high = turned ? of[0] : of[1];
  context.imageSmoothingQuality = "high";
  // Pixel for pixel there is nothing to smooth, and some smooth all the same where it is turned.
  context.imageSmoothingEnabled = across !== 1 || down !== 1 || bitmap.width !== wide;
  context.scale(across, down);
  context.translate(of[0] / 2 - region.x, of[1] / 2 - region.y);
  if (flip) context.scale(-1, 1);
  context.rotate(rotation * Math.PI / 180);
  context.drawImage(bitmap, -wide / 2, -high / 2, wide, high);
  return canvas.transferToImageBitmap();
}

/**
 * The largest size of the same proportions within the bounds; never larger than the original, at
 * least 1×1.
 */
export function fit(size: Size, bounds: Omit<Bounds, "maxScale">): Size {
  return fitWithin(size, { ...bounds, maxScale: 1 });
}

/** The same, and larger than the original as far as `maxScale` lets it. */
export function fitWithin([width, height]: Size, { maxWidth, maxHeight, maxScale }: Bounds): Size {
  const scale = Math.min(maxScale, maxWidth / width, maxHeight / height);
  return [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
}
