/**
 * One session, from taking the seat to its end: the connection, the pictures in both directions,
 * the messages of the other page, and the timeline that people read. Both roles use it; they differ
 * in which of them ends the session.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { batch, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Bytes } from "../protocol/bytes.ts";
import { BYE_REASONS, type ByeReason, type ViewerRequest } from "../protocol/control.ts";
import type { OpenedControl } from "../e2e/control_record.ts";
import type { Code } from "../e2e/code.ts";
import { sasDigits, sasEmoji } from "../e2e/sas.ts";
import { ProtocolError } from "../e2e/suite.ts";
import type { Role } from "../e2e/transcript.ts";
import type { Decoder } from "../image/decoder.ts";
import type { AttemptedProof } from "../connection/visitor_guard.ts";
import { Connection } from "../connection/connection.ts";
import type { Route } from "../connection/route.ts";
import type { LinkEnd, SecureLink } from "../connection/secure_link.ts";
import type { Trace } from "../connection/trace.ts";
import { SEAT_GRACE_MS } from "../protocol/limits.ts";
import { reopen } from "../connection/reopen.ts";
import { Inbox, type IncomingPicture } from "../pictures/inbox.ts";
import { makeAnimator } from "./make_animator.ts";
import { markOf } from "../viewer/watermark.ts";
import { Outbox } from "../pictures/outbox.ts";
import type { OutgoingPicture } from "../pictures/outgoing_list.ts";
import { dispatch } from "../pictures/picture_messages.ts";
import { say } from "../pictures/say.ts";
import { PictureScreen } from "../viewer/picture_screen.ts";
import { type EndReason, type Life, type LifeEvent, transition } from "./phases.ts";
import { Remains, type Returned, TabMemory } from "../page_restore/tab_memory.ts";

/**
 * How long taking pictures back waits for the viewer's report on an open picture, in milliseconds.
 */
const REPORT_MS = 2_000;

/**
 * How long a session outlives its last picture, in milliseconds: time to read what happened, or to
 * add another picture.
 */
const DONE_DELAY_MS = 1_500;

/** What happened, for people to read; newest last. */
export interface TimelineEntry {
  /** Wall clock, for display. */
  readonly time: Date;
  readonly what:
    | { readonly type: "waiting" }
    /**
     * A peer arrived or left before the two were connected. A run of these is one entry; `times`
     * counts the arrivals in it.
     */
    | { readonly type: "peer"; readonly here: boolean; readonly times: number }
    /**
     * A peer could not prove that they have the link or the code; `withdrawn` if the code was
     * withdrawn because this happened too often.
     */
    | { readonly type: "turned_away"; readonly claim: AttemptedProof; readonly withdrawn: boolean }
    | { readonly type: "live" }
    /** `away`: the peer's page was closed or is being reloaded. `again`: this page was reloaded. */
    | { readonly type: "away" }
    | { readonly type: "again" }
    | { readonly type: "outgoing"; readonly picture: OutgoingPicture }
    | { readonly type: "incoming"; readonly picture: IncomingPicture }
    /** The viewer asks for something; this side granted more time. */
    | {
      readonly type: "request";
      readonly picture: OutgoingPicture;
      readonly request: ViewerRequest;
    }
    | { readonly type: "granted"; readonly picture: OutgoingPicture; readonly seconds: number }
    | { readonly type: "burned" }
    | { readonly type: "ended"; readonly reason: EndReason };
}

/**
 * Evidence that nobody is in the middle: how the two proved themselves to each other, and what
 * people can compare.
 */
export interface Verification {
  readonly by: "link" | "code";
  /** The SAS: 7 pictures with their names. */
  readonly emoji: readonly (readonly [emoji: string, name: string])[];
  /** The same to read aloud: three groups of four digits. */
  readonly digits: string;
}

/** Settings of a {@linkcode Session}. */
export interface SessionOptions {
  readonly role: Role;
  /** The share link's secret, 32 bytes, which is copied; or the code that a viewer was told. */
  readonly secret: Bytes | Code;
  /** `ws(s)://host`. */
  readonly server: string;
  readonly decoder: Decoder;
  /** Whether the server offers its encrypted relay, for when no other route works. */
  readonly relay?: boolean;
  /** The page's language, for the date on the watermark; by default the browser's. */
  readonly language?: string;
  /** What the page before a reload left; this session continues from it. */
  readonly before?: Returned;
}

/** A session between this browser and one other. */
export class Session {
  readonly outbox: Outbox;
  /** Where the peer's pictures are shown. */
  readonly screen: PictureScreen;
  readonly #options: SessionOptions;
  readonly #life = signal<Life>({ at: "idle" });
  readonly #contact = signal(true);
  readonly #steady = signal(true);
  readonly #away = signal(false);
  readonly #forgot: Signal<boolean>;
  readonly #timeline = signal<readonly TimelineEntry[]>([]);
  readonly #inbox = signal<Inbox | null>(null);
  readonly #keep = signal(false);
  readonly #code = signal<string | null>(null);
  readonly #codeless = signal(false);
  readonly #verification = signal<Verification | null>(null);
  readonly #compared = signal(false);
  readonly #route = signal<Route | null>(null);
  readonly #connection: Connection;
  readonly #memory: TabMemory;
  #link: SecureLink | null = null;
  /** True until `back` arrives, which is the peer's first message on this secure link. */
  #unsettled = false;
  /** Ends the session when the peer has been away for too long. */
  #return: ReturnType<typeof setTimeout> | undefined;
  #postponed = 0;
  /** Whether the viewer was ever told that they may send. */
  #mayAnswer = false;
  #doneTimer: ReturnType<typeof setTimeout> | undefined;
  #takingBack: { reason: EndReason; timer: ReturnType<typeof setTimeout> } | null = null;

  constructor(options: SessionOptions) {
    const { before } = options;
    this.#options = options;
    this.#memory = new TabMemory(options.role, before);
    this.#forgot = signal(before?.ledger.pending ?? false);
    this.#keep.value = before?.keep ?? false;
    this.#mayAnswer = before?.mayAnswer ?? false;
    this.screen = new PictureScreen(options.decoder, makeAnimator);
    this.outbox = new Outbox({
      onChange: (picture) => this.#outgoingChanged(picture),
      answers: () => this.#steady.peek(),
      ledger: before?.ledger,
    });
    this.#connection = new Connection({
      role: options.role,
      secret: options.secret instanceof Uint8Array ? options.secret.slice() : options.secret,
      server: options.server,
      ...(options.relay === undefined ? {} : { relay: options.relay }),
      store: this.#memory,
      ...(before === undefined ? {} : { kept: before }),
      handlers: {
        onSeated: () => this.#seated(),
        onContact: (contact) => {
          this.#contact.value = contact;
        },
        onPeer: (here) => this.#peerChanged(here),
        onCode: (code) => {
          this.#code.value = code;
          this.#codeless.value = code === null;
        },
        onTurnedAway: (claim, withdrawn) => this.#note({ type: "turned_away", claim, withdrawn }),
        onBound: (link) => this.#bound(link),
        onReplaced: () => this.#detach(),
        onRoute: (route) => {
          this.#route.value = route;
        },
        onFailed: (reason, retry) => this.#happen({ type: "fail", reason, retry }),
      },
    });
  }

  get life(): ReadonlySignal<Life> {
    return this.#life;
  }

  /** False while the server can't be reached; an established session does not need it. */
  get contact(): ReadonlySignal<boolean> {
    return this.#contact;
  }

  /** False while the peer's browser does not answer on the connection; it may recover. */
  get steady(): ReadonlySignal<boolean> {
    return this.#steady;
  }

  /** True while the peer's page is closed or being reloaded; it may come back. */
  get away(): ReadonlySignal<boolean> {
    return this.#away;
  }

  /** True if the session began on a page before a reload. */
  get again(): boolean {
    return this.#options.before !== undefined;
  }

  /**
   * True if this page was reloaded while it had pictures that nobody had opened. Those are lost;
   * this stays true until pictures are chosen.
   */
  get forgot(): ReadonlySignal<boolean> {
    return this.#forgot;
  }

  /** Which route the pictures take; `null` until that is known. */
  get route(): ReadonlySignal<Route | null> {
    return this.#route;
  }

  get timeline(): ReadonlySignal<readonly TimelineEntry[]> {
    return this.#timeline;
  }

  /** What was tried to connect, for diagnostics. */
  get trace(): Trace {
    return this.#connection.trace;
  }

  /** Set once the session is live. */
  get inbox(): ReadonlySignal<Inbox | null> {
    return this.#inbox;
  }

  /** True if the session continues after the last picture; then both sides may send. */
  get keep(): ReadonlySignal<boolean> {
    return this.#keep;
  }

  /**
   * Sender: the code that can be used instead of the link; `null` until the server assigned one,
   * and after the code was withdrawn.
   */
  get code(): ReadonlySignal<string | null> {
    return this.#code;
  }

  /**
   * Sender: true if there is no code and none will follow: it was withdrawn, or the word list could
   * not be loaded.
   */
  get codeless(): ReadonlySignal<boolean> {
    return this.#codeless;
  }

  /** Set once the session is live. */
  get verification(): ReadonlySignal<Verification | null> {
    return this.#verification;
  }

  /** True once somebody on this side confirmed that both see the same. */
  get compared(): ReadonlySignal<boolean> {
    return this.#compared;
  }

  /**
   * Whether a picture was opened on the page before a reload. Call it before
   * {@linkcode Session.findBefore}, which may delete what was left.
   */
  static hadOpened(role: Role): boolean {
    return Remains.find(role)?.opened === true;
  }

  /**
   * Returns what the page before a reload left in this tab and reclaims its seat; `null` if there
   * is nothing to continue. Waits while the server does not answer and the seat may still exist.
   * When `signal` aborts, what was left is deleted.
   */
  static async findBefore(
    role: Role,
    server: string,
    signal: AbortSignal,
  ): Promise<Returned | null> {
    const remains = Remains.find(role);
    if (remains === null) return null;
    const { path, rtok } = remains;
    const reopened = signal.aborted ? null : await reopen({ server, path, rtok, signal });
    const before = reopened === null || signal.aborted ? null : await remains.open(reopened);
    if (before === null) remains.forget();
    return before;
  }

  /** Takes the seat; everything else follows from there. */
  start(): void {
    const { before } = this.#options;
    if (this.again) this.#note({ type: "again" });
    // The peer is connected, or was a moment ago.
    if (before?.bound === true) this.#awaitReturn();
    this.#happen({ type: "start" });
    this.#connection.start();
  }

  /** Hides this side's address from the peer, or not; an existing connection is unaffected. */
  hideAddress(on: boolean): void {
    this.#memory.keep({ hide: on });
    this.#connection.hideAddress(on);
  }

  /** Sender: keep the session open after the last picture, or not. */
  setKeep(on: boolean): void {
    if (this.#options.role !== "S" || this.#keep.peek() === on) return;
    this.#keep.value = on;
    this.#mayAnswer ||= on;
    this.#memory.keep({ keep: on, mayAnswer: this.#mayAnswer });
    say(this.#link, { t: "keep", on });
    this.#endWhenDone();
  }

  /**
   * Takes back all own pictures and ends the session, after a short wait for the viewer's report on
   * an open picture.
   */
  burn(): void {
    if (this.#isOver() || this.#takingBack !== null) return;
    // If everything was seen, nothing is left to take back, and saying so would be untrue.
    if (this.outbox.pictures.peek().length > 0 && this.outbox.done) return this.leave();
    this.#note({ type: "burned" });
    this.outbox.burn();
    this.#endAfterReport("burned");
  }

  /** Leaves: whatever is on either screen is wiped. */
  leave(): void {
    if (this.#isOver() || this.#takingBack !== null) return;
    this.#inbox.peek()?.close("user");
    if (this.outbox.open) this.outbox.burn();
    this.#endAfterReport("left");
  }

  /** Gives the viewer more time for the picture on their screen, in seconds. */
  grant(id: number, seconds: number): void {
    const granted = this.outbox.grant(id, seconds);
    const picture = this.outbox.list.find(id);
    if (granted > 0 && picture !== null) {
      this.#note({ type: "granted", picture, seconds: granted });
    }
  }

  /** The two compared and see the same. */
  same(): void {
    this.#compared.value = this.#verification.peek() !== null;
  }

  /**
   * The two compared and see different things: somebody is in the middle. Ends the session at once
   * on both sides, with nothing left to read.
   */
  different(): void {
    if (this.#isOver()) return;
    this.outbox.burn();
    this.#finish("mismatch");
  }

  /** The page is being closed, and may be a reload: clears the screen; the peer waits. */
  vanish(): void {
    if (!this.#isOver()) this.#inbox.peek()?.close("hidden");
  }

  /**
   * Keeps the session from ending by itself while another picture is being prepared. Call the
   * returned function once to release it.
   */
  postponeEnd(): () => void {
    this.#postponed++;
    return () => {
      this.#postponed--;
      this.#endWhenDone();
    };
  }

  #endAfterReport(reason: EndReason): void {
    if (!this.outbox.open) return this.#finish(reason);
    const timer = setTimeout(() => this.#finish(reason), REPORT_MS);
    this.#takingBack = { reason, timer };
  }

  #happen(event: LifeEvent): void {
    const before = this.#life.peek();
    const life = transition(before, event);
    if (life === before) return;
    this.#life.value = life;
    if (life.at === "failed") this.#outOfUse();
  }

  #isOver(): boolean {
    const { at } = this.#life.peek();
    return at === "ended" || at === "failed";
  }

  #seated(): void {
    if (this.#life.peek().at !== "starting") return;
    this.#happen({ type: "seated" });
    this.#note({ type: "waiting" });
  }

  #peerChanged(here: boolean): void {
    const before = this.#life.peek().at;
    this.#happen({ type: "peer", here });
    if (before === this.#life.peek().at) return;
    const timeline = this.#timeline.peek();
    const last = timeline.at(-1)?.what;
    const run = last?.type === "peer" ? last : null;
    // Somebody who connects and leaves all day long must not fill the page.
    if (run !== null) this.#timeline.value = timeline.slice(0, -1);
    this.#note({ type: "peer", here, times: (run?.times ?? 0) + (here ? 1 : 0) });
  }

  #bound(link: SecureLink): void {
    this.#link = link;
    this.#unsettled = link.resumed;
    clearTimeout(this.#return);
    const emoji = sasEmoji(link.sas);
    const inbox = this.#inbox.peek() ?? new Inbox({
      link,
      answers: () => this.#steady.peek(),
      screen: this.screen,
      defaultMark: markOf(emoji.map(([, name]) => name), {
        time: new Date(),
        language: this.#options.language,
      }),
      onChange: (picture) => this.#incomingChanged(picture),
      onSeen: (seen) => this.#memory.seen(seen),
    });
    link.listen({
      onControl: (opened) => this.#control(inbox, opened),
      onRecord: (record) => inbox.receiveRecord(record),
      onSteady: (steady) => {
        this.#steady.value = steady;
      },
      onAway: () => this.#wentAway(),
      onBreak: () => inbox.position(),
      onResume: (position) => {
        this.outbox.resume(position).catch(() => link.reject());
      },
      onEnd: (why) => this.#linkEnded(why),
    });
    batch(() => {
      this.#inbox.value = inbox;
      this.#steady.value = true;
      this.#away.value = false;
      this.#verification.value = { by: link.by, emoji, digits: sasDigits(link.sas) };
      this.#happen({ type: "bound" });
      this.#note({ type: "live" });
    });
    if (link.resumed) this.#sayBack(link, inbox);
    if (this.#keep.peek() && this.#options.role === "S") {
      say(link, { t: "keep", on: true });
    }
    this.outbox.attach(link);
  }

  /**
   * Sends `back`, the position where this side continues, on the first secure link after a reload
   * of either page.
   */
  #sayBack(link: SecureLink, inbox: Inbox): void {
    inbox.detach(inbox.last ?? this.#options.before?.last);
    inbox.attach(link);
    const { last } = inbox;
    const next = this.outbox.detach();
    say(link, { t: "back", next, ...(last === undefined ? {} : { last }) });
  }

  /** The peer's page was reloaded and proved itself: the old secure link is over. */
  #detach(): void {
    this.#link?.drop();
    this.#link = null;
    this.#wentAway();
    this.#steady.value = false;
    this.#inbox.peek()?.detach();
    this.outbox.detach();
    this.#awaitReturn();
  }

  #wentAway(): void {
    if (this.#away.peek() || this.#isOver()) return;
    this.#away.value = true;
    this.#note({ type: "away" });
    // From here on the peer could no longer take the picture back.
    this.#inbox.peek()?.close("left");
  }

  #awaitReturn(): void {
    clearTimeout(this.#return);
    this.#return = setTimeout(() => this.#end("lost"), SEAT_GRACE_MS);
  }

  async #control(inbox: Inbox, opened: OpenedControl): Promise<void> {
    const { message } = opened;
    // `back` is the first message on a secure link after a reload, and is sent only once.
    if ((message.t === "back") !== this.#unsettled) throw new ProtocolError();
    if (message.t === "meta" && this.#options.role === "S" && !this.#mayAnswer) {
      // A picture that nobody asked for would keep the sender's session open.
      throw new ProtocolError();
    }
    await dispatch(opened, {
      outbox: this.outbox,
      inbox,
      session: {
        onBack: (next, last) => {
          this.#unsettled = false;
          inbox.expect(next);
          this.outbox.settle(last);
          // The page before the reload may already have received the last picture's outcome: then
          // no later change would trigger this check.
          this.#endWhenDone();
        },
        onKeep: (on) => {
          // Only the peer who created the room decides how long it lasts.
          if (this.#options.role === "S") throw new ProtocolError();
          this.#keep.value = on;
          this.#memory.keep({ keep: on });
        },
        onBye: (why) => this.#finish(this.#closingText(why, inbox)),
        onAbort: () => this.#finish("protocol"),
        onRequest: (picture, request) => this.#note({ type: "request", picture, request }),
      },
    });
  }

  /**
   * Why the session ends after the peer's `bye`. A sender decides how the session ends; a viewer
   * can only leave, or report a mismatch.
   */
  #closingText(why: ByeReason, inbox: Inbox): EndReason {
    if (why === "mismatch") return why;
    if (this.#options.role === "S" || why === "left") return "peer_left";
    // "All was seen" is untrue while a picture is locked or on screen, and if this session never
    // had one, before or after a reload.
    const finished = inbox.picture.peek() === null ? inbox.last !== undefined : inbox.idle;
    return why === "done" && !finished ? "peer_left" : why;
  }

  #linkEnded(why: LinkEnd): void {
    const reason = why === "protocol" ? "protocol" : "lost";
    this.#end(this.#takingBack?.reason ?? reason);
  }

  #outgoingChanged(picture: OutgoingPicture): void {
    if (picture.state.at !== "queued") this.#note({ type: "outgoing", picture });
    this.#memory.keep({ ledger: this.outbox.ledger });
    if (picture.state.at === "queued") this.#forgot.value = false;
    if (this.#takingBack !== null && !this.outbox.open) {
      return this.#finish(this.#takingBack.reason);
    }
    this.#endWhenDone();
  }

  #incomingChanged(picture: IncomingPicture): void {
    this.#note({ type: "incoming", picture });
    this.#endWhenDone();
  }

  /**
   * Sender: ends the session once its last picture is finished, unless another one is added within
   * {@linkcode DONE_DELAY_MS}.
   */
  #endWhenDone(): void {
    clearTimeout(this.#doneTimer);
    if (this.#isDone()) {
      this.#doneTimer = setTimeout(() => {
        if (this.#isDone()) this.#finish("done");
      }, DONE_DELAY_MS);
    }
  }

  #isDone(): boolean {
    return this.#options.role === "S" && this.#life.peek().at === "live" && !this.#keep.peek() &&
      this.#takingBack === null && this.#postponed === 0 && !this.#forgot.peek() &&
      this.outbox.pictures.peek().length > 0 &&
      this.outbox.done &&
      this.#inbox.peek()?.idle === true;
  }

  /**
   * Ends the session from this side: closes the picture on screen, sends the goodbye message, then
   * ends.
   */
  #finish(reason: EndReason): void {
    const link = this.#link;
    this.#inbox.peek()?.close("left");
    say(link, { t: "bye", why: BYE_REASONS.find((why) => why === reason) ?? "left" });
    this.#end(reason, link?.close());
  }

  /** `closing` settles once the goodbye message was sent. */
  #end(reason: EndReason, closing?: Promise<void>): void {
    if (this.#isOver()) return;
    clearTimeout(this.#takingBack?.timer);
    clearTimeout(this.#doneTimer);
    clearTimeout(this.#return);
    batch(() => {
      this.#happen({ type: "end", reason });
      // Over the encrypted relay, the goodbye message has to leave before the room is deleted.
      this.#outOfUse(this.#route.peek() === "server" ? closing : undefined);
      this.#note({ type: "ended", reason });
    });
  }

  /** Deletes everything readable here and gives up the seat; the sender also deletes the room. */
  #outOfUse(closing?: Promise<void>): void {
    this.#memory.forget();
    this.#inbox.peek()?.end();
    this.outbox.end();
    this.#connection.end(closing);
    this.#link = null;
    this.#code.value = null;
  }

  #note(what: TimelineEntry["what"]): void {
    this.#timeline.value = [...this.#timeline.peek(), { time: new Date(), what }];
  }
}
