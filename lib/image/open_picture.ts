/**
 * The picture on screen, inside the picture worker: holds its bytes, and renders any part of it at
 * any size.
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
 * Larger pictures are decoded again for each part: 16 megapixels take 64 MB, and phones can't spare
 * much more. Decoding 24 takes a tenth of a second.
 */
const KEPT_PIXELS = 16_800_000;

/** The bytes of one picture, until {@linkcode OpenPicture.close}. */
export class OpenPicture {
  readonly #source: OpenRequest["source"];
  readonly #type: OpenRequest["type"];
  #facts: ImageFacts | null = null;
  /** The decoded picture, kept for the next part, and the number of eighths it was decoded to. */
  #kept: { readonly raw: Raw; readonly eighths: number } | null = null;
  #size: readonly [width: number, height: number] = [0, 0];
  #closed = false;

  /** Takes ownership of the bytes: they are zeroed at the end. */
  constructor({ source, type }: Pick<OpenRequest, "source" | "type">) {
    this.#source = source;
    this.#type = type;
  }

  /**
   * Decodes the whole picture. Throws `ImageError`: any reason of `inspectImage`, `undecodable`,
   * `aborted`; it is closed then.
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
    // The page has checked it already, but this is the last check before a decoder written in C++.
    const facts = inspectImage(this.#source);
    if (!facts.ok) throw new ImageError(facts.reason);
    if (facts.type !== this.#type) throw new ImageError("undecodable");
    this.#facts = facts;
    const told = uprightSize(facts);
    const [wanted] = fitWithin(told, bounds);
    const eighths = eighthsFor(wanted / told[0]);
    const raw = await this.#decode(eighths);
    // Some formats are rotated in ways that only a decoder knows. A JPEG is not, and its decoded
    // size may be only a few eighths of its own.
    const size = facts.type === "image/jpeg" ? told : rawSize(raw);
    this.#size = size;
    // Most people never zoom: keep no more pixels than the screen has.
    const bitmap = paintWhole(raw, size, fitWithin(size, bounds));
    return { bitmap, width: size[0], height: size[1], wide: raw.wide };
  }

  /** Renders one part. Throws `ImageError`: `undecodable`, `aborted`. */
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
   * Zeroes the bytes and closes the decoded bitmap, at once; a decoding in progress closes its own
   * when it is done. Idempotent.
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
    // Two decoded pictures at once would be too much for some devices.
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
