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
import { isUntouched } from "./edits.ts";
import { ImageError, type ImageErrorReason } from "./errors.ts";
import type {
  Made,
  Prepared,
  PrepareOptions,
  PrepareRequest,
  PreviewRequest,
  Repainted,
} from "./prepared.ts";
import { ImageWorker, type ImageWorkerOptions } from "./worker_requests.ts";

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

/** Reasons after which `<img>` may still show something, and what is to be said if it does. */
const SHOWN: ReadonlyMap<ImageErrorReason, Repainted> = new Map([
  ["truncated", "part"],
  ["undecodable", "part"],
  ["not_an_image", "whole"],
  ["unsupported", "whole"],
]);

/** Facts about the file that something was converted from. */
type ConvertedFacts = Partial<Pick<Prepared, "removed" | "repainted">>;

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
  /** Facts about files that were converted, by what they were converted to. */
  readonly #converted = new WeakMap<Blob, ConvertedFacts>();
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
   * one, and decodes it once, so that only decodable pictures are announced. What this browser's
   * `<img>` shows, although its decoders refuse it or show it differently, is painted anew. Throws
   * `ImageError` with any reason.
   */
  async prepare(source: Blob, options: PrepareOptions): Promise<Prepared> {
    let prepared: Prepared;
    try {
      prepared = await this.#prepare(source, options);
    } catch (error) {
      const converted = await this.#convert(source, error);
      if (converted === null) throw error;
      return await this.#prepare(converted, options);
    }
    if (prepared.type !== "image/avif" || !isUntouched(options.edits)) return prepared;
    const standard = await this.#standard(prepared);
    if (standard === null) return prepared;
    prepared.thumbnail.close();
    return await this.#prepare(standard, options);
  }

  async #prepare(source: Blob, options: PrepareOptions): Promise<Prepared> {
    const request = { kind: "prepare", source, ...options } as const;
    const made = await this.#askPatiently<Made>(request);
    return { ...made, ...this.#converted.get(source), source, edits: options.edits };
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

  /** A file of the same picture that can be prepared, or `null`. Throws `ImageError`. */
  async #convert(source: Blob, error: unknown): Promise<Blob | null> {
    if (!(error instanceof ImageError)) return null;
    if (error.reason === "heic" && this.#makeHeicWorker !== undefined) {
      const { convertHeic } = await import("./heic.ts").catch((cause) => {
        throw new ImageError("crashed", { cause });
      });
      const { blob, removed } = await convertHeic(source, this.#makeHeicWorker);
      return this.#keep(blob, { removed, repainted: "whole" });
    }
    const repainted = SHOWN.get(error.reason);
    if (repainted === undefined) return null;
    // Without the script, the reason is as true as before.
    const shown = await import("./shown.ts").then((shown) => shown.paintShown(source), () => null);
    return shown === null ? null : this.#keep(shown, { removed: [], repainted });
  }

  /** What is sent of an AVIF in place of its file, if viewers would see it differently. */
  async #standard(prepared: Prepared): Promise<Blob | null> {
    const { source, thumbnail, motion, removed } = prepared;
    const shown = await import("./shown.ts").catch(() => null);
    // An animation that moves is worth more than its exact colors.
    if (shown === null || motion === "kept") return null;
    if (await shown.looksAsShown(source, thumbnail)) return null;
    const repainted = await shown.isHdr(source) ? "standard" : "whole";
    const painted = await shown.paintShown(source);
    return painted === null ? null : this.#keep(painted, { removed, repainted });
  }

  #keep(blob: Blob, facts: ConvertedFacts): Blob {
    this.#converted.set(blob, facts);
    return blob;
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
