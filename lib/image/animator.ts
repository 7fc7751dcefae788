/**
 * The page's side of the animation worker.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { Bytes } from "../protocol/bytes.ts";
import type { ImageType } from "../protocol/control.ts";
import type { AnimationFacts, AnimationRequest, Frame, FramePart } from "./animation_messages.ts";
import { ImageWorker } from "./worker_requests.ts";

/** Longest time for one frame, in milliseconds: 40 megapixels of AVIF on an old phone. */
const TIMEOUT_MS = 10_000;

/**
 * Longest time for counting the frames, in milliseconds. Somebody waits for the picture meanwhile.
 * A file that takes longer was made to take long.
 */
const OPEN_MS = 5_000;

/** How long decoding a frame may delay zeroing the bytes, in milliseconds. */
const WIPE_MS = 1_000;

/** Bounds of a frame in device pixels. */
export interface FrameBounds {
  readonly maxWidth: number;
  readonly maxHeight: number;
}

/** Plays one picture in its own worker: one frame per request, so that nothing queues. */
export class Animator extends ImageWorker<AnimationRequest> {
  /**
   * `worker` creates a worker of animation_worker.js. It is started at once, while the server is
   * reachable.
   */
  constructor(worker: () => Worker) {
    super(worker, { timeoutMs: TIMEOUT_MS });
    this.warmUp();
  }

  /**
   * Opens a picture. A byte array's whole buffer is transferred, and stays in the worker until
   * `wipe()`. Throws `ImageError`: `unavailable` or `undecodable` if this browser can't play it,
   * and other reasons.
   */
  open(source: Bytes | Blob, type: ImageType, bounds: FrameBounds): Promise<AnimationFacts> {
    const transfer = source instanceof Blob ? [] : [source.buffer];
    const signal = AbortSignal.timeout(OPEN_MS);
    const request = { kind: "open", source, type, ...bounds } as const;
    return this.ask<AnimationFacts>(request, { transfer, signal });
  }

  /**
   * Decodes a frame, counted from 0, and renders `part` of it as well. The caller closes its
   * bitmaps. Throws `ImageError`.
   */
  frame(index: number, part: FramePart | null = null): Promise<Frame> {
    return this.ask<Frame>({ kind: "frame", index, part });
  }

  /**
   * Zeroes the bytes in the worker, then terminates it; no further requests are possible. Never
   * rejects.
   */
  async wipe(): Promise<void> {
    // A worker that is busy for longer is terminated, together with its bytes.
    const timer = setTimeout(() => this.close(), WIPE_MS);
    await this.ask({ kind: "wipe" }).catch(() => {});
    clearTimeout(timer);
    this.close();
  }
}

/** True if this browser has the API to play pictures: Chromium 94, Firefox 133. */
export function canAnimate(): boolean {
  return "ImageDecoder" in globalThis;
}
