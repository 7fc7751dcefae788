/**
 * The pictures of this side in their order, and what can be set for each until it is announced.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { type ReadonlySignal, signal } from "@preact/signals";
import type { ViewerRequest } from "../protocol/control.ts";
import { DEFAULT_RULES, type ViewRules } from "../protocol/display_options.ts";
import { MAX_IMAGES } from "../protocol/limits.ts";
import type { Prepared } from "../image/prepared.ts";
import { isFinished, isOpen, type Outgoing, type OutgoingEvent, transition } from "./outgoing.ts";

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
   * {@linkcode OutgoingList.lose}.
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
  /** What the viewer asked for, and its owner has not answered. */
  readonly request: ViewerRequest | null;
}

/** A picture that nobody has seen, in the form in which it can be added again. */
export type Unseen = Omit<OutgoingPicture, "prepared"> & OutgoingContent;

/** Thrown when a session can't take more pictures. */
export class OutboxFullError extends Error {
  override readonly name = "OutboxFullError";

  constructor() {
    super(`Cannot add picture: a session has at most ${MAX_IMAGES}`);
  }
}

const UNTOLD = { caption: "", alt: "", named: false };
const FRESH = { editing: false, request: null };

/** What is left of a picture that was opened or finished before a reload. */
function past(state: Outgoing, n: number): OutgoingPicture {
  const rules = { ...DEFAULT_RULES, seconds: 0 };
  return { ...UNTOLD, ...FRESH, rules, name: "", prepared: null, coming: null, id: n, n, state };
}

/** The picture with its content; `null` if its content is not here. */
function contentOf(picture: OutgoingPicture): Unseen | null {
  const prepared = picture.prepared ?? picture.coming;
  return prepared === null ? null : { ...picture, prepared };
}

function isUnopened({ state }: OutgoingPicture): boolean {
  return !isOpen(state) && !isFinished(state);
}

/** Settings of an {@linkcode OutgoingList}. */
export interface OutgoingListOptions {
  /** Called after each change of a picture's state, except for progress. */
  readonly onChange: (picture: OutgoingPicture) => void;
  /** Called when another picture may have become the next one to be sent. */
  readonly onQueue: () => void;
  /** The pictures of the page before a reload. */
  readonly states: readonly Outgoing[];
}

/** The list. A picture's state changes only by {@linkcode OutgoingList.apply}. */
export class OutgoingList {
  readonly #options: OutgoingListOptions;
  readonly #pictures = signal<readonly OutgoingPicture[]>([]);
  #ids: number;
  #ended = false;

  constructor(options: OutgoingListOptions) {
    this.#options = options;
    this.#pictures.value = options.states.map(past);
    this.#ids = options.states.length;
  }

  /** All pictures, in order. */
  get pictures(): ReadonlySignal<readonly OutgoingPicture[]> {
    return this.#pictures;
  }

  /** The number of the first picture that is not finished. */
  get first(): number {
    const pictures = this.#pictures.peek();
    const first = pictures.findIndex(({ state }) => !isFinished(state));
    return first === -1 ? pictures.length : first;
  }

  /**
   * What a reloaded page has to know: the states of the pictures that were opened or are finished,
   * and whether there are others.
   */
  get remembered(): { readonly states: readonly Outgoing[]; readonly pending: boolean } {
    const pictures = this.#inOrder();
    const opened = pictures.filter((picture) => !isUnopened(picture)).map(({ state }) => state);
    return { states: opened, pending: opened.length < pictures.length };
  }

  /** The picture with this id; `null` if it is not here. */
  find(id: number): OutgoingPicture | null {
    return this.#pictures.peek().find((picture) => picture.id === id) ?? null;
  }

  /**
   * Adds a picture; after the end of the session it is `unseen` at once. Throws
   * {@linkcode OutboxFullError}.
   */
  add({ prepared, ...content }: OutgoingContent): void {
    const pictures = this.#pictures.peek();
    if (pictures.length >= MAX_IMAGES) throw new OutboxFullError();
    const coming = prepared instanceof Promise ? prepared : null;
    const id = this.#ids++;
    const picture: OutgoingPicture = {
      ...UNTOLD,
      ...content,
      ...FRESH,
      id,
      prepared: prepared instanceof Promise ? null : prepared,
      coming,
      n: pictures.length,
      state: { at: this.#ended ? "unseen" : "queued" },
    };
    this.#pictures.value = [...pictures, picture];
    coming?.then((made) => this.#arrive(id, made), () => {
      // See {@linkcode OutgoingList.lose}.
    });
    this.#options.onChange(picture);
    this.#options.onQueue();
  }

  /** A picture could not be prepared: removes it. */
  lose(coming: Promise<Prepared>): void {
    this.#keep((picture) => picture.coming !== coming);
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
   * {@linkcode OutgoingList.change} does; then the caller has to free `prepared`.
   */
  replace(id: number, prepared: Prepared): boolean {
    const before = this.find(id);
    if (!this.#rework(id, { prepared, coming: null })) return false;
    before?.prepared?.thumbnail.close();
    return true;
  }

  /**
   * Keeps a picture, and those after it, from being sent while somebody edits it. Returns false if
   * it is too late.
   */
  edit(id: number, on: boolean): boolean {
    return this.#rework(id, { editing: on });
  }

  /**
   * Removes a picture that was not announced. Returns it, for the caller to free, or `null` if it
   * is too late.
   */
  remove(id: number): Unseen | null {
    const picture = this.#queued(id);
    const content = picture === null ? null : contentOf(picture);
    if (content !== null) this.#keep((other) => other !== picture);
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

  /** Applies an event to picture `n`. Returns false if it is not possible in its state. */
  apply(n: number, event: OutgoingEvent): boolean {
    const picture = this.#pictures.peek()[n];
    const state = picture === undefined ? null : transition(picture.state, event);
    if (picture === undefined || state === null) return false;
    if (state === picture.state) return true;
    const finished = isFinished(state);
    const next = this.put(n, { state, ...(finished ? { request: null } : {}) });
    // Only a picture that may be sent again is still shown.
    if (finished && state.at !== "unseen") picture.prepared?.thumbnail.close();
    if (next !== null && state.at !== picture.state.at) this.#options.onChange(next);
    return true;
  }

  /** Applies an event to every picture in whose state it is possible. */
  applyAll(event: OutgoingEvent): void {
    for (const { n } of this.#pictures.peek()) this.apply(n, event);
  }

  /** Changes picture `n` in whatever state it is, but not its state. Returns what it is then. */
  put(n: number, changes: Partial<OutgoingPicture>): OutgoingPicture | null {
    const pictures = this.#pictures.peek();
    const picture = pictures[n];
    if (picture === undefined) return null;
    const next = { ...picture, ...changes };
    this.#pictures.value = pictures.with(n, next);
    return next;
  }

  /** Numbers the pictures anew after a reload: the viewer receives unopened ones again. */
  restart(): void {
    this.applyAll({ type: "again" });
    this.#number(this.#inOrder());
  }

  /** The session is over. Idempotent. */
  end(): void {
    this.#ended = true;
    this.applyAll({ type: "over" });
  }

  /** Removes all pictures. Returns those that nobody has seen. */
  takeUnseen(): readonly Unseen[] {
    const unseen = this.#pictures.peek().filter(({ state }) => state.at === "unseen");
    this.#pictures.value = [];
    return unseen.flatMap((picture) => contentOf(picture) ?? []);
  }

  /** A picture has been prepared. */
  #arrive(id: number, prepared: Prepared): void {
    const picture = this.find(id);
    // Removed meanwhile: somebody else owns it now.
    if (picture === null || picture.coming === null) return;
    if (picture.state.at !== "queued" && picture.state.at !== "unseen") {
      prepared.thumbnail.close();
      return;
    }
    this.put(picture.n, { prepared, coming: null });
    this.#options.onQueue();
  }

  /** A picture that was not announced; `null` for any other. */
  #queued(id: number): OutgoingPicture | null {
    const picture = this.find(id);
    return picture?.state.at === "queued" ? picture : null;
  }

  #rework(id: number, changes: Partial<OutgoingPicture>): boolean {
    const picture = this.#queued(id);
    if (picture === null) return false;
    this.put(picture.n, changes);
    this.#options.onQueue();
    return true;
  }

  #keep(isKept: (picture: OutgoingPicture) => boolean): void {
    const kept = this.#pictures.peek().filter(isKept);
    if (kept.length === this.#pictures.peek().length) return;
    this.#number(kept);
    this.#options.onQueue();
  }

  /**
   * Opened or finished pictures first, then the others: the viewer counts announced pictures, and
   * receives the others again.
   */
  #inOrder(): readonly OutgoingPicture[] {
    const pictures = this.#pictures.peek();
    return [...pictures.filter((one) => !isUnopened(one)), ...pictures.filter(isUnopened)];
  }

  /** Puts pictures in a new order. */
  #number(pictures: readonly OutgoingPicture[]): void {
    this.#pictures.value = pictures.map((picture, n) => ({ ...picture, n }));
  }
}
