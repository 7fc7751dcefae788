/**
 * From bytes to a bitmap, inside the picture worker.
 *
 * Measured from bytes to the first painted pixel, worker warm, median of 5; a photograph of 12 MP and 3.5 MB (JPEG,
 * 4:2:0), two cores, no GPU, Chromium 156 / Firefox 153, in milliseconds:
 *
 * | way                                                  | shown at 960×720 | at 2880×2160 |
 * |------------------------------------------------------|------------------|--------------|
 * | createImageBitmap(blob), on the page                 | 146 / 93         |              |
 * | the same in a worker                                 | 119–138 / 95     | 138          |
 * | createImageBitmap(blob, resizeWidth …, "high")       | 126 / 139        |              |
 * | createImageBitmap(blob), then scaled in a canvas     | 114 / 107        | 149          |
 * | ImageDecoder asked for a smaller size, then scaled   | 58–62 / 145      | 139          |
 *
 * With watermark and stage, at 1200×900: 81 in Chromium (96 with a cold worker), 118 in Firefox (1067×800).
 *
 * A JPEG can be decoded to eighths of its size at a fraction of the work, and only ImageDecoder gives access to that.
 * It also keeps the picture out of the browser's blob storage, which may page to disk.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { DecodeRequest } from "./decode_messages.ts";
import { ImageError } from "./errors.ts";
import { type ImageFacts, inspectBlob, inspectImage } from "./inspect.ts";

type Source = ImageBitmap | VideoFrame;

/** WebCodecs' ImageDecoder, as far as it is used; TypeScript's own library does not know it. */
interface ImageDecoderLike {
  decode(): Promise<{ readonly image: VideoFrame }>;
  close(): void;
}

interface ImageDecoderInit {
  readonly data: BufferSource | ReadableStream;
  readonly type: string;
  readonly preferAnimation: false;
  readonly desiredWidth?: number;
  readonly desiredHeight?: number;
}

declare const ImageDecoder: new (init: ImageDecoderInit) => ImageDecoderLike;

/**
 * Decodes the first frame, upright, at most `maxWidth` × `maxHeight`. Bytes are zeroed afterwards, whatever happens.
 *
 * Throws `ImageError`: whatever inspection says, `undecodable`, `unreadable`.
 */
export async function decode(request: DecodeRequest): Promise<ImageBitmap> {
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
): Promise<ImageBitmap> {
  const decoded = await (decodesToFrames() ? decodeFrame : decodeBlob)(request, facts);
  const [width, height] = fit(sizeOf(decoded), request);
  const [fullWidth] = sizeOf(decoded);
  // A second bitmap would only cost time; but createImageBitmap(frame) forgets the frame's rotation (Chromium 156).
  if (decoded instanceof ImageBitmap && fullWidth === width) return decoded;
  try {
    const canvas = new OffscreenCanvas(width, height);
    const context = canvas.getContext("2d");
    if (context === null) throw new ImageError("unavailable");
    context.imageSmoothingQuality = "high";
    context.drawImage(decoded, 0, 0, width, height);
    return canvas.transferToImageBitmap();
  } finally {
    decoded.close();
  }
}

/**
 * True in Chromium. Firefox 153 has ImageDecoder too, but squeezes turned pictures when it is asked for a size, and is
 * slower by half; it does not know `rotation` yet.
 */
function decodesToFrames(): boolean {
  return "ImageDecoder" in globalThis && "VideoFrame" in globalThis &&
    "rotation" in VideoFrame.prototype;
}

async function decodeFrame(request: DecodeRequest, facts: ImageFacts): Promise<Source> {
  const { source, type } = request;
  const data = source instanceof Blob ? source.stream() : source;
  const init = { data, type, preferAnimation: false, ...scaledSize(request, facts) } as const;
  const decoder = new ImageDecoder(init);
  try {
    return (await decoder.decode()).image;
  } catch (cause) {
    throw new ImageError("undecodable", { cause });
  } finally {
    decoder.close();
  }
}

async function decodeBlob({ source, type }: DecodeRequest): Promise<Source> {
  const blob = source instanceof Blob ? source : new Blob([source], { type });
  try {
    return await createImageBitmap(blob);
  } catch (cause) {
    throw new ImageError("undecodable", { cause });
  }
}

/** For a JPEG the smallest number of eighths that is not smaller than wanted; Chromium rounds down what it is asked for. */
function scaledSize(
  request: DecodeRequest,
  { type, width, height, orientation = 1 }: ImageFacts,
): { desiredWidth?: number; desiredHeight?: number } {
  if (type !== "image/jpeg") return {};
  const upright: Size = orientation >= 5 ? [height, width] : [width, height];
  const wanted = fit(upright, request)[0] / upright[0];
  const eighths = Math.ceil(8 * wanted - 1e-6);
  if (eighths >= 8) return {};
  return {
    desiredWidth: Math.ceil(width * eighths / 8),
    desiredHeight: Math.ceil(height * eighths / 8),
  };
}

type Size = readonly [width: number, height: number];

function sizeOf(source: Source): Size {
  return source instanceof ImageBitmap
    ? [source.width, source.height]
    : [source.displayWidth, source.displayHeight];
}

/** The largest size of the same proportions within the bounds; never larger than the original, at least 1×1. */
export function fit(
  [width, height]: Size,
  { maxWidth, maxHeight }: { readonly maxWidth: number; readonly maxHeight: number },
): Size {
  const scale = Math.min(1, maxWidth / width, maxHeight / height);
  return [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
}
