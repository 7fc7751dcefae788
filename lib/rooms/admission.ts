/**
 * What one client, and all of them together, may have of the rooms. Clients are told apart by what
 * `clientKey` says.
 *
 * @module
 */
import { LruCache } from "@std/cache/lru-cache";
import { MAX_RETRY_S } from "../protocol/limits.ts";
import { GuessLimit, type LimitOptions, MAX_KEYS, RateLimit } from "../ops/rate_limits.ts";

/** Limits of one client and of all. `Infinity` limits nothing. */
export interface AdmissionLimits {
  /** Sockets at the same time. */
  readonly sockets: number;
  readonly socketsPerIp: number;
  readonly upgradesPerMinute: number;
  readonly upgradesPerMinutePerIp: number;
  readonly creationsPerMinute: number;
  readonly creationsPerMinutePerIp: number;
  /** Joins at the digits of a code that came to nothing. */
  readonly failedJoinsPerMinute: number;
  readonly failedJoinsPerMinutePerIp: number;
  /** Messages of one socket. */
  readonly messagesPerSecond: number;
  /** Characters that may be relayed in one room, both ways together. */
  readonly sessionBytes: number;
}

/** Limits nothing. */
export const UNLIMITED: AdmissionLimits = {
  sockets: Infinity,
  socketsPerIp: Infinity,
  upgradesPerMinute: Infinity,
  upgradesPerMinutePerIp: Infinity,
  creationsPerMinute: Infinity,
  creationsPerMinutePerIp: Infinity,
  failedJoinsPerMinute: Infinity,
  failedJoinsPerMinutePerIp: Infinity,
  messagesPerSecond: Infinity,
  sessionBytes: Infinity,
};

/** Which limit was hit, for whoever counts them. */
export type LimitName =
  | "sockets"
  | "upgrades"
  | "creations"
  | "failed_joins"
  | "messages"
  | "session_bytes";

/** Who has to wait, and how long. */
export interface Refusal {
  readonly limit: LimitName;
  /** True where it is the limit of all clients together. */
  readonly total: boolean;
  /** Whole seconds, 1 at least, after which it is worth trying again. */
  readonly retry: number;
}

/** When a socket will be free nobody knows. */
const SOCKETS_RETRY_S = 30;

/** The key of what counts for all together. */
const ALL = "";

/** A limit of each client beside that of all. */
class Pair<T extends RateLimit | GuessLimit> {
  constructor(readonly limit: LimitName, readonly each: T, readonly all: RateLimit) {}

  take(address: string): Refusal | null {
    const wait = this.each.take(address);
    if (wait > 0) return this.refusal(wait, false);
    const total = this.all.take(ALL);
    if (total === 0) return null;
    this.each.giveBack(address);
    return this.refusal(total, true);
  }

  refusal(ms: number, total: boolean): Refusal | null {
    if (ms === 0) return null;
    const retry = Math.min(MAX_RETRY_S, Math.max(1, Math.ceil(ms / 1_000)));
    return { limit: this.limit, total, retry };
  }

  giveBack(address: string): void {
    this.each.giveBack(address);
    this.all.giveBack(ALL);
  }
}

/** Options of {@linkcode Admission}; whatever is missing has its default. */
export interface AdmissionOptions extends LimitOptions {
  /** Hears of each time that a limit was hit. */
  readonly onLimit?: (limit: LimitName) => void;
}

/** Counts what clients do, and says who has to wait. */
export class Admission {
  readonly limits: AdmissionLimits;
  readonly #upgrades: Pair<RateLimit>;
  readonly #creations: Pair<RateLimit>;
  readonly #guesses: Pair<GuessLimit>;
  /**
   * Characters relayed in each room. Forgotten with the oldest rooms; those are over after an hour
   * anyway.
   */
  readonly #relayed: LruCache<string, number>;
  /** Sockets of each client: no more entries than there are sockets. */
  readonly #sockets = new Map<string, number>();
  #socketCount = 0;
  readonly #onLimit: (limit: LimitName) => void;

  constructor(limits: AdmissionLimits, options: AdmissionOptions = {}) {
    const rate = (perMinute: number) => new RateLimit(perMinute, options);
    this.limits = limits;
    this.#upgrades = new Pair(
      "upgrades",
      rate(limits.upgradesPerMinutePerIp),
      rate(limits.upgradesPerMinute),
    );
    this.#creations = new Pair(
      "creations",
      rate(limits.creationsPerMinutePerIp),
      rate(limits.creationsPerMinute),
    );
    this.#guesses = new Pair(
      "failed_joins",
      new GuessLimit(limits.failedJoinsPerMinutePerIp, options),
      rate(limits.failedJoinsPerMinute),
    );
    this.#relayed = new LruCache(options.maxKeys ?? MAX_KEYS);
    this.#onLimit = options.onLimit ?? (() => {});
  }

  /** Sockets that are there. */
  get sockets(): number {
    return this.#socketCount;
  }

  /**
   * Says whether `address` would have to wait for an upgrade now, and counts nothing: for a page
   * that asks why.
   */
  look(address: string): Refusal | null {
    const own = this.#sockets.get(address) ?? 0;
    const total = this.#socketCount >= this.limits.sockets;
    if (own >= this.limits.socketsPerIp || total) {
      return { limit: "sockets", total, retry: SOCKETS_RETRY_S };
    }
    const { each, all } = this.#upgrades;
    return this.#upgrades.refusal(each.wait(address), false) ??
      this.#upgrades.refusal(all.wait(ALL), true);
  }

  /** An upgrade of `address`, before it happens. One that is granted is followed by `enter`. */
  upgrade(address: string): Refusal | null {
    return this.#heed(this.look(address) ?? this.#upgrades.take(address));
  }

  /**
   * A socket of `address` is there. Call what it returns when it is gone; more often than once does
   * nothing.
   */
  enter(address: string): () => void {
    this.#count(address, 1);
    let here = true;
    return () => {
      if (here) this.#count(address, -1);
      here = false;
    };
  }

  /** A new room of `address`. */
  create(address: string): Refusal | null {
    return this.#heed(this.#creations.take(address));
  }

  /**
   * A join at digits, asked before anybody looks where they lead: what is refused here says nothing
   * about them. It counts as failed until `acquit`.
   */
  guess(address: string): Refusal | null {
    return this.#heed(this.#guesses.take(address));
  }

  /** A join at digits did not fail. */
  acquit(address: string): void {
    this.#guesses.giveBack(address);
  }

  /** Counts `length` characters that are to be relayed in `room`; false where they are too many. */
  relay(room: string, length: number): boolean {
    if (this.limits.sessionBytes === Infinity) return true;
    const sum = (this.#relayed.get(room) ?? 0) + length;
    this.#relayed.set(room, sum);
    if (sum <= this.limits.sessionBytes) return true;
    this.#onLimit("session_bytes");
    return false;
  }

  /** A socket said more than `messagesPerSecond`. */
  tooFast(): void {
    this.#onLimit("messages");
  }

  #heed(refused: Refusal | null): Refusal | null {
    if (refused !== null) this.#onLimit(refused.limit);
    return refused;
  }

  #count(address: string, step: 1 | -1): void {
    this.#socketCount += step;
    const own = (this.#sockets.get(address) ?? 0) + step;
    if (own > 0) this.#sockets.set(address, own);
    else this.#sockets.delete(address);
  }
}
