/**
 * The pictures that this side sends, one after the other: announced, sealed, sent, and released or destroyed.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { type ReadonlySignal, signal } from "@preact/signals";
import { type Bytes, toBase64Url } from "../protocol/bytes.ts";
import type { ControlMessage, ViewRules } from "../protocol/control.ts";
import { MAX_IMAGES } from "../protocol/limits.ts";
import { CHUNK_SIZE, RECORD_LENGTH } from "../protocol/record.ts";
import { encodeControl } from "../e2e/control_record.ts";
import { ImageSealer } from "../e2e/image_stream.ts";
import { ProtocolError, sha256, wipe } from "../e2e/suite.ts";
import type { Prepared } from "../image/prepare.ts";
import { ChannelClosedError } from "../net/flow_channel.ts";
import type { SecureLink } from "../net/secure_link.ts";
import { ChunkReader } from "./chunk_reader.ts";
import { isFinished, isOpen, type Outgoing, type OutgoingEvent, transition } from "./outgoing.ts";

/**
 * How many chunks are sealed ahead of the channel, 1 MiB: on busy cores the engine's crypto threads come late, and a
 * channel that drained must never wait for them.
 */
const SEALED_AHEAD = 16;

/** Progress is published at most this often, in milliseconds: each time costs the page a render. */
const PROGRESS_MS = 100;

/** Between the end of one picture and the next, in milliseconds: both people see that one was closed. */
const NEXT_DELAY_MS = 400;

/** How much longer than it may be seen a picture may be open without a word from its viewer, in milliseconds. */
const OVERDUE_MS = 10_000;

/** How long a viewer's software may take from the key to the first frame, in milliseconds: a slow phone, 40 megapixels. */
const UNLOCK_MS = 30_000;

/** One picture of this side, as the page shows it. */
export interface OutgoingPicture {
  readonly n: number;
  /** The file's name, for this page only. */
  readonly name: string;
  readonly prepared: Prepared;
  readonly rules: ViewRules;
  readonly state: Outgoing;
}

/** What to send. */
export interface OutgoingContent {
  readonly name: string;
  readonly prepared: Prepared;
  readonly rules: ViewRules;
}

/** The session can't take more pictures. */
export class OutboxFullError extends Error {
  override readonly name = "OutboxFullError";

  constructor() {
    super(`Cannot add picture: a session has at most ${MAX_IMAGES}`);
  }
}

/** The event that a control message means for one of our pictures; `null` for messages about something else. */
function toEvent(message: ControlMessage): (OutgoingEvent & { readonly n: number }) | null {
  switch (message.t) {
    case "got":
    case "open":
    case "shown":
      return { type: message.t, n: message.n };
    case "closed":
      return { type: "closed", n: message.n, why: message.why, ms: message.ms };
    case "abort":
      return message.n === undefined ? null : { type: "abort", n: message.n, code: message.code };
    default:
      return null;
  }
}

/** Sends pictures in order, the next one when the one before is finished. */
export class Outbox {
  readonly #pictures = signal<readonly OutgoingPicture[]>([]);
  readonly #onChange: (picture: OutgoingPicture) => void;
  #link: SecureLink | null = null;
  /** The picture on its way or with the viewer. */
  #current:
    | { readonly n: number; readonly sealer: ImageSealer; readonly abort: AbortController }
    | null = null;
  /** When the key of the current picture was released, by the clock on the wall: it goes on while a machine sleeps. */
  #openedAt = 0;
  /** Whether everything was taken back. */
  #burned = false;
  /** The last picture that was sent to its end. */
  #whole: number | null = null;
  /** The picture that is next, being read already. */
  #readAhead: { readonly n: number; readonly chunks: ChunkReader } | null = null;
  #pumping = false;
  #ended = false;
  #progressAt = 0;
  #overdue: ReturnType<typeof setTimeout> | undefined;

  /** `onChange` is called after each change of a picture's state. */
  constructor(onChange: (picture: OutgoingPicture) => void) {
    this.#onChange = onChange;
  }

  /** All pictures, in order. */
  get pictures(): ReadonlySignal<readonly OutgoingPicture[]> {
    return this.#pictures;
  }

  /** True when no picture is left that something could still happen to. */
  get done(): boolean {
    return this.#pictures.peek().every((picture) => isFinished(picture.state));
  }

  /** Adds a picture; one that comes after the end is `unseen` at once. Throws {@linkcode OutboxFullError}. */
  add(content: OutgoingContent): void {
    const pictures = this.#pictures.peek();
    if (pictures.length >= MAX_IMAGES) throw new OutboxFullError();
    const state = { at: this.#ended ? "unseen" : "queued" } as const;
    const picture = { ...content, n: pictures.length, state };
    this.#pictures.value = [...pictures, picture];
    this.#onChange(picture);
    this.#pump();
  }

  /** Changes the rules of all pictures that were not announced yet. */
  setRules(rules: ViewRules): void {
    this.#pictures.value = this.#pictures.peek().map((picture) =>
      picture.state.at === "queued" ? { ...picture, rules } : picture
    );
  }

  /** Starts to send over a bound link. */
  attach(link: SecureLink): void {
    this.#link = link;
    this.#pump();
  }

  /**
   * Takes what the viewer says about our pictures. Returns false for messages that are not about them. Throws
   * {@linkcode ProtocolError} for a receipt of something that did not happen.
   */
  async receive(message: ControlMessage): Promise<boolean> {
    const event = toEvent(message);
    if (event === null) return false;
    const { n } = event;
    // A receipt may have crossed our own burn: then there is nothing left to change.
    const known = this.#pictures.peek()[n];
    if (known !== undefined && isFinished(known.state)) return true;
    // Nobody has all of what was not sent to its end.
    if (event.type === "got" && this.#whole !== n) throw new ProtocolError();
    // "Burned" would be this side's own deed.
    const claimsBurn = event.type === "closed" && event.why === "revoked";
    if (claimsBurn && !this.#burned) throw new ProtocolError();
    if (!this.#apply(n, this.#plausible(event))) throw new ProtocolError();
    if (event.type === "open") {
      this.#openedAt = Date.now();
      await this.#release(n);
    }
    return true;
  }

  /** Nobody has seen a picture for longer than its key was out. */
  #plausible(event: OutgoingEvent): OutgoingEvent {
    if (event.type !== "closed") return event;
    const most = Math.max(0, Date.now() - this.#openedAt);
    return { ...event, ms: Math.min(event.ms, most) };
  }

  /**
   * Takes everything back: keys that are not released are destroyed, what is open is wiped by the viewer's software,
   * whose report the caller may wait for ({@linkcode Outbox.open}).
   */
  burn(): void {
    this.#burned = true;
    this.#link?.sendControl({ t: "revoke", all: true }).catch(() => {});
    this.#applyAll({ type: "burn" });
  }

  /** True while a picture is with the viewer, readable. */
  get open(): boolean {
    return this.#pictures.peek().some((picture) => isOpen(picture.state));
  }

  /** The session is over: nothing is sent any more, unreleased keys are destroyed. Idempotent. */
  end(): void {
    this.#ended = true;
    this.#link = null;
    this.#readAhead?.chunks.cancel();
    this.#readAhead = null;
    this.#applyAll({ type: "over" });
  }

  /** Hands out what nobody has seen, for another session, and frees the rest. */
  takeUnseen(): readonly OutgoingPicture[] {
    this.end();
    const unseen = this.#pictures.peek().filter(({ state }) => state.at === "unseen");
    this.#pictures.value = [];
    return unseen;
  }

  #apply(n: number, event: OutgoingEvent): boolean {
    const pictures = this.#pictures.peek();
    const picture = pictures[n];
    if (picture === undefined) return false;
    const state = transition(picture.state, event);
    if (state === null) return false;
    if (state === picture.state) return true;
    const next = { ...picture, state };
    this.#pictures.value = pictures.with(n, next);
    this.#watch(next);
    // Only what may be sent again is still shown.
    if (isFinished(state) && state.at !== "unseen") picture.prepared.thumbnail.close();
    if (isFinished(state) && this.#current?.n === n) {
      this.#current.abort.abort();
      this.#current.sealer.destroy();
      this.#current = null;
    }
    this.#onChange(next);
    if (isFinished(state)) setTimeout(() => this.#pump(), NEXT_DELAY_MS);
    return true;
  }

  /** An open picture has to be reported closed in time: what nobody hears of is unconfirmed, not "being looked at". */
  #watch({ n, state, rules }: OutgoingPicture): void {
    if (this.#current?.n !== n) return;
    clearTimeout(this.#overdue);
    const wait = state.at === "opened"
      ? UNLOCK_MS
      : state.at === "shown" && rules.seconds > 0
      ? rules.seconds * 1_000 + OVERDUE_MS
      : null;
    if (wait !== null) {
      this.#overdue = setTimeout(() => {
        // Its viewer may only be slow: then his software still hears that it is over.
        this.#link?.sendControl({ t: "revoke", n }).catch(() => {});
        this.#apply(n, { type: "overdue" });
      }, wait);
    }
  }

  #applyAll(event: OutgoingEvent): void {
    for (const { n } of this.#pictures.peek()) this.#apply(n, event);
  }

  async #release(n: number): Promise<void> {
    const current = this.#current;
    const link = this.#link;
    if (current?.n !== n || link === null) throw new ProtocolError();
    const key = current.sealer.exportKey();
    try {
      wipe(await link.sendControl({ t: "key", n, key: toBase64Url(key) }));
    } finally {
      wipe(key);
      current.sealer.destroy();
    }
  }

  #pump(): void {
    const link = this.#link;
    const next = this.#pictures.peek().find((picture) => !isFinished(picture.state));
    if (this.#pumping || next?.state.at !== "queued") return;
    if (link === null) {
      this.#readAhead ??= { n: next.n, chunks: new ChunkReader(next.prepared.blob) };
      return;
    }
    this.#pumping = true;
    this.#send(next, link).finally(() => {
      this.#pumping = false;
      this.#pump();
    });
  }

  async #send(picture: OutgoingPicture, link: SecureLink): Promise<void> {
    const { n, prepared, rules } = picture;
    const { type, size, width, height, blob } = prepared;
    this.#apply(n, { type: "progress", sent: 0 });
    try {
      // Without the file's name: it often says more than the picture, and nobody asked for it.
      const meta = { t: "meta", n, type, size, w: width, h: height, view: rules } as const;
      const announced = link.sendControl(meta);
      const chunks = this.#readAhead?.n === n ? this.#readAhead.chunks : new ChunkReader(blob);
      this.#readAhead = null;
      // Chunks may overtake it: the viewer waits for what is missing, so there is no need to wait here.
      const metaHash = await sha256(encodeControl(meta));
      const sealer = await ImageSealer.create({ image: n, size, metaHash });
      const abort = new AbortController();
      if (isFinished(this.#pictures.peek()[n]?.state ?? { at: "burned" })) {
        chunks.cancel();
        return sealer.destroy();
      }
      this.#current = { n, sealer, abort };
      await Promise.all([
        announced,
        this.#sendChunks(chunks, { n, size, sealer, link, signal: abort.signal }),
      ]);
      const digest = toBase64Url(await sealer.finish());
      if (abort.signal.aborted) return;
      this.#whole = n;
      await link.sendControl({ t: "end", n, digest });
    } catch (error) {
      this.#sendFailed(n, error);
    }
  }

  /** Reads, seals and sends; the three overlap, so that the channel never waits for the other two. */
  async #sendChunks(
    chunks: ChunkReader,
    job: { n: number; size: number; sealer: ImageSealer; link: SecureLink; signal: AbortSignal },
  ): Promise<void> {
    const { n, size, sealer, link, signal } = job;
    const sealed: Promise<Bytes>[] = [];
    // A channel copies what it is given: its buffer can take the next record at once.
    const free = Array.from({ length: SEALED_AHEAD + 1 }, () => new Uint8Array(RECORD_LENGTH));
    let sent = 0;
    const sendOne = async () => {
      const record = await sealed.shift();
      if (record === undefined) return;
      await link.sendRecord(record, signal);
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
    this.#apply(n, { type: "progress", sent });
  }

  #sendFailed(n: number, error: unknown): void {
    const aborted = error instanceof DOMException && error.name === "AbortError";
    if (aborted || error instanceof ChannelClosedError) return;
    // The file can't be read any more: take the announcement back, and go on with the next one.
    this.#link?.sendControl({ t: "revoke", n }).catch(() => {});
    this.#apply(n, { type: "unreadable" });
  }
}
