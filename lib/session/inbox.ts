/**
 * The pictures that the other side sends, one after the other: collected as ciphertext, opened on a human's word,
 * shown, wiped.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { type ReadonlySignal, signal } from "@preact/signals";
import { type Bytes, fromBase64Url } from "../protocol/bytes.ts";
import type { AbortCode, ClosedReason, ControlMessage, MetaMessage } from "../protocol/control.ts";
import { parseHeader, RECORD } from "../protocol/record.ts";
import type { OpenedControl } from "../e2e/control_record.ts";
import { ImageOpener } from "../e2e/image_stream.ts";
import { ProtocolError, sha256, wipe } from "../e2e/suite.ts";
import type { Decoder } from "../image/decoder.ts";
import { inspectImage } from "../image/inspect.ts";
import type { SecureLink } from "../net/secure_link.ts";
import { type Incoming, type IncomingEvent, isFinished, transition } from "./incoming.ts";
import { Viewing, type ViewingState } from "./viewing.ts";

/**
 * Chunks that may come before their `meta`: the two channels are not ordered against each other, and a lost packet
 * on one lets the other run ahead. 16 MiB.
 */
const MAX_EARLY_RECORDS = 256;

/** How long the owner's software may take to release a key, in milliseconds. */
const KEY_TIMEOUT_MS = 15_000;

/** Progress is published at most this often, in milliseconds. */
const PROGRESS_MS = 100;

/** One picture of the other side, as the page shows it. */
export interface IncomingPicture {
  readonly meta: MetaMessage;
  readonly state: Incoming;
  /** There while it is on screen. */
  readonly viewing: ReadonlySignal<ViewingState> | null;
}

/** What an inbox needs. */
export interface InboxOptions {
  readonly link: SecureLink;
  readonly decoder: Pick<Decoder, "decode">;
  /** The watermark where the sender gave none. */
  readonly defaultMark: string;
  /** Called after each change of the picture's state. */
  readonly onChange: (picture: IncomingPicture) => void;
}

/** Receives pictures; at most one is unfinished at any time. */
export class Inbox {
  readonly #options: InboxOptions;
  #link: SecureLink | null;
  readonly #picture = signal<IncomingPicture | null>(null);
  #opener: ImageOpener | null = null;
  #next = 0;
  #digest: Bytes | null = null;
  #keyUsed = false;
  #early: Bytes[] = [];
  /** Decoded, and not on the canvas yet. */
  #bitmap: ImageBitmap | null = null;
  #viewing: Viewing | null = null;
  #progressAt = 0;
  /** Stops decoding when the picture is finished. */
  #decoding = new AbortController();
  #keyTimer: ReturnType<typeof setTimeout> | undefined;
  #canvas = Promise.withResolvers<HTMLCanvasElement>();

  constructor(options: InboxOptions) {
    this.#options = options;
    this.#link = options.link;
  }

  /** The picture that came last, or `null` before the first. */
  get picture(): ReadonlySignal<IncomingPicture | null> {
    return this.#picture;
  }

  /** True when no picture is under way. */
  get idle(): boolean {
    const picture = this.#picture.peek();
    return picture === null || isFinished(picture.state);
  }

  /** A human asked to see the picture. */
  open(): void {
    const picture = this.#picture.peek();
    if (picture === null || !this.#apply({ type: "open" })) return;
    this.#say({ t: "open", n: picture.meta.n });
    this.#keyTimer = setTimeout(() => this.#failed("timeout"), KEY_TIMEOUT_MS);
  }

  /** The page put the canvas there (or, with `null`, took it away). */
  setCanvas(canvas: HTMLCanvasElement | null): void {
    if (canvas === null) this.#canvas = Promise.withResolvers();
    else this.#canvas.resolve(canvas);
  }

  /** Wipes the picture that is on screen, or drops the one on its way. */
  close(why: ClosedReason): void {
    if (this.#viewing !== null) return this.#viewing.close(why);
    if (this.#picture.peek()?.state.at === "opening") this.#closed(why, 0);
  }

  /** The session is over: nothing of any picture is kept. Idempotent. */
  end(): void {
    this.close("left");
    this.#apply({ type: "over" });
    this.#early = [];
    this.#link = null;
  }

  /**
   * Takes what the owner says about his pictures. Returns false for messages that are not about them. Throws
   * {@linkcode ProtocolError}.
   */
  async receive({ message, plaintext }: OpenedControl): Promise<boolean> {
    switch (message.t) {
      case "meta":
        await this.#announced(message, plaintext);
        return true;
      case "end":
        if (this.#isCurrent(message.n)) {
          this.#digest = fromBase64Url(message.digest);
          await this.#completeWhenWhole();
        }
        return true;
      case "key":
        plaintext.fill(0);
        if (this.#isCurrent(message.n)) this.#unlock(message.key);
        return true;
      case "revoke":
        if ("all" in message || this.#isCurrent(message.n)) this.#revoked();
        return true;
      case "extend":
        if (this.#isCurrent(message.n)) this.#viewing?.extend(message.seconds);
        return true;
      default:
        return false;
    }
  }

  /** Takes a chunk record. Throws {@linkcode ProtocolError}. */
  receiveRecord(record: Bytes): void {
    const header = parseHeader(record);
    if (header === null || header.type !== RECORD.chunk) throw new ProtocolError();
    if (header.image === this.#next) {
      if (this.#early.length >= MAX_EARLY_RECORDS) throw new ProtocolError();
      this.#early.push(record);
    } else if (header.image > this.#next) {
      throw new ProtocolError();
    } else if (header.image === this.#picture.peek()?.meta.n && !this.idle) {
      this.#collect(record);
    }
    // What is left belongs to a picture that was taken back while it was on its way.
  }

  async #announced(meta: MetaMessage, plaintext: Bytes): Promise<void> {
    if (!this.idle || meta.n !== this.#next) throw new ProtocolError();
    const metaHash = await sha256(plaintext);
    this.#opener = new ImageOpener({ image: meta.n, size: meta.size, metaHash });
    this.#next++;
    this.#digest = null;
    this.#keyUsed = false;
    this.#publish({ meta, state: { at: "receiving", received: 0 }, viewing: null });
    const early = this.#early;
    this.#early = [];
    for (const record of early) this.#collect(record);
  }

  #collect(record: Bytes): void {
    const opener = this.#opener;
    if (opener === null) throw new ProtocolError();
    opener.add(record);
    const now = performance.now();
    if (now - this.#progressAt >= PROGRESS_MS) {
      this.#progressAt = now;
      this.#apply({ type: "progress", received: opener.received });
    }
    // A digest that came before the last chunk was waiting for it.
    if (opener.complete) this.#completeWhenWhole();
  }

  async #completeWhenWhole(): Promise<void> {
    const opener = this.#opener;
    const digest = this.#digest;
    const n = this.#picture.peek()?.meta.n;
    if (opener === null || digest === null || n === undefined || !opener.complete) return;
    this.#digest = null;
    const whole = await opener.matches(digest);
    if (opener !== this.#opener) return;
    if (!whole) return this.#failed("corrupt");
    if (this.#apply({ type: "complete" })) this.#say({ t: "got", n });
  }

  /** Decrypts and decodes beside the receiving of further messages: a burn in between must not wait. */
  #unlock(key: string): void {
    const opener = this.#opener;
    const picture = this.#picture.peek();
    const raw = fromBase64Url(key);
    if (opener === null || picture?.state.at !== "opening" || raw === null || this.#keyUsed) {
      throw new ProtocolError();
    }
    this.#keyUsed = true;
    clearTimeout(this.#keyTimer);
    this.#show(opener, raw, picture.meta).catch((error) => {
      // Taken back meanwhile; the next picture has nothing to do with it.
      if (opener !== this.#opener) return;
      this.#failed(error instanceof ProtocolError ? "corrupt" : "undecodable");
    });
  }

  async #show(opener: ImageOpener, key: Bytes, meta: MetaMessage): Promise<void> {
    const bytes = await opener.open(key);
    const facts = inspectImage(bytes);
    if (
      !facts.ok || facts.type !== meta.type || facts.width !== meta.w || facts.height !== meta.h
    ) {
      wipe(bytes);
      throw new ProtocolError();
    }
    // Burned or left meanwhile: then it is not decoded, or never painted.
    if (opener !== this.#opener) return wipe(bytes);
    const { signal } = this.#decoding = new AbortController();
    const size = screenSize();
    const bitmap = await this.#options.decoder.decode(bytes, meta.type, { ...size, signal });
    if (opener !== this.#opener) return bitmap.close();
    this.#bitmap = bitmap;
    const canvas = await this.#canvas.promise;
    if (opener !== this.#opener) return;
    this.#bitmap = null;
    const viewing = this.#viewing = new Viewing({
      canvas,
      bitmap,
      seconds: meta.view.seconds,
      mark: meta.view.mark === "" ? this.#options.defaultMark : meta.view.mark,
      onPainted: () => {
        if (this.#apply({ type: "painted" })) this.#say({ t: "shown", n: meta.n });
      },
      onClosed: (why, ms) => this.#closed(why, ms),
    });
    const picture = this.#picture.peek();
    if (picture !== null) this.#publish({ ...picture, viewing: viewing.state });
  }

  #closed(why: ClosedReason, ms: number): void {
    const n = this.#picture.peek()?.meta.n;
    if (n === undefined) return;
    if (this.#apply({ type: "closed", why, ms })) this.#say({ t: "closed", n, why, ms });
  }

  #revoked(): void {
    if (this.#picture.peek()?.state.at === "viewing") return this.close("revoked");
    const n = this.#picture.peek()?.meta.n;
    const opening = this.#picture.peek()?.state.at === "opening";
    if (!this.#apply({ type: "revoke" }) || n === undefined) return;
    // The key may be here already: the owner waits for a word on what became of it.
    if (opening) this.#say({ t: "closed", n, why: "revoked", ms: 0 });
  }

  #failed(code: AbortCode): void {
    const n = this.#picture.peek()?.meta.n;
    if (n === undefined || !this.#apply({ type: "fail", code })) return;
    this.#say({ t: "abort", code, n });
  }

  #isCurrent(n: number): boolean {
    if (n >= this.#next) throw new ProtocolError();
    return this.#picture.peek()?.meta.n === n && !this.idle;
  }

  #apply(event: IncomingEvent): boolean {
    const picture = this.#picture.peek();
    const state = picture === null ? null : transition(picture.state, event);
    if (picture === null || state === null) return false;
    if (isFinished(state)) {
      clearTimeout(this.#keyTimer);
      this.#decoding.abort();
      this.#opener?.discard();
      this.#opener = null;
      this.#bitmap?.close();
      this.#bitmap = null;
      const viewing = this.#viewing;
      this.#viewing = null;
      viewing?.close("left");
    }
    this.#publish({ ...picture, state, viewing: isFinished(state) ? null : picture.viewing });
    return true;
  }

  #publish(picture: IncomingPicture): void {
    this.#picture.value = picture;
    this.#options.onChange(picture);
  }

  #say(message: ControlMessage): void {
    this.#link?.sendControl(message).catch(() => {
      // The link is gone: its end is reported by itself.
    });
  }
}

/** The screen in device pixels, either way up: no bitmap has to be larger, and smaller ones leave less in memory. */
function screenSize(): { maxWidth: number; maxHeight: number } {
  const side = Math.ceil(Math.max(screen.width, screen.height) * devicePixelRatio);
  return { maxWidth: side, maxHeight: side };
}
