/**
 * The pictures that the peer sends, one after the other: collected as ciphertext, opened at a
 * person's request, shown, and wiped.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { type ReadonlySignal, signal } from "@preact/signals";
import { type Bytes, fromBase64Url } from "../protocol/bytes.ts";
import type {
  AbortCode,
  ClosedReason,
  ControlMessage,
  ImageType,
  LastSeen,
  MetaMessage,
} from "../protocol/control.ts";
import { keyMs, lookMs } from "../protocol/deadlines.ts";
import { parseHeader, RECORD } from "../protocol/record.ts";
import type { OpenedControl } from "../e2e/control_record.ts";
import { ImageOpener } from "../e2e/image_stream.ts";
import { ProtocolError, sha256, wipe } from "../e2e/suite.ts";
import { type Animator, canAnimate } from "../image/animator.ts";
import type { Decoder, OpenPicture } from "../image/decoder.ts";
import { inspectImage } from "../image/inspect.ts";
import { isMoving } from "../image/motion.ts";
import type { Position, SecureLink } from "../connection/secure_link.ts";
import { PeerDeadline } from "./open_deadline.ts";
import { type Incoming, type IncomingEvent, isFinished, transition } from "./incoming.ts";
import { type Moving, Viewing, type ViewingState } from "../viewer/viewing.ts";

/**
 * Most chunks that may arrive before their `meta`: 16 MiB. The two channels are not ordered
 * relative to each other, and a lost packet on one lets the other run ahead.
 */
const MAX_EARLY_RECORDS = 256;

/**
 * Pause between the end of one picture and the next, in ms, so that people see that one was closed.
 */
const NEXT_DELAY_MS = 400;

/**
 * Interval in ms at which a picture that nobody looked at is closed after all, once the owner's
 * page answers again and can hear of it.
 */
const ANSWER_MS = 1_000;

/** Minimum interval between updates of the progress, in ms. */
const PROGRESS_MS = 100;

/** One picture of the peer, as the page shows it. */
export interface IncomingPicture {
  readonly meta: MetaMessage;
  readonly state: Incoming;
  /** Set while it is on screen. */
  readonly viewing: ReadonlySignal<ViewingState> | null;
  /** More time was requested, and not granted yet. */
  readonly wished: boolean;
}

/** A picture being received: its ciphertext, and what that has to match. */
interface Reception {
  readonly meta: MetaMessage;
  readonly opener: ImageOpener;
  /** `null` before it arrived, and after it was compared. */
  digest: Bytes | null;
  /** All of it has arrived, as it was sent. */
  whole: boolean;
}

/** Settings of an {@linkcode Inbox}. */
export interface InboxOptions {
  readonly link: SecureLink;
  /** Whether the peer answers: it can be too late only while it does. */
  readonly answers: () => boolean;
  readonly decoder: Pick<Decoder, "open">;
  /** Makes the player of animated pictures. Without it, only the first frame is shown. */
  readonly animator?: () => Animator;
  /** The watermark if the sender set none. */
  readonly defaultMark: string;
  /** Called after each change of the picture's state. */
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

/**
 * Receives pictures. People look at one at a time; the next one may arrive ahead, as ciphertext.
 */
export class Inbox {
  readonly #options: InboxOptions;
  #link: SecureLink | null;
  readonly #picture = signal<IncomingPicture | null>(null);
  /** The current picture; `null` once it is finished. */
  #current: Reception | null = null;
  #ahead: Reception | null = null;
  /** The number that has to be announced next; `null` after a reload until the peer sends it. */
  #next: number | null = 0;
  #last: LastSeen | undefined;
  #keyUsed = false;
  #promotion: ReturnType<typeof setTimeout> | undefined;
  #early: Bytes[] = [];
  /** The decoded picture, before it is on the canvas. */
  #opened: OpenPicture | null = null;
  #viewing: Viewing | null = null;
  /** Set for a picture that may be animated. */
  #animator: Animator | null = null;
  #progressAt = 0;
  /** Stops decoding when the picture is finished. */
  #decoding = new AbortController();
  /** For the owner, who has to release the key; then for the viewer, who has to look. */
  readonly #deadline: PeerDeadline;
  #canvas = Promise.withResolvers<HTMLCanvasElement>();

  constructor(options: InboxOptions) {
    this.#options = options;
    this.#link = options.link;
    this.#deadline = new PeerDeadline(options.answers);
  }

  /** The current picture, or the last one once it is finished; `null` before the first. */
  get picture(): ReadonlySignal<IncomingPicture | null> {
    return this.#picture;
  }

  /** True when no picture is being received or shown. */
  get idle(): boolean {
    return this.#current === null && this.#ahead === null;
  }

  /** The viewer asked to see the picture. */
  open(): void {
    const picture = this.#picture.peek();
    if (picture === null) return;
    const { n, view } = picture.meta;
    if (!this.#apply({ type: "open", ask: view.ask })) return;
    this.#note({ n, why: "left", ms: 0 });
    this.#say({ t: "open", n });
    this.#deadline.set(keyMs(view), () => this.#failed("timeout"));
  }

  /**
   * The transport is gone. Returns the next chunk that is expected, and discards chunks that
   * arrived before their `meta`.
   */
  position(): Position {
    this.#early = [];
    for (const reception of [this.#current, this.#ahead]) {
      if (reception !== null && !reception.opener.complete) {
        return { image: reception.meta.n, chunk: reception.opener.next };
      }
    }
    return { image: this.#next ?? 0, chunk: 0 };
  }

  /** What became of the picture that was opened last. */
  get last(): LastSeen | undefined {
    return this.#last;
  }

  /**
   * One of the pages was reloaded. The secure link has ended, the picture on screen is closed, and
   * pictures that were not opened are gone. On the next one their owner sends the number to
   * continue with ({@linkcode Inbox.expect}). If this page is the reloaded one, `last` is what it
   * knew before.
   */
  detach(last = this.#last): void {
    this.#viewing?.close("left");
    this.#apply({ type: "over" });
    this.#dropAhead();
    this.#early = [];
    this.#link = null;
    this.#next = null;
    this.#last = last;
  }

  /** Continues over another secure link. */
  attach(link: SecureLink): void {
    this.#link = link;
  }

  /**
   * Sets the number that the peer announces next. Throws {@linkcode ProtocolError} if it is already
   * known.
   */
  expect(next: number): void {
    if (this.#next !== null) throw new ProtocolError();
    this.#next = next;
  }

  /**
   * The viewer would like more time for the picture on screen. Sent once, until the owner grants
   * some.
   */
  wish(): void {
    const picture = this.#picture.peek();
    if (picture?.state.at !== "viewing" || picture.wished) return;
    if (picture.meta.view.seconds === 0) return;
    this.#publish({ ...picture, wished: true });
    this.#say({ t: "more", n: picture.meta.n });
  }

  /** The page added the canvas, or removed it (`null`). */
  setCanvas(canvas: HTMLCanvasElement | null): void {
    if (canvas === null) this.#canvas = Promise.withResolvers();
    else this.#canvas.resolve(canvas);
  }

  /** Wipes the picture on screen, or cancels the one being opened. */
  close(why: ClosedReason): void {
    if (this.#viewing !== null) return this.#viewing.close(why);
    if (this.#picture.peek()?.state.at === "opening") this.#closed(why, 0);
  }

  /** The session is over: nothing of any picture is kept. Idempotent. */
  end(): void {
    this.close("left");
    this.#apply({ type: "over" });
    clearTimeout(this.#promotion);
    this.#dropAhead();
    this.#early = [];
    this.#link = null;
  }

  /**
   * Takes the owner's message about their pictures. Returns false for other messages. Throws
   * {@linkcode ProtocolError}.
   */
  async receive({ message, plaintext }: OpenedControl): Promise<boolean> {
    switch (message.t) {
      case "meta":
        await this.#announced(message, plaintext);
        return true;
      case "end":
        await this.#ended(message.n, message.digest);
        return true;
      case "key":
        plaintext.fill(0);
        if (this.#isCurrent(message.n)) this.#unlock(message.key);
        return true;
      case "revoke":
        this.#takenBack("all" in message ? null : message.n);
        return true;
      case "extend":
        if (this.#isCurrent(message.n)) this.#extended(message.seconds);
        return true;
      default:
        return false;
    }
  }

  /** Takes a chunk record. Throws {@linkcode ProtocolError}. */
  receiveRecord(record: Bytes): void {
    const header = parseHeader(record);
    if (header === null || header.type !== RECORD.chunk) throw new ProtocolError();
    if (this.#next === null || header.image === this.#next) {
      if (this.#early.length >= MAX_EARLY_RECORDS) throw new ProtocolError();
      this.#early.push(record);
    } else if (header.image > this.#next) {
      throw new ProtocolError();
    } else {
      const reception = this.#find(header.image);
      if (reception !== null) this.#collect(reception, record);
    }
    // Other chunks belong to a picture that was taken back while it was being sent.
  }

  async #announced(meta: MetaMessage, plaintext: Bytes): Promise<void> {
    // The owner's page has already waited for this pause. It takes longer on this page if this page
    // is hidden or busy.
    if (this.#promotion !== undefined && this.#ahead !== null) this.#goOn();
    if (!this.#mayAnnounce(meta.n)) throw new ProtocolError();
    const metaHash = await sha256(plaintext);
    const opener = new ImageOpener({ image: meta.n, size: meta.size, metaHash });
    const reception: Reception = { meta, opener, digest: null, whole: false };
    this.#next = meta.n + 1;
    // If a picture was closed a moment ago, people see that first.
    if (this.#current === null && this.#promotion === undefined) this.#begin(reception);
    else this.#ahead = reception;
    const early = this.#early;
    this.#early = [];
    for (const record of early) this.#collect(reception, record);
  }

  /** One picture at a time, and one ahead of it once all of the current one has arrived. */
  #mayAnnounce(n: number): boolean {
    return n === this.#next && this.#ahead === null && this.#current?.whole !== false;
  }

  #begin(reception: Reception): void {
    this.#current = reception;
    this.#keyUsed = false;
    const { meta, opener, whole } = reception;
    // Loads the player while the server is reachable; later it may not be.
    if (meta.type !== "image/jpeg" && canAnimate()) {
      this.#animator = this.#options.animator?.() ?? null;
    }
    const state = whole
      ? { at: "delivered" } as const
      : { at: "receiving", received: opener.received } as const;
    this.#publish({ meta, state, viewing: null, wished: false });
  }

  /** A moment after a picture was closed: moves on to the next one, if it is here. */
  #goOn(): void {
    clearTimeout(this.#promotion);
    this.#promotion = undefined;
    const ahead = this.#ahead;
    this.#ahead = null;
    if (ahead !== null) this.#begin(ahead);
  }

  #dropAhead(): void {
    this.#ahead?.opener.discard();
    this.#ahead = null;
  }

  #find(n: number): Reception | null {
    if (n === this.#current?.meta.n) return this.#current;
    return n === this.#ahead?.meta.n ? this.#ahead : null;
  }

  async #ended(n: number, digest: string): Promise<void> {
    if (!this.#wasAnnounced(n)) throw new ProtocolError();
    const reception = this.#find(n);
    if (reception === null) return;
    reception.digest = fromBase64Url(digest);
    await this.#completeWhenWhole(reception);
  }

  #collect(reception: Reception, record: Bytes): void {
    const { opener } = reception;
    opener.add(record);
    const now = performance.now();
    if (reception === this.#current && now - this.#progressAt >= PROGRESS_MS) {
      this.#progressAt = now;
      this.#apply({ type: "progress", received: opener.received });
    }
    // The digest may have arrived before the last chunk.
    if (opener.complete) this.#completeWhenWhole(reception);
  }

  async #completeWhenWhole(reception: Reception): Promise<void> {
    const { opener, digest, meta: { n } } = reception;
    if (digest === null || !opener.complete) return;
    reception.digest = null;
    const matches = await opener.matches(digest);
    if (reception !== this.#find(n)) return;
    if (!matches) return this.#unusable(reception);
    reception.whole = true;
    if (reception === this.#current && !this.#apply({ type: "complete" })) return;
    this.#say({ t: "got", n });
  }

  /** The picture did not arrive as it was sent. */
  #unusable(reception: Reception): void {
    if (reception === this.#current) return this.#failed("corrupt");
    this.#dropAhead();
    this.#say({ t: "abort", code: "corrupt", n: reception.meta.n });
  }

  #extended(seconds: number): void {
    const picture = this.#picture.peek();
    if (picture === null || this.#viewing?.extend(seconds) !== true) return;
    this.#publish({ ...picture, wished: false });
  }

  /** Decrypts and decodes without blocking further messages: a burn in between must not wait. */
  #unlock(key: string): void {
    const reception = this.#current;
    const raw = fromBase64Url(key);
    const opening = this.#picture.peek()?.state.at === "opening";
    if (reception === null || !opening || raw === null || this.#keyUsed) {
      throw new ProtocolError();
    }
    this.#keyUsed = true;
    this.#deadline.set(lookMs(reception.meta.view), () => this.#giveUp(), ANSWER_MS);
    this.#apply({ type: "unlock" });
    this.#show(reception, raw).catch((error) => {
      // Taken back meanwhile; the next picture is unaffected.
      if (reception !== this.#current) return;
      this.#failed(error instanceof ProtocolError ? "corrupt" : "undecodable");
    });
  }

  async #show(reception: Reception, key: Bytes): Promise<void> {
    const { opener, meta } = reception;
    const bytes = await opener.open(key);
    const facts = inspectImage(bytes);
    if (
      !facts.ok || facts.type !== meta.type || facts.width !== meta.w || facts.height !== meta.h
    ) {
      wipe(bytes);
      throw new ProtocolError();
    }
    // Burned or left meanwhile: the picture is not decoded, or never painted.
    if (reception !== this.#current) return wipe(bytes);
    const { signal } = this.#decoding = new AbortController();
    const bounds = { ...windowSize(), signal };
    const opening = isMoving(bytes, meta.type) ? this.#animate(bytes.slice(), meta.type) : null;
    const opened = await this.#options.decoder.open(bytes, meta.type, bounds);
    if (reception !== this.#current) return drop(opened);
    this.#opened = opened;
    const moving = await opening;
    if (moving === null) this.#endAnimator();
    const canvas = await this.#canvas.promise;
    if (reception !== this.#current) return;
    this.#opened = null;
    const viewing = this.#viewing = new Viewing({
      canvas,
      picture: opened,
      rules: { ...meta.view, mark: meta.view.mark || this.#options.defaultMark },
      moving,
      onPainted: () => {
        if (!this.#apply({ type: "painted" })) return;
        this.#note({ n: meta.n, why: "left", ms: 0, since: Date.now() });
        const still = moving === "still" ? { still: true } as const : {};
        this.#say({ t: "shown", n: meta.n, ...still });
      },
      onClosed: (why, ms) => this.#closed(why, ms),
    });
    const picture = this.#picture.peek();
    if (picture !== null) this.#publish({ ...picture, viewing: viewing.state });
  }

  /** Opens an animated picture and takes over `bytes`; `"still"` if this browser can't play it. */
  async #animate(bytes: Bytes, type: ImageType): Promise<Moving | "still"> {
    const source = this.#animator;
    try {
      if (source === null) return "still";
      return { source, facts: await source.open(bytes, type, screenSize()) };
    } catch {
      return "still";
    } finally {
      // Empty if the buffer was transferred: then `fill` would throw a TypeError.
      if (bytes.length > 0) bytes.fill(0);
    }
  }

  #endAnimator(): void {
    void this.#animator?.wipe();
    this.#animator = null;
  }

  /** Nobody looked: closes it before its owner gives it up, unless it is still being decoded. */
  #giveUp(): void {
    if (this.#picture.peek()?.state.at === "opening") this.#viewing?.close("timer");
  }

  #closed(why: ClosedReason, ms: number): void {
    const n = this.#picture.peek()?.meta.n;
    if (n === undefined) return;
    if (!this.#apply({ type: "closed", why, ms })) return;
    this.#note({ n, why, ms });
    this.#say({ t: "closed", n, why, ms });
  }

  /** The owner took back one picture, or all of them (`null`). */
  #takenBack(n: number | null): void {
    const ahead = this.#ahead?.meta.n;
    if (n === null || n === ahead) this.#dropAhead();
    if (n === null || (n !== ahead && this.#isCurrent(n))) this.#revoked();
  }

  #revoked(): void {
    if (this.#picture.peek()?.state.at === "viewing") return this.close("revoked");
    const n = this.#picture.peek()?.meta.n;
    const opening = this.#picture.peek()?.state.at === "opening";
    if (!this.#apply({ type: "revoke" }) || n === undefined) return;
    // The key may have arrived already, so the owner waits for a report.
    if (opening) this.#say({ t: "closed", n, why: "revoked", ms: 0 });
  }

  #failed(code: AbortCode): void {
    const n = this.#picture.peek()?.meta.n;
    if (n === undefined || !this.#apply({ type: "fail", code })) return;
    this.#say({ t: "abort", code, n });
  }

  #wasAnnounced(n: number): boolean {
    return this.#next !== null && n < this.#next;
  }

  #note(seen: Seen): void {
    const { n, why, ms } = seen;
    this.#last = { n, why, ms };
    this.#options.onSeen?.(seen);
  }

  #isCurrent(n: number): boolean {
    if (!this.#wasAnnounced(n)) throw new ProtocolError();
    // A picture that arrived ahead can only be ended or taken back so far.
    if (n === this.#ahead?.meta.n) throw new ProtocolError();
    return n === this.#current?.meta.n;
  }

  #apply(event: IncomingEvent): boolean {
    const picture = this.#picture.peek();
    const state = picture === null ? null : transition(picture.state, event);
    if (picture === null || state === null) return false;
    if (isFinished(state)) {
      this.#deadline.clear();
      this.#decoding.abort();
      this.#current?.opener.discard();
      this.#current = null;
      if (this.#opened !== null) drop(this.#opened);
      this.#opened = null;
      const viewing = this.#viewing;
      this.#viewing = null;
      viewing?.close("left");
      this.#endAnimator();
      clearTimeout(this.#promotion);
      this.#promotion = setTimeout(() => this.#goOn(), NEXT_DELAY_MS);
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
      // The secure link is gone, and reports its own end.
    });
  }
}

function drop(picture: OpenPicture): void {
  picture.bitmap.close();
  picture.close();
}

/**
 * The size that the picture has to fit into, in most cases. The stage knows the exact size, and
 * requests other pixels if it differs.
 */
function windowSize(): { maxWidth: number; maxHeight: number; maxScale: number } {
  return {
    maxWidth: Math.floor(innerWidth * devicePixelRatio),
    maxHeight: Math.floor(innerHeight * devicePixelRatio),
    maxScale: devicePixelRatio,
  };
}

/**
 * The screen in device pixels, for either orientation. For frames, which are not decoded again when
 * the window changes.
 */
function screenSize(): { maxWidth: number; maxHeight: number } {
  const side = Math.ceil(Math.max(screen.width, screen.height) * devicePixelRatio);
  return { maxWidth: side, maxHeight: side };
}
