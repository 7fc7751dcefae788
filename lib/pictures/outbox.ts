/**
 * The pictures that this side sends, one after the other. Each is announced, sealed and sent; then
 * its key is released or destroyed.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { type ReadonlySignal, signal } from "@preact/signals";
import { type Bytes, toBase64Url } from "../protocol/bytes.ts";
import type { ControlMessage, LastSeen, MetaMessage } from "../protocol/control.ts";
import { DEFAULT_RULES, type ViewRules } from "../protocol/display_options.ts";
import {
  MAX_ALT_LENGTH,
  MAX_CAPTION_LENGTH,
  MAX_IMAGES,
  MAX_MARK_LENGTH,
  MAX_NAME_LENGTH,
  MAX_VIEW_SECONDS,
} from "../protocol/limits.ts";
import { CHUNK_SIZE, chunkCount, RECORD_LENGTH } from "../protocol/record.ts";
import { encodeControl } from "../e2e/control_record.ts";
import { ImageSealer } from "../e2e/image_stream.ts";
import { ProtocolError, sha256, wipe } from "../e2e/suite.ts";
import type { Prepared } from "../image/prepared.ts";
import { ChannelClosedError } from "../connection/flow_channel.ts";
import type { Position, SecureLink } from "../connection/secure_link.ts";
import { ChunkReader } from "./chunk_reader.ts";
import { OpenDeadline } from "./open_deadline.ts";
import { isFinished, isOpen, type Outgoing, type OutgoingEvent, transition } from "./outgoing.ts";

/**
 * How many chunks are sealed ahead of the channel: 1 MiB. On busy cores the engine's crypto threads
 * are late, and a drained channel must never wait for them.
 */
const SEALED_AHEAD = 16;

/** Minimum interval between updates of the progress, in ms: each costs the page a render. */
const PROGRESS_MS = 100;

/**
 * Pause between the end of one picture and the next, in ms, so that both people see that one was
 * closed.
 */
const NEXT_DELAY_MS = 400;

/** What the owner can set for a picture until it is announced. */
export interface Details {
  readonly rules: ViewRules;
  /** Shown with the picture; may be empty. */
  readonly caption: string;
  /** Read out in place of the picture; may be empty. */
  readonly alt: string;
  /** Whether the file's name is sent: it often says more than the picture. */
  readonly named: boolean;
}

/** What to send. */
export interface OutgoingContent extends Partial<Details> {
  /** The file's name. */
  readonly name: string;
  /**
   * A promise while the picture is still being prepared. If that fails, whoever prepares it calls
   * {@linkcode Outbox.lose}.
   */
  readonly prepared: Prepared | Promise<Prepared>;
  readonly rules: ViewRules;
}

/** Frees a picture that is not sent, also one that is still being prepared. */
export function free({ prepared }: Pick<OutgoingContent, "prepared">): void {
  if (!(prepared instanceof Promise)) return prepared.thumbnail.close();
  prepared.then(({ thumbnail }) => thumbnail.close(), () => {
    // There is nothing to free, and whoever prepares it reports the failure.
  });
}

/** One picture of this side, as the page shows it. */
export interface OutgoingPicture extends Details {
  /** Stays the same when other pictures are removed or moved. */
  readonly id: number;
  /** Its place, and its number on the wire once it is announced. */
  readonly n: number;
  readonly name: string;
  /**
   * `null` while it is being prepared, or if it was sent before a reload and its content is gone.
   */
  readonly prepared: Prepared | null;
  /** Resolves to the prepared picture, which is not sent before; `null` once it is prepared. */
  readonly coming: Promise<Prepared> | null;
  readonly state: Outgoing;
  /** True while somebody edits it or its settings; it is not sent meanwhile. */
  readonly editing: boolean;
  /** The viewer would like more time. */
  readonly wanted: boolean;
}

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
  /** Called after each change of a picture's state. */
  readonly onChange: (picture: OutgoingPicture) => void;
  /** Whether the peer answers: a picture can become overdue only while it does. */
  readonly answers: () => boolean;
  /** What was remembered before a reload. */
  readonly ledger?: Ledger | undefined;
}

/** Thrown when a session can't take more pictures. */
export class OutboxFullError extends Error {
  override readonly name = "OutboxFullError";

  constructor() {
    super(`Cannot add picture: a session has at most ${MAX_IMAGES}`);
  }
}

/**
 * The event that a control message means for one of this side's pictures; `null` for messages about
 * something else.
 */
function toEvent(message: ControlMessage): (OutgoingEvent & { readonly n: number }) | null {
  switch (message.t) {
    case "got":
      return { type: message.t, n: message.n };
    case "shown": {
      const { n, still } = message;
      return still === undefined ? { type: "shown", n } : { type: "shown", n, still };
    }
    case "open":
      return { type: "open", n: message.n, ask: false };
    case "closed":
      return { type: "closed", n: message.n, why: message.why, ms: message.ms };
    case "abort":
      return message.n === undefined ? null : { type: "abort", n: message.n, code: message.code };
    default:
      return null;
  }
}

/** A picture that was announced and not finished. */
interface Sealed {
  readonly sealer: ImageSealer;
  readonly abort: AbortController;
}

/** A picture whose content is here. */
export type OwnPicture = OutgoingPicture & { readonly prepared: Prepared };

/** A picture that nobody has seen, in the form in which it can be added again. */
export type Unseen = Omit<OutgoingPicture, "prepared"> & OutgoingContent;

/** What is left of a picture that was opened or finished before a reload. */
function past(state: Outgoing, n: number): OutgoingPicture {
  const rules = { ...DEFAULT_RULES, seconds: 0 };
  const details = { rules, caption: "", alt: "", named: false, name: "" };
  const nothing = { prepared: null, coming: null, editing: false, wanted: false };
  return { ...details, ...nothing, id: n, n, state };
}

/** The picture with its content; `null` if its content is not here. */
function contentOf(picture: OutgoingPicture): Unseen | null {
  const prepared = picture.prepared ?? picture.coming;
  return prepared === null ? null : { ...picture, prepared };
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
 * Sends pictures in order. People look at one at a time. The next one is sent as soon as the
 * current one is delivered, and waits on the viewer's page, unreadable.
 */
export class Outbox {
  readonly #pictures = signal<readonly OutgoingPicture[]>([]);
  readonly #at = signal(0);
  readonly #onChange: (picture: OutgoingPicture) => void;
  #link: SecureLink | null = null;
  /** By number: the current picture, and the one sent ahead. */
  readonly #sealed = new Map<number, Sealed>();
  #ids = 0;
  /**
   * When the key of the current picture was released, by the wall clock, which keeps running while
   * a machine sleeps.
   */
  #openedAt = 0;
  /** Whether everything was burned, and which pictures were revoked one by one. */
  #burned = false;
  readonly #revoked = new Set<number>();
  /** The last picture that was sent completely. */
  #whole = -1;
  /** The next picture, which is already being read. */
  #readAhead: { readonly blob: Blob; readonly chunks: ChunkReader } | null = null;
  #pumping = false;
  #ended = false;
  #progressAt = 0;
  readonly #deadline: OpenDeadline;
  /** The transfer in progress: what stops it, and a promise of its end. */
  #job: { readonly stop: AbortController; readonly done: Promise<void> } | null = null;

  constructor({ onChange, answers, ledger = NO_LEDGER }: OutboxOptions) {
    this.#onChange = onChange;
    this.#deadline = new OpenDeadline(answers, (n) => this.#becomeOverdue(n));
    this.#pictures.value = ledger.states.map(past);
    this.#ids = ledger.states.length;
    this.#openedAt = ledger.openedAt;
  }

  /**
   * What a reloaded page has to know about pictures whose key was released or that are finished.
   */
  get ledger(): Ledger {
    const states = this.#inOrder().map(({ state }) => state);
    const unopened = states.findIndex((state) => !isOpen(state) && !isFinished(state));
    const pending = unopened !== -1;
    return {
      states: pending ? states.slice(0, unopened) : states,
      openedAt: this.#openedAt,
      pending,
    };
  }

  /** All pictures, in order. */
  get pictures(): ReadonlySignal<readonly OutgoingPicture[]> {
    return this.#pictures;
  }

  /** The place of the current picture; the next one may already be on its way. */
  get at(): ReadonlySignal<number> {
    return this.#at;
  }

  /** True when every picture is finished. */
  get done(): boolean {
    return this.#pictures.peek().every((picture) => isFinished(picture.state));
  }

  /**
   * Adds a picture; after the end of the session it is `unseen` at once. Returns its id. Throws
   * {@linkcode OutboxFullError}.
   */
  add({ prepared, ...content }: OutgoingContent): number {
    const pictures = this.#pictures.peek();
    if (pictures.length >= MAX_IMAGES) throw new OutboxFullError();
    const coming = prepared instanceof Promise ? prepared : null;
    const id = this.#ids++;
    const picture: OutgoingPicture = {
      caption: "",
      alt: "",
      named: false,
      ...content,
      id,
      prepared: prepared instanceof Promise ? null : prepared,
      coming,
      n: pictures.length,
      state: { at: this.#ended ? "unseen" : "queued" },
      editing: false,
      wanted: false,
    };
    this.#pictures.value = [...pictures, picture];
    coming?.then((made) => this.#arrive(id, made), () => {
      // See {@linkcode Outbox.lose}.
    });
    this.#onChange(picture);
    this.#pump();
    return id;
  }

  /** A picture could not be prepared: removes it. Returns false if it is not here. */
  lose(coming: Promise<Prepared>): boolean {
    const pictures = this.#pictures.peek();
    const kept = pictures.filter((picture) => picture.coming !== coming);
    if (kept.length === pictures.length) return false;
    this.#number(kept);
    this.#pump();
    return true;
  }

  /** Changes some rules of all pictures that were not announced yet. */
  setRules(rules: Partial<ViewRules>): void {
    for (const { id, rules: before } of this.#pictures.peek()) {
      this.change(id, { rules: { ...before, ...rules } });
    }
  }

  /**
   * Changes a picture's settings. Returns false if it is too late: it was announced, or no longer
   * exists.
   */
  change(id: number, details: Partial<Details>): boolean {
    return this.#rework(id, details);
  }

  /**
   * Replaces a picture by another version. Returns false if it is too late, as
   * {@linkcode Outbox.change} does; then the caller has to free `prepared`.
   */
  replace(id: number, prepared: Prepared): boolean {
    const before = this.#queued(id);
    if (before === null || !this.#rework(id, { prepared, coming: null })) return false;
    before.prepared?.thumbnail.close();
    return true;
  }

  /**
   * Keeps a picture, and those after it, from being sent while somebody edits it. Returns false if
   * it is too late.
   */
  edit(id: number, on: boolean): boolean {
    const done = this.#rework(id, { editing: on });
    this.#pump();
    return done;
  }

  /**
   * Removes a picture that was not announced. Returns it, for the caller to free, or `null` if it
   * is too late.
   */
  remove(id: number): Unseen | null {
    const picture = this.#queued(id);
    const content = picture === null ? null : contentOf(picture);
    if (picture === null || content === null) return null;
    this.#forgetReadAhead(picture.prepared?.blob);
    this.#number(this.#pictures.peek().filter((other) => other !== picture));
    this.#pump();
    return content;
  }

  /**
   * Moves a picture by `by` places, never before one that was announced. Returns false if that is
   * not possible.
   */
  move(id: number, by: number): boolean {
    const picture = this.#queued(id);
    const pictures = this.#pictures.peek();
    if (picture === null || pictures[picture.n + by]?.state.at !== "queued") return false;
    this.#number(pictures.toSpliced(picture.n, 1).toSpliced(picture.n + by, 0, picture));
    return true;
  }

  /** Starts sending over a bound secure link. */
  attach(link: SecureLink): void {
    this.#link = link;
    this.#pump();
  }

  /**
   * One of the pages was reloaded. The secure link has ended, and pictures that were not opened are
   * sent again, under new keys, once there is a new one. Returns the number of the next picture to
   * be announced.
   */
  detach(): number {
    this.#link = null;
    this.#job?.stop.abort();
    this.#job = null;
    for (const { sealer, abort } of this.#sealed.values()) {
      abort.abort();
      sealer.destroy();
    }
    this.#sealed.clear();
    this.#applyAll({ type: "again" });
    this.#number(this.#inOrder());
    this.#at.value = this.#first();
    const next = this.ledger.states.length;
    this.#whole = next - 1;
    return next;
  }

  /**
   * After a reload of either page, the viewer's page reports what became of the picture that was
   * opened last. Any other open picture becomes unconfirmed.
   */
  settle(last: LastSeen | undefined): void {
    for (const { n, state } of this.#pictures.peek()) {
      if (!isOpen(state)) continue;
      if (last?.n !== n) {
        this.#apply(n, { type: "overdue" });
        continue;
      }
      const { ms } = last;
      // A viewer may report "burned" only for what this side burned.
      const why = last.why === "revoked" && !this.#burned && !this.#revoked.has(n)
        ? "left"
        : last.why;
      if (ms > 0) this.#apply(n, { type: "shown" });
      this.#apply(n, this.#plausible({ type: "closed", why, ms }));
    }
  }

  /**
   * The secure link moved to another transport, and the viewer expects this chunk: sends everything
   * from there on again. Throws {@linkcode ProtocolError} if the chunk was never sent.
   */
  async resume({ image, chunk }: Position): Promise<void> {
    const job = this.#job;
    job?.stop.abort();
    await job?.done;
    const link = this.#link;
    const picture = this.#pictures.peek().find(({ state }) => state.at === "sending");
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

  /**
   * Takes the viewer's message about one of this side's pictures. Returns false for other messages.
   * Throws {@linkcode ProtocolError} if it reports something that can't have happened.
   */
  async receive(message: ControlMessage): Promise<boolean> {
    const event = toEvent(message);
    if (event === null) return false;
    const { n } = event;
    // The message may have crossed this side's burn: then there is nothing left to change.
    const known = this.#pictures.peek()[n];
    if (known !== undefined && isFinished(known.state)) return true;
    // A picture that was not sent completely can't have arrived.
    if (event.type === "got" && this.#whole < n) throw new ProtocolError();
    // One after the other: a picture sent ahead stays locked until the earlier ones are finished.
    if (event.type === "open" && n > this.#first()) throw new ProtocolError();
    // A viewer may report "burned" only for what this side burned.
    const claimsBurn = event.type === "closed" && event.why === "revoked";
    if (claimsBurn && !this.#burned && !this.#revoked.has(n)) throw new ProtocolError();
    const ask = known?.rules.ask === true;
    const happened = event.type === "open" ? { ...event, ask } : this.#plausible(event);
    if (!this.#apply(n, happened)) throw new ProtocolError();
    if (event.type === "open" && !ask) await this.#release(n);
    return true;
  }

  /** Lets the viewer see a picture that they asked to see. */
  async allow(id: number): Promise<void> {
    const picture = this.#find(id);
    if (picture?.state.at !== "asked" || !this.#apply(picture.n, { type: "allow" })) return;
    await this.#release(picture.n);
  }

  /** Takes one picture back; if it is open, the viewer's page wipes it. */
  revoke(id: number): void {
    const picture = this.#find(id);
    if (picture === null || isFinished(picture.state)) return;
    this.#revoked.add(picture.n);
    this.#link?.sendControl({ t: "revoke", n: picture.n }).catch(() => {});
    this.#apply(picture.n, { type: "burn" });
  }

  /**
   * Grants more time for the picture on the viewer's screen, in seconds. Returns how much was
   * granted within the limits.
   */
  grant(id: number, seconds: number): number {
    const picture = this.#find(id);
    const { n, state, rules } = picture ?? {};
    if (n === undefined || rules === undefined || state?.at !== "shown") return 0;
    const most = MAX_VIEW_SECONDS - rules.seconds;
    const granted = rules.seconds === 0 ? 0 : Math.min(seconds, most);
    const extended = { ...rules, seconds: rules.seconds + granted };
    this.#put(n, { wanted: false, rules: extended });
    if (granted <= 0) return 0;
    this.#link?.sendControl({ t: "extend", n, seconds: granted }).catch(() => {});
    this.#deadline.extended(n, extended);
    return granted;
  }

  /**
   * The viewer would like more time. Returns the picture if this is a new wish that can be granted,
   * otherwise `null`. Throws {@linkcode ProtocolError} for a picture that was never announced.
   */
  wish(n: number): OutgoingPicture | null {
    const picture = this.#pictures.peek()[n];
    if (picture === undefined || picture.state.at === "queued") throw new ProtocolError();
    const { state, rules, wanted } = picture;
    if (state.at !== "shown" || wanted || rules.seconds === 0) return null;
    return rules.seconds >= MAX_VIEW_SECONDS ? null : this.#put(n, { wanted: true });
  }

  /** Limits a reported viewing time to the time since the key was released. */
  #plausible(event: OutgoingEvent): OutgoingEvent {
    if (event.type !== "closed") return event;
    const most = Math.max(0, Date.now() - this.#openedAt);
    return { ...event, ms: Math.min(event.ms, most) };
  }

  /**
   * Takes everything back: keys that were not released are destroyed, and the viewer's page wipes
   * what is open. The caller may wait for its report ({@linkcode Outbox.open}).
   */
  burn(): void {
    this.#burned = true;
    this.#link?.sendControl({ t: "revoke", all: true }).catch(() => {});
    this.#applyAll({ type: "burn" });
  }

  /** True while the viewer has a picture with its key. */
  get open(): boolean {
    return this.#pictures.peek().some((picture) => isOpen(picture.state));
  }

  /**
   * The session is over: nothing more is sent, and keys that were not released are destroyed.
   * Idempotent.
   */
  end(): void {
    this.#ended = true;
    this.#link = null;
    this.#readAhead?.chunks.cancel();
    this.#readAhead = null;
    this.#applyAll({ type: "over" });
  }

  /** Returns the pictures that nobody has seen, for another session, and frees the others. */
  takeUnseen(): readonly Unseen[] {
    this.end();
    const unseen = this.#pictures.peek().filter(({ state }) => state.at === "unseen");
    this.#pictures.value = [];
    return unseen.flatMap((picture) => contentOf(picture) ?? []);
  }

  /** A picture has been prepared. */
  #arrive(id: number, prepared: Prepared): void {
    const picture = this.#find(id);
    // Removed meanwhile: somebody else owns it now.
    if (picture === null || picture.coming === null) return;
    if (picture.state.at !== "queued" && picture.state.at !== "unseen") {
      prepared.thumbnail.close();
      return;
    }
    this.#put(picture.n, { prepared, coming: null });
    this.#pump();
  }

  #find(id: number): OutgoingPicture | null {
    return this.#pictures.peek().find((picture) => picture.id === id) ?? null;
  }

  /** A picture that was not announced; `null` for any other. */
  #queued(id: number): OutgoingPicture | null {
    const picture = this.#find(id);
    return picture?.state.at === "queued" ? picture : null;
  }

  #rework(id: number, changes: Partial<OutgoingPicture>): boolean {
    const picture = this.#queued(id);
    if (picture === null) return false;
    if (changes.prepared !== undefined) this.#forgetReadAhead(picture.prepared?.blob);
    this.#put(picture.n, changes);
    return true;
  }

  #put(n: number, changes: Partial<OutgoingPicture>): OutgoingPicture | null {
    const pictures = this.#pictures.peek();
    const picture = pictures[n];
    if (picture === undefined) return null;
    const next = { ...picture, ...changes };
    this.#pictures.value = pictures.with(n, next);
    return next;
  }

  /**
   * Opened or finished pictures first, then the others: the viewer counts announced pictures, and
   * receives the others again.
   */
  #inOrder(): readonly OutgoingPicture[] {
    const opened = ({ state }: OutgoingPicture) => isOpen(state) || isFinished(state);
    const pictures = this.#pictures.peek();
    return [...pictures.filter(opened), ...pictures.filter((picture) => !opened(picture))];
  }

  /** Puts pictures in a new order. */
  #number(pictures: readonly OutgoingPicture[]): void {
    this.#pictures.value = pictures.map((picture, n) => ({ ...picture, n }));
  }

  /** The number of the first picture that is not finished. */
  #first(): number {
    const pictures = this.#pictures.peek();
    const first = pictures.findIndex(({ state }) => !isFinished(state));
    return first === -1 ? pictures.length : first;
  }

  #forgetReadAhead(blob: Blob | undefined): void {
    if (this.#readAhead === null || this.#readAhead.blob !== blob) return;
    this.#readAhead.chunks.cancel();
    this.#readAhead = null;
  }

  #apply(n: number, event: OutgoingEvent): boolean {
    const picture = this.#pictures.peek()[n];
    if (picture === undefined) return false;
    const state = transition(picture.state, event);
    if (state === null) return false;
    if (state === picture.state) return true;
    const finished = isFinished(state);
    const next = this.#put(n, { state, ...(finished ? { wanted: false } : {}) });
    if (next === null) return false;
    this.#watch(next);
    // Only a picture that may be sent again is still shown.
    if (finished && state.at !== "unseen") picture.prepared?.thumbnail.close();
    if (finished) {
      const sealed = this.#sealed.get(n);
      this.#sealed.delete(n);
      sealed?.abort.abort();
      sealed?.sealer.destroy();
    }
    this.#onChange(next);
    if (finished) setTimeout(() => this.#goOn(), NEXT_DELAY_MS);
    else if (state.at === "delivered") this.#pump();
    return true;
  }

  /** A moment after a picture was closed: moves on to the next one. */
  #goOn(): void {
    this.#at.value = Math.max(this.#at.peek(), this.#first());
    this.#pump();
  }

  /** Without a report, an open picture becomes "unconfirmed". */
  #watch({ n, state, rules }: OutgoingPicture): void {
    if (state.at === "opened" || state.at === "shown") this.#deadline[state.at](n, rules);
    else if (isFinished(state) && n < this.#first()) this.#deadline.closed();
  }

  #becomeOverdue(n: number): void {
    // If the viewer's page is only slow, this message still closes the picture there.
    this.#link?.sendControl({ t: "revoke", n }).catch(() => {});
    this.#apply(n, { type: "overdue" });
  }

  #applyAll(event: OutgoingEvent): void {
    for (const { n } of this.#pictures.peek()) this.#apply(n, event);
  }

  async #release(n: number): Promise<void> {
    const sealer = this.#sealed.get(n)?.sealer;
    const link = this.#link;
    if (sealer === undefined || link === null) throw new ProtocolError();
    this.#openedAt = Date.now();
    const key = sealer.exportKey();
    try {
      wipe(await link.sendControl({ t: "key", n, key: toBase64Url(key) }));
    } finally {
      wipe(key);
      sealer.destroy();
    }
  }

  /**
   * The picture to send now: the first unfinished one, or the one after it once that is delivered.
   */
  #due(): OutgoingPicture | null {
    const [first, second] = this.#pictures.peek().slice(this.#first());
    if (first?.state.at === "queued") return first;
    const received = first !== undefined && first.state.at !== "sending";
    return received && second?.state.at === "queued" ? second : null;
  }

  #pump(): void {
    const link = this.#link;
    const next = this.#due();
    if (this.#pumping || next === null || next.editing || next.prepared === null) return;
    const { prepared } = next;
    if (link === null) {
      const { blob } = prepared;
      if (this.#readAhead?.blob === blob) return;
      this.#readAhead?.chunks.cancel();
      this.#readAhead = { blob, chunks: new ChunkReader(blob) };
      return;
    }
    this.#begin(next.n, (signal) => this.#send({ ...next, prepared }, link, signal));
  }

  /** Runs a transfer until it is done or stopped. */
  #begin(n: number, send: (signal: AbortSignal) => Promise<void>): void {
    this.#pumping = true;
    const stop = new AbortController();
    const done = send(stop.signal).catch((error) => {
      // Errors after a stop are not the file's fault.
      if (!stop.signal.aborted) this.#sendFailed(n, error);
    }).finally(() => {
      this.#pumping = false;
      this.#pump();
    });
    this.#job = { stop, done };
  }

  async #send(
    picture: OwnPicture,
    link: SecureLink,
    signal: AbortSignal,
  ): Promise<void> {
    const { n, prepared: { size, blob } } = picture;
    this.#apply(n, { type: "progress", sent: 0 });
    const meta = describe(picture);
    const announced = link.sendControl(meta);
    const ahead = this.#readAhead;
    const chunks = ahead?.blob === blob ? ahead.chunks : new ChunkReader(blob);
    if (ahead?.blob === blob) this.#readAhead = null;
    // Not awaited here: chunks may overtake the announcement, and the viewer waits for whatever is
    // missing.
    const metaHash = await sha256(encodeControl(meta));
    const sealer = await ImageSealer.create({ image: n, size, metaHash });
    if (signal.aborted || isFinished(this.#pictures.peek()[n]?.state ?? { at: "burned" })) {
      chunks.cancel();
      return sealer.destroy();
    }
    this.#sealed.set(n, { sealer, abort: new AbortController() });
    await Promise.all([announced, this.#sendRest(n, { chunks, sent: 0, link, signal })]);
  }

  /** Sends the remaining chunks, and then, once per picture, the `end` message. */
  async #sendRest(
    n: number,
    rest: { chunks: ChunkReader; sent: number; link: SecureLink; signal: AbortSignal },
  ): Promise<void> {
    const sealed = this.#sealed.get(n);
    const size = this.#pictures.peek()[n]?.prepared?.size;
    if (sealed === undefined || size === undefined) return rest.chunks.cancel();
    const { sealer, abort } = sealed;
    const signal = AbortSignal.any([abort.signal, rest.signal]);
    await this.#sendChunks({ ...rest, n, size, sealer, signal });
    const digest = toBase64Url(await sealer.finish());
    if (signal.aborted || this.#whole >= n) return;
    this.#whole = n;
    await rest.link.sendControl({ t: "end", n, digest });
  }

  /**
   * Reads, seals and sends chunks. The three overlap, so that the channel never waits for the other
   * two.
   */
  async #sendChunks(
    { n, size, chunks, sealer, link, signal, sent }: {
      n: number;
      size: number;
      chunks: ChunkReader;
      sealer: ImageSealer;
      link: SecureLink;
      signal: AbortSignal;
      sent: number;
    },
  ): Promise<void> {
    const sealed: Promise<Bytes>[] = [];
    // A channel copies what it sends, so its buffer can hold the next record at once.
    const free = Array.from({ length: SEALED_AHEAD + 1 }, () => new Uint8Array(RECORD_LENGTH));
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
    // The file can't be read any more: takes the announcement back and continues with the next one.
    this.#link?.sendControl({ t: "revoke", n }).catch(() => {});
    this.#apply(n, { type: "unreadable" });
  }
}
