/**
 * Limits on what one client, and all clients together, may use. Clients are told apart by their
 * `clientKey`, and counted with their networks. A share of every total is kept for clients that did
 * not use it lately, so that nobody locks newcomers out.
 *
 * @module
 */
import { LruCache } from "@std/cache/lru-cache";
import { MAX_RETRY_S } from "../protocol/limits.ts";
import { NETWORK_CLIENTS, networksOf } from "../ops/client_address.ts";
import {
  GuessLimit,
  KEPT_SHARE,
  type LimitOptions,
  MAX_KEYS,
  NetworkLimit,
  RateLimit,
  Regulars,
} from "../ops/rate_limits.ts";

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
  /** TURN credentials. */
  readonly turnPerMinute: number;
  readonly turnPerMinutePerIp: number;
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
  turnPerMinute: Infinity,
  turnPerMinutePerIp: Infinity,
  messagesPerSecond: Infinity,
  sessionBytes: Infinity,
};

/** The limit that was hit, for metrics. */
export type LimitName =
  | "sockets"
  | "upgrades"
  | "creations"
  | "failed_joins"
  | "turn"
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
  readonly limit: LimitName;
  readonly #each: NetworkLimit<T>;
  readonly #all: RateLimit;
  readonly #regulars: Regulars;

  constructor(limit: LimitName, make: (clients: number) => T, all: number, options: LimitOptions) {
    this.limit = limit;
    this.#each = new NetworkLimit(make);
    this.#all = new RateLimit(all, options);
    this.#regulars = new Regulars(options);
  }

  /** True if this client used the limit in the past hour: a share of the total is not for it. */
  isRegular(address: string): boolean {
    return this.#regulars.has(address);
  }

  take(address: string): Refusal | null {
    const wait = this.#each.take(address);
    if (wait > 0) return this.#refusal(wait, false);
    const total = this.#all.take(ALL, this.#kept(address));
    if (total === 0) {
      this.#regulars.add(address);
      return null;
    }
    this.#each.giveBack(address);
    return this.#refusal(total, true);
  }

  /** Whether `address` would have to wait now. */
  look(address: string): Refusal | null {
    return this.#refusal(this.#each.wait(address), false) ??
      this.#refusal(this.#all.wait(ALL, this.#kept(address)), true);
  }

  giveBack(address: string): void {
    this.#each.giveBack(address);
    this.#all.giveBack(ALL);
  }

  #kept(address: string): number {
    return this.isRegular(address) ? KEPT_SHARE : 0;
  }

  #refusal(ms: number, total: boolean): Refusal | null {
    if (ms === 0) return null;
    const retry = Math.min(MAX_RETRY_S, Math.max(1, Math.ceil(ms / 1_000)));
    return { limit: this.limit, total, retry };
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
  readonly #turn: Pair<RateLimit>;
  /**
   * Characters relayed in each room. The room used longest ago is evicted first; by then it has
   * usually ended, since a room lasts an hour at most.
   */
  readonly #relayed: LruCache<string, number>;
  /** Number of sockets of each network. It has at most three entries for each socket. */
  readonly #sockets = new Map<string, number>();
  #socketCount = 0;
  readonly #onLimit: (limit: LimitName) => void;

  constructor(limits: AdmissionLimits, options: AdmissionOptions = {}) {
    const rate = (perMinute: number) => (clients: number) =>
      new RateLimit(perMinute * clients, options);
    const guesses = (perMinute: number) => (clients: number) =>
      new GuessLimit(perMinute * clients, options);
    this.limits = limits;
    this.#upgrades = new Pair(
      "upgrades",
      rate(limits.upgradesPerMinutePerIp),
      limits.upgradesPerMinute,
      options,
    );
    this.#creations = new Pair(
      "creations",
      rate(limits.creationsPerMinutePerIp),
      limits.creationsPerMinute,
      options,
    );
    this.#guesses = new Pair(
      "failed_joins",
      guesses(limits.failedJoinsPerMinutePerIp),
      limits.failedJoinsPerMinute,
      options,
    );
    this.#turn = new Pair(
      "turn",
      rate(limits.turnPerMinutePerIp),
      limits.turnPerMinute,
      options,
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
    const own = networksOf(address).map((network) => this.#sockets.get(network) ?? 0);
    const full = own.some((count, i) =>
      count >= this.limits.socketsPerIp * (NETWORK_CLIENTS[i] ?? 1)
    );
    // A client that has a socket already is kept out of the last share.
    const kept = (own.at(-1) ?? 0) > 0 ? KEPT_SHARE : 0;
    const total = this.#socketCount >= Math.ceil(this.limits.sockets * (1 - kept));
    if (full || total) return { limit: "sockets", total, retry: SOCKETS_RETRY_S };
    return this.#upgrades.look(address);
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

  /**
   * True if `address` made a room in the past hour: then the last share of all rooms is kept for
   * others. Ask it before `create`.
   */
  isRegular(address: string): boolean {
    return this.#creations.isRegular(address);
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

  /** Asks for TURN credentials for `address`. */
  turn(address: string): Refusal | null {
    return this.#heed(this.#turn.take(address));
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
    for (const network of networksOf(address)) {
      const own = (this.#sockets.get(network) ?? 0) + step;
      if (own > 0) this.#sockets.set(network, own);
      else this.#sockets.delete(network);
    }
  }
}
