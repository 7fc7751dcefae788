/**
 * The page's side of the picture worker.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { Bytes } from "../protocol/bytes.ts";
import type { ImageType } from "../protocol/control.ts";
import type {
  Bounds,
  CloseRequest,
  DecodeRequest,
  Opened,
  OpenRequest,
  RenderRequest,
  View,
} from "./decode_messages.ts";
import { ImageError } from "./errors.ts";
import type { Converted } from "./heic_messages.ts";
import { ImageWorker, type ImageWorkerOptions } from "./worker_requests.ts";
import type { Made, Prepared, PrepareOptions, PrepareRequest, PreviewRequest } from "./prepared.ts";

/** Bounds of the bitmap in device pixels, and a signal to give up. */
export interface DecodeOptions {
  /** Maximum width; the bitmap keeps its proportions and is never enlarged. Default: unbounded. */
  readonly maxWidth?: number;
  /** Maximum height, likewise. */
  readonly maxHeight?: number;
  /** Aborting terminates the worker; `decode` rejects with `aborted`. */
  readonly signal?: AbortSignal;
}

/**
 * Time limit for chosen pictures, as a multiple: they have up to five times as many pixels as sent
 * ones, and are parsed, decoded and encoded.
 */
const CHOSEN_TIMES = 6;

/** How often the worker's script is asked for, and the pause in between, in milliseconds. */
const LOAD_ATTEMPTS = 6;
const LOAD_RETRY_MS = 2_000;

/** A request to the picture worker. */
export type PictureRequest =
  | DecodeRequest
  | PrepareRequest
  | PreviewRequest
  | OpenRequest
  | RenderRequest
  | CloseRequest;

/**
 * How long a decoder may take to notice that its picture was closed, in milliseconds; after that
 * its worker is terminated.
 */
const CLOSE_MS = 1_000;

/** A picture whose bytes are only in the worker, until it is closed. */
export interface OpenPicture extends Opened {
  /**
   * Renders a part of it. Throws `ImageError`: `undecodable`, `timeout`, `aborted`, `crashed`. The
   * caller owns the bitmap.
   */
  render(view: View): Promise<ImageBitmap>;
  /**
   * Zeroes the bytes; nothing can be rendered any more. Idempotent. `bitmap` belongs to the caller.
   */
  close(): void;
}

/** Settings of a {@linkcode Decoder}. */
export interface DecoderOptions extends ImageWorkerOptions {
  /** Creates the worker of heic_worker.js. Without it, HEIC is refused. */
  readonly makeHeicWorker?: () => Worker;
}

/**
 * Decodes and prepares pictures in a worker, one after the other. The worker starts with the first
 * picture, or before it by {@linkcode Decoder.warmUp}.
 */
export class Decoder extends ImageWorker<PictureRequest> {
  #opened = 0;
  readonly #makeHeicWorker: (() => Worker) | undefined;

  /** `worker` is picture_worker.js, given as for {@linkcode ImageWorker}. */
  constructor(worker: string | URL | (() => Worker), options: DecoderOptions = {}) {
    super(worker, options);
    this.#makeHeicWorker = options.makeHeicWorker;
  }

  /**
   * Decodes a picture: first frame, EXIF orientation applied. A byte array's whole buffer is
   * transferred, and is zeroed in every case, also when this rejects; a `Blob` is only referred to.
   *
   * Throws `ImageError`: any reason of `inspectImage`, `undecodable`, `unreadable`, `timeout`,
   * `aborted`, `crashed`, `unloaded`, `unavailable`. The caller owns the bitmap and closes it.
   */
  decode(
    source: Bytes | Blob,
    type: ImageType,
    options: DecodeOptions = {},
  ): Promise<ImageBitmap> {
    const { maxWidth = Infinity, maxHeight = Infinity, signal } = options;
    const request: DecodeRequest = { kind: "decode", source, type, maxWidth, maxHeight };
    const transfer = source instanceof Blob ? [] : [source.buffer];
    return this.ask<ImageBitmap>(request, { transfer, signal }).finally(() => {
      // Empty when it was transferred.
      if (source instanceof Uint8Array && source.length > 0) source.fill(0);
    });
  }

  /**
   * Opens a picture for viewing: decodes its first frame within `bounds`, EXIF orientation applied,
   * and can render any part of it later. The whole buffer of `source` is transferred. It is zeroed
   * when the picture is closed or can't be opened, when `signal` aborts, before or after opening,
   * or when another picture is opened. A worker that does not react is terminated.
   *
   * Throws `ImageError`, as {@linkcode decode} does.
   */
  async open(
    source: Bytes,
    type: ImageType,
    { signal, ...bounds }: Bounds & { readonly signal?: AbortSignal },
  ): Promise<OpenPicture> {
    const picture = ++this.#opened;
    const giveUp = new AbortController();
    const close = () => {
      this.tell({ kind: "close", picture });
      setTimeout(() => giveUp.abort(), CLOSE_MS);
    };
    signal?.addEventListener("abort", close, { once: true });
    try {
      if (signal?.aborted) throw new ImageError("aborted");
      const request: OpenRequest = { kind: "open", picture, source, type, ...bounds };
      const transfer = [source.buffer];
      const opened = await this.ask<Opened>(request, { transfer, signal: giveUp.signal });
      if (signal?.aborted) {
        opened.bitmap.close();
        // `close` may have run before the worker had opened the picture.
        close();
        throw new ImageError("aborted");
      }
      return {
        ...opened,
        render: (view) =>
          this.ask<ImageBitmap>({ kind: "render", picture, ...view }, { signal: giveUp.signal }),
        close,
      };
    } finally {
      // Empty when it was transferred.
      if (source.length > 0) source.fill(0);
    }
  }

  /**
   * Prepares a picture: refuses what can't be shown, removes the metadata, scales down a very large
   * one, and decodes it once, so that only decodable pictures are announced. Throws `ImageError`
   * with any reason.
   */
  async prepare(source: Blob, options: PrepareOptions): Promise<Prepared> {
    const ask = async (shown: Blob): Promise<Prepared> => {
      const request = { kind: "prepare", source: shown, ...options } as const;
      const made = await this.#askPatiently<Made>(request);
      return { ...made, source: shown, edits: options.edits };
    };
    try {
      return await ask(source);
    } catch (error) {
      const isHeic = error instanceof ImageError && error.reason === "heic";
      if (!isHeic || this.#makeHeicWorker === undefined) throw error;
      const { blob, removed } = await this.#convert(source, this.#makeHeicWorker);
      return { ...await ask(blob), removed, repainted: true };
    }
  }

  /** Asks again while the worker's script does not arrive: a server that restarts is back soon. */
  async #askPatiently<Result>(request: PictureRequest): Promise<Result> {
    for (let attempt = 1;; attempt++) {
      try {
        return await this.ask<Result>(request, { times: CHOSEN_TIMES });
      } catch (error) {
        const isUnloaded = error instanceof ImageError && error.reason === "unloaded";
        if (!isUnloaded || attempt === LOAD_ATTEMPTS) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, LOAD_RETRY_MS));
    }
  }

  async #convert(source: Blob, makeWorker: () => Worker): Promise<Converted> {
    const { convertHeic } = await import("./heic.ts").catch((cause) => {
      throw new ImageError("crashed", { cause });
    });
    return await convertHeic(source, makeWorker);
  }

  /**
   * Decodes a chosen file, of any format that this browser shows, upright, at most `maxWidth` ×
   * `maxHeight`. Throws `ImageError` with any reason. The caller owns the bitmap and closes it.
   */
  preview(
    source: Blob,
    bounds: { readonly maxWidth: number; readonly maxHeight: number },
  ): Promise<ImageBitmap> {
    return this.ask<ImageBitmap>({ kind: "preview", source, ...bounds }, { times: CHOSEN_TIMES });
  }
}
