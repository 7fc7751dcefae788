/**
 * Turns chosen files into pictures that can be sent, and reports each file that can't.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { type ReadonlySignal, signal } from "@preact/signals";
import { DEFAULT_RULES, type ViewRules } from "../protocol/display_options.ts";
import { ImageError, type ImageErrorReason } from "../image/errors.ts";
import type { Decoder } from "../image/decoder.ts";
import { type Edits, UNTOUCHED } from "../image/edits.ts";
import { mayBePicture } from "../image/glance.ts";
import type { Prepared } from "../image/prepared.ts";
import type { OutgoingContent } from "../pictures/outgoing_list.ts";

/** Longest side of a thumbnail in device pixels. */
const THUMBNAIL_SIDE = 640;

/** The viewing times to choose from, in seconds; 0 = until closed. */
export const VIEW_SECONDS = [3, 5, 10, 30, 60, 0] as const;

/** A file that can't be sent. */
export interface PickProblem {
  readonly reason: ImageErrorReason | "too_many";
  readonly name: string;
}

/** Receives the pictures. */
export interface Taker {
  /**
   * Takes a picture, or a promise of one. Returns false if it is not wanted; then it is not
   * prepared.
   */
  take(content: OutgoingContent): boolean | Promise<boolean>;
  /** A promised picture could not be prepared; {@linkcode Picker.problems} has the reason. */
  lose(coming: Promise<Prepared>): void;
}

/** A chosen file that is being checked. */
interface Candidate {
  readonly file: File;
  readonly name: string;
  /**
   * Promised to the taker before it is prepared; `null` if the first bytes don't look like a
   * picture.
   */
  readonly coming: PromiseWithResolvers<Prepared> | null;
}

/** Prepares pictures, one after the other: decoding two at once would double the memory. */
export class Picker {
  /** The rules that are chosen now. */
  readonly rules = signal<ViewRules>(DEFAULT_RULES);
  /** Whether large pictures are sent in full size. */
  readonly fullSize = signal(false);
  readonly #preparer: Pick<Decoder, "prepare">;
  #queue: Promise<void> = Promise.resolve();
  /** Number of `pick` calls in progress. */
  #picks = 0;
  readonly #preparing = signal(false);
  readonly #problems = signal<readonly PickProblem[]>([]);

  constructor(preparer: Pick<Decoder, "prepare">) {
    this.#preparer = preparer;
  }

  get preparing(): ReadonlySignal<boolean> {
    return this.#preparing;
  }

  /** Problems with the files of the last choice, in the order in which they were found. */
  get problems(): ReadonlySignal<readonly PickProblem[]> {
    return this.#problems;
  }

  /**
   * Hands the taker a promise for each file that looks like a picture at once, so that nobody waits
   * for the preparation. Then prepares the files, after those that were chosen earlier. Settles
   * once each is prepared or refused.
   */
  async pick(files: readonly File[], taker: Taker): Promise<void> {
    if (files.length === 0) return;
    // Problems of a choice still in progress stay.
    if (this.#picks === 0) this.clear();
    this.#picks++;
    this.#preparing.value = true;
    try {
      const candidates: Candidate[] = [];
      // Unexpected errors are thrown after everything else of this choice was processed.
      const errors: unknown[] = [];
      const report = (error: unknown) => void errors.push(error);
      for (const file of files) {
        await this.#lookAt(file, taker).then((found) => candidates.push(...found), report);
      }
      await (this.#queue = this.#queue.then(async () => {
        for (const candidate of candidates) {
          await this.#prepareFor(candidate, taker).catch(report);
        }
      }));
      if (errors.length > 0) throw errors[0];
    } finally {
      this.#picks--;
      this.#preparing.value = this.#picks > 0;
    }
  }

  /** Reports that a file can't be sent, e.g. because the session is full. */
  refuse(problem: PickProblem): void {
    this.#problems.value = [...this.#problems.peek(), problem];
  }

  /** Clears the reported problems. */
  clear(): void {
    this.#problems.value = [];
  }

  /** Prepares one file with the current settings. Throws `ImageError`. */
  prepare(file: Blob, edits: Edits = UNTOUCHED): Promise<Prepared> {
    const fullSize = this.fullSize.peek();
    return this.#preparer.prepare(file, { thumbnailSide: THUMBNAIL_SIDE, fullSize, edits });
  }

  /** Returns an empty list if the taker does not want the picture. */
  async #lookAt(file: File, taker: Taker): Promise<Candidate[]> {
    const { name } = file;
    if (!await mayBePicture(file)) return [{ file, name, coming: null }];
    const coming = Promise.withResolvers<Prepared>();
    // The taker hears of a failure through `lose`.
    coming.promise.catch(() => {});
    const taken = await taker.take({ name, prepared: coming.promise, rules: this.rules.peek() });
    return taken ? [{ file, name, coming }] : [];
  }

  async #prepareFor({ file, name, coming }: Candidate, taker: Taker): Promise<void> {
    try {
      const prepared = await this.prepare(file);
      if (coming !== null) return coming.resolve(prepared);
      const taken = await taker.take({ name, prepared, rules: this.rules.peek() });
      if (!taken) prepared.thumbnail.close();
    } catch (error) {
      this.refuse({ reason: error instanceof ImageError ? error.reason : "crashed", name });
      if (coming !== null) {
        coming.reject(error);
        taker.lose(coming.promise);
      }
      if (!(error instanceof ImageError)) throw error;
    }
  }
}
