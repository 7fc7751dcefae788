/**
 * Keeps the screen awake while somebody waits in front of it: a phone that falls asleep loses its
 * connection, and viewing time runs out unseen.
 *
 * This module is browser compatible.
 *
 * @module
 */

/** Keeps one screen awake, or not. Does nothing if the browser can't, or is saving power. */
export class WakeLock {
  #wanted = false;
  #lock: WakeLockSentinel | null = null;
  #turn: Promise<void> = Promise.resolve();

  /**
   * Reacquires the lock when the page is visible again, until `signal` aborts: browsers release the
   * lock of a hidden page.
   */
  constructor(signal: AbortSignal) {
    const back = () => void this.keep(this.#wanted);
    document.addEventListener("visibilitychange", back, { signal });
    signal.addEventListener("abort", () => void this.keep(false), { once: true });
  }

  /** Keeps the screen awake from now on, or lets it sleep. Never rejects. */
  keep(on: boolean): Promise<void> {
    this.#wanted = on;
    // One request at a time: the outcome of the last one must be known before the next.
    return this.#turn = this.#turn.then(() => this.#settle());
  }

  async #settle(): Promise<void> {
    // Missing in older browsers, and without HTTPS.
    if (!("wakeLock" in navigator)) return;
    try {
      if (!this.#wanted) {
        const lock = this.#lock;
        this.#lock = null;
        await lock?.release();
      } else if (this.#lock?.released !== false && document.visibilityState === "visible") {
        this.#lock = await navigator.wakeLock.request("screen");
      }
    } catch {
      // Refused, e.g. on low battery.
    }
  }
}
