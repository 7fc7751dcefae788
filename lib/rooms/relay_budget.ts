/**
 * Budget of a room for the encrypted relay: total size, duration and rate. A frame that exceeds the
 * rate is delayed. Because both peers limit the data in flight, that slows down the sending
 * browser.
 *
 * @module
 */
import { LruCache } from "@std/cache/lru-cache";
import { MAX_KEYS } from "../ops/rate_limits.ts";
import { type Clock, systemClock } from "../ops/clock.ts";

/** Limits of a room, both directions together. */
export interface RelayLimits {
  /** Characters in total. */
  readonly bytes: number;
  /** Characters per second. */
  readonly bytesPerSecond: number;
  /** Seconds from the first frame on. */
  readonly seconds: number;
}

/** Minimum cost of a frame, so that a flood of empty frames uses up the budget as well. */
const LEAST = 1_024;

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

  constructor(limits: RelayLimits, clock: Clock = systemClock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /**
   * Charges `length` characters. Returns how many milliseconds they have to wait, or `null` if the
   * room's budget is used up.
   */
  take(room: string, length: number): number | null {
    const now = this.#clock.now();
    const { since, bytes, paidAt } = this.#rooms.get(room) ??
      { since: now, bytes: 0, paidAt: -Infinity };
    const cost = Math.max(LEAST, length);
    const spent: Spent = {
      since,
      bytes: bytes + cost,
      paidAt: Math.max(paidAt, now - BURST_MS) + cost * 1_000 / this.#limits.bytesPerSecond,
    };
    if (spent.bytes > this.#limits.bytes || now - since > this.#limits.seconds * 1_000) return null;
    this.#rooms.set(room, spent);
    return Math.max(0, spent.paidAt - now);
  }
}
