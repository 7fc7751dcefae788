/**
 * Decodes bytes to a bitmap, inside the picture worker.
 *
 * Measured from bytes to the first painted pixel, worker warm, median of 5; a photo of 12 MP and
 * 3.5 MB (JPEG, 4:2:0), two cores, no GPU, Chromium 156 / Firefox 153, in milliseconds:
 *
 * | method                                               | shown at 960×720 | at 2880×2160 |
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
 * A JPEG can be decoded to eighths of its size at a fraction of the work, which only ImageDecoder
 * gives access to. It also keeps the picture out of the browser's blob storage, which may page
 * to disk.
 *
 * A `VideoFrame` is never drawn: drawImage(frame) leaves the whole picture in memory that renderer
 * and browser process share, long after everything is closed (Chromium 156).
 * createImageBitmap(frame) leaves nothing, but is unreliable for a rotated frame.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { Bounds, DecodeRequest, View } from "./decode_messages.ts";
import { ImageError } from "./errors.ts";
import { type ImageFacts, inspectBlob, inspectImage } from "./inspect.ts";
import { onePiece } from "./one_piece.ts";

/** The part of WebCodecs' ImageDecoder that is used; TypeScript's own library lacks it. */
interface ImageDecoderLike {
  decode(): Promise<{ readonly image: TurnedFrame }>;
  close(): void;
}

/** A frame to be rotated clockwise by `rotation` degrees, then mirrored left to right. */
export interface TurnedFrame extends VideoFrame {
  readonly rotation?: number;
  readonly flip?: boolean;
}

/** Additional rotation, then mirroring. */
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

/** What to decode, and to how many eighths of its size. */
export interface RawRequest {
  readonly source: Uint8Array<ArrayBuffer> | Blob;
  readonly facts: ImageFacts;
  /** 1–8. Only a JPEG is decoded to less than 8. */
  readonly eighths: number;
}

/** A decoded picture, not upright yet. The owner closes `bitmap`. */
export interface Raw {
  readonly bitmap: ImageBitmap;
  /** Rotation still to be applied, clockwise, in degrees. */
  readonly rotation: number;
  /** Mirroring left to right, to be applied after the rotation. */
  readonly flip: boolean;
  /** Whether it may have colors outside of sRGB. */
  readonly wide: boolean;
}

/** A bitmap, and whether it may have colors outside of sRGB. */
export interface Rendered {
  readonly bitmap: ImageBitmap;
  readonly wide: boolean;
}

/**
 * Decodes the first frame, upright, at most `maxWidth` × `maxHeight`. The bytes are zeroed
 * afterwards in every case. Throws `ImageError`: any reason of `inspectImage`, `undecodable`,
 * `unreadable`.
 */
export async function decode(request: DecodeRequest): Promise<ImageBitmap> {
  return (await decodeInColour(request)).bitmap;
}

/** Like {@linkcode decode}, but also reports whether there may be colors outside of sRGB. */
export async function decodeInColour(request: DecodeRequest): Promise<Rendered> {
  const { source, type } = request;
  try {
    // The page has checked it already, but this is the last check before a decoder written in C++.
    const facts = source instanceof Blob ? await inspectBlob(source) : inspectImage(source);
    if (!facts.ok) throw new ImageError(facts.reason);
    if (facts.type !== type) throw new ImageError("undecodable");
    return await decodeChecked(request, facts);
  } finally {
    if (source instanceof Uint8Array) source.fill(0);
  }
}

/** Like {@linkcode decodeInColour}, for checked bytes, or a `Blob` whose header was checked. */
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
 * The number of eighths to which a picture has to be decoded so that it is at least `scale` of its
 * size.
 */
export function eighthsFor(scale: number): number {
  return Math.min(8, Math.max(1, Math.ceil(8 * scale - 1e-6)));
}

/** Throws `ImageError`: `undecodable`. */
export function decodeRaw(request: RawRequest): Promise<Raw> {
  return decodesToFrames() ? decodeFrame(request) : decodeBlob(request);
}

/**
 * True in Chromium. Firefox 153 has ImageDecoder too, but distorts rotated pictures if asked for a
 * size, is slower by half, and does not support `rotation` yet.
 */
function decodesToFrames(): boolean {
  return "ImageDecoder" in globalThis && "VideoFrame" in globalThis &&
    "rotation" in VideoFrame.prototype;
}

async function decodeFrame(request: RawRequest): Promise<Raw> {
  const { source, facts: { type } } = request;
  const data = source instanceof Blob ? source.stream() : source;
  // Without `preferAnimation` the decoder begins as `<img>` does: with the animation's track of an
  // AVIF, and with the first frame of an APNG.
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

/** The pixels of a decoder's frame, as they are stored. The caller keeps ownership of the frame. */
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
 * Undoes a frame's rotation, so that its pixels are as they are stored. From a rotated frame,
 * createImageBitmap may create a distorted bitmap, depending on how the frame was decoded (Chromium
 * 156).
 */
function unturned(frame: TurnedFrame): VideoFrame {
  const { rotation = 0, flip = false, timestamp } = frame;
  const init: TurnedInit = { timestamp, rotation: flip ? rotation : (360 - rotation) % 360, flip };
  return new VideoFrame(frame, init);
}

async function decodeBlob({ source, facts: { type } }: RawRequest): Promise<Raw> {
  try {
    const blob = source instanceof Blob ? await onePiece(source) : new Blob([source], { type });
    const wide = hasWideCanvas() && await hasProfile(blob);
    return { bitmap: await createImageBitmap(blob), rotation: 0, flip: false, wide };
  } catch (cause) {
    throw new ImageError("undecodable", { cause });
  }
}

/** False in Firefox 153, which converts all colors to sRGB when it decodes. */
function hasWideCanvas(): boolean {
  const context = new OffscreenCanvas(1, 1).getContext("2d", { colorSpace: "display-p3" });
  return context?.getImageData(0, 0, 1, 1).colorSpace === "display-p3";
}

/** In every format, a profile begins within this many bytes. */
const HEAD_BYTES = 65_536;

async function hasProfile(blob: Blob): Promise<boolean> {
  const head = new TextDecoder("latin1").decode(await blob.slice(0, HEAD_BYTES).arrayBuffer());
  return /ICC_PROFILE|iCCP|ICCP|cICP|colrnclx|colrprof/.test(head);
}

/** The size to request of the decoder: for a JPEG, that many eighths; Chromium rounds down. */
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

/** Size of a picture as it is displayed. */
export function uprightSize({ width, height, orientation = 1 }: ImageFacts): Size {
  return orientation >= 5 ? [height, width] : [width, height];
}

/** Size of a decoded picture as it is displayed. */
export function rawSize({ bitmap: { width, height }, rotation }: Raw): Size {
  return rotation % 180 === 0 ? [width, height] : [height, width];
}

/**
 * Paints a whole picture, of the upright size `of`, at another size. Closes the decoded bitmap, or
 * returns it if nothing has to be changed.
 */
export function paintWhole(raw: Raw, of: Size, [width, height]: Size): ImageBitmap {
  const { bitmap, rotation, flip } = raw;
  // A second bitmap would only take time.
  if (bitmap.width === width && bitmap.height === height && rotation === 0 && !flip) return bitmap;
  try {
    const region = { x: 0, y: 0, width: of[0], height: of[1] };
    return paintPart(raw, { of, region, width, height });
  } finally {
    bitmap.close();
  }
}

/** The part to paint of an upright picture of the size `of`. */
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
  // At one to one there is nothing to smooth, but some browsers smooth rotated pictures all the
  // same.
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

/** Like {@linkcode fit}, but may enlarge the picture by up to `maxScale`. */
export function fitWithin([width, height]: Size, { maxWidth, maxHeight, maxScale }: Bounds): Size {
  const scale = Math.min(maxScale, maxWidth / width, maxHeight / height);
  return [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
}
