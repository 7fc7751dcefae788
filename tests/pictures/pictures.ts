/**
 * Pictures for tests of the session: real bytes, and fakes for what only a browser can make of
 * them.
 *
 * @module
 */
import type { Bytes } from "../../lib/protocol/bytes.ts";
import { UNTOUCHED } from "../../lib/image/edits.ts";
import { ImageError } from "../../lib/image/errors.ts";
import type { Made, Prepared } from "../../lib/image/prepared.ts";
import { inspectBlob, inspectImage } from "../../lib/image/inspect.ts";
import { flatPng, pngOfSize } from "../support/image_bytes.ts";

/** A decoded picture that records whether it was freed. */
export class FakeBitmap implements ImageBitmap {
  readonly width = 4;
  readonly height = 3;
  closes = 0;

  close(): void {
    this.closes++;
  }
}

/** A worker that is never called. */
export class IdleWorker extends EventTarget implements Worker {
  onerror = null;
  onmessage = null;
  onmessageerror = null;
  postMessage(_message?: unknown): void {}
  terminate(): void {}
}

/** A PNG of a few hundred bytes. */
export function smallPng(): Bytes {
  return new Uint8Array(flatPng(40, 30));
}

/** A PNG of exactly `size` bytes, so that it can span several chunks. */
export function bigPng(size: number): Bytes {
  return new Uint8Array(pngOfSize(size).bytes);
}

/** What the page hands over for `bytes`. */
export function prepared(bytes: Bytes = smallPng()): Prepared & { thumbnail: FakeBitmap } {
  const info = inspectImage(bytes);
  if (!info.ok) throw new Error(`Not a picture: ${info.reason}`);
  const { type, width, height } = info;
  const blob = new Blob([bytes]);
  const size = bytes.length;
  return {
    source: blob,
    blob,
    type,
    edits: UNTOUCHED,
    size,
    width,
    height,
    removed: [],
    thumbnail: new FakeBitmap(),
  };
}

/**
 * What the picture worker makes of a file that any browser could decode. Throws `ImageError` if the
 * worker would refuse it.
 */
export async function made(source: Blob): Promise<Made> {
  const { ok, ...info } = await inspectBlob(source);
  if (!ok || !("type" in info)) {
    throw new ImageError("reason" in info ? info.reason : "undecodable");
  }
  const { size } = source;
  const thumbnail = new FakeBitmap();
  return { blob: source, size, ...info, removed: [], thumbnail };
}
