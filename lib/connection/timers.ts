/**
 * Timers by name, so that none is forgotten.
 *
 * This module is browser compatible.
 *
 * @module
 */

/** At most one timer of each name. */
export class Timers<Name extends string> {
  readonly #running = new Map<Name, ReturnType<typeof setTimeout>>();

  /** Calls `run` after `ms` milliseconds, in place of an earlier timer of this name. */
  set(name: Name, ms: number, run: () => void): void {
    this.clear(name);
    this.#running.set(
      name,
      setTimeout(() => {
        this.#running.delete(name);
        run();
      }, ms),
    );
  }

  /** Stops the timer of this name, if it runs. */
  clear(name: Name): void {
    clearTimeout(this.#running.get(name));
    this.#running.delete(name);
  }

  /** Stops all. */
  clearAll(): void {
    for (const timer of this.#running.values()) clearTimeout(timer);
    this.#running.clear();
  }
}
