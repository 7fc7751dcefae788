/**
 * The picture that is on screen, inside the picture worker: its bytes, from which every part is
 * made in the size that is wanted.
 *
 * This module is browser compatible.
 *
 * @module
 */
import {
  decodeRaw,
  eighthsFor,
  fitWithin,
  paintPart,
  paintWhole,
  type Raw,
  rawSize,
  uprightSize,
} from "./decode.ts";
import type { Bounds, Opened, OpenRequest, View } from "./decode_messages.ts";
import { ImageError } from "./errors.ts";
import { type ImageFacts, inspectImage } from "./inspect.ts";

/**
 * Larger ones are decoded anew for each part: 16 megapixels take 64 MB, and what phones can spare
 * is not much more. Decoding 24 takes a tenth of a second.
 */
const KEPT_PIXELS = 16_800_000;

/** Bytes of one picture, until {@linkcode OpenPicture.close}. */
export class OpenPicture {
  readonly #source: OpenRequest["source"];
  readonly #type: OpenRequest["type"];
  #facts: ImageFacts | null = null;
  /** What was decoded for the part that was asked for last, and to how many eighths. */
  #kept: { readonly raw: Raw; readonly eighths: number } | null = null;
  #size: readonly [width: number, height: number] = [0, 0];
  #closed = false;

  /** Takes the bytes over: they are zeroed in the end. */
  constructor({ source, type }: Pick<OpenRequest, "source" | "type">) {
    this.#source = source;
    this.#type = type;
  }

  /**
   * Decodes all of it. Throws `ImageError`: whatever inspection says, `undecodable`, `aborted`; it
   * is closed then.
   */
  async open(bounds: Bounds): Promise<Opened> {
    try {
      return await this.#open(bounds);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  async #open(bounds: Bounds): Promise<Opened> {
    // The page has looked before, but this is the last line before a decoder written in C++.
    const facts = inspectImage(this.#source);
    if (!facts.ok) throw new ImageError(facts.reason);
    if (facts.type !== this.#type) throw new ImageError("undecodable");
    this.#facts = facts;
    const told = uprightSize(facts);
    const [wanted] = fitWithin(told, bounds);
    const eighths = eighthsFor(wanted / told[0]);
    const raw = await this.#decode(eighths);
    // Some formats turn in ways that only a decoder knows; JPEG, the one that is decoded to
    // eighths, is none of them.
    const size = facts.type === "image/jpeg" ? told : rawSize(raw);
    this.#size = size;
    // Most people never zoom: nothing of more pixels than the screen has is kept for them.
    const bitmap = paintWhole(raw, size, fitWithin(size, bounds));
    return { bitmap, width: size[0], height: size[1], wide: raw.wide };
  }

  /** Makes one part. Throws `ImageError`: `undecodable`, `aborted`. */
  async render({ region, width, height }: View): Promise<ImageBitmap> {
    if (this.#closed) throw new ImageError("aborted");
    const eighths = this.#facts?.type === "image/jpeg"
      ? eighthsFor(Math.max(width / region.width, height / region.height))
      : 8;
    const raw = await this.#keep(eighths);
    try {
      return paintPart(raw, { of: this.#size, region, width, height });
    } finally {
      if (raw !== this.#kept?.raw) raw.bitmap.close();
    }
  }

  /**
   * Zeroes the bytes and closes what was made of them, at once; what is being made is closed when
   * it is there. Idempotent.
   */
  close(): void {
    this.#closed = true;
    this.#source.fill(0);
    this.#drop();
  }

  #drop(): void {
    this.#kept?.raw.bitmap.close();
    this.#kept = null;
  }

  async #keep(eighths: number): Promise<Raw> {
    if (this.#kept !== null && this.#kept.eighths >= eighths) return this.#kept.raw;
    // Two at once would be too much for some.
    this.#drop();
    const raw = await this.#decode(eighths);
    const { width, height } = raw.bitmap;
    if (width * height <= KEPT_PIXELS) this.#kept = { raw, eighths };
    return raw;
  }

  async #decode(eighths: number): Promise<Raw> {
    const facts = this.#facts;
    if (facts === null) throw new ImageError("aborted");
    const raw = await decodeRaw({ source: this.#source, facts, eighths });
    if (!this.#closed) return raw;
    raw.bitmap.close();
    throw new ImageError("aborted");
  }
}
