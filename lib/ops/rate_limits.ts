/**
 * Rate limits by key, in tables of bounded size, so that many addresses can't fill the memory.
 *
 * @module
 */
import { LruCache } from "@std/cache/lru-cache";
import { type Clock, systemClock } from "./clock.ts";

const MINUTE_MS = 60_000;

/**
 * Maximum number of keys in one table, which takes about 10 MB when full. The key used longest ago
 * is evicted first, which resets its limit. An attacker with more addresses than this gains nothing
 * from evictions; the limit over all clients applies in any case.
 */
export const MAX_KEYS = 50_000;

/**
 * Longest time for which {@linkcode GuessLimit} blocks a key, and the time without a block after
 * which earlier blocks are forgotten.
 */
const LONGEST_BLOCK_MS = 60 * MINUTE_MS;

/** Options of a limit. */
export interface LimitOptions {
  readonly clock?: Clock;
  /** Maximum number of keys in the table. */
  readonly maxKeys?: number;
}

/**
 * Allows `perMinute` uses a minute, all of them at once if need be. This is the generic cell rate
 * algorithm: it stores one number per key, the moment at which the full allowance is available
 * again.
 */
export class RateLimit {
  readonly #full: LruCache<string, number>;
  readonly #clock: Clock;
  readonly #cost: number;

  /** `perMinute` may be Infinity: then nothing is limited and nothing is stored. */
  constructor(perMinute: number, { clock = systemClock, maxKeys = MAX_KEYS }: LimitOptions = {}) {
    this.#full = new LruCache(maxKeys);
    this.#clock = clock;
    this.#cost = MINUTE_MS / perMinute;
  }

  /** Number of keys in the table. */
  get size(): number {
    return this.#full.size;
  }

  /** Milliseconds until `take` would succeed; 0 if it would succeed now. */
  wait(key: string): number {
    const excess = this.#fullAt(key) + this.#cost - this.#clock.now() - MINUTE_MS;
    // Rounding errors of the sum must not cost the last use.
    return excess > 1e-3 ? excess : 0;
  }

  /**
   * Uses up one and returns 0, or changes nothing and returns the milliseconds until one is
   * available.
   */
  take(key: string): number {
    const wait = this.wait(key);
    if (wait === 0) this.#set(key, this.#fullAt(key) + this.#cost);
    return wait;
  }

  /** Undoes a `take`. */
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
  /** Number of blocks without an hour of calm in between, including this one. */
  readonly count: number;
}

/**
 * A {@linkcode RateLimit} for guesses. A key that uses it up is blocked for a minute, then for two,
 * four, … up to an hour; after an hour without a block its history is forgotten. So a person may
 * make `perMinute` mistakes a minute, and a machine gets little more than that in an hour.
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

  /** Number of keys in the larger of the two tables. */
  get size(): number {
    return Math.max(this.#rate.size, this.#blocks.size);
  }

  /**
   * Uses up one guess and returns 0, or returns the milliseconds until the next guess is accepted.
   * Call it before the result of the guess is known.
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

  /** Refunds a guess that was right. */
  giveBack(key: string): void {
    this.#rate.giveBack(key);
  }
}
