/**
 * Budgets of the encrypted relay: for a room total size, duration and rate, and bytes a minute for
 * a client and for all together. A frame that exceeds a rate is delayed. Because both peers limit
 * the data in flight, that slows down the sending browser.
 *
 * @module
 */
import { LruCache } from "@std/cache/lru-cache";
import { KEPT_SHARE, MAX_KEYS, NetworkLimit, RateLimit, Regulars } from "../ops/rate_limits.ts";
import { type Clock, systemClock } from "../ops/clock.ts";

/** Limits of a room, both directions together, and of who sends. */
export interface RelayLimits {
  /** Characters in total. */
  readonly bytes: number;
  /** Characters per second. */
  readonly bytesPerSecond: number;
  /** Seconds from the first frame on. */
  readonly seconds: number;
  /** Characters per minute of one client, and of all together. */
  readonly bytesPerMinutePerIp: number;
  readonly bytesPerMinute: number;
}

/** No limits at all, but for an hour a room. */
export const UNLIMITED_RELAY: RelayLimits = {
  bytes: Infinity,
  bytesPerSecond: Infinity,
  seconds: 3_600,
  bytesPerMinutePerIp: Infinity,
  bytesPerMinute: Infinity,
};

/** A frame to be charged. */
export interface RelayFrame {
  readonly room: string;
  /** The client that sends it, see `clientKey`. */
  readonly client: string;
  /** In characters. */
  readonly length: number;
  /** The part of the room's rate that it may use, up to 1. */
  readonly share: number;
}

/** Minimum cost of a frame, so that a flood of empty frames uses up the budget as well. */
const LEAST = 1_024;

/** The part of its minute that a client may use at once; after that it gets the average. */
const CLIENT_BURST = 1 / 6;

/** Size of the burst that the rate allows, in ms. */
const BURST_MS = 250;

interface Spent {
  readonly since: number;
  readonly bytes: number;
  /** The time, by the clock, up to which the rate is used up. */
  readonly paidAt: number;
}

/**
 * Counts per room. The room used longest ago is evicted first; by then it has usually ended, since
 * a room lasts an hour at most.
 */
export class RelayBudget {
  readonly #limits: RelayLimits;
  readonly #clock: Clock;
  readonly #rooms = new LruCache<string, Spent>(MAX_KEYS);
  readonly #each: NetworkLimit<RateLimit>;
  readonly #all: RateLimit;
  readonly #regulars: Regulars;

  constructor(limits: RelayLimits, clock: Clock = systemClock) {
    const { bytesPerMinute, bytesPerMinutePerIp } = limits;
    this.#limits = limits;
    this.#clock = clock;
    this.#each = new NetworkLimit((clients) =>
      new RateLimit(bytesPerMinutePerIp * clients, { clock })
    );
    this.#all = new RateLimit(bytesPerMinute, { clock });
    this.#regulars = new Regulars({ clock });
  }

  /**
   * Charges a frame. Returns how many milliseconds it has to wait, or `null` if the room's budget
   * is used up.
   */
  take({ room, client, length, share }: RelayFrame): number | null {
    const now = this.#clock.now();
    const { since, bytes, paidAt } = this.#rooms.get(room) ??
      { since: now, bytes: 0, paidAt: -Infinity };
    const cost = Math.max(LEAST, length);
    const rate = this.#limits.bytesPerSecond * share;
    const spent: Spent = {
      since,
      bytes: bytes + cost,
      paidAt: Math.max(paidAt, now - BURST_MS) + cost * 1_000 / rate,
    };
    if (spent.bytes > this.#limits.bytes || now - since > this.#limits.seconds * 1_000) return null;
    this.#rooms.set(room, spent);
    const kept = this.#regulars.has(client) ? KEPT_SHARE : 0;
    this.#regulars.add(client);
    return Math.max(
      0,
      spent.paidAt - now,
      this.#each.charge(client, cost, 1 - CLIENT_BURST),
      this.#all.charge("", cost, kept),
    );
  }
}
