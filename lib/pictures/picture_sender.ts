/**
 * Sends pictures over the secure link: announces, reads, seals and sends the one that is due, and
 * keeps its key until it is released or destroyed.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { type Bytes, toBase64Url } from "../protocol/bytes.ts";
import type { MetaMessage } from "../protocol/control.ts";
import { PROGRESS_MS } from "../protocol/deadlines.ts";
import {
  MAX_ALT_LENGTH,
  MAX_CAPTION_LENGTH,
  MAX_MARK_LENGTH,
  MAX_NAME_LENGTH,
} from "../protocol/limits.ts";
import { CHUNK_SIZE, chunkCount, RECORD_LENGTH } from "../protocol/record.ts";
import { encodeControl } from "../e2e/control_record.ts";
import { ImageSealer } from "../e2e/image_stream.ts";
import { ProtocolError, sha256, wipe } from "../e2e/suite.ts";
import type { Prepared } from "../image/prepared.ts";
import { ChannelClosedError } from "../connection/flow_channel.ts";
import type { Position, SecureLink } from "../connection/secure_link.ts";
import { ChunkReader } from "./chunk_reader.ts";
import { isFinished } from "./outgoing.ts";
import type { OutgoingList, OutgoingPicture } from "./outgoing_list.ts";
import { say } from "./say.ts";

/**
 * How many chunks are sealed ahead of the channel: 1 MiB. On busy cores the engine's crypto threads
 * are late, and a drained channel must never wait for them.
 */
const SEALED_AHEAD = 16;

/** A picture whose content is here. */
type OwnPicture = OutgoingPicture & { readonly prepared: Prepared };

/** A picture that was announced and not finished. */
interface Sealed {
  readonly sealer: ImageSealer;
  readonly abort: AbortController;
}

/** What is left to send of a picture, and what it is sent over. */
interface Rest {
  readonly chunks: ChunkReader;
  /** Bytes that were sent before. */
  readonly sent: number;
  readonly link: SecureLink;
  readonly signal: AbortSignal;
}

/** The announcement of a picture. */
function describe(picture: OwnPicture): MetaMessage {
  const { n, prepared, rules } = picture;
  const { type, size, width, height } = prepared;
  const name = cut(picture.named ? picture.name : "", MAX_NAME_LENGTH);
  const alt = cut(picture.alt, MAX_ALT_LENGTH);
  const caption = cut(picture.caption, MAX_CAPTION_LENGTH);
  return {
    t: "meta",
    n,
    type,
    size,
    w: width,
    h: height,
    view: { ...rules, mark: cut(rules.mark, MAX_MARK_LENGTH) },
    ...(name === "" ? {} : { name }),
    ...(alt === "" ? {} : { alt }),
    ...(caption === "" ? {} : { caption }),
  };
}

/** Trims and shortens a text, without leaving half a surrogate pair at its end. */
function cut(text: string, length: number): string {
  return text.trim().slice(0, length).replace(/[\ud800-\udbff]$/, "");
}

/**
 * Sends one picture at a time. The next one is sent as soon as the current one is delivered, and
 * waits on the viewer's page, unreadable.
 */
export class PictureSender {
  readonly #list: OutgoingList;
  #link: SecureLink | null = null;
  /** By number: the current picture, and the one sent ahead. */
  readonly #sealed = new Map<number, Sealed>();
  /** The last picture that was sent completely. */
  #whole = -1;
  /** The next picture, which is already being read. */
  #readAhead: { readonly blob: Blob; readonly chunks: ChunkReader } | null = null;
  /** The transfer in progress: what stops it, and a promise of its end. */
  #job: { readonly stop: AbortController; readonly done: Promise<void> } | null = null;
  #progressAt = 0;

  constructor(list: OutgoingList) {
    this.#list = list;
  }

  /** True if all of picture `n` was sent. */
  wasSent(n: number): boolean {
    return n <= this.#whole;
  }

  /** Starts sending over a bound secure link. */
  attach(link: SecureLink): void {
    this.#link = link;
    this.pump();
  }

  /** The secure link has ended. The next one begins with picture `next`, under a new key. */
  detach(next: number): void {
    this.#link = null;
    this.#job?.stop.abort();
    this.#job = null;
    for (const n of [...this.#sealed.keys()]) this.finish(n);
    this.#whole = next - 1;
  }

  /** Destroys the key of a picture that is finished, and stops sending it. Idempotent. */
  finish(n: number): void {
    const sealed = this.#sealed.get(n);
    this.#sealed.delete(n);
    sealed?.abort.abort();
    sealed?.sealer.destroy();
  }

  /** Nothing more is sent. Idempotent. */
  end(): void {
    this.#link = null;
    this.#stopReading();
  }

  /** Sends the key of picture `n`. Throws {@linkcode ProtocolError} if it has none. */
  async releaseKey(n: number): Promise<void> {
    const sealer = this.#sealed.get(n)?.sealer;
    const link = this.#link;
    if (sealer === undefined || link === null) throw new ProtocolError();
    const key = sealer.exportKey();
    try {
      wipe(await link.sendControl({ t: "key", n, key: toBase64Url(key) }));
    } finally {
      wipe(key);
      sealer.destroy();
    }
  }

  /**
   * The secure link moved to another transport, and the viewer expects this chunk: sends everything
   * from there on again. Throws {@linkcode ProtocolError} if the chunk was never sent.
   */
  async resume({ image, chunk }: Position): Promise<void> {
    while (this.#job !== null) {
      this.#job.stop.abort();
      await this.#job.done;
    }
    const link = this.#link;
    const picture = this.#list.pictures.peek().find(({ state }) => state.at === "sending");
    const sealer = picture === undefined ? undefined : this.#sealed.get(picture.n)?.sealer;
    if (link === null || sealer === undefined || !picture?.prepared) return;
    const { n, prepared: { blob, size } } = picture;
    const all = chunkCount(size);
    const from = image > n ? all : image === n ? Math.min(chunk, all) : 0;
    sealer.rewind(from);
    this.#begin(n, async (signal) => {
      const chunks = new ChunkReader(blob.slice(from * CHUNK_SIZE));
      await this.#sendRest(n, { chunks, sent: Math.min(size, from * CHUNK_SIZE), link, signal });
    });
  }

  /** Sends the picture that is due, or reads it ahead while there is no secure link. */
  pump(): void {
    const next = this.#due();
    const prepared = next === null || next.editing ? null : next.prepared;
    const ahead = this.#readAhead;
    if (ahead !== null && ahead.blob !== prepared?.blob) this.#stopReading();
    if (this.#job !== null || next === null || prepared === null) return;
    const link = this.#link;
    const { blob } = prepared;
    if (link !== null) {
      return this.#begin(next.n, (signal) => this.#send({ ...next, prepared }, link, signal));
    }
    if (this.#readAhead?.blob !== blob) this.#readAhead = { blob, chunks: new ChunkReader(blob) };
  }

  /**
   * The picture to send now: the first unfinished one, or the one after it once that is delivered.
   */
  #due(): OutgoingPicture | null {
    const [first, second] = this.#list.pictures.peek().slice(this.#list.first);
    if (first?.state.at === "queued") return first;
    const received = first !== undefined && first.state.at !== "sending";
    return received && second?.state.at === "queued" ? second : null;
  }

  #stopReading(): void {
    this.#readAhead?.chunks.cancel();
    this.#readAhead = null;
  }

  /** Runs a transfer until it is done or stopped. */
  #begin(n: number, send: (signal: AbortSignal) => Promise<void>): void {
    const stop = new AbortController();
    const job = {
      stop,
      done: send(stop.signal).catch((error) => {
        // Errors after a stop are not the file's fault.
        if (!stop.signal.aborted) this.#sendFailed(n, error);
      }).finally(() => {
        if (this.#job !== job) return;
        this.#job = null;
        this.pump();
      }),
    };
    this.#job = job;
  }

  async #send(picture: OwnPicture, link: SecureLink, signal: AbortSignal): Promise<void> {
    const { n, prepared: { size, blob } } = picture;
    this.#list.apply(n, { type: "progress", sent: 0 });
    const meta = describe(picture);
    const announced = link.sendControl(meta);
    const ahead = this.#readAhead;
    const chunks = ahead?.blob === blob ? ahead.chunks : new ChunkReader(blob);
    this.#readAhead = null;
    // Not awaited here: chunks may overtake the announcement, and the viewer waits for whatever is
    // missing.
    const metaHash = await sha256(encodeControl(meta));
    const sealer = await ImageSealer.create({ image: n, size, metaHash });
    if (signal.aborted || isFinished(this.#list.pictures.peek()[n]?.state ?? { at: "burned" })) {
      chunks.cancel();
      return sealer.destroy();
    }
    this.#sealed.set(n, { sealer, abort: new AbortController() });
    await Promise.all([announced, this.#sendRest(n, { chunks, sent: 0, link, signal })]);
  }

  /** Sends the remaining chunks, and then, once per picture, the `end` message. */
  async #sendRest(n: number, rest: Rest): Promise<void> {
    const sealed = this.#sealed.get(n);
    const size = this.#list.pictures.peek()[n]?.prepared?.size;
    if (sealed === undefined || size === undefined) return rest.chunks.cancel();
    const { sealer, abort } = sealed;
    const signal = AbortSignal.any([abort.signal, rest.signal]);
    await this.#sendChunks({ ...rest, n, size, sealer, signal });
    const digest = toBase64Url(await sealer.finish());
    if (signal.aborted || this.wasSent(n)) return;
    this.#whole = n;
    await rest.link.sendControl({ t: "end", n, digest });
  }

  /**
   * Reads, seals and sends chunks. The three overlap, so that the channel never waits for the other
   * two.
   */
  async #sendChunks(
    { n, size, chunks, sealer, link, signal, sent: before }: Rest & {
      readonly n: number;
      readonly size: number;
      readonly sealer: ImageSealer;
    },
  ): Promise<void> {
    let sent = before;
    const sealed: Promise<Bytes>[] = [];
    // A channel copies what it sends, so its buffer can hold the next record at once.
    const free = Array.from({ length: SEALED_AHEAD + 1 }, () => new Uint8Array(RECORD_LENGTH));
    const sendOne = async () => {
      const record = await sealed.shift();
      if (record === undefined) return;
      await link.sendRecord(record, signal);
      // What was stopped in the last moment must not count for the next transfer.
      signal.throwIfAborted();
      free.push(new Uint8Array(record.buffer));
      sent = Math.min(size, sent + CHUNK_SIZE);
      this.#progress(n, sent);
    };
    for await (const chunk of chunks) {
      signal.throwIfAborted();
      sealed.push(sealer.seal(chunk, free.pop()));
      if (sealed.length > SEALED_AHEAD) await sendOne();
    }
    while (sealed.length > 0) await sendOne();
  }

  #progress(n: number, sent: number): void {
    const now = performance.now();
    if (now - this.#progressAt < PROGRESS_MS) return;
    this.#progressAt = now;
    this.#list.apply(n, { type: "progress", sent });
  }

  #sendFailed(n: number, error: unknown): void {
    const aborted = error instanceof DOMException && error.name === "AbortError";
    if (aborted || error instanceof ChannelClosedError) return;
    // The file can't be read any more: takes the announcement back and continues with the next one.
    say(this.#link, { t: "revoke", n });
    this.#list.apply(n, { type: "unreadable" });
  }
}
