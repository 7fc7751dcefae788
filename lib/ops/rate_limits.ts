/**
 * Rate limits by key, in tables of bounded size, so that many addresses can't fill the memory.
 *
 * @module
 */
import { LruCache } from "@std/cache/lru-cache";
import { NETWORK_CLIENTS, networksOf } from "./client_address.ts";
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

  /**
   * Milliseconds until `take` would succeed; 0 if it would succeed now. The share `kept` of the
   * allowance is not for this use.
   */
  wait(key: string, kept = 0): number {
    // However small the allowance is, one use is possible.
    const allowed = Math.max(this.#cost, MINUTE_MS * (1 - kept));
    const excess = this.#fullAt(key) + this.#cost - this.#clock.now() - allowed;
    // Rounding errors of the sum must not cost the last use.
    return excess > 1e-3 ? excess : 0;
  }

  /**
   * Uses up one and returns 0, or changes nothing and returns the milliseconds until one is
   * available.
   */
  take(key: string, kept = 0): number {
    const wait = this.wait(key, kept);
    if (wait === 0) this.#set(key, this.#fullAt(key) + this.#cost);
    return wait;
  }

  /**
   * Uses up `amount` in any case, and returns the milliseconds to wait for it. A caller who waits
   * has one such debt at a time.
   */
  charge(key: string, amount: number, kept = 0): number {
    const fullAt = this.#fullAt(key) + this.#cost * amount;
    this.#set(key, fullAt);
    return Math.max(0, fullAt - this.#clock.now() - MINUTE_MS * (1 - kept));
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

  /** Milliseconds until the end of a block; 0 if there is none. */
  wait(key: string): number {
    return Math.max(0, (this.#blocks.get(key)?.until ?? 0) - this.#clock.now());
  }

  /** Refunds a guess that was right. */
  giveBack(key: string): void {
    this.#rate.giveBack(key);
  }
}

/** The share of every total that is kept for clients that did not use it in the past hour. */
export const KEPT_SHARE = 1 / 4;

/** How long a client counts as one that has used a total, in ms. */
const REMEMBERED_MS = 60 * MINUTE_MS;

/**
 * Remembers who used something in the past hour, by the widest network of each. Those of an
 * attacker are many, but each is new only once.
 */
export class Regulars {
  readonly #usedAt: LruCache<string, number>;
  readonly #clock: Clock;

  constructor({ clock = systemClock, maxKeys = MAX_KEYS }: LimitOptions = {}) {
    this.#usedAt = new LruCache(maxKeys);
    this.#clock = clock;
  }

  /** True if the client, or its neighbor in the same network, was added in the past hour. */
  has(client: string): boolean {
    const usedAt = this.#usedAt.get(widestOf(client));
    return usedAt !== undefined && this.#clock.now() < usedAt + REMEMBERED_MS;
  }

  add(client: string): void {
    this.#usedAt.set(widestOf(client), this.#clock.now());
  }
}

function widestOf(client: string): string {
  return networksOf(client).at(-1) ?? client;
}

/**
 * A limit for each client, which its /56 and /48 have too, as many clients as those count for
 * ({@linkcode NETWORK_CLIENTS}). Of several networks the narrowest is asked first, so one that is
 * used up does not use up its site.
 */
export class NetworkLimit<T extends RateLimit | GuessLimit> {
  readonly #limits: readonly T[];

  /** `make` creates a limit for as many clients. */
  constructor(make: (clients: number) => T) {
    this.#limits = NETWORK_CLIENTS.map(make);
  }

  /** As {@linkcode RateLimit.take} of all its networks, or of none. */
  take(client: string): number {
    const taken: (() => void)[] = [];
    for (const [network, limit] of this.#of(client)) {
      const wait = limit.take(network);
      if (wait > 0) {
        for (const giveBack of taken) giveBack();
        return wait;
      }
      taken.push(() => limit.giveBack(network));
    }
    return 0;
  }

  /**
   * As {@linkcode RateLimit.charge} of all its networks; the longest of their waits.
   */
  charge(this: NetworkLimit<RateLimit>, client: string, amount: number, kept = 0): number {
    const waits = this.#of(client).map(([network, limit]) => limit.charge(network, amount, kept));
    return Math.max(0, ...waits);
  }

  /** Undoes a `take`. */
  giveBack(client: string): void {
    for (const [network, limit] of this.#of(client)) limit.giveBack(network);
  }

  /** Milliseconds until `take` would succeed; 0 if it would succeed now. */
  wait(client: string): number {
    return Math.max(...this.#of(client).map(([network, limit]) => limit.wait(network)));
  }

  #of(client: string): [network: string, limit: T][] {
    return networksOf(client).flatMap((network, i) => {
      const limit = this.#limits[i];
      return limit === undefined ? [] : [[network, limit]];
    });
  }
}
