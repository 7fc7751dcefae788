/**
 * The deadlines of the peer, by lib/protocol/deadlines.ts.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { frameMs, REPORT_MS } from "../protocol/deadlines.ts";
import type { ViewRules } from "../protocol/display_options.ts";

/** A time by which the peer has to say something. It passes only while the peer answers. */
export class PeerDeadline {
  readonly #answers: () => boolean;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(answers: () => boolean) {
    this.#answers = answers;
  }

  /**
   * Calls back after `ms`, in place of any earlier deadline; never if `ms` is `Infinity`. If the
   * peer does not answer then, its message may be on its way: another `grace` begins.
   */
  set(ms: number, onPassed: () => void, grace = ms): void {
    this.clear();
    if (ms === Infinity) return;
    this.#timer = setTimeout(
      () => this.#answers() ? onPassed() : this.set(grace, onPassed),
      ms,
    );
  }

  /** Idempotent. */
  clear(): void {
    clearTimeout(this.#timer);
  }
}

/** For the owner: the time by which the viewer has to report an open picture as closed. */
export class OpenDeadline {
  readonly #peer: PeerDeadline;
  readonly #onOverdue: (n: number) => void;
  /** By the wall clock, which keeps running while a machine sleeps. */
  #shownAt = 0;

  /** `onOverdue` is called if picture `n` was not reported closed in time. */
  constructor(answers: () => boolean, onOverdue: (n: number) => void) {
    this.#peer = new PeerDeadline(answers);
    this.#onOverdue = onOverdue;
  }

  /** The key of picture `n` was released. */
  opened(n: number, rules: ViewRules): void {
    this.#set(n, frameMs(rules));
  }

  /** Picture `n` is on the viewer's screen. */
  shown(n: number, rules: ViewRules): void {
    this.#shownAt = Date.now();
    this.extended(n, rules);
  }

  /** The rules of picture `n`, which is on the viewer's screen, grant more time now. */
  extended(n: number, { seconds }: ViewRules): void {
    const until = seconds === 0 ? Infinity : this.#shownAt + seconds * 1_000 + REPORT_MS;
    this.#set(n, until - Date.now());
  }

  /** The picture is closed. Idempotent. */
  closed(): void {
    this.#peer.clear();
  }

  #set(n: number, ms: number): void {
    this.#peer.set(ms, () => this.#onOverdue(n), REPORT_MS);
  }
}
