/**
 * What one room may send through the encrypted relay: so much in all, for so long, and no faster
 * than that. Who is too fast waits, and with him, as the two ends count what is under way, the
 * browser that sends.
 *
 * @module
 */
import { LruCache } from "@std/cache/lru-cache";
import { MAX_KEYS } from "../ops/rate_limits.ts";
import { type Clock, systemClock } from "../ops/clock.ts";

/** Limits of a room, both ways together. */
export interface RelayLimits {
  /** Characters in all. */
  readonly bytes: number;
  /** Characters a second. */
  readonly bytesPerSecond: number;
  /** Seconds from the first frame on. */
  readonly seconds: number;
}

/** What counts as the least: a flood of empty frames costs as well. */
const LEAST = 1_024;

/** So many milliseconds' worth may go at once. */
const BURST_MS = 250;

interface Spent {
  readonly since: number;
  readonly bytes: number;
  /** Up to when what was passed on is paid for, by the clock. */
  readonly paidAt: number;
}

/**
 * Counts by room. The rooms that were touched longest ago are forgotten first; those are over after
 * an hour anyway.
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
   * Takes `length` characters: how many milliseconds they have to wait, or `null` where the room
   * has used up its budget.
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
