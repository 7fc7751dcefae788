/**
 * The worker that decodes HEIC and HEIF if the browser can't. It uses libheif (LGPL 3, compiled to
 * WebAssembly, unchanged). It is a file of its own that is loaded when such a picture is chosen. It
 * has no network: its Content-Security-Policy lets it compile, and nothing else
 * (lib/server/headers.ts).
 *
 * This module is browser compatible.
 *
 * @module
 */
import libheif from "libheif-js/bundle";
import { ascii, u32 } from "./collector.ts";
import { ImageError } from "./errors.ts";
import { type HeicFacts, heicFacts } from "./heic_facts.ts";
import { latin1, uint } from "./headers.ts";
import type { Converted, HeicRequest } from "./heic_messages.ts";
import { profileChunk } from "./png_chunk.ts";
import { answerEach } from "./worker_requests.ts";

/** The part of libheif's JavaScript API that is used. */
interface Libheif {
  readonly HeifImage: new (handle: unknown) => HeifImage;
  heif_context_alloc(): unknown;
  heif_context_free(context: unknown): void;
  heif_context_read_from_memory(context: unknown, bytes: Uint8Array): { code: unknown };
  heif_js_context_get_primary_image_handle(context: unknown): unknown;
  readonly heif_error_code: { readonly heif_error_Ok: unknown };
}

interface HeifImage {
  get_width(): number;
  get_height(): number;
  has_alpha_channel(): boolean;
  display(into: ImageData, done: (shown: ImageData | null) => void): void;
  free(): void;
}

/** Above this, the memory can't be allocated: 4 bytes per pixel, several times over. */
const MAX_PIXELS = 100_000_000;

/** Hardly distinguishable from the original. */
const QUALITY = 0.95;

let library: Libheif | null = null;

/** Compiled synchronously with the first picture: a worker may block for that. */
function load(): Libheif {
  return library ??= libheif();
}

answerEach<HeicRequest>(async ({ source }) => {
  const bytes = new Uint8Array(await source.arrayBuffer());
  const facts = heicFacts(bytes);
  if (facts.width * facts.height > MAX_PIXELS) throw new ImageError("beyond_device");
  const result: Converted = { blob: await convert(bytes, facts), removed: facts.removed };
  return { result, transfer: [] };
});

async function convert(bytes: Uint8Array, { profile, isP3 }: HeicFacts): Promise<Blob> {
  const heif = load();
  const context = heif.heif_context_alloc();
  try {
    const { code } = heif.heif_context_read_from_memory(context, bytes);
    if (code !== heif.heif_error_code.heif_error_Ok) throw new ImageError("heic");
    const handle = heif.heif_js_context_get_primary_image_handle(context);
    const image = new heif.HeifImage(handle);
    const [width, height] = [image.get_width(), image.get_height()];
    if (width * height > MAX_PIXELS) throw new ImageError("beyond_device");
    const pixels = empty(width, height, profile === null && isP3);
    const shown = await new Promise<ImageData | null>((resolve) => image.display(pixels, resolve));
    const transparent = image.has_alpha_channel();
    image.free();
    if (shown === null) throw new ImageError("heic");
    const canvas = new OffscreenCanvas(width, height);
    const context2d = canvas.getContext("2d", { colorSpace: pixels.colorSpace ?? "srgb" });
    if (context2d === null) throw new ImageError("unavailable");
    context2d.putImageData(pixels, 0, 0);
    // The picture worker converts it to WebP if it can.
    const type = transparent ? "image/png" : "image/jpeg";
    const blob = await canvas.convertToBlob({ type, quality: QUALITY });
    if (profile === null) return blob;
    return await (transparent ? pngWithProfile(blob, profile) : jpegWithProfile(blob, profile));
  } finally {
    heif.heif_context_free(context);
  }
}

/** Firefox 153 supports no third argument, and no Display P3. */
function empty(width: number, height: number, isP3: boolean): ImageData {
  if (!isP3) return new ImageData(width, height);
  try {
    return new ImageData(width, height, { colorSpace: "display-p3" });
  } catch {
    return new ImageData(width, height);
  }
}

/** Bytes of a profile per segment. */
const MAX_SEGMENT = 65_000;

/**
 * Inserts the profile. The pixel values stay, and the profile defines their meaning: exact in every
 * browser.
 */
async function jpegWithProfile(jpeg: Blob, profile: Uint8Array): Promise<Blob> {
  const bytes = new Uint8Array(await jpeg.arrayBuffer());
  const count = Math.ceil(profile.length / MAX_SEGMENT);
  if (count > 255) throw new ImageError("undecodable");
  const parts: Uint8Array<ArrayBuffer>[] = [bytes.slice(0, 2)];
  for (let i = 0; i < count; i++) {
    const piece = profile.subarray(i * MAX_SEGMENT, (i + 1) * MAX_SEGMENT);
    const head = [...ascii("ICC_PROFILE\0"), i + 1, count];
    const length = u32(2 + head.length + piece.length).slice(2);
    parts.push(Uint8Array.from([0xff, 0xe2, ...length, ...head, ...piece]));
  }
  let at = 2;
  // Removes what the browser wrote about its own canvas' colors.
  while (bytes[at] === 0xff && ((bytes[at + 1] ?? 0) & 0xf0) === 0xe0) {
    const end = at + 2 + ((bytes[at + 2] ?? 0) << 8 | (bytes[at + 3] ?? 0));
    if (bytes[at + 1] !== 0xe2) parts.splice(1, 0, bytes.slice(at, end));
    at = end;
  }
  return new Blob([...parts, bytes.subarray(at)], { type: "image/jpeg" });
}

/** Chunks about colors; those that the browser wrote are about its own canvas. */
const COLORS: readonly string[] = ["cHRM", "cICP", "gAMA", "iCCP", "sRGB"];

/** The same for a PNG. */
async function pngWithProfile(png: Blob, profile: Uint8Array<ArrayBuffer>): Promise<Blob> {
  const bytes = new Uint8Array(await png.arrayBuffer());
  const parts: Uint8Array<ArrayBuffer>[] = [bytes.subarray(0, 8)];
  for (let at = 8; at < bytes.length;) {
    const name = latin1(bytes, at + 4, 4);
    const end = at + 12 + uint(bytes, at, 4);
    if (!COLORS.includes(name)) parts.push(bytes.subarray(at, end));
    if (name === "IHDR") parts.push(await profileChunk(profile));
    at = end;
  }
  return new Blob(parts, { type: "image/png" });
}
