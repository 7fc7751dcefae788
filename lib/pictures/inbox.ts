/**
 * The pictures that the other side sends, one after the other: collected as ciphertext, opened on a
 * human's word, shown, wiped.
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
import { parseHeader, RECORD } from "../protocol/record.ts";
import type { OpenedControl } from "../e2e/control_record.ts";
import { ImageOpener } from "../e2e/image_stream.ts";
import { ProtocolError, sha256, wipe } from "../e2e/suite.ts";
import { type Animator, canAnimate } from "../image/animator.ts";
import type { Decoder, OpenPicture } from "../image/decoder.ts";
import { inspectImage } from "../image/inspect.ts";
import { isMoving } from "../image/motion.ts";
import type { Position, SecureLink } from "../connection/secure_link.ts";
import { type Incoming, type IncomingEvent, isFinished, transition } from "./incoming.ts";
import { type Moving, Viewing, type ViewingState } from "../viewer/viewing.ts";

/**
 * Chunks that may come before their `meta`: the two channels are not ordered against each other,
 * and a lost packet on one lets the other run ahead. 16 MiB.
 */
const MAX_EARLY_RECORDS = 256;

/** How long the owner's software may take to release a key, in milliseconds. */
const KEY_TIMEOUT_MS = 15_000;

/** How long an owner who wants to be asked may take to say yes, in milliseconds. */
const ASK_TIMEOUT_MS = 600_000;

/** Between the end of one picture and the next, in milliseconds: people see that one was closed. */
const NEXT_DELAY_MS = 400;

/** Progress is published at most this often, in milliseconds. */
const PROGRESS_MS = 100;

/** One picture of the other side, as the page shows it. */
export interface IncomingPicture {
  readonly meta: MetaMessage;
  readonly state: Incoming;
  /** There while it is on screen. */
  readonly viewing: ReadonlySignal<ViewingState> | null;
  /** More time was asked for, and nothing was heard yet. */
  readonly wished: boolean;
}

/** A picture on its way: ciphertext, and what it has to amount to. */
interface Reception {
  readonly meta: MetaMessage;
  readonly opener: ImageOpener;
  /** `null` before it came, and once it was compared. */
  digest: Bytes | null;
  /** All of it is here, as it was sent. */
  whole: boolean;
}

/** What an inbox needs. */
export interface InboxOptions {
  readonly link: SecureLink;
  readonly decoder: Pick<Decoder, "open">;
  /** Makes what plays pictures that move. Default: of each, only the first frame is shown. */
  readonly animator?: () => Animator;
  /** The watermark where the sender gave none. */
  readonly defaultMark: string;
  /** Called after each change of the picture's state. */
  readonly onChange: (picture: IncomingPicture) => void;
  /**
   * Hears what a page after this one would have to tell of the picture that was opened last; once
   * more when it is closed.
   */
  readonly onSeen?: (seen: Seen) => void;
}

/**
 * What became of the picture that was opened last, as far as it has: `since` is when it came on
 * screen, by the clock on the wall.
 */
export interface Seen extends LastSeen {
  readonly since?: number;
}

/**
 * Receives pictures. People are at one at a time; the one behind it may come ahead, as ciphertext.
 */
export class Inbox {
  readonly #options: InboxOptions;
  #link: SecureLink | null;
  readonly #picture = signal<IncomingPicture | null>(null);
  /** What people are at; `null` once it is finished. */
  #current: Reception | null = null;
  #ahead: Reception | null = null;
  /**
   * The number that has to be announced next; `null` until the other side says where it goes on.
   */
  #next: number | null = 0;
  #last: LastSeen | undefined;
  #keyUsed = false;
  #promotion: ReturnType<typeof setTimeout> | undefined;
  #early: Bytes[] = [];
  /** Decoded, and not on the canvas yet. */
  #opened: OpenPicture | null = null;
  #viewing: Viewing | null = null;
  /** There for a picture that may move. */
  #animator: Animator | null = null;
  #progressAt = 0;
  /** Stops decoding when the picture is finished. */
  #decoding = new AbortController();
  #keyTimer: ReturnType<typeof setTimeout> | undefined;
  #steady = true;
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
    return this.#current === null && this.#ahead === null;
  }

  /** A human asked to see the picture. */
  open(): void {
    const picture = this.#picture.peek();
    if (picture === null) return;
    const { n, view: { ask } } = picture.meta;
    if (!this.#apply({ type: "open", ask })) return;
    this.#note({ n, why: "left", ms: 0 });
    this.#say({ t: "open", n });
    this.#awaitKey(ask ? ASK_TIMEOUT_MS : KEY_TIMEOUT_MS);
  }

  /** The other side does not answer, or does again: nobody is late meanwhile. */
  setSteady(steady: boolean): void {
    this.#steady = steady;
  }

  /**
   * What carried the records is gone: says what has to come next, and forgets what came before its
   * time.
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
   * One of the pages was loaded again: the link is over, what is on screen is closed, and what was
   * not opened is gone. Its owner says on the next link where it goes on ({@linkcode
   * Inbox.expect}); if this is the page that was loaded, `last` is what its predecessor knew.
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

  /** Goes on over another link. */
  attach(link: SecureLink): void {
    this.#link = link;
  }

  /**
   * The number that the other side announces next. Throws {@linkcode ProtocolError} where that was
   * settled.
   */
  expect(next: number): void {
    if (this.#next !== null) throw new ProtocolError();
    this.#next = next;
  }

  /** A human would like more time for what is on screen; once, until the owner grants some. */
  wish(): void {
    const picture = this.#picture.peek();
    if (picture?.state.at !== "viewing" || picture.wished) return;
    if (picture.meta.view.seconds === 0) return;
    this.#publish({ ...picture, wished: true });
    this.#say({ t: "more", n: picture.meta.n });
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
    clearTimeout(this.#promotion);
    this.#dropAhead();
    this.#early = [];
    this.#link = null;
  }

  /**
   * Takes what the owner says about his pictures. Returns false for messages that are not about
   * them. Throws {@linkcode ProtocolError}.
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
    // What is left belongs to a picture that was taken back while it was on its way.
  }

  #awaitKey(ms: number): void {
    this.#keyTimer = setTimeout(
      () => this.#steady ? this.#failed("timeout") : this.#awaitKey(ms),
      ms,
    );
  }

  async #announced(meta: MetaMessage, plaintext: Bytes): Promise<void> {
    // The owner waited for that moment as well, and a page that is hidden or busy takes longer for
    // it than he does.
    if (this.#promotion !== undefined && this.#ahead !== null) this.#goOn();
    if (!this.#mayAnnounce(meta.n)) throw new ProtocolError();
    const metaHash = await sha256(plaintext);
    const opener = new ImageOpener({ image: meta.n, size: meta.size, metaHash });
    const reception: Reception = { meta, opener, digest: null, whole: false };
    this.#next = meta.n + 1;
    // A moment ago one was closed: people see that first.
    if (this.#current === null && this.#promotion === undefined) this.#begin(reception);
    else this.#ahead = reception;
    const early = this.#early;
    this.#early = [];
    for (const record of early) this.#collect(reception, record);
  }

  /** One after the other, and one ahead of what people are at, once all of that is here. */
  #mayAnnounce(n: number): boolean {
    return n === this.#next && this.#ahead === null && this.#current?.whole !== false;
  }

  #begin(reception: Reception): void {
    this.#current = reception;
    this.#keyUsed = false;
    const { meta, opener, whole } = reception;
    // While the server that it comes from is there: later there may be none.
    if (meta.type !== "image/jpeg" && canAnimate()) {
      this.#animator = this.#options.animator?.() ?? null;
    }
    const state = whole
      ? { at: "delivered" } as const
      : { at: "receiving", received: opener.received } as const;
    this.#publish({ meta, state, viewing: null, wished: false });
  }

  /** A moment after one was closed: people are at the next one, if it is here. */
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
    // A digest that came before the last chunk was waiting for it.
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

  /** It did not arrive as it was sent. */
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

  /**
   * Decrypts and decodes beside the receiving of further messages: a burn in between must not wait.
   */
  #unlock(key: string): void {
    const reception = this.#current;
    const raw = fromBase64Url(key);
    const opening = this.#picture.peek()?.state.at === "opening";
    if (reception === null || !opening || raw === null || this.#keyUsed) {
      throw new ProtocolError();
    }
    this.#keyUsed = true;
    clearTimeout(this.#keyTimer);
    this.#apply({ type: "unlock" });
    this.#show(reception, raw).catch((error) => {
      // Taken back meanwhile; the next picture has nothing to do with it.
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
    // Burned or left meanwhile: then it is not decoded, or never painted.
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
      seconds: meta.view.seconds,
      hold: meta.view.hold,
      mark: meta.view.mark === "" ? this.#options.defaultMark : meta.view.mark,
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

  /**
   * Opens a picture that moves, whose bytes it takes; `"still"` where this browser can't play it.
   */
  async #animate(bytes: Bytes, type: ImageType): Promise<Moving | "still"> {
    const source = this.#animator;
    try {
      if (source === null) return "still";
      return { source, facts: await source.open(bytes, type, screenSize()) };
    } catch {
      return "still";
    } finally {
      // Empty when it was transferred, and then a TypeError.
      if (bytes.length > 0) bytes.fill(0);
    }
  }

  #endAnimator(): void {
    void this.#animator?.wipe();
    this.#animator = null;
  }

  #closed(why: ClosedReason, ms: number): void {
    const n = this.#picture.peek()?.meta.n;
    if (n === undefined) return;
    if (!this.#apply({ type: "closed", why, ms })) return;
    this.#note({ n, why, ms });
    this.#say({ t: "closed", n, why, ms });
  }

  /** One picture, or all of them (`null`). */
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
    // The key may be here already: the owner waits for a word on what became of it.
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
    // What came ahead has no turn yet: nothing but its end and its taking back can be said of it.
    if (n === this.#ahead?.meta.n) throw new ProtocolError();
    return n === this.#current?.meta.n;
  }

  #apply(event: IncomingEvent): boolean {
    const picture = this.#picture.peek();
    const state = picture === null ? null : transition(picture.state, event);
    if (picture === null || state === null) return false;
    if (isFinished(state)) {
      clearTimeout(this.#keyTimer);
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
      // The link is gone: its end is reported by itself.
    });
  }
}

function drop(picture: OpenPicture): void {
  picture.bitmap.close();
  picture.close();
}

/**
 * What the picture will fit into, in most cases; its stage knows better, and has it made anew where
 * it does not.
 */
function windowSize(): { maxWidth: number; maxHeight: number; maxScale: number } {
  return {
    maxWidth: Math.floor(innerWidth * devicePixelRatio),
    maxHeight: Math.floor(innerHeight * devicePixelRatio),
    maxScale: devicePixelRatio,
  };
}

/**
 * The screen in device pixels, either way up, for frames: they are not made anew when the window
 * changes.
 */
function screenSize(): { maxWidth: number; maxHeight: number } {
  const side = Math.ceil(Math.max(screen.width, screen.height) * devicePixelRatio);
  return { maxWidth: side, maxHeight: side };
}
