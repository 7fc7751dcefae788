/**
 * What the page `/` shows and can do: signals out, functions in.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { batch, computed, type ReadonlySignal, signal } from "@preact/signals";
import type { ViewRules } from "../protocol/display_options.ts";
import { findLink } from "../e2e/find_link.ts";
import { createLinkSecret, formatLink } from "../e2e/link.ts";
import { wipe } from "../e2e/suite.ts";
import { Decoder } from "../image/decoder.ts";
import type { Edits } from "../image/edits.ts";
import { ImageError } from "../image/errors.ts";
import type { EditorModel, Tool } from "./editor_model.ts";
import {
  findObstacle,
  heicWorkerMaker,
  pageLanguage,
  relayOffered,
  signalingServer,
  warmUp,
  workerMaker,
} from "../device/environment.ts";
import type { Prepared } from "../image/prepared.ts";
import {
  type Details,
  free,
  OutboxFullError,
  type OutgoingContent,
  type OutgoingPicture,
  type Unseen,
} from "../pictures/outgoing_list.ts";
import { type FailReason, type Life, type SenderPhase, senderPhase } from "./phases.ts";
import { isReturning } from "../page_restore/tab_key.ts";
import { loadSession, loadSoon } from "./load_session.ts";
import type { Returned } from "../page_restore/tab_memory.ts";
import { isFinished, isOpen } from "../pictures/outgoing.ts";
import { Picker } from "./picker.ts";
import { keepPreferences, readPreferences } from "./preferences.ts";
import type { Session } from "./session.ts";

const IDLE: Life = { at: "idle" };
const UNREACHABLE: Life = { at: "failed", reason: "unreachable" };

/** Longest side of what the editor shows, in pixels: enough for any screen. */
const EDITOR_SIDE = 1_600;

/** A picture that is being edited. */
export interface Editing {
  readonly id: number;
  readonly model: EditorModel;
  readonly tools: readonly Tool[];
}

/** The sender's page. */
export class SenderModel {
  readonly picker: Picker;
  readonly #decoder: Decoder;
  readonly #location: Location;
  readonly #obstacle: FailReason | null;
  readonly #session = signal<Session | null>(null);
  readonly #link = signal<string | null>(null);
  readonly #code: ReadonlySignal<string | null>;
  readonly #keep = signal(false);
  readonly #relay = signal(false);
  /**
   * Pictures for which no session could start, because the server did not answer the request for
   * the session's script.
   */
  readonly #stranded = signal<readonly OutgoingContent[]>([]);
  /** The picture that was removed last, as long as that can be undone. */
  readonly #removed = signal<Unseen | null>(null);
  /** The link was withdrawn together with its only picture, which could not be prepared. */
  readonly #linkGone = signal(false);
  /** Settles once it is known whether a page before a reload left a session. */
  #coming: Promise<void> = Promise.resolve();
  readonly #returning = signal(false);
  readonly #returns = new AbortController();
  /** A page before a reload left a session, but it has expired. */
  readonly #lapsed = signal(false);
  readonly #phase: ReadonlySignal<SenderPhase>;
  readonly #reason: ReadonlySignal<string | null>;

  /** `worker` is the URL of the picture worker. */
  constructor(worker: string) {
    this.#location = globalThis.location;
    this.#obstacle = findObstacle();
    this.#decoder = new Decoder(workerMaker(worker), { makeHeicWorker: heicWorkerMaker(worker) });
    if (this.#obstacle === null) {
      warmUp();
      loadSoon(this.#decoder);
    }
    this.picker = new Picker(this.#decoder);
    const kept = readPreferences();
    this.picker.rules.value = kept.rules;
    this.picker.fullSize.value = kept.fullSize;
    this.#relay.value = kept.relay;
    this.#phase = computed(() => {
      const life = this.#life();
      const outbox = this.#session.value?.outbox;
      const phase = senderPhase(life, {
        pictures: outbox?.pictures.value ?? [],
        at: outbox?.at.value ?? 0,
        preparing: this.picker.preparing.value,
      });
      const failed = this.#obstacle !== null || this.picker.problems.value.length > 0;
      return phase === "idle" && failed ? "failed" : phase;
    });
    if (this.#obstacle === null && isReturning("S")) this.#coming = this.#return();
    this.#code = computed(() => this.#session.value?.code.value ?? null);
    this.#reason = computed(() => {
      const life = this.#life();
      if (life.at === "ended" || life.at === "failed") return life.reason;
      if (life.at !== "idle") return null;
      return this.#obstacle ?? this.picker.problems.value[0]?.reason ?? null;
    });
  }

  get phase(): ReadonlySignal<SenderPhase> {
    return this.#phase;
  }

  /**
   * Why the session ended or failed, or what is wrong with the file that should have started it.
   */
  get reason(): ReadonlySignal<string | null> {
    return this.#reason;
  }

  /** Why this browser can't take part at all. */
  get obstacle(): FailReason | null {
    return this.#obstacle;
  }

  get session(): ReadonlySignal<Session | null> {
    return this.#session;
  }

  /** True while a session from before a reload is being restored. */
  get returning(): ReadonlySignal<boolean> {
    return this.#returning;
  }

  /** True if a page before a reload had a session that has expired. */
  get lapsed(): boolean {
    return this.#lapsed.value && this.#session.value === null;
  }

  /** The link to share; set once the first picture was chosen. */
  get link(): ReadonlySignal<string | null> {
    return this.#link;
  }

  /**
   * True if a link was shown for a picture that then could not be prepared: the link no longer
   * works.
   */
  get linkGone(): ReadonlySignal<boolean> {
    return this.#linkGone;
  }

  /** The picture that was removed last; `null` once that can't be undone any more. */
  get removed(): ReadonlySignal<Unseen | null> {
    return this.#removed;
  }

  /**
   * True while leaving the page would lose a picture: one that is not opened yet in a running
   * session, or one for which no session could start.
   */
  get waits(): boolean {
    if (this.stranded) return true;
    const session = this.#session.value;
    if (session === null || isOver(session.life.value)) return false;
    return session.outbox.pictures.value.some(({ state }) => !isOpen(state) && !isFinished(state));
  }

  /**
   * The code to read out instead of the link; `null` while there is none, and after it was
   * withdrawn.
   */
  get code(): ReadonlySignal<string | null> {
    return this.#code;
  }

  /** Whether sessions continue after the last picture. */
  get keep(): ReadonlySignal<boolean> {
    return this.#keep;
  }

  /** Whether this side's address stays hidden from the peer. */
  get relay(): ReadonlySignal<boolean> {
    return this.#relay;
  }

  /**
   * Takes files that were chosen, dropped or pasted. The first one that looks like a picture
   * creates the link, which does not wait until the picture is prepared.
   */
  async choose(files: readonly File[]): Promise<void> {
    if (this.#obstacle !== null || files.length === 0) return;
    await this.#coming;
    this.#linkGone.value = false;
    this.#forgetRemoved();
    const before = this.#running();
    let target = before;
    const release = before?.postponeEnd();
    const loading = loadSession();
    // A failure is handled when the first picture is added.
    loading.catch(() => {});
    try {
      await this.picker.pick(files, {
        take: async (content) => {
          const begin = await this.#beginner(loading);
          // Reset to the start page in the meantime: the picture is not wanted any more.
          if (target !== null && target !== this.#session.peek()) return false;
          target ??= this.#running() ?? begin?.() ?? null;
          if (target !== null) return this.#add(target, content);
          this.#stranded.value = [...this.#stranded.peek(), content];
          return true;
        },
        lose: (coming) => this.#lose(coming),
      });
    } finally {
      release?.();
      if (before === null) this.#withdrawUseless();
    }
  }

  /** Changes how pictures may be viewed, also those that are not being sent yet. */
  setRules(changed: Partial<ViewRules>): void {
    const rules = { ...this.picker.rules.peek(), ...changed };
    this.picker.rules.value = rules;
    keepPreferences({ rules });
    this.#session.peek()?.outbox.list.setRules(changed);
  }

  /**
   * Sends large pictures in full size, or scaled down; those that are not being sent yet are
   * prepared anew.
   */
  async setFullSize(fullSize: boolean): Promise<void> {
    this.picker.fullSize.value = fullSize;
    keepPreferences({ fullSize });
    const outbox = this.#session.peek()?.outbox;
    const pictures = outbox?.pictures.peek() ?? [];
    await Promise.all(pictures.map(({ id }) => this.#prepareAnew(id)));
  }

  /** Keeps this session and later ones open after the last picture, or not. */
  setKeep(on: boolean): void {
    this.#keep.value = on;
    this.#session.peek()?.setKeep(on);
  }

  /**
   * Connects only through a relay (TURN or the encrypted relay), or not; an existing connection is
   * unaffected.
   */
  setRelay(on: boolean): void {
    this.#relay.value = on;
    keepPreferences({ relay: on });
    this.#session.peek()?.hideAddress(on);
  }

  /** Changes one picture, as long as it was not announced to the viewer. */
  change(id: number, details: Partial<Details>): void {
    this.#session.peek()?.outbox.list.change(id, details);
  }

  /** Moves one picture by some places, as long as it was not announced. */
  move(id: number, by: number): void {
    this.#session.peek()?.outbox.list.move(id, by);
  }

  /**
   * Removes one picture, as long as it was not announced. The session continues even without
   * pictures: its link stays valid for the next one that is chosen, or for this one if the removal
   * is undone.
   */
  remove(id: number): void {
    const content = this.#session.peek()?.outbox.list.remove(id) ?? null;
    if (content === null) return;
    this.#forgetRemoved();
    this.#removed.value = content;
  }

  /** Puts the picture that was removed last back in its place. */
  undoRemove(): void {
    const content = this.#removed.peek();
    const session = this.#running();
    if (content === null || session === null) return;
    this.#removed.value = null;
    const { name, prepared, rules, caption, alt, named, n } = content;
    if (!this.#add(session, { name, prepared, rules, caption, alt, named })) return free(content);
    const last = session.outbox.pictures.peek().at(-1);
    if (last !== undefined) session.outbox.list.move(last.id, n - last.n);
  }

  /**
   * Holds a picture back while its details are being edited, or releases it. Returns false if it is
   * too late.
   */
  setEditing(id: number, on: boolean): boolean {
    return this.#session.peek()?.outbox.list.edit(id, on) ?? false;
  }

  /** The pictures of a closed session that nobody has seen. */
  get unseen(): readonly OutgoingPicture[] {
    const pictures = this.#session.value?.outbox.pictures.value ?? [];
    return pictures.filter(({ state }) => state.at === "unseen");
  }

  /**
   * True if the server did not answer when the first picture was chosen; {@linkcode
   * SenderModel.again} retries.
   */
  get stranded(): boolean {
    return this.#stranded.value.length > 0;
  }

  /** Creates a new link for the pictures that nobody has seen. */
  async again(): Promise<void> {
    const begin = await this.#beginner(loadSession());
    if (begin === null) return;
    const unseen = this.#session.peek()?.outbox.takeUnseen() ?? [];
    const kept: readonly OutgoingContent[] = [...unseen, ...this.#stranded.peek()];
    if (kept.length === 0) return this.reset();
    const session = begin();
    for (const { name, prepared, rules, caption = "", alt = "", named = false } of kept) {
      session.outbox.list.add({ name, prepared, rules, caption, alt, named });
    }
    this.#stranded.value = [];
  }

  /** Resets the page to its start, keeping nothing. */
  reset(): void {
    this.#returns.abort();
    this.#discard();
    this.#stranded.peek().forEach(free);
    this.picker.clear();
    batch(() => {
      this.#linkGone.value = false;
      this.#stranded.value = [];
      this.#session.value = null;
      this.#link.value = null;
      this.#lapsed.value = false;
    });
  }

  /** Takes the text of a QR code and follows its link; false if it is not one of this site. */
  takeScanned(text: string): boolean {
    const { origin } = this.#location;
    const found = findLink(text, new URL(origin).host);
    if (found?.at !== "whole") return false;
    this.#location.assign(formatLink(origin, found.secret));
    return true;
  }

  /** The page is being closed: reports that while it still can. */
  vanish(): void {
    this.#session.peek()?.vanish();
  }

  /**
   * Starts editing a picture, which is not sent meanwhile. `null` if it is too late, or editing is
   * not possible.
   */
  async beginEdit(id: number): Promise<Editing | null> {
    const outbox = this.#session.peek()?.outbox;
    const picture = outbox?.pictures.peek().find((other) => other.id === id);
    const prepared = picture?.prepared ?? null;
    if (outbox === undefined || prepared === null || !outbox.list.edit(id, true)) return null;
    const { source, edits } = prepared;
    const size = { maxWidth: EDITOR_SIDE, maxHeight: EDITOR_SIDE };
    try {
      const { EditorModel, TOOLS } = await import("./editor_model.ts");
      const bitmap = await this.#decoder.preview(source, size);
      return { id, model: new EditorModel(bitmap, edits), tools: TOOLS };
    } catch (error) {
      outbox.list.edit(id, false);
      if (error instanceof ImageError) {
        this.picker.refuse({ reason: error.reason, name: picture?.name ?? "" });
      }
      // Otherwise the server did not deliver the editor's script: the picture stays as it was.
      return null;
    }
  }

  /** Replaces the picture by its edited version; `null` leaves it as it was. */
  async endEdit(id: number, edits: Edits | null): Promise<void> {
    if (edits === null) this.#session.peek()?.outbox.list.edit(id, false);
    else await this.#prepareAnew(id, edits);
  }

  /**
   * Prepares a picture again from its file with the current settings, unless it is already being
   * sent.
   */
  async #prepareAnew(id: number, edits?: Edits): Promise<void> {
    const outbox = this.#session.peek()?.outbox;
    const picture = outbox?.pictures.peek().find((other) => other.id === id);
    // If the file can't be prepared at all, the code that chose it reports that.
    const old = picture?.prepared ?? await picture?.coming?.catch(() => null) ?? null;
    if (outbox === undefined || old === null || !outbox.list.edit(id, true)) return;
    try {
      const { source, edits: before } = old;
      const prepared = await this.picker.prepare(source, edits ?? before);
      if (!outbox.list.replace(id, prepared)) prepared.thumbnail.close();
    } catch (error) {
      if (!(error instanceof ImageError)) throw error;
      this.picker.refuse({ reason: error.reason, name: picture?.name ?? "" });
    } finally {
      outbox.list.edit(id, false);
    }
  }

  #running(): Session | null {
    const session = this.#session.peek();
    return session === null || isOver(session.life.peek()) ? null : session;
  }

  /** Ends the current session, and frees what it kept. */
  #discard(): void {
    const session = this.#session.peek();
    this.#forgetRemoved();
    session?.leave();
    session?.outbox.takeUnseen().forEach(free);
  }

  #forgetRemoved(): void {
    const content = this.#removed.peek();
    this.#removed.value = null;
    if (content !== null) free(content);
  }

  /** A picture could not be prepared: removes it from wherever it is. */
  #lose(coming: Promise<Prepared>): void {
    this.#stranded.value = this.#stranded.peek().filter(({ prepared }) => prepared !== coming);
    if (this.#removed.peek()?.prepared === coming) this.#removed.value = null;
    this.#session.peek()?.outbox.list.lose(coming);
  }

  /**
   * Returns to the start page, which shows the reason, if none of the first files was a picture and
   * nobody connected in the meantime.
   */
  #withdrawUseless(): void {
    const session = this.#running();
    const { picker } = this;
    if (session === null || session.life.peek().at === "live" || picker.preparing.peek()) return;
    if (session.outbox.pictures.peek().length > 0 || picker.problems.peek().length === 0) return;
    // A picture that was removed can still be restored.
    if (this.#removed.peek() !== null) return;
    this.#discard();
    batch(() => {
      this.#session.value = null;
      this.#link.value = null;
      this.#linkGone.value = true;
    });
  }

  #life(): Life {
    return this.#session.value?.life.value ?? (this.stranded ? UNREACHABLE : IDLE);
  }

  /** Returns false and reports the problem if the session is full. */
  #add(session: Session, content: OutgoingContent): boolean {
    try {
      session.outbox.list.add(content);
      return true;
    } catch (error) {
      if (!(error instanceof OutboxFullError)) throw error;
      this.picker.refuse({ reason: "too_many", name: content.name });
      return false;
    }
  }

  /** Returns a function that starts a session; `null` if the server did not deliver its script. */
  async #beginner(loading: ReturnType<typeof loadSession>): Promise<(() => Session) | null> {
    try {
      const sessionClass = await loading;
      return () => this.#begin(sessionClass);
    } catch {
      return null;
    }
  }

  /** Continues the session that a page before a reload left. */
  async #return(): Promise<void> {
    this.#returning.value = true;
    const { signal } = this.#returns;
    try {
      const sessionClass = await loadSession();
      const before = await sessionClass.findBefore("S", signalingServer(this.#location), signal);
      if (signal.aborted) return;
      if (before === null) this.#lapsed.value = true;
      else this.#begin(sessionClass, before);
    } catch {
      // The server did not deliver the script. What is stored stays, for the next reload.
    } finally {
      this.#returning.value = false;
    }
  }

  #begin(sessionClass: typeof Session, before?: Returned): Session {
    this.#discard();
    const secret = before?.secret instanceof Uint8Array ? before.secret : createLinkSecret();
    const server = signalingServer(this.#location);
    const session = new sessionClass({
      role: "S",
      secret,
      server,
      decoder: this.#decoder,
      relay: relayOffered(),
      language: pageLanguage(),
      ...(before === undefined ? {} : { before }),
    });
    if (before !== undefined) {
      this.#keep.value = before.keep;
      this.#relay.value = before.hide;
    }
    batch(() => {
      this.#session.value = session;
      // Once a viewer was connected, nobody else can use the link.
      this.#link.value = before?.bound === true ? null : formatLink(this.#location.origin, secret);
    });
    wipe(secret);
    session.life.subscribe((life) => {
      // The link's secret is useless now; don't show it any longer.
      if (isOver(life) && this.#session.peek() === session) this.#link.value = null;
    });
    session.setKeep(this.#keep.peek());
    session.hideAddress(this.#relay.peek());
    session.start();
    return session;
  }
}

function isOver(life: Life): boolean {
  return life.at === "ended" || life.at === "failed";
}
