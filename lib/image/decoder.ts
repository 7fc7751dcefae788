/**
 * The page's side of the decode worker.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { Bytes } from "../protocol/bytes.ts";
import type { ImageType } from "../protocol/control.ts";
import type { DecodeRequest, DecodeResponse } from "./decode_messages.ts";
import { ImageError, type ImageErrorReason } from "./errors.ts";

/** Bounds of the wanted bitmap in device pixels, and how to give up. */
export interface DecodeOptions {
  /** The bitmap is made at most this wide, keeping proportions; never enlarged. Default: unbounded. */
  readonly maxWidth?: number;
  /** The same for its height. */
  readonly maxHeight?: number;
  /** Gives up: the worker is terminated, `decode` rejects with `aborted`. */
  readonly signal?: AbortSignal;
}

/** Settings of a {@linkcode Decoder}. */
export interface DecoderOptions {
  /** Longest time for one picture, in milliseconds. */
  readonly timeoutMs?: number;
}

// 40 megapixels of AVIF on an old phone.
const TIMEOUT_MS = 20_000;

/**
 * Decodes pictures in a worker, one after the other. The worker is started by the constructor, so that it is warm when
 * the first picture comes, and started anew after a crash, a timeout or an abort.
 */
export class Decoder {
  readonly #makeWorker: () => Worker;
  readonly #timeoutMs: number;
  readonly #closing = new AbortController();
  #worker: Worker | null = null;
  #last: Promise<unknown> = Promise.resolve();

  /**
   * `worker` is the URL of the bundled decode_worker.js (a classic script), or a function that makes the worker (for
   * Trusted Types, where a plain string is refused).
   */
  constructor(worker: string | URL | (() => Worker), options: DecoderOptions = {}) {
    this.#makeWorker = typeof worker === "function" ? worker : () => new Worker(worker);
    this.#timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
    if (isAvailable()) this.#start();
  }

  /**
   * Decodes a picture: first frame, EXIF orientation applied. A byte array's whole buffer is transferred and is zeroed
   * in every case, also when this rejects; a `Blob` is only referred to.
   *
   * Throws `ImageError`: any reason of `inspectImage`, `undecodable`, `unreadable`, `timeout`, `aborted`, `crashed`,
   * `unavailable`. The caller owns the bitmap and closes it.
   */
  decode(
    source: Bytes | Blob,
    type: ImageType,
    options: DecodeOptions = {},
  ): Promise<ImageBitmap> {
    const { maxWidth = Infinity, maxHeight = Infinity } = options;
    const request: DecodeRequest = { source, type, maxWidth, maxHeight };
    const run = this.#last.then(() => this.#decode(request, options.signal)).finally(() => {
      // Empty when it was transferred.
      if (source instanceof Uint8Array && source.length > 0) source.fill(0);
    });
    this.#last = run.catch(() => {});
    return run;
  }

  /** Terminates the worker; a decode under way rejects with `aborted`. Idempotent. */
  close(): void {
    this.#closing.abort();
    this.#stop();
  }

  #start(): Worker {
    const worker = this.#makeWorker();
    // A worker that failed to load while nobody waited for it is replaced by the next decode.
    worker.addEventListener("error", () => {
      if (this.#worker === worker) this.#stop();
    });
    return this.#worker = worker;
  }

  #stop(): void {
    this.#worker?.terminate();
    this.#worker = null;
  }

  async #decode(request: DecodeRequest, signal?: AbortSignal): Promise<ImageBitmap> {
    // AbortSignal.any is younger than the browsers that we want to serve.
    const signals = signal === undefined ? [this.#closing.signal] : [this.#closing.signal, signal];
    if (signals.some(({ aborted }) => aborted)) throw new ImageError("aborted");
    if (!isAvailable()) throw new ImageError("unavailable");
    const worker = this.#worker ?? this.#start();
    const answered = new AbortController();
    const once = { signal: answered.signal };
    let timer: ReturnType<typeof setTimeout> | undefined;
    try {
      return await new Promise<ImageBitmap>((resolve, reject) => {
        const fail = (reason: ImageErrorReason, cause?: unknown) => {
          this.#stop();
          reject(new ImageError(reason, { cause }));
        };
        worker.addEventListener("message", ({ data }: MessageEvent<DecodeResponse>) => {
          if (data.ok) resolve(data.bitmap);
          else reject(new ImageError(data.reason));
        }, once);
        worker.addEventListener("error", (event) => fail("crashed", event), once);
        worker.addEventListener("messageerror", (event) => fail("crashed", event), once);
        for (const item of signals) item.addEventListener("abort", () => fail("aborted"), once);
        timer = setTimeout(() => fail("timeout"), this.#timeoutMs);
        const { source } = request;
        worker.postMessage(request, source instanceof Blob ? [] : [source.buffer]);
      });
    } finally {
      clearTimeout(timer);
      answered.abort();
    }
  }
}

/** Everything that the worker will need: Chromium 69, Firefox 105, Safari 16.4. */
function isAvailable(): boolean {
  return "Worker" in globalThis && "createImageBitmap" in globalThis &&
    "OffscreenCanvas" in globalThis;
}
