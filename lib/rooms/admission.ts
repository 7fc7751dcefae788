/**
 * Limits on what one client, and all clients together, may use. Clients are told apart by their
 * `clientKey`.
 *
 * @module
 */
import { LruCache } from "@std/cache/lru-cache";
import { MAX_RETRY_S } from "../protocol/limits.ts";
import { GuessLimit, type LimitOptions, MAX_KEYS, RateLimit } from "../ops/rate_limits.ts";

/** Limits per client and in total. `Infinity` means no limit. */
export interface AdmissionLimits {
  /** Sockets open at the same time. */
  readonly sockets: number;
  readonly socketsPerIp: number;
  readonly upgradesPerMinute: number;
  readonly upgradesPerMinutePerIp: number;
  readonly creationsPerMinute: number;
  readonly creationsPerMinutePerIp: number;
  /** Failed joins by the digits of a code. */
  readonly failedJoinsPerMinute: number;
  readonly failedJoinsPerMinutePerIp: number;
  /** Messages from one socket. */
  readonly messagesPerSecond: number;
  /** Characters that may be relayed in one room, both directions together. */
  readonly sessionBytes: number;
}

/** No limits at all. */
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

/** The limit that was hit, for metrics. */
export type LimitName =
  | "sockets"
  | "upgrades"
  | "creations"
  | "failed_joins"
  | "messages"
  | "session_bytes";

/** Why a client has to wait, and how long. */
export interface Refusal {
  readonly limit: LimitName;
  /** True if it is the limit of all clients together. */
  readonly total: boolean;
  /** Whole seconds, at least 1, after which a retry makes sense. */
  readonly retry: number;
}

/** How long clients are told to wait for a socket, in s: nobody knows when one will be free. */
const SOCKETS_RETRY_S = 30;

/** The limit's key for all clients together. */
const ALL = "";

/** A limit per client together with the limit of all clients. */
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

/** Options of {@linkcode Admission}. */
export interface AdmissionOptions extends LimitOptions {
  /** Called each time a limit was hit. */
  readonly onLimit?: (limit: LimitName) => void;
}

/** Counts what clients do, and decides who has to wait. */
export class Admission {
  readonly limits: AdmissionLimits;
  readonly #upgrades: Pair<RateLimit>;
  readonly #creations: Pair<RateLimit>;
  readonly #guesses: Pair<GuessLimit>;
  /**
   * Characters relayed in each room. The room used longest ago is evicted first; by then it has
   * usually ended, since a room lasts an hour at most.
   */
  readonly #relayed: LruCache<string, number>;
  /** Number of sockets of each client. It has at most as many entries as there are sockets. */
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

  /** Number of open sockets. */
  get sockets(): number {
    return this.#socketCount;
  }

  /**
   * Returns whether `address` would have to wait for an upgrade now, without counting anything. For
   * a page that asks why its upgrade failed.
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

  /** Asks for an upgrade by `address`, before it happens. If granted, call `enter` next. */
  upgrade(address: string): Refusal | null {
    return this.#heed(this.look(address) ?? this.#upgrades.take(address));
  }

  /**
   * Counts an open socket of `address`. Call the returned function when the socket is closed;
   * further calls do nothing.
   */
  enter(address: string): () => void {
    this.#count(address, 1);
    let here = true;
    return () => {
      if (here) this.#count(address, -1);
      here = false;
    };
  }

  /** Asks for a new room for `address`. */
  create(address: string): Refusal | null {
    return this.#heed(this.#creations.take(address));
  }

  /**
   * Asks for a join by digits. Call it before looking the digits up, so that a refusal reveals
   * nothing about them. The join counts as failed until `acquit`.
   */
  guess(address: string): Refusal | null {
    return this.#heed(this.#guesses.take(address));
  }

  /** Refunds a join by digits that did not fail. */
  acquit(address: string): void {
    this.#guesses.giveBack(address);
  }

  /** Counts `length` characters to be relayed in `room`; false if that exceeds the room's limit. */
  relay(room: string, length: number): boolean {
    if (this.limits.sessionBytes === Infinity) return true;
    const sum = (this.#relayed.get(room) ?? 0) + length;
    this.#relayed.set(room, sum);
    if (sum <= this.limits.sessionBytes) return true;
    this.#onLimit("session_bytes");
    return false;
  }

  /** Reports that a socket sent more than `messagesPerSecond`. */
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
