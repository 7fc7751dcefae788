/**
 * From chosen files to pictures that may be sent, with a word on each that may not.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { type ReadonlySignal, signal } from "@preact/signals";
import type { ViewRules } from "../protocol/control.ts";
import { ImageError, type ImageErrorReason } from "../image/errors.ts";
import type { Decoder } from "../image/decoder.ts";
import { type Edits, UNTOUCHED } from "../image/edits.ts";
import type { Prepared } from "../image/prepared.ts";
import type { OutgoingContent } from "./outbox.ts";
import { DEFAULT_PREFERENCES } from "./preferences.ts";

/** Longest side of a thumbnail in device pixels. */
const THUMBNAIL_SIDE = 640;

/** The times that one can choose, in seconds; 0 = until closed. */
export const VIEW_SECONDS = [3, 5, 10, 30, 60, 0] as const;

/** A file that can't be sent. */
export interface PickProblem {
  readonly reason: ImageErrorReason | "too_many";
  readonly name: string;
}

/** Prepares pictures, one after the other: decoding two at once would double the memory. */
export class Picker {
  /** How long pictures may be seen; 0 = until closed. */
  readonly seconds = signal<number>(DEFAULT_PREFERENCES.seconds);
  /** Seen only while held. */
  readonly hold = signal(DEFAULT_PREFERENCES.hold);
  /** Whether this side decides each time that somebody asks to see one. */
  readonly ask = signal(DEFAULT_PREFERENCES.ask);
  /** Text of the watermark; empty = date, time and words of the session. */
  readonly mark = signal("");
  /** Whether large pictures are sent as they are. */
  readonly fullSize = signal(DEFAULT_PREFERENCES.fullSize);
  readonly #preparer: Pick<Decoder, "prepare">;
  #queue: Promise<void> = Promise.resolve();
  readonly #preparing = signal(false);
  readonly #problem = signal<PickProblem | null>(null);

  constructor(preparer: Pick<Decoder, "prepare">) {
    this.#preparer = preparer;
  }

  get preparing(): ReadonlySignal<boolean> {
    return this.#preparing;
  }

  /** What was wrong with the last file that was wrong; `null` since the last choice that was fine. */
  get problem(): ReadonlySignal<PickProblem | null> {
    return this.#problem;
  }

  /** The rules that are chosen now. */
  get rules(): ViewRules {
    return {
      seconds: this.seconds.peek(),
      hold: this.hold.peek(),
      mark: this.mark.peek().trim(),
      ask: this.ask.peek(),
    };
  }

  /** Prepares files, after those that were chosen before, and hands each good one on. */
  pick(
    files: readonly File[],
    take: (content: OutgoingContent) => void | Promise<void>,
  ): Promise<void> {
    if (files.length === 0) return Promise.resolve();
    this.#preparing.value = true;
    this.#problem.value = null;
    const run = this.#queue.then(async () => {
      for (const file of files) await this.#pickOne(file, take);
    }).finally(() => {
      if (settled === this.#queue) this.#preparing.value = false;
    });
    // Whatever became of this choice, the next one is worked on.
    const settled = run.catch(() => {});
    this.#queue = settled;
    return run;
  }

  /** Says that a file can't be sent, e.g. because the session is full. */
  refuse(problem: PickProblem): void {
    this.#problem.value = problem;
  }

  /** Forgets what was wrong. */
  clear(): void {
    this.#problem.value = null;
  }

  /** Prepares one file as things are chosen now. Throws `ImageError`. */
  prepare(file: Blob, edits: Edits = UNTOUCHED): Promise<Prepared> {
    const fullSize = this.fullSize.peek();
    return this.#preparer.prepare(file, { thumbnailSide: THUMBNAIL_SIDE, fullSize, edits });
  }

  async #pickOne(
    file: File,
    take: (content: OutgoingContent) => void | Promise<void>,
  ): Promise<void> {
    try {
      const prepared = await this.prepare(file);
      await take({ name: file.name, prepared, rules: this.rules });
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
      this.refuse({ reason: error.reason, name: file.name });
    }
  }
}
