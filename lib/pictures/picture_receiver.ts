/**
 * Collects the pictures that the peer sends, as ciphertext, and decrypts one once its key is there.
 * It knows nothing of people, screens or time.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { type Bytes, fromBase64Url } from "../protocol/bytes.ts";
import type { MetaMessage } from "../protocol/control.ts";
import { PROGRESS_MS } from "../protocol/deadlines.ts";
import { parseHeader, RECORD } from "../protocol/record.ts";
import { ImageOpener } from "../e2e/image_stream.ts";
import { ProtocolError, sha256, wipe } from "../e2e/suite.ts";
import { inspectImage } from "../image/inspect.ts";
import type { Position } from "../connection/secure_link.ts";

/**
 * Most chunks that may arrive before their `meta`: 16 MiB. The two channels are not ordered
 * relative to each other, and a lost packet on one lets the other run ahead.
 */
const MAX_EARLY_RECORDS = 256;

/** The current picture, and one that is sent ahead of it. */
const MAX_PICTURES = 2;

/** A picture being received: its ciphertext, and what that has to match. */
export interface Reception {
  readonly meta: MetaMessage;
  /** Bytes that have arrived. */
  readonly received: number;
  /** All of it has arrived, as it was sent. */
  readonly whole: boolean;
}

/** A {@linkcode Reception} in progress. */
interface Receiving extends Reception {
  readonly opener: ImageOpener;
  /** `null` before it arrived, and after it was compared. */
  digest: Bytes | null;
  whole: boolean;
}

/** What happens to pictures that are received. */
export interface ReceiverEvents {
  /** Chunks that arrived before are collected afterwards. */
  readonly onAnnounced: (reception: Reception) => void;
  readonly onProgress: (n: number, received: number) => void;
  readonly onWhole: (n: number) => void;
  /** It did not arrive as it was sent. */
  readonly onCorrupt: (n: number) => void;
}

/** Receives one picture at a time. The next one may arrive ahead once all of the first is here. */
export class PictureReceiver {
  readonly #events: ReceiverEvents;
  readonly #receptions = new Map<number, Receiving>();
  /** The number that has to be announced next; `null` after a reload until the peer sends it. */
  #next: number | null = 0;
  #early: Bytes[] = [];
  #progressAt = 0;

  constructor(events: ReceiverEvents) {
    this.#events = events;
  }

  /** The picture that was announced last, if it was not dropped. */
  get newest(): Reception | null {
    return this.#receptions.get((this.#next ?? 0) - 1) ?? null;
  }

  /** Picture `n`; `null` if it was dropped. Throws {@linkcode ProtocolError} if it is unknown. */
  find(n: number): Reception | null {
    if (this.#next === null || n >= this.#next) throw new ProtocolError();
    return this.#receptions.get(n) ?? null;
  }

  /**
   * The next chunk that is expected once the transport is another one. Discards chunks that arrived
   * before their `meta`.
   */
  position(): Position {
    this.#early = [];
    for (const { meta, opener } of this.#receptions.values()) {
      if (!opener.complete) return { image: meta.n, chunk: opener.next };
    }
    return { image: this.#next ?? 0, chunk: 0 };
  }

  /** Forgets all pictures. */
  clear(): void {
    for (const n of [...this.#receptions.keys()]) this.drop(n);
    this.#early = [];
  }

  /** Forgets everything. The peer has to say which number it announces next. */
  restart(): void {
    this.clear();
    this.#next = null;
  }

  /**
   * Sets the number that the peer announces next. Throws {@linkcode ProtocolError} if it is already
   * known.
   */
  expect(next: number): void {
    if (this.#next !== null) throw new ProtocolError();
    this.#next = next;
  }

  /** A picture is announced. Throws {@linkcode ProtocolError} if it is not its turn. */
  async announce(meta: MetaMessage, plaintext: Bytes): Promise<void> {
    const { n, size } = meta;
    const before = [...this.#receptions.values()];
    const mayCome = before.length < MAX_PICTURES && before.every(({ whole }) => whole);
    if (n !== this.#next || !mayCome) throw new ProtocolError();
    const metaHash = await sha256(plaintext);
    const opener = new ImageOpener({ image: n, size, metaHash });
    const reception: Receiving = {
      meta,
      opener,
      get received() {
        return opener.received;
      },
      digest: null,
      whole: false,
    };
    this.#receptions.set(n, reception);
    this.#next = n + 1;
    this.#events.onAnnounced(reception);
    const early = this.#early;
    this.#early = [];
    for (const record of early) this.#collect(reception, record);
  }

  /** Takes a chunk record. Throws {@linkcode ProtocolError}. */
  receive(record: Bytes): void {
    const header = parseHeader(record);
    if (header === null || header.type !== RECORD.chunk) throw new ProtocolError();
    if (this.#next === null || header.image === this.#next) {
      if (this.#early.length >= MAX_EARLY_RECORDS) throw new ProtocolError();
      this.#early.push(record);
      return;
    }
    if (header.image > this.#next) throw new ProtocolError();
    // Other chunks belong to a picture that was taken back while it was being sent.
    const reception = this.#receptions.get(header.image);
    if (reception !== undefined) this.#collect(reception, record);
  }

  /** The digest of picture `n`. Throws {@linkcode ProtocolError} if that is unknown. */
  async end(n: number, digest: string): Promise<void> {
    this.find(n);
    const reception = this.#receptions.get(n);
    if (reception === undefined) return;
    reception.digest = fromBase64Url(digest);
    await this.#completeWhenWhole(reception);
  }

  /**
   * Decrypts picture `n`, which the caller has to wipe. Throws {@linkcode ProtocolError} if it is
   * not what was announced.
   */
  async open(n: number, key: Bytes): Promise<Bytes> {
    const reception = this.#receptions.get(n);
    if (reception === undefined) throw new ProtocolError();
    const { opener, meta } = reception;
    const bytes = await opener.open(key);
    const facts = inspectImage(bytes);
    if (
      !facts.ok || facts.type !== meta.type || facts.width !== meta.w || facts.height !== meta.h
    ) {
      wipe(bytes);
      throw new ProtocolError();
    }
    return bytes;
  }

  /** Forgets picture `n`. Idempotent. */
  drop(n: number): void {
    this.#receptions.get(n)?.opener.discard();
    this.#receptions.delete(n);
  }

  #collect(reception: Receiving, record: Bytes): void {
    const { opener, meta: { n } } = reception;
    opener.add(record);
    const now = performance.now();
    if (now - this.#progressAt >= PROGRESS_MS) {
      this.#progressAt = now;
      this.#events.onProgress(n, opener.received);
    }
    // The digest may have arrived before the last chunk.
    if (opener.complete) this.#completeWhenWhole(reception);
  }

  async #completeWhenWhole(reception: Receiving): Promise<void> {
    const { opener, digest, meta: { n } } = reception;
    if (digest === null || !opener.complete) return;
    reception.digest = null;
    const matches = await opener.matches(digest);
    if (reception !== this.#receptions.get(n)) return;
    if (!matches) return this.#events.onCorrupt(n);
    reception.whole = true;
    this.#events.onWhole(n);
  }
}
