/**
 * Fake time controlled by a test, for code that uses the page's own timers.
 *
 * @module
 */
import { assert } from "./assert.ts";

const real = {
  setTimeout: globalThis.setTimeout,
  now: performance.now.bind(performance),
};

/** Longest wait for a condition, in ms: far more than any machine needs. */
const PATIENCE_MS = 20_000;

/** Lets all pending work run, including quick work of the crypto threads. */
export async function settle(turns = 5): Promise<void> {
  for (let i = 0; i < turns; i++) await new Promise((resolve) => real.setTimeout(resolve, 0));
}

/** Waits in real time, even while the page's timers are faked, until `condition` holds. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const end = real.now() + PATIENCE_MS;
  while (!condition()) {
    assert(real.now() < end, `Waited too long until ${what}`);
    await new Promise((resolve) => real.setTimeout(resolve, 2));
  }
}

interface Timer {
  readonly at: number;
  readonly run: () => void;
}

/**
 * Replaces the timers, `performance.now` and `Date.now` until it is disposed; time only changes by
 * `advance`.
 */
export class FakeTime implements Disposable {
  #now = 1_000;
  #nextId = 1;
  readonly #timers = new Map<number, Timer>();
  readonly #undo: (() => void)[] = [];

  constructor() {
    this.#replace(globalThis, "setTimeout", (run: () => void, ms = 0) => this.#add(run, ms));
    this.#replace(globalThis, "clearTimeout", (id: number | undefined) => {
      if (id !== undefined) this.#timers.delete(id);
    });
    this.#replace(performance, "now", () => this.#now);
    const began = Date.now() - this.#now;
    this.#replace(Date, "now", () => began + this.#now);
  }

  /** Milliseconds until each pending timer, soonest first. */
  get waiting(): number[] {
    return [...this.#timers.values()].map(({ at }) => at - this.#now).sort((a, b) => a - b);
  }

  /**
   * Advances time by `ms`. Timers that become due run in order, each followed by all work that it
   * causes.
   */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      const [next] = [...this.#timers].filter(([, { at }]) => at <= end)
        .sort(([, a], [, b]) => a.at - b.at);
      if (next === undefined) break;
      const [id, { at, run }] = next;
      this.#timers.delete(id);
      this.#now = at;
      run();
      await settle();
    }
    this.#now = end;
    await settle();
  }

  #add(run: () => void, ms: number): number {
    const id = this.#nextId++;
    this.#timers.set(id, { at: this.#now + ms, run });
    return id;
  }

  #replace(target: object, name: string, value: unknown): void {
    const before = Object.getOwnPropertyDescriptor(target, name);
    Object.defineProperty(target, name, { value, configurable: true, writable: true });
    this.#undo.push(() => {
      if (before === undefined) Reflect.deleteProperty(target, name);
      else Object.defineProperty(target, name, before);
    });
  }

  [Symbol.dispose](): void {
    for (const undo of this.#undo) undo();
  }
}

/** Sets properties of the global object, as in a browser, until it is disposed. */
export function withGlobals(values: Readonly<Record<string, unknown>>): Disposable {
  const undo = Object.entries(values).map(([name, value]) => {
    const before = Object.getOwnPropertyDescriptor(globalThis, name);
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
    return () => {
      if (before === undefined) Reflect.deleteProperty(globalThis, name);
      else Object.defineProperty(globalThis, name, before);
    };
  });
  return {
    [Symbol.dispose]() {
      for (const run of undo) run();
    },
  };
}
