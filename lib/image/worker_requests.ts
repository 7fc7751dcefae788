/**
 * The page's side of a worker that handles pictures: one request at a time, each with an answer,
 * whatever happens to the worker.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { ImageError, type ImageErrorReason } from "./errors.ts";

/** A worker's answer. */
export type WorkerAnswer<Result> =
  | { readonly ok: true; readonly result: Result }
  | { readonly ok: false; readonly reason: ImageErrorReason };

/** Settings of an {@linkcode ImageWorker}. */
export interface ImageWorkerOptions {
  /** Longest time for one picture, in milliseconds. */
  readonly timeoutMs?: number;
}

/** Options of one request. */
export interface AskOptions {
  /** What is transferred to the worker, and no longer usable here. */
  readonly transfer?: readonly Transferable[];
  /** Aborting terminates the worker. */
  readonly signal?: AbortSignal | undefined;
  /** Time limit, as a multiple of that for one picture. */
  readonly times?: number;
}

// Default time limit for one picture, in milliseconds: 40 megapixels of AVIF on an old phone.
const TIMEOUT_MS = 20_000;

/**
 * Sends requests to a worker, one after the other. The worker is restarted after a crash, a timeout
 * or an abort.
 */
export class ImageWorker<Request> {
  readonly #makeWorker: () => Worker;
  readonly #timeoutMs: number;
  readonly #closing = new AbortController();
  #worker: Worker | null = null;
  #last: Promise<unknown> = Promise.resolve();

  /**
   * `worker` is the URL of the bundled script (a classic one), or a function that creates the
   * worker (for Trusted Types, which refuse a plain string).
   */
  constructor(worker: string | URL | (() => Worker), options: ImageWorkerOptions = {}) {
    this.#makeWorker = typeof worker === "function" ? worker : () => new Worker(worker);
    this.#timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
  }

  /** Starts the worker before the first request, so that it is warm by then. Idempotent. */
  warmUp(): void {
    if (isAvailable() && this.#worker === null) this.#start();
  }

  /**
   * `Result` is what the worker of the same build returns for such a request. Throws `ImageError`:
   * the worker's reason, `timeout`, `aborted`, `crashed`, `unloaded`, `unavailable`.
   */
  protected ask<Result>(request: Request, options: AskOptions = {}): Promise<Result> {
    const run = this.#last.then(() => this.#ask<Result>(request, options));
    this.#last = run.catch(() => {});
    return run;
  }

  /**
   * Sends a message without an answer, at once, even during a request; does nothing without a
   * worker.
   */
  protected tell(request: Request): void {
    this.#worker?.postMessage(request);
  }

  /** Terminates the worker; a pending request rejects with `aborted`. Idempotent. */
  close(): void {
    this.#closing.abort();
    this.#stop();
  }

  #start(): Worker {
    const worker = this.#makeWorker();
    // A worker that failed to load while no request was pending is replaced for the next one.
    worker.addEventListener("error", () => {
      if (this.#worker === worker) this.#stop();
    });
    return this.#worker = worker;
  }

  #stop(): void {
    this.#worker?.terminate();
    this.#worker = null;
  }

  async #ask<Result>(
    request: Request,
    { transfer = [], signal, times = 1 }: AskOptions,
  ): Promise<Result> {
    // AbortSignal.any is newer than the oldest browsers that are supported.
    const signals = signal === undefined ? [this.#closing.signal] : [this.#closing.signal, signal];
    if (signals.some(({ aborted }) => aborted)) throw new ImageError("aborted");
    if (!isAvailable()) throw new ImageError("unavailable");
    const worker = this.#worker ?? this.#start();
    const answered = new AbortController();
    const once = { signal: answered.signal };
    let timer: ReturnType<typeof setTimeout> | undefined;
    try {
      return await new Promise<Result>((resolve, reject) => {
        const fail = (reason: ImageErrorReason, cause?: unknown) => {
          this.#stop();
          reject(new ImageError(reason, { cause }));
        };
        worker.addEventListener("message", ({ data }: MessageEvent<WorkerAnswer<Result>>) => {
          if (data.ok) resolve(data.result);
          else reject(new ImageError(data.reason));
        }, once);
        worker.addEventListener("error", (event) => {
          // According to HTML, a script that failed to load causes a plain event; an exception in
          // it, an ErrorEvent.
          fail(event instanceof ErrorEvent ? "crashed" : "unloaded", event);
        }, once);
        worker.addEventListener("messageerror", (event) => fail("crashed", event), once);
        for (const item of signals) item.addEventListener("abort", () => fail("aborted"), once);
        timer = setTimeout(() => fail("timeout"), this.#timeoutMs * times);
        worker.postMessage(request, [...transfer]);
      });
    } finally {
      clearTimeout(timer);
      answered.abort();
    }
  }
}

/** Whether everything is available that the workers need: Chromium 69, Firefox 105, Safari 16.4. */
function isAvailable(): boolean {
  return "Worker" in globalThis && "createImageBitmap" in globalThis &&
    "OffscreenCanvas" in globalThis;
}

/** The answer to a request. */
export interface Answer {
  readonly result: unknown;
  readonly transfer: readonly Transferable[];
}

/**
 * The worker's side: answers each request once; `answer` returns `null` for a message that needs no
 * answer.
 */
export function answerEach<Request>(
  answer: (request: Request) => Promise<Answer> | null,
): void {
  globalThis.addEventListener("message", async ({ data }: MessageEvent<Request>) => {
    let said: WorkerAnswer<unknown>;
    let over: readonly Transferable[] = [];
    try {
      const answered = answer(data);
      if (answered === null) return;
      const { result, transfer } = await answered;
      said = { ok: true, result };
      over = transfer;
    } catch (error) {
      said = { ok: false, reason: error instanceof ImageError ? error.reason : "undecodable" };
    }
    globalThis.postMessage(said, { transfer: [...over] });
  });
}
