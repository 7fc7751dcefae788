/**
 * Keeps the screen awake while somebody waits in front of it: a phone that sleeps loses its
 * connection, and a picture on it its seconds.
 *
 * This module is browser compatible.
 *
 * @module
 */

/** One screen, kept awake or not. Silent where the browser can't, or saves its battery. */
export class WakeLock {
  #wanted = false;
  #lock: WakeLockSentinel | null = null;
  #turn: Promise<void> = Promise.resolve();

  /**
   * Listens for the page to come back until `signal` aborts: browsers let go of the lock of a
   * hidden page.
   */
  constructor(signal: AbortSignal) {
    const back = () => void this.keep(this.#wanted);
    document.addEventListener("visibilitychange", back, { signal });
    signal.addEventListener("abort", () => void this.keep(false), { once: true });
  }

  /** Keeps the screen awake from now on, or lets it sleep. Never rejects. */
  keep(on: boolean): Promise<void> {
    this.#wanted = on;
    // One at a time: the lock that is asked for last has to be known before the next one is.
    return this.#turn = this.#turn.then(() => this.#settle());
  }

  async #settle(): Promise<void> {
    // Not in older browsers, nor without HTTPS.
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
      // Refused, e.g. with an empty battery.
    }
  }
}
