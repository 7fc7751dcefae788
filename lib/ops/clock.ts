/**
 * Time as the rooms see it, so that a test can drive it.
 *
 * @module
 */

/** A monotonic clock with timers. */
export interface Clock {
  /** Milliseconds since some fixed moment; never goes backwards. */
  now(): number;
  /**
   * Calls `run` once after `ms` milliseconds. Returns what cancels it; to cancel twice does
   * nothing.
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
