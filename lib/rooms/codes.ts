/**
 * The digits of spoken codes: the part of a code that the server assigns and knows. They lead to
 * rooms.
 *
 * @module
 */
import { CODE_PATTERN } from "../protocol/signaling.ts";
import type { Clock } from "../ops/clock.ts";
import type { RandomSource } from "../ops/tokens.ts";

/** Fewest and most digits of a code, as in CODE_PATTERN. */
const MIN_DIGITS = 4;
const MAX_DIGITS = 8;

/**
 * At most this share of all numbers of one length is taken, so a random guess hits at most one time
 * in a hundred.
 */
const TAKEN_SHARE = 1 / 100;

/**
 * Attempts to draw one code: enough for any working random source, and a bound for a broken one.
 */
const MAX_DRAWS = 64;

/** True if `address` is a code's digits and not a room's own address. */
export function isCode(address: string): boolean {
  return CODE_PATTERN.test(address);
}

/**
 * Number of digits for the next code when `taken` codes are live or resting; `null` if even the
 * longest would be too easy to guess.
 */
export function digitsFor(taken: number): number | null {
  for (let digits = MIN_DIGITS; digits <= MAX_DIGITS; digits++) {
    if (taken < 10 ** digits * TAKEN_SHARE) return digits;
  }
  return null;
}

/** Options of {@linkcode CodeTable}. */
export interface CodeTableOptions {
  readonly clock: Clock;
  readonly random: RandomSource;
  /** How long digits rest after use, in ms. */
  readonly restMs: number;
  /**
   * Maximum number of codes that are live or resting. Beyond it none are assigned, so that creating
   * rooms in a loop can't fill the memory.
   */
  readonly maxCodes: number;
}

/**
 * The digits known to one process. They are free, *live* (lead to a room) or *resting*: not
 * assigned again for a while, but otherwise indistinguishable from free ones for clients.
 */
export class CodeTable {
  readonly #options: CodeTableOptions;
  /** Digits → address of the room. */
  readonly #live = new Map<string, string>();
  /**
   * Digits → when they are free again. All rest for the same time, so the map is in order of that
   * time.
   */
  readonly #resting = new Map<string, number>();

  constructor(options: CodeTableOptions) {
    this.#options = options;
  }

  /**
   * Number of live and of resting codes. The latter includes those whose rest has ended but that
   * have not been swept yet.
   */
  get counts(): { readonly live: number; readonly resting: number } {
    return { live: this.#live.size, resting: this.#resting.size };
  }

  /** Assigns new digits to the room at `address`; `null` if none are available. */
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

  /** Address of the room that `code` leads to. */
  find(code: string): string | undefined {
    return this.#live.get(code);
  }

  /** Makes a live `code` lead nowhere and lets it rest; ignores any other code. */
  retire(code: string): void {
    if (!this.#live.delete(code)) return;
    this.#resting.set(code, this.#options.clock.now() + this.#options.restMs);
  }

  /** Frees the digits whose rest has ended. Stops at the first that is still resting. */
  sweep(): void {
    const now = this.#options.clock.now();
    for (const [code, until] of this.#resting) {
      if (now < until) return;
      this.#resting.delete(code);
    }
  }
}

/**
 * Random digits, uniformly distributed. Returns `null` if the random number lies in the incomplete
 * last interval of 2^32 / 10^digits, which would bias the result.
 */
export function guessCode(random: RandomSource, digits: number): string | null {
  const bytes = random(4);
  const number = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0);
  const space = 10 ** digits;
  if (number >= 2 ** 32 - 2 ** 32 % space) return null;
  return String(number % space).padStart(digits, "0");
}
