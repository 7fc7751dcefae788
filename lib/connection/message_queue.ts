/**
 * The one buffer for messages that arrive before their turn.
 *
 * This module is browser compatible.
 *
 * @module
 */

/** Handles messages one at a time, in the order of their arrival, however long each takes. */
export class MessageQueue<T> {
  readonly #handle: (message: T) => void | Promise<void>;
  readonly #waiting: T[] = [];
  #turn: Promise<void>;

  /** `handle` is called once `ready` has resolved, and must not reject. */
  constructor(ready: Promise<void>, handle: (message: T) => void | Promise<void>) {
    this.#turn = ready;
    this.#handle = handle;
  }

  /** Adds a message. */
  push(message: T): void {
    this.#waiting.push(message);
    this.#turn = this.#turn.then(() => {
      const next = this.#waiting.shift();
      return next === undefined ? undefined : this.#handle(next);
    });
  }

  /** Takes back, in order, what has not been handled. */
  takeBack(): T[] {
    return this.#waiting.splice(0);
  }
}
