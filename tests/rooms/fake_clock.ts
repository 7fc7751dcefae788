/**
 * A clock that stands still until a test moves it.
 *
 * @module
 */
import type { Clock } from "../../lib/ops/clock.ts";

interface Timer {
  readonly at: number;
  readonly run: () => void;
}

/** Runs pending microtasks and store calls. */
export async function flush(): Promise<void> {
  for (let i = 0; i < 50; i++) await Promise.resolve();
}

/** Fake time, controlled by a test. */
export class FakeClock implements Clock {
  #now = 1_000;
  readonly #timers = new Set<Timer>();

  now(): number {
    return this.#now;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.#now + ms, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** The number of armed timers. */
  get timers(): number {
    return this.#timers.size;
  }

  /**
   * Moves time by `ms`, running what falls due in order, each with everything that follows from it.
   */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    for (;;) {
      const due = [...this.#timers].filter((timer) => timer.at <= until);
      const next = due.reduce<Timer | null>(
        (first, timer) => first === null || timer.at < first.at ? timer : first,
        null,
      );
      if (next === null) break;
      this.#now = next.at;
      this.#timers.delete(next);
      next.run();
      await flush();
    }
    this.#now = until;
    await flush();
  }
}
