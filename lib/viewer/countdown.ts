/**
 * Viewing time of a picture: a deadline, not a sum of ticks.
 *
 * This module is browser compatible.
 *
 * @module
 */

/** The clock and timers; `performance` and `setTimeout` unless a test replaces them. */
export interface Scheduler {
  /** Monotonic milliseconds, like `performance.now()`. */
  now(): number;
  /** Calls back after about `ms`; returns a function that cancels it. */
  after(ms: number, callback: () => void): () => void;
}

/** Settings of a {@linkcode Countdown}. */
export interface CountdownOptions {
  /** Time of the first painted frame, on the scheduler's clock. Default: now. */
  readonly startedAt?: number;
  /** Each `visibilitychange` here also checks the deadline. Default: `document`. */
  readonly wakeups?: EventTarget;
  readonly scheduler?: Scheduler;
}

const BROWSER: Scheduler = {
  now: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

// Timers of hidden pages run up to a minute late, and may be lost while the device sleeps, so the
// deadline is checked at least this often.
const LONGEST_SLEEP_MS = 1_000;

/** Runs from the first painted frame; calls `onEnd` once. */
export class Countdown {
  readonly #scheduler: Scheduler;
  readonly #onEnd: () => void;
  readonly #startedAt: number;
  readonly #listening = new AbortController();
  #deadline: number;
  #endedAt: number | null = null;
  #cancel = () => {};

  /**
   * `seconds` = 0: no deadline; it never ends by itself. Throws `RangeError` if negative or not
   * finite.
   */
  constructor(seconds: number, onEnd: () => void, options: CountdownOptions = {}) {
    if (!(seconds >= 0 && seconds < Infinity)) {
      throw new RangeError(`Cannot count down: ${seconds} is not a number of seconds`);
    }
    this.#scheduler = options.scheduler ?? BROWSER;
    this.#onEnd = onEnd;
    this.#startedAt = options.startedAt ?? this.#scheduler.now();
    this.#deadline = seconds === 0 ? Infinity : this.#startedAt + 1_000 * seconds;
    const wakeups = options.wakeups ?? document;
    const { signal } = this.#listening;
    wakeups.addEventListener("visibilitychange", () => this.#check(), { signal });
    this.#sleep();
  }

  /** Milliseconds left, never below 0; `Infinity` without a deadline. */
  remaining(): number {
    return Math.max(0, this.#deadline - this.#now());
  }

  /** Fraction of the time that is left, 1 → 0; 1 without a deadline. */
  fraction(): number {
    if (this.#deadline === Infinity) return 1;
    return Math.min(1, this.remaining() / (this.#deadline - this.#startedAt));
  }

  /** Milliseconds since the first painted frame; stops growing once it ended or was stopped. */
  elapsed(): number {
    return Math.max(0, this.#now() - this.#startedAt);
  }

  /**
   * Moves the deadline. Returns false, and changes nothing, without a deadline or after the end.
   */
  extend(seconds: number): boolean {
    // An extension that arrives a moment too late does not revive a deadline that has passed.
    this.#check();
    if (this.#endedAt !== null || this.#deadline === Infinity || !(seconds > 0)) return false;
    this.#deadline += 1_000 * seconds;
    this.#sleep();
    return true;
  }

  /** Stops for good without calling `onEnd`. Idempotent. */
  stop(): void {
    this.#endedAt ??= this.#scheduler.now();
    this.#cancel();
    this.#listening.abort();
  }

  #now(): number {
    return this.#endedAt ?? this.#scheduler.now();
  }

  #sleep(): void {
    this.#cancel();
    if (this.#deadline === Infinity) return;
    const ms = Math.min(this.remaining(), LONGEST_SLEEP_MS);
    this.#cancel = this.#scheduler.after(ms, () => this.#check());
  }

  #check(): void {
    if (this.#endedAt !== null) return;
    if (this.remaining() > 0) return this.#sleep();
    this.stop();
    this.#onEnd();
  }
}
