/**
 * How often somebody may do something: tables of bounded size, so that many addresses fill no
 * memory.
 *
 * @module
 */
import { LruCache } from "@std/cache/lru-cache";
import { type Clock, systemClock } from "./clock.ts";

const MINUTE_MS = 60_000;

/**
 * Keys that one table remembers: about 10 MB when full. The one that was touched longest ago is
 * forgotten first, which gives back what it had used up. Who has more addresses than that needs no
 * such trick; the limit in total stands anyway.
 */
export const MAX_KEYS = 50_000;

/**
 * Longest time for which {@linkcode GuessLimit} shuts somebody out, and the calm after which all is
 * forgotten.
 */
const LONGEST_BLOCK_MS = 60 * MINUTE_MS;

/** Options of a limit; whatever is missing has its default. */
export interface LimitOptions {
  readonly clock?: Clock;
  /** Keys remembered at the same time. */
  readonly maxKeys?: number;
}

/**
 * So many a minute, all of them at once if need be (the generic cell rate algorithm: one number a
 * key, the moment at which all that was used up is there again).
 */
export class RateLimit {
  readonly #full: LruCache<string, number>;
  readonly #clock: Clock;
  readonly #cost: number;

  /** `perMinute` may be Infinity: then nothing is limited and nothing remembered. */
  constructor(perMinute: number, { clock = systemClock, maxKeys = MAX_KEYS }: LimitOptions = {}) {
    this.#full = new LruCache(maxKeys);
    this.#clock = clock;
    this.#cost = MINUTE_MS / perMinute;
  }

  /** Keys that are remembered. */
  get size(): number {
    return this.#full.size;
  }

  /** Milliseconds until `take` would be granted; 0 now. */
  wait(key: string): number {
    const excess = this.#fullAt(key) + this.#cost - this.#clock.now() - MINUTE_MS;
    // Rounding of the sum must not cost the last one.
    return excess > 1e-3 ? excess : 0;
  }

  /**
   * Uses one up and returns 0, or leaves everything as it is and returns the milliseconds until
   * there is one.
   */
  take(key: string): number {
    const wait = this.wait(key);
    if (wait === 0) this.#set(key, this.#fullAt(key) + this.#cost);
    return wait;
  }

  /** Takes back a `take`. */
  giveBack(key: string): void {
    this.#set(key, this.#fullAt(key) - this.#cost);
  }

  #fullAt(key: string): number {
    return Math.max(this.#full.get(key) ?? 0, this.#clock.now());
  }

  #set(key: string, fullAt: number): void {
    if (fullAt > this.#clock.now()) this.#full.set(key, fullAt);
    else this.#full.delete(key);
  }
}

interface Block {
  readonly until: number;
  /** How many there were without an hour of calm in between, this one included. */
  readonly count: number;
}

/**
 * A {@linkcode RateLimit} for what is guessed at: who uses it up is shut out for a minute, then for
 * two, four … up to an hour, and is trusted again after an hour without. So `perMinute` is what a
 * person may get wrong in a minute, and a machine gets little more than that in an hour.
 */
export class GuessLimit {
  readonly #rate: RateLimit;
  readonly #blocks: LruCache<string, Block>;
  readonly #clock: Clock;

  constructor(perMinute: number, options: LimitOptions = {}) {
    const { clock = systemClock, maxKeys = MAX_KEYS } = options;
    this.#rate = new RateLimit(perMinute, options);
    this.#blocks = new LruCache(maxKeys);
    this.#clock = clock;
  }

  /** Keys that are remembered, in the table that has more of them. */
  get size(): number {
    return Math.max(this.#rate.size, this.#blocks.size);
  }

  /**
   * Uses one guess up and returns 0, or returns the milliseconds until the next one is heard. Take
   * it before the answer is known.
   */
  take(key: string): number {
    const now = this.#clock.now();
    const block = this.#blocks.get(key);
    if (block !== undefined && now < block.until) return block.until - now;
    if (this.#rate.take(key) === 0) return 0;
    const calm = block === undefined || now >= block.until + LONGEST_BLOCK_MS;
    const count = calm ? 1 : block.count + 1;
    const ms = Math.min(LONGEST_BLOCK_MS, MINUTE_MS * 2 ** (count - 1));
    this.#blocks.set(key, { until: now + ms, count });
    return ms;
  }

  /** The guess was right. */
  giveBack(key: string): void {
    this.#rate.giveBack(key);
  }
}
