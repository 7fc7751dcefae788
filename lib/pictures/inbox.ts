/**
 * The pictures that the peer sends, as a person sees them: one after the other, opened at their
 * request, shown, and wiped.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { batch, type ReadonlySignal, signal } from "@preact/signals";
import { type Bytes, fromBase64Url } from "../protocol/bytes.ts";
import type {
  AbortCode,
  ClosedReason,
  LastSeen,
  MetaMessage,
  ViewerRequest,
} from "../protocol/control.ts";
import { keyMs, lookMs, NEXT_DELAY_MS } from "../protocol/deadlines.ts";
import { ProtocolError, wipe } from "../e2e/suite.ts";
import type { PictureScreen } from "../viewer/picture_screen.ts";
import type { Position, SecureLink } from "../connection/secure_link.ts";
import { type Incoming, type IncomingEvent, isFinished, transition } from "./incoming.ts";
import { PeerDeadline } from "./open_deadline.ts";
import { PictureReceiver, type Reception } from "./picture_receiver.ts";
import { say } from "./say.ts";

/**
 * Interval in ms at which a picture that nobody looked at is closed after all, once its owner's
 * page answers again and can hear of it.
 */
const ANSWER_MS = 1_000;

/** One picture of the peer, as the page shows it. */
export interface IncomingPicture {
  readonly meta: MetaMessage;
  readonly state: Incoming;
  /** What was asked for, and its owner has not granted. */
  readonly request: ViewerRequest | null;
}

/** Settings of an {@linkcode Inbox}. */
export interface InboxOptions {
  readonly link: SecureLink;
  /** Whether the peer answers: it can be too late only while it does. */
  readonly answers: () => boolean;
  /** Where pictures are shown. */
  readonly screen: Pick<PictureScreen, "prepare" | "show" | "extend" | "close" | "clear">;
  /** The watermark if the sender set none. */
  readonly defaultMark: string;
  /** Called after each change of the picture's state, except for progress. */
  readonly onChange: (picture: IncomingPicture) => void;
  /**
   * Called when a picture is opened, shown or closed, with what a reloaded page would have to
   * report about it.
   */
  readonly onSeen?: (seen: Seen) => void;
}

/**
 * What became of the picture that was opened last. `since` is when it appeared on screen, by the
 * wall clock.
 */
export interface Seen extends LastSeen {
  readonly since?: number;
}

/** Shows pictures. People look at one at a time; the next one may arrive ahead, as ciphertext. */
export class Inbox {
  readonly #options: InboxOptions;
  readonly #receiver: PictureReceiver;
  /** For the owner, who has to release the key; then for the viewer, who has to look. */
  readonly #deadline: PeerDeadline;
  readonly #picture = signal<IncomingPicture | null>(null);
  #link: SecureLink | null;
  #last: LastSeen | undefined;
  #pause: ReturnType<typeof setTimeout> | undefined;

  constructor(options: InboxOptions) {
    this.#options = options;
    this.#link = options.link;
    this.#deadline = new PeerDeadline(options.answers);
    this.#receiver = new PictureReceiver({
      onAnnounced: (reception) => this.#announced(reception),
      onProgress: (n, received) => {
        if (n === this.#current) this.#apply({ type: "progress", received });
      },
      onWhole: (n) => {
        if (n !== this.#current || this.#apply({ type: "complete" })) {
          say(this.#link, { t: "got", n });
        }
      },
      onCorrupt: (n) => this.#corrupt(n),
    });
  }

  /** The current picture, or the last one once it is finished; `null` before the first. */
  get picture(): ReadonlySignal<IncomingPicture | null> {
    return this.#picture;
  }

  /** True when no picture is being received or shown. */
  get idle(): boolean {
    return this.#current === null && this.#ahead === null;
  }

  /** What became of the picture that was opened last. */
  get last(): LastSeen | undefined {
    return this.#last;
  }

  /** The number of the current picture; `null` once it is finished. */
  get #current(): number | null {
    const picture = this.#picture.peek();
    return picture === null || isFinished(picture.state) ? null : picture.meta.n;
  }

  /** A picture that is not the current one yet. */
  get #ahead(): Reception | null {
    const { newest } = this.#receiver;
    return newest?.meta.n === this.#current ? null : newest;
  }

  /** The viewer asked to see the picture. */
  open(): void {
    const picture = this.#picture.peek();
    if (picture === null) return;
    const { n, view } = picture.meta;
    if (!this.#apply({ type: "open", ask: view.ask })) return;
    this.#note({ n, why: "left", ms: 0 });
    say(this.#link, { t: "open", n });
    this.#deadline.set(keyMs(view), () => this.#failed("timeout"));
  }

  /** Where the peer has to go on once the transport is another one. */
  position(): Position {
    return this.#receiver.position();
  }

  /**
   * One of the pages was reloaded. The secure link has ended, the picture on screen is closed, and
   * pictures that were not opened are gone. On the next one their owner sends the number to
   * continue with ({@linkcode Inbox.expect}). If this page is the reloaded one, `last` is what it
   * knew before.
   */
  detach(last = this.#last): void {
    this.#options.screen.close("left");
    this.#apply({ type: "over" });
    this.#receiver.restart();
    this.#link = null;
    this.#last = last;
  }

  /** Continues over another secure link. */
  attach(link: SecureLink): void {
    this.#link = link;
  }

  /** Sets the number that the peer announces next, see {@linkcode PictureReceiver.expect}. */
  expect(next: number): void {
    this.#receiver.expect(next);
  }

  /** The viewer asks for something; once, until the owner granted it. */
  request(request: ViewerRequest): void {
    const picture = this.#picture.peek();
    if (picture?.state.at !== "viewing" || picture.request !== null) return;
    if (picture.meta.view.seconds === 0) return;
    this.#picture.value = { ...picture, request };
    say(this.#link, { t: request, n: picture.meta.n });
  }

  /** Wipes the picture on screen, or cancels the one being opened. */
  close(why: ClosedReason): void {
    if (this.#options.screen.close(why)) return;
    if (this.#picture.peek()?.state.at === "opening") this.#closed(why, 0);
  }

  /** The session is over: nothing of any picture is kept. Idempotent. */
  end(): void {
    this.close("left");
    this.#apply({ type: "over" });
    clearTimeout(this.#pause);
    this.#receiver.clear();
    this.#link = null;
  }

  /** Takes a chunk record. Throws {@linkcode ProtocolError}. */
  receiveRecord(record: Bytes): void {
    this.#receiver.receive(record);
  }

  /** A picture is announced. Throws {@linkcode ProtocolError} if it is not its turn. */
  async announced(meta: MetaMessage, plaintext: Bytes): Promise<void> {
    // The owner's page has already waited for this pause. It takes longer on this page if this page
    // is hidden or busy.
    if (this.#pause !== undefined && this.#ahead !== null) this.#goOn();
    await this.#receiver.announce(meta, plaintext);
  }

  /** All of picture `n` was sent. Throws {@linkcode ProtocolError}. */
  async ended(n: number, digest: string): Promise<void> {
    await this.#receiver.end(n, digest);
  }

  /**
   * The key of picture `n`. Decrypts and decodes without blocking further messages: a burn in
   * between must not wait. Throws {@linkcode ProtocolError}.
   */
  unlock(n: number, key: string): void {
    if (!this.#isCurrent(n)) return;
    const raw = fromBase64Url(key);
    const meta = this.#picture.peek()?.meta;
    if (raw === null || meta === undefined || !this.#apply({ type: "unlock" })) {
      throw new ProtocolError();
    }
    this.#deadline.set(lookMs(meta.view), () => this.#giveUp(), ANSWER_MS);
    this.#show(meta, raw).catch((error) => {
      // Taken back meanwhile; the next picture is unaffected.
      if (n !== this.#current) return;
      this.#failed(error instanceof ProtocolError ? "corrupt" : "undecodable");
    });
  }

  /**
   * The owner took back picture `n`, or all of them (`null`). Throws {@linkcode ProtocolError} for
   * an unknown one.
   */
  revoked(n: number | null): void {
    const ahead = this.#ahead?.meta.n;
    if (ahead !== undefined && (n === null || n === ahead)) this.#receiver.drop(ahead);
    if (n !== null && (n === ahead || !this.#isCurrent(n))) return;
    const picture = this.#picture.peek();
    if (picture?.state.at === "viewing") return this.close("revoked");
    if (picture === null || !this.#apply({ type: "revoke" })) return;
    // The key may have arrived already, so the owner waits for a report.
    if (picture.state.at !== "opening") return;
    say(this.#link, { t: "closed", n: picture.meta.n, why: "revoked", ms: 0 });
  }

  /** The owner granted more time, in seconds. Throws {@linkcode ProtocolError}. */
  extended(n: number, seconds: number): void {
    const picture = this.#picture.peek();
    if (!this.#isCurrent(n) || picture === null) return;
    if (this.#options.screen.extend(seconds)) this.#picture.value = { ...picture, request: null };
  }

  #announced(reception: Reception): void {
    // If a picture was closed a moment ago, people see that first.
    if (this.#current === null && this.#pause === undefined) this.#begin(reception);
  }

  #begin({ meta, received, whole }: Reception): void {
    this.#options.screen.prepare(meta.type);
    const state = whole ? { at: "delivered" } as const : { at: "receiving", received } as const;
    const picture = { meta, state, request: null };
    this.#picture.value = picture;
    this.#options.onChange(picture);
  }

  /** A moment after a picture was closed: moves on to the next one, if it is here. */
  #goOn(): void {
    clearTimeout(this.#pause);
    this.#pause = undefined;
    const ahead = this.#ahead;
    if (ahead !== null) this.#begin(ahead);
  }

  /** The picture did not arrive as it was sent. */
  #corrupt(n: number): void {
    if (n === this.#current) return this.#failed("corrupt");
    this.#receiver.drop(n);
    say(this.#link, { t: "abort", code: "corrupt", n });
  }

  async #show(meta: MetaMessage, key: Bytes): Promise<void> {
    const { n, type, view } = meta;
    const bytes = await this.#receiver.open(n, key);
    // Burned or left meanwhile: the picture is not decoded.
    if (n !== this.#current) return wipe(bytes);
    await this.#options.screen.show(bytes, {
      type,
      rules: { ...view, mark: view.mark || this.#options.defaultMark },
      onPainted: (still) => {
        if (!this.#apply({ type: "painted" })) return;
        this.#deadline.clear();
        this.#note({ n, why: "left", ms: 0, since: Date.now() });
        say(this.#link, { t: "shown", n, ...(still ? { still } : {}) });
      },
      onClosed: (why, ms) => this.#closed(why, ms),
    });
  }

  /** Nobody looked: closes it before its owner gives it up, unless it is still being decoded. */
  #giveUp(): void {
    this.#options.screen.close("timer");
  }

  #closed(why: ClosedReason, ms: number): void {
    const n = this.#picture.peek()?.meta.n;
    if (n === undefined || !this.#apply({ type: "closed", why, ms })) return;
    this.#note({ n, why, ms });
    say(this.#link, { t: "closed", n, why, ms });
  }

  #failed(code: AbortCode): void {
    const n = this.#picture.peek()?.meta.n;
    if (n === undefined || !this.#apply({ type: "fail", code })) return;
    say(this.#link, { t: "abort", code, n });
  }

  #note(seen: Seen): void {
    const { n, why, ms } = seen;
    this.#last = { n, why, ms };
    this.#options.onSeen?.(seen);
  }

  /**
   * False if picture `n` is finished. Throws {@linkcode ProtocolError} if it is unknown, or not the
   * current one yet: such a picture can only be ended or taken back.
   */
  #isCurrent(n: number): boolean {
    this.#receiver.find(n);
    if (n === this.#ahead?.meta.n) throw new ProtocolError();
    return n === this.#current;
  }

  #apply(event: IncomingEvent): boolean {
    const picture = this.#picture.peek();
    const state = picture === null ? null : transition(picture.state, event);
    if (picture === null || state === null) return false;
    const next = { ...picture, state };
    // The page hears of the end after the picture was wiped.
    batch(() => {
      this.#picture.value = next;
      if (isFinished(state)) this.#finish(next);
    });
    if (state.at !== picture.state.at) this.#options.onChange(next);
    return true;
  }

  #finish({ meta }: IncomingPicture): void {
    this.#deadline.clear();
    this.#receiver.drop(meta.n);
    this.#options.screen.clear();
    clearTimeout(this.#pause);
    this.#pause = setTimeout(() => this.#goOn(), NEXT_DELAY_MS);
  }
}
