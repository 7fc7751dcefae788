/**
 * What the page `/join` shows and can do: signals out, functions in.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { batch, computed, type ReadonlySignal, signal } from "@preact/signals";
import type { Bytes } from "../protocol/bytes.ts";
import type { ViewRules } from "../protocol/display_options.ts";
import {
  type Code,
  type CodeProblem,
  completeWord,
  loadWordlist,
  parseCode,
  suggestWords,
} from "../e2e/code.ts";
import { findLink, type FoundLink, readFragment } from "../e2e/find_link.ts";
import { formatLink } from "../e2e/link.ts";
import { wipe } from "../e2e/suite.ts";
import { Decoder } from "../image/decoder.ts";
import {
  findObstacle,
  heicWorkerMaker,
  pageLanguage,
  relayOffered,
  signalingServer,
  warmUp,
  workerMaker,
} from "../device/environment.ts";
import { OutboxFullError } from "../pictures/outgoing_list.ts";
import { type FailReason, type Life, type ViewerPhase, viewerPhase } from "./phases.ts";
import { isReturning } from "../page_restore/tab_key.ts";
import { loadSession, loadSoon } from "./load_session.ts";
import type { Returned } from "../page_restore/tab_memory.ts";
import { Picker } from "./picker.ts";
import type { Session } from "./session.ts";

/** The link that was opened or pasted; without one, the page asks for a code. */
interface Invitation {
  /** The link's secret, 32 bytes; used by this page only. */
  readonly secret: Bytes | null;
  /** Whether the server was sent the secret. */
  readonly exposed: boolean;
  readonly by: "link" | "code";
  readonly obstacle: FailReason | null;
}

/** Reasons why this browser can't take part, with any link or code. */
const OBSTACLES: readonly FailReason[] = ["insecure", "old_browser", "no_webrtc"];

/**
 * Failures after which a retry with the same link may succeed: the sender's phone may have slept
 * when the first attempt was refused.
 */
const RETRYABLE: readonly FailReason[] = [
  "refused",
  "unreachable",
  "busy",
  "network",
  "no_relay",
  "timeout",
  "dismissed",
  "wrong_code",
];

/** Why a link can't be used. */
type LinkTrouble = "bad_link" | "foreign_link";

/** What is wrong with a code that was typed, or with a link that was pasted in its place. */
export type CodeTrouble =
  | CodeProblem
  /** The list of words could not be loaded. */
  | { readonly reason: "unavailable_words" }
  | { readonly reason: "bad_link" | "foreign_link" };

function troubleOf(found: FoundLink | null): LinkTrouble | null {
  switch (found?.at) {
    case undefined:
    case "whole":
      return null;
    case "incomplete":
      return "bad_link";
    case "foreign":
      return "foreign_link";
    default:
      return found satisfies never;
  }
}

/** Target of the link "Skip to the content". */
const CONTENT = "#content";

/** The viewer's page. */
export class ViewerModel {
  readonly picker: Picker;
  readonly #decoder: Decoder;
  readonly #location: Location;
  readonly #invitation = signal<Invitation>({
    secret: null,
    exposed: false,
    by: "code",
    obstacle: findObstacle(),
  });
  readonly #codeText = signal("");
  readonly #codeProblem = signal<CodeTrouble | null>(null);
  readonly #wordlist = signal<readonly string[]>([]);
  readonly #suggestions: ReadonlySignal<readonly string[]>;
  readonly #session = signal<Session | null>(null);
  /** The last link that was opened in this tab while a session was running. */
  readonly #later = signal<Extract<FoundLink, { at: "whole" }> | null>(null);
  readonly #relay = signal(false);
  /** The script for a session could not be loaded: the server does not answer. */
  readonly #unloaded = signal(false);
  #joining = false;
  /** The fragment that stays in the address. */
  #skippedTo = "";
  /** Whether a page before a reload left a session, which is being restored or has expired. */
  readonly #before = signal<"none" | "returning" | "lapsed">("none");
  readonly #returns = new AbortController();
  /** The page before the reload had opened a picture. */
  #opened = false;
  readonly #phase: ReadonlySignal<ViewerPhase>;
  readonly #reason: ReadonlySignal<string | null>;
  readonly #by: ReadonlySignal<"link" | "code"> = computed(() => this.#invitation.value.by);

  /**
   * `worker` is the URL of the picture worker. Reads the link from the address bar, and removes it
   * there.
   */
  constructor(worker: string) {
    this.#location = globalThis.location;
    this.#decoder = new Decoder(workerMaker(worker), { makeHeicWorker: heicWorkerMaker(worker) });
    this.picker = new Picker(this.#decoder);
    this.readFragment();
    this.#readSkipped();
    if (this.#invitation.peek().obstacle === null) {
      warmUp();
      loadSoon(this.#decoder);
      // A link that was opened in this tab since then takes precedence.
      if (this.#invitation.peek().secret === null && isReturning("R")) this.#return();
    }
    this.#phase = computed(() => {
      if (this.#invitation.value.obstacle !== null) return "failed";
      const picture = this.#session.value?.inbox.value?.picture.value ?? null;
      return viewerPhase(this.#life(), picture);
    });
    this.#reason = computed(() => {
      const life = this.#life();
      if (life.at === "ended" || life.at === "failed") return life.reason;
      return this.#invitation.value.obstacle ?? this.#codeProblem.value?.reason ?? null;
    });
    this.#suggestions = computed(() => suggestWords(this.#codeText.value, this.#wordlist.value));
  }

  get phase(): ReadonlySignal<ViewerPhase> {
    return this.#phase;
  }

  /** Why the session ended or failed. */
  get reason(): ReadonlySignal<string | null> {
    return this.#reason;
  }

  get session(): ReadonlySignal<Session | null> {
    return this.#session;
  }

  /** Whether this page joins by the link in its address, or by a code that it asks for. */
  get by(): ReadonlySignal<"link" | "code"> {
    return this.#by;
  }

  /** Whether the server has seen this link's secret: then it could be in between. */
  get exposed(): boolean {
    return this.#invitation.value.exposed;
  }

  /** Whether another link was opened in this tab, which is offered once the session is over. */
  get hasLater(): boolean {
    return this.#later.value !== null;
  }

  /** What was typed so far. */
  get codeText(): ReadonlySignal<string> {
    return this.#codeText;
  }

  /** Suggestions for the word that is being typed. */
  get suggestions(): ReadonlySignal<readonly string[]> {
    return this.#suggestions;
  }

  /** What is wrong with the code, set once it was tried. */
  get codeProblem(): ReadonlySignal<CodeTrouble | null> {
    return this.#codeProblem;
  }

  /** Whether a picture was opened before a reload: this page does not know what was seen there. */
  get opened(): boolean {
    return this.#opened;
  }

  /** Why there is no session; `null` if there is one, or may be. */
  get failure(): FailReason | null {
    const life = this.#life();
    return this.#invitation.value.obstacle ?? (life.at === "failed" ? life.reason : null);
  }

  /** Seconds after which to retry with a busy server, if it said so. */
  get retry(): number | undefined {
    const life = this.#life();
    return life.at === "failed" ? life.retry : undefined;
  }

  /** True if pressing the button once more may help. */
  get retryable(): boolean {
    const life = this.#life();
    return life.at === "failed" && RETRYABLE.includes(life.reason);
  }

  /**
   * True if the page asks for a code: before one was tried, and, with the text kept, after one
   * failed.
   */
  get asksForCode(): boolean {
    const { failure } = this;
    if (this.#before.value !== "none") return false;
    return this.#by.value === "code" && (failure === null || !OBSTACLES.includes(failure));
  }

  /** Whether this side's address stays hidden from the peer. */
  get relay(): ReadonlySignal<boolean> {
    return this.#relay;
  }

  /**
   * Connects only through a relay (TURN or the encrypted relay), or not; takes effect at the next
   * press of "Connect".
   */
  setRelay(on: boolean): void {
    this.#relay.value = on;
  }

  /**
   * Reads a link from the address bar and removes it there. One that comes while a session is
   * running is kept until that is over.
   */
  readFragment(): void {
    const { hash, pathname } = this.#location;
    // "Skip to the content" is a fragment too, and no reason to drop anything.
    const found = readFragment(hash);
    if (found === null) return;
    // Removed first: nothing that happens from here on can leave it in the history, a bookmark or a
    // screenshot.
    history.replaceState(null, "", pathname + this.#skippedTo);
    if (!this.#isRunning()) this.#follow(found);
    else if (found.at === "whole") this.#later.value = found;
  }

  #isRunning(): boolean {
    const life = this.#session.peek()?.life.peek().at ?? "idle";
    return life !== "idle" && life !== "ended" && life !== "failed";
  }

  /** Switches to the link that was opened during the session, which is over. */
  followLater(): void {
    const later = this.#later.peek();
    if (later !== null && !this.#isRunning()) this.#follow(later);
  }

  /**
   * Reads the link if somebody followed "Skip to the content" before this script was loaded: the
   * browser records the URL that the page was loaded with. The link itself is one step back in the
   * history, and is removed there as usual.
   */
  #readSkipped(): void {
    if (this.#location.hash !== CONTENT) return;
    const [began] = performance.getEntriesByType("navigation");
    const found = began === undefined ? null : readFragment(new URL(began.name).hash);
    if (found === null) return;
    this.#follow(found);
    this.#skippedTo = CONTENT;
    globalThis.addEventListener("hashchange", () => this.readFragment(), { once: true });
    history.back();
  }

  #follow(found: FoundLink): void {
    this.#invite(found, findObstacle() ?? troubleOf(found));
  }

  /**
   * The link that this page was opened with, for use in another browser; `null` if there was none,
   * or it was used.
   */
  formatLink(): string | null {
    const { secret } = this.#invitation.peek();
    return secret === null ? null : formatLink(this.#location.origin, secret);
  }

  /**
   * Takes typed or pasted text, which may be a link of this server, or a message with one in it.
   * Clears an earlier failure.
   */
  typeCode(text: string): void {
    if (!this.#mayJoin()) return;
    const found = this.#findLink(text);
    if (found?.at === "whole") return this.#invite(found, null);
    // Loaded when somebody starts to type, so that the page itself loads without the list; the
    // digits at the start of a code leave enough time.
    if (this.#wordlist.peek().length === 0) this.#loadWords();
    batch(() => {
      this.#session.value = null;
      this.#unloaded.value = false;
      // The field would join lines without a space in between.
      this.#codeText.value = text.replace(/[\r\n]+/g, " ");
      this.#codeProblem.value = null;
    });
  }

  /** Takes the text of a QR code; false if it is not a link of this site. */
  takeScanned(text: string): boolean {
    const found = this.#mayJoin() ? this.#findLink(text) : null;
    if (found?.at !== "whole") return false;
    this.#invite(found, null);
    return true;
  }

  /** Puts a suggested word in place of the one being typed. */
  complete(word: string): void {
    this.typeCode(completeWord(this.#codeText.peek(), word));
  }

  /** The button "Connect". Nothing is connected before it is pressed. */
  async join(): Promise<void> {
    if (this.#joining) return;
    this.#joining = true;
    try {
      await this.#join();
    } finally {
      this.#joining = false;
    }
  }

  async #join(): Promise<void> {
    const invitation = this.#invitation.peek();
    const { secret, by, obstacle } = invitation;
    if (obstacle !== null || !this.#mayJoin()) return;
    // The new problem may equal the old one: clear it first, so that it is announced again.
    this.#codeProblem.value = null;
    const [sessionClass, list] = await Promise.all([
      loadSession().catch(() => null),
      by === "code" ? this.#loadWords() : null,
    ]);
    // Another link may have been opened meanwhile, which nobody confirmed yet.
    if (invitation !== this.#invitation.peek() || !this.#mayJoin()) return;
    if (by === "link") {
      this.#unloaded.value = sessionClass === null;
      if (sessionClass !== null && secret !== null) this.#begin(sessionClass, secret);
      return;
    }
    const code = sessionClass === null || list === null
      ? { reason: "unavailable_words" } as const
      : parseCode(this.#codeText.peek(), list);
    if ("reason" in code) {
      const trouble = troubleOf(this.#findLink(this.#codeText.peek()));
      this.#codeProblem.value = trouble === null ? code : { reason: trouble };
    } else if (sessionClass !== null) this.#begin(sessionClass, code);
  }

  /** Changes how pictures that are sent back may be viewed. */
  setRules(changed: Partial<ViewRules>): void {
    this.picker.rules.value = { ...this.picker.rules.peek(), ...changed };
    this.#session.peek()?.outbox.list.setRules(changed);
  }

  /** Sends pictures back, in a session that was kept open. */
  async choose(files: readonly File[]): Promise<void> {
    const session = this.#session.peek();
    if (session?.life.peek().at !== "live" || !session.keep.peek()) return;
    await this.picker.pick(files, {
      take: (content) => {
        try {
          session.outbox.list.add(content);
          return true;
        } catch (error) {
          if (!(error instanceof OutboxFullError)) throw error;
          this.picker.refuse({ reason: "too_many", name: content.name });
          return false;
        }
      },
      lose: (coming) => void session.outbox.list.lose(coming),
    });
  }

  /** The page is being closed: reports that while it still can. */
  vanish(): void {
    this.#session.peek()?.vanish();
  }

  #findLink(text: string): FoundLink | null {
    return findLink(text, new URL(this.#location.origin).host);
  }

  /** Switches the page to a link, and clears what was typed or failed before. */
  #invite(found: FoundLink, obstacle: FailReason | null): void {
    const { secret, exposed } = found.at === "whole" ? found : { secret: null, exposed: false };
    batch(() => {
      this.#session.value = null;
      this.#later.value = null;
      this.#before.value = "none";
      this.#returns.abort();
      this.#opened = false;
      this.#unloaded.value = false;
      this.#codeText.value = "";
      this.#codeProblem.value = null;
      this.#invitation.value = { secret, exposed, by: "link", obstacle };
    });
  }

  #mayJoin(): boolean {
    const before = this.#session.peek()?.life.peek().at;
    return before === undefined || before === "failed";
  }

  /** Gives up the session that a page before a reload left. */
  stay(): void {
    this.#returns.abort();
    this.#before.value = "none";
  }

  /**
   * Continues the session that a page before a reload left, unless another link is opened
   * meanwhile.
   */
  async #return(): Promise<void> {
    this.#before.value = "returning";
    let before: Returned | null = null;
    let opened = false;
    const sessionClass = await loadSession().catch(() => null);
    if (sessionClass !== null) {
      opened = sessionClass.hadOpened("R");
      before = await sessionClass.findBefore(
        "R",
        signalingServer(this.#location),
        this.#returns.signal,
      );
    }
    if (this.#before.peek() !== "returning") return;
    batch(() => {
      this.#opened = opened;
      this.#before.value = before === null ? "lapsed" : "none";
      if (sessionClass === null || before === null) return;
      const { secret, hide } = before;
      this.#relay.value = hide;
      this.#invitation.value = {
        secret: null,
        exposed: false,
        by: secret instanceof Uint8Array ? "link" : "code",
        obstacle: null,
      };
      this.#begin(sessionClass, secret, before);
    });
  }

  #begin(sessionClass: typeof Session, secret: Bytes | Code, before?: Returned): void {
    const server = signalingServer(this.#location);
    const session = new sessionClass({
      role: "R",
      secret,
      server,
      decoder: this.#decoder,
      relay: relayOffered(),
      language: pageLanguage(),
      ...(before === undefined ? {} : { before }),
    });
    this.#session.value = session;
    session.life.subscribe(({ at }) => {
      // The link or code works once. Until then, a retry may need it.
      if (at === "live" || at === "ended") this.#forget();
    });
    session.hideAddress(this.#relay.peek());
    session.start();
  }

  /** Loads the word list; retried if the server did not answer. */
  async #loadWords(): Promise<readonly string[] | null> {
    try {
      return this.#wordlist.value = await loadWordlist();
    } catch {
      return null;
    }
  }

  #forget(): void {
    this.#codeText.value = "";
    const invitation = this.#invitation.peek();
    if (invitation.secret === null) return;
    wipe(invitation.secret);
    this.#invitation.value = { ...invitation, secret: null };
  }

  #life(): Life {
    const life = this.#session.value?.life.value;
    if (life !== undefined) return life;
    if (this.#before.value === "returning") return { at: "starting" };
    if (this.#before.value === "lapsed") return { at: "failed", reason: "forgotten" };
    return this.#unloaded.value ? { at: "failed", reason: "unreachable" } : { at: "idle" };
  }
}
