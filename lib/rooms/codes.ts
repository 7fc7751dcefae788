/**
 * Digits that lead to rooms: the part of a spoken code that the server gives out and knows.
 *
 * @module
 */
import { CODE_PATTERN } from "../protocol/signaling.ts";
import type { Clock } from "../ops/clock.ts";
import type { RandomSource } from "../ops/tokens.ts";

/** Fewest and most digits of a code, as CODE_PATTERN has them. */
const MIN_DIGITS = 4;
const MAX_DIGITS = 8;

/**
 * Of the addresses of one length at most this share is taken: who tries digits hits one time in a
 * hundred, at best.
 */
const TAKEN_SHARE = 1 / 100;

/**
 * Draws for one code: enough for any random source that works, and an end for one that does not.
 */
const MAX_DRAWS = 64;

/** True where `address` is one of digits, and not a room's own. */
export function isCode(address: string): boolean {
  return CODE_PATTERN.test(address);
}

/**
 * How many digits the next code has where `taken` of them live or rest, or `null` where none would
 * be long enough.
 */
export function digitsFor(taken: number): number | null {
  for (let digits = MIN_DIGITS; digits <= MAX_DIGITS; digits++) {
    if (taken < 10 ** digits * TAKEN_SHARE) return digits;
  }
  return null;
}

/** What a {@linkcode CodeTable} works with. */
export interface CodeTableOptions {
  readonly clock: Clock;
  readonly random: RandomSource;
  /** How long digits rest, in ms. */
  readonly restMs: number;
  /**
   * Digits that may live and rest together: more are not given out, so that who makes rooms in a
   * loop fills no memory.
   */
  readonly maxCodes: number;
}

/**
 * The digits of one process. They are free, *live* (lead to one room) or *resting*, which from
 * outside is the same as free but for their not being given out.
 */
export class CodeTable {
  readonly #options: CodeTableOptions;
  /** Digits → address of the room. */
  readonly #live = new Map<string, string>();
  /**
   * Digits → when they are free again. All rest equally long, so the map is in order of that time.
   */
  readonly #resting = new Map<string, number>();

  constructor(options: CodeTableOptions) {
    this.#options = options;
  }

  /**
   * How many digits live, and how many rest, counting those whose rest is over but which nobody has
   * swept yet.
   */
  get counts(): { readonly live: number; readonly resting: number } {
    return { live: this.#live.size, resting: this.#resting.size };
  }

  /** Gives new digits to the room at `address`; `null` where there are none to be had. */
  draw(address: string): string | null {
    this.sweep();
    const taken = this.#live.size + this.#resting.size;
    const digits = taken < this.#options.maxCodes ? digitsFor(taken) : null;
    if (digits === null) return null;
    for (let i = 0; i < MAX_DRAWS; i++) {
      const code = guessCode(this.#options.random, digits);
      if (code === null || this.#live.has(code) || this.#resting.has(code)) continue;
      this.#live.set(code, address);
      return code;
    }
    return null;
  }

  /** Address of the room to which `code` leads. */
  find(code: string): string | undefined {
    return this.#live.get(code);
  }

  /** The digits lead nowhere from now on, and rest. Does nothing to digits that do not live. */
  retire(code: string): void {
    if (!this.#live.delete(code)) return;
    this.#resting.set(code, this.#options.clock.now() + this.#options.restMs);
  }

  /** Frees the digits whose rest is over; looks at no others. */
  sweep(): void {
    const now = this.#options.clock.now();
    for (const [code, until] of this.#resting) {
      if (now < until) return;
      this.#resting.delete(code);
    }
  }
}

/**
 * Random digits, each with the same chance, or `null` for a number from the incomplete last round
 * of 2^32 / 10^digits.
 */
export function guessCode(random: RandomSource, digits: number): string | null {
  const bytes = random(4);
  const number = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
  const space = 10 ** digits;
  if (number >= 2 ** 32 - 2 ** 32 % space) return null;
  return String(number % space).padStart(digits, "0");
}
