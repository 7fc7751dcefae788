/**
 * The clock that rooms use, as an interface so that tests can control time.
 *
 * @module
 */

/** A monotonic clock with timers. */
export interface Clock {
  /** Milliseconds since some fixed moment; never decreases. */
  now(): number;
  /**
   * Calls `run` once after `ms` milliseconds. Returns a function that cancels it; canceling twice
   * is harmless.
   */
  after(ms: number, run: () => void): () => void;
}

/** The clock of this process. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};
