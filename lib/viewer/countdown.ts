/**
 * The time that a picture may be seen: a deadline, not a sum of ticks.
 *
 * This module is browser compatible.
 *
 * @module
 */

/** The clock and timers; `globalThis` and `performance` unless a test brings its own. */
export interface Scheduler {
  /** Monotonic milliseconds, like `performance.now()`. */
  now(): number;
  /** Calls back after about `ms`; returns how to cancel that. */
  after(ms: number, callback: () => void): () => void;
}

/** Settings of a {@linkcode Countdown}. */
export interface CountdownOptions {
  /** Time of the first painted frame, on the scheduler's clock. Default: now. */
  readonly startedAt?: number;
  /** Events here (`visibilitychange`) also check the deadline, since hidden pages' timers are slow. Default: `document`. */
  readonly wakeups?: EventTarget;
  readonly scheduler?: Scheduler;
}

/** Runs from the first painted frame; calls `onEnd` once. */
export class Countdown {
  /** `seconds` = 0: no deadline, it never ends by itself. Throws `RangeError` if it is negative or not finite. */
  constructor(_seconds: number, _onEnd: () => void, _options: CountdownOptions = {}) {}

  /** Milliseconds left, never below 0; `Infinity` without a deadline. */
  remaining(): number {
    return Infinity;
  }

  /** What is left of the whole time, 1 → 0; 1 without a deadline. */
  fraction(): number {
    return 1;
  }

  /** Milliseconds on screen so far; stops growing when it ended or was stopped. */
  elapsed(): number {
    return 0;
  }

  /** Moves the deadline. Without one, or after the end, it does nothing and returns false. */
  extend(_seconds: number): boolean {
    return false;
  }

  /** Stops for good without calling `onEnd`. Idempotent. */
  stop(): void {}
}
