/**
 * What the page `/join` shows and can do: signals out, functions in.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { computed, type ReadonlySignal, signal } from "@preact/signals";
import type { Bytes } from "../protocol/bytes.ts";
import { parseFragment } from "../e2e/link.ts";
import { wipe } from "../e2e/suite.ts";
import { Decoder } from "../image/decoder.ts";
import { findObstacle, signalingServer, warmUp } from "./environment.ts";
import { OutboxFullError } from "./outbox.ts";
import { type FailReason, type Life, type ViewerPhase, viewerPhase } from "./phases.ts";
import { Picker } from "./picker.ts";
import { Session } from "./session.ts";

/** What the address bar held when the page came. */
interface Invitation {
  /** The link's secret, 32 bytes; for this page only. */
  readonly secret: Bytes | null;
  readonly obstacle: FailReason | null;
}

/** Failures after which the same link may work at a second try: a sender's phone may have slept when it was refused. */
const RETRYABLE: readonly FailReason[] = ["refused", "unreachable", "busy", "network", "timeout"];

/** The viewer's page. */
export class ViewerModel {
  readonly picker: Picker;
  readonly #decoder: Decoder;
  readonly #location: Location;
  readonly #invitation = signal<Invitation>({ secret: null, obstacle: null });
  readonly #session = signal<Session | null>(null);
  readonly #phase: ReadonlySignal<ViewerPhase>;
  readonly #reason: ReadonlySignal<string | null>;

  /** `decodeWorker` is the URL of the decode worker. Reads the link out of the address bar, and takes it away there. */
  constructor(decodeWorker: string) {
    this.#location = globalThis.location;
    this.#decoder = new Decoder(decodeWorker);
    this.picker = new Picker(this.#decoder);
    this.readFragment();
    if (this.#invitation.peek().obstacle === null) warmUp();
    this.#phase = computed(() => {
      if (this.#invitation.value.obstacle !== null) return "failed";
      const picture = this.#session.value?.inbox.value?.picture.value ?? null;
      return viewerPhase(this.#life(), picture);
    });
    this.#reason = computed(() => {
      const life = this.#life();
      if (life.at === "ended" || life.at === "failed") return life.reason;
      return this.#invitation.value.obstacle;
    });
  }

  get phase(): ReadonlySignal<ViewerPhase> {
    return this.#phase;
  }

  /** Why it ended or failed. */
  get reason(): ReadonlySignal<string | null> {
    return this.#reason;
  }

  get session(): ReadonlySignal<Session | null> {
    return this.#session;
  }

  /** Why there is no session; `null` while there is or may be one. */
  get failure(): FailReason | null {
    const life = this.#life();
    return this.#invitation.value.obstacle ?? (life.at === "failed" ? life.reason : null);
  }

  /** True when pressing the button again may help. */
  get retryable(): boolean {
    const life = this.#life();
    return life.at === "failed" && RETRYABLE.includes(life.reason);
  }

  /** Reads a link from the address bar, unless a session is under way. */
  readFragment(): void {
    const life = this.#session.peek()?.life.peek().at ?? "idle";
    if (life !== "idle" && life !== "ended" && life !== "failed") return;
    const { hash, pathname } = this.#location;
    // "Skip to the content" is a fragment too, and no reason to forget the invitation.
    if (!/^#\d/.test(hash) && this.#invitation.peek().secret !== null) return;
    const secret = parseFragment(hash);
    // Taken out first: nothing that happens from here on can leave it in the history, a bookmark or a screenshot.
    if (hash !== "") history.replaceState(null, "", pathname);
    const missing = hash.length > 1 ? "bad_link" : "no_link";
    const obstacle = findObstacle() ?? (secret === null ? missing : null);
    this.#session.value = null;
    this.#invitation.value = { secret, obstacle };
  }

  /** The one press: nothing was connected before. */
  join(): void {
    const { secret, obstacle } = this.#invitation.peek();
    if (secret === null || obstacle !== null) return;
    const before = this.#session.peek()?.life.peek().at;
    if (before !== undefined && before !== "failed") return;
    const server = signalingServer(this.#location);
    const session = new Session({ role: "R", secret, server, decoder: this.#decoder });
    this.#session.value = session;
    session.life.subscribe(({ at }) => {
      // It was for one time. Before that, a second try may need it.
      if (at === "live" || at === "ended") this.#forget();
    });
    session.start();
  }

  /** Chooses how long pictures that are sent back may be seen, in seconds. */
  setSeconds(seconds: number): void {
    this.picker.seconds.value = seconds;
    this.#session.peek()?.outbox.setRules(this.picker.rules);
  }

  /** Sends pictures back, in a session that was kept open. */
  async choose(files: readonly File[]): Promise<void> {
    const session = this.#session.peek();
    if (session?.life.peek().at !== "live" || !session.keep.peek()) return;
    await this.picker.pick(files, (content) => {
      try {
        session.outbox.add(content);
      } catch (error) {
        if (!(error instanceof OutboxFullError)) throw error;
        content.prepared.thumbnail.close();
        this.picker.refuse({ reason: "too_many", name: content.name });
      }
    });
  }

  /** The page goes away: says so while it still can. */
  vanish(): void {
    this.#session.peek()?.vanish();
  }

  #forget(): void {
    const { secret, obstacle } = this.#invitation.peek();
    if (secret === null) return;
    wipe(secret);
    this.#invitation.value = { secret: null, obstacle };
  }

  #life(): Life {
    return this.#session.value?.life.value ?? { at: "idle" };
  }
}
