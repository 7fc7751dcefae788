/**
 * Converts HEIC or HEIF to a picture that every browser shows: by the browser itself if it can
 * (Safari, according to its documentation), otherwise by a worker that is terminated afterwards and
 * frees all its memory. Loaded when such a file is chosen.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { ImageError } from "./errors.ts";
import type { Converted, HeicRequest } from "./heic_messages.ts";
import { ImageWorker } from "./worker_requests.ts";

/** A photo of 48 megapixels on an old phone, after 2 MB of decoder were loaded. */
const TIMEOUT_MS = 60_000;

const QUALITY = 0.95;

/** Throws `ImageError`: `undecodable`, `beyond_device`, `timeout`, `crashed`, `unavailable`. */
export async function convertHeic(source: Blob, makeWorker: () => Worker): Promise<Converted> {
  const own = await createImageBitmap(source).catch(() => null);
  if (own !== null) return { blob: await painted(own), removed: [] };
  const worker = new HeicWorker(makeWorker);
  try {
    return await worker.convert(source);
  } finally {
    worker.close();
  }
}

class HeicWorker extends ImageWorker<HeicRequest> {
  constructor(makeWorker: () => Worker) {
    super(makeWorker, { timeoutMs: TIMEOUT_MS });
  }

  convert(source: Blob): Promise<Converted> {
    return this.ask<Converted>({ kind: "heic", source });
  }
}

async function painted(bitmap: ImageBitmap): Promise<Blob> {
  try {
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    const context = canvas.getContext("2d", { colorSpace: "display-p3" });
    if (context === null) throw new ImageError("unavailable");
    context.drawImage(bitmap, 0, 0);
    return await canvas.convertToBlob({ type: "image/jpeg", quality: QUALITY });
  } finally {
    bitmap.close();
  }
}
