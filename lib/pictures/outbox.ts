/**
 * The pictures that this side sends: what their owner decides about them, and what their viewer
 * reports.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { type ReadonlySignal, signal } from "@preact/signals";
import type { LastSeen, ViewerRequest } from "../protocol/control.ts";
import { NEXT_DELAY_MS } from "../protocol/deadlines.ts";
import { MAX_VIEW_SECONDS } from "../protocol/limits.ts";
import { ProtocolError } from "../e2e/suite.ts";
import type { Position, SecureLink } from "../connection/secure_link.ts";
import { OpenDeadline } from "./open_deadline.ts";
import { isFinished, isOpen, type Outgoing, type OutgoingEvent } from "./outgoing.ts";
import { OutgoingList, type OutgoingPicture, type Unseen } from "./outgoing_list.ts";
import { PictureSender } from "./picture_sender.ts";
import { say } from "./say.ts";

/** What is remembered of the pictures for a reload; nothing that could show one. */
export interface Ledger {
  /** The states of those that were opened or are finished, by number. */
  readonly states: readonly Outgoing[];
  /** When the key of the last one was released, by the wall clock. */
  readonly openedAt: number;
  /** There were other pictures, which are lost with a reload. */
  readonly pending: boolean;
}

/** The ledger of a new session. */
export const NO_LEDGER: Ledger = { states: [], openedAt: 0, pending: false };

/** Settings of an {@linkcode Outbox}. */
export interface OutboxOptions {
  /** Called after each change of a picture's state, except for progress. */
  readonly onChange: (picture: OutgoingPicture) => void;
  /** Whether the peer answers: a picture can become overdue only while it does. */
  readonly answers: () => boolean;
  /** What was remembered before a reload. */
  readonly ledger?: Ledger | undefined;
}

/** What the viewer can report about a picture. */
export type Report = Extract<
  OutgoingEvent,
  { readonly type: "got" | "open" | "shown" | "closed" | "abort" }
>;

/** Sends pictures in order. People look at one at a time. */
export class Outbox {
  readonly list: OutgoingList;
  readonly #sender: PictureSender;
  readonly #deadline: OpenDeadline;
  readonly #onChange: (picture: OutgoingPicture) => void;
  readonly #at = signal(0);
  #link: SecureLink | null = null;
  /**
   * When the key of the current picture was released, by the wall clock, which keeps running while
   * a machine sleeps.
   */
  #openedAt: number;
  /** Whether everything was burned, and which pictures were revoked one by one. */
  #burned = false;
  readonly #revoked = new Set<number>();

  constructor({ onChange, answers, ledger = NO_LEDGER }: OutboxOptions) {
    this.#onChange = onChange;
    this.#openedAt = ledger.openedAt;
    this.#deadline = new OpenDeadline(answers, (n) => this.#becomeOverdue(n));
    this.list = new OutgoingList({
      onChange: (picture) => this.#changed(picture),
      onQueue: () => this.#sender.pump(),
      states: ledger.states,
    });
    this.#sender = new PictureSender(this.list);
  }

  /**
   * What a reloaded page has to know about pictures whose key was released or that are finished.
   */
  get ledger(): Ledger {
    return { ...this.list.remembered, openedAt: this.#openedAt };
  }

  /** All pictures, in order. */
  get pictures(): ReadonlySignal<readonly OutgoingPicture[]> {
    return this.list.pictures;
  }

  /** The place of the current picture; the next one may already be on its way. */
  get at(): ReadonlySignal<number> {
    return this.#at;
  }

  /** True when every picture is finished. */
  get done(): boolean {
    return this.pictures.peek().every((picture) => isFinished(picture.state));
  }

  /** True while the viewer has a picture with its key. */
  get open(): boolean {
    return this.pictures.peek().some((picture) => isOpen(picture.state));
  }

  /** Starts sending over a bound secure link. */
  attach(link: SecureLink): void {
    this.#link = link;
    this.#sender.attach(link);
  }

  /**
   * One of the pages was reloaded. The secure link has ended, and pictures that were not opened are
   * sent again, under new keys, once there is a new one. Returns the number of the next picture to
   * be announced.
   */
  detach(): number {
    this.#link = null;
    const next = this.list.remembered.states.length;
    this.#sender.detach(next);
    this.list.restart();
    this.#at.value = this.list.first;
    return next;
  }

  /** Moves to another transport of the secure link, see {@linkcode PictureSender.resume}. */
  async resume(position: Position): Promise<void> {
    await this.#sender.resume(position);
  }

  /**
   * After a reload of either page, the viewer's page reports what became of the picture that was
   * opened last. Any other open picture becomes unconfirmed.
   */
  settle(last: LastSeen | undefined): void {
    for (const { n, state } of this.pictures.peek()) {
      if (!isOpen(state)) continue;
      if (last?.n !== n) {
        this.list.apply(n, { type: "overdue" });
        continue;
      }
      const { ms } = last;
      const why = last.why === "revoked" && !this.#wasRevoked(n) ? "left" : last.why;
      if (ms > 0) this.list.apply(n, { type: "shown" });
      this.list.apply(n, this.#plausible({ type: "closed", why, ms }));
    }
  }

  /**
   * Takes the viewer's report about picture `n`. Throws {@linkcode ProtocolError} if it can't have
   * happened.
   */
  async report(n: number, event: Report): Promise<void> {
    // The message may have crossed this side's burn: then there is nothing left to change.
    const known = this.pictures.peek()[n];
    if (known !== undefined && isFinished(known.state)) return;
    // A picture that was not sent completely can't have arrived.
    if (event.type === "got" && !this.#sender.wasSent(n)) throw new ProtocolError();
    // One after the other: a picture sent ahead stays locked until the earlier ones are finished.
    if (event.type === "open" && n > this.list.first) throw new ProtocolError();
    const claimsBurn = event.type === "closed" && event.why === "revoked";
    if (claimsBurn && !this.#wasRevoked(n)) throw new ProtocolError();
    const ask = known?.rules.ask === true;
    const happened = event.type === "open" ? { ...event, ask } : this.#plausible(event);
    if (!this.list.apply(n, happened)) throw new ProtocolError();
    if (event.type === "open" && !ask) await this.#release(n);
  }

  /** Lets the viewer see a picture that they asked to see. */
  async allow(id: number): Promise<void> {
    const picture = this.list.find(id);
    if (picture?.state.at !== "asked" || !this.list.apply(picture.n, { type: "allow" })) return;
    await this.#release(picture.n);
  }

  /** Takes one picture back; if it is open, the viewer's page wipes it. */
  revoke(id: number): void {
    const picture = this.list.find(id);
    if (picture === null || isFinished(picture.state)) return;
    this.#revoked.add(picture.n);
    say(this.#link, { t: "revoke", n: picture.n });
    this.list.apply(picture.n, { type: "burn" });
  }

  /**
   * Grants more time for the picture on the viewer's screen, in seconds. Returns how much was
   * granted within the limits.
   */
  grant(id: number, seconds: number): number {
    const picture = this.list.find(id);
    if (picture?.state.at !== "shown") return 0;
    const { n, rules } = picture;
    const granted = Math.min(seconds, extensible(picture));
    const extended = { ...rules, seconds: rules.seconds + granted };
    this.list.put(n, { request: null, rules: extended });
    if (granted <= 0) return 0;
    say(this.#link, { t: "extend", n, seconds: granted });
    this.#deadline.extended(n, extended);
    return granted;
  }

  /**
   * The viewer asks for something. Returns the picture if that is new and can be granted, otherwise
   * `null`. Throws {@linkcode ProtocolError} for a picture that was never announced.
   */
  request(n: number, request: ViewerRequest): OutgoingPicture | null {
    const picture = this.pictures.peek()[n];
    if (picture === undefined || picture.state.at === "queued") throw new ProtocolError();
    if (picture.state.at !== "shown" || picture.request !== null) return null;
    return extensible(picture) > 0 ? this.list.put(n, { request }) : null;
  }

  /**
   * Takes everything back: keys that were not released are destroyed, and the viewer's page wipes
   * what is open. The caller may wait for its report ({@linkcode Outbox.open}).
   */
  burn(): void {
    this.#burned = true;
    say(this.#link, { t: "revoke", all: true });
    this.list.applyAll({ type: "burn" });
  }

  /**
   * The session is over: nothing more is sent, and keys that were not released are destroyed.
   * Idempotent.
   */
  end(): void {
    this.#link = null;
    this.#sender.end();
    this.list.end();
  }

  /** Returns the pictures that nobody has seen, for another session, and frees the others. */
  takeUnseen(): readonly Unseen[] {
    this.end();
    return this.list.takeUnseen();
  }

  /** A viewer may report "burned" only for what this side burned. */
  #wasRevoked(n: number): boolean {
    return this.#burned || this.#revoked.has(n);
  }

  /** Limits a reported viewing time to the time since the key was released. */
  #plausible(event: OutgoingEvent): OutgoingEvent {
    if (event.type !== "closed") return event;
    const most = Math.max(0, Date.now() - this.#openedAt);
    return { ...event, ms: Math.min(event.ms, most) };
  }

  async #release(n: number): Promise<void> {
    this.#openedAt = Date.now();
    await this.#sender.releaseKey(n);
  }

  #changed(picture: OutgoingPicture): void {
    const { n, state, rules } = picture;
    const finished = isFinished(state);
    if (state.at === "opened" || state.at === "shown") this.#deadline[state.at](n, rules);
    else if (finished && n < this.list.first) this.#deadline.closed();
    if (finished) this.#sender.finish(n);
    this.#onChange(picture);
    if (finished) setTimeout(() => this.#goOn(), NEXT_DELAY_MS);
    else if (state.at === "delivered") this.#sender.pump();
  }

  /** Without a report, an open picture becomes "unconfirmed". */
  #becomeOverdue(n: number): void {
    // If the viewer's page is only slow, this message still closes the picture there.
    say(this.#link, { t: "revoke", n });
    this.list.apply(n, { type: "overdue" });
  }

  /** A moment after a picture was closed: moves on to the next one. */
  #goOn(): void {
    this.#at.value = Math.max(this.#at.peek(), this.list.first);
    this.#sender.pump();
  }
}

/** By how many seconds the time of a picture may be extended. */
function extensible({ rules: { seconds } }: OutgoingPicture): number {
  return seconds === 0 ? 0 : MAX_VIEW_SECONDS - seconds;
}
