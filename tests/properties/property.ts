/**
 * Properties of the code that have to hold for every input, and two ways to check them: with the
 * same inputs at every run, as tests, and with new ones until the time is up, as the task `fuzz`.
 *
 * @module
 */
import { fc } from "../support/fast_check.ts";

/** A property, and how often it is checked. */
export interface Property {
  /** A sentence: what always holds. */
  readonly name: string;
  /** Inputs per round; a round takes about a second. */
  readonly runs: number;
  readonly property: fc.IRawProperty<unknown>;
}

/** The seed of the tests' inputs: a suite that fails today has to fail tomorrow. */
export const SEED = 20_260_603;

/**
 * Registers each property as a test with fixed inputs; a failure shows the seed and the smallest
 * input found.
 */
export function testProperties(properties: readonly Property[]): void {
  for (const { name, runs, property } of properties) {
    Deno.test(name, async () => {
      await fc.assert(property, { seed: SEED, numRuns: runs });
    });
  }
}

/** Settings of {@linkcode fuzz}. */
export interface FuzzOptions {
  /** How long to continue, in milliseconds; each property is checked at least once. */
  readonly ms: number;
  /** Draws the seed of each round: any 32-bit integer. */
  readonly nextSeed: () => number;
  /** Receives a line of the report. */
  readonly write: (line: string) => void;
}

/**
 * Checks the properties in turn with new seeds until the time is up, and reports seeds, smallest
 * counterexamples and totals. One that failed is left out from then on. Resolves to the number of
 * failures.
 */
export async function fuzz(
  properties: readonly Property[],
  { ms, nextSeed, write }: FuzzOptions,
): Promise<number> {
  const until = performance.now() + ms;
  const tried = new Map<string, { rounds: number; inputs: number }>();
  const failed = new Set<string>();
  do {
    for (const { name, runs, property } of properties) {
      if (failed.has(name)) continue;
      const total = tried.get(name) ?? { rounds: 0, inputs: 0 };
      if (total.rounds > 0 && performance.now() >= until) continue;
      const seed = nextSeed();
      write(`seed ${seed}: ${name}`);
      const details = await fc.check(property, { seed, numRuns: runs });
      tried.set(name, { rounds: total.rounds + 1, inputs: total.inputs + details.numRuns });
      if (!details.failed) continue;
      failed.add(name);
      write(`FAILED: ${name}\n${await fc.asyncDefaultReportMessage(details) ?? ""}`);
    }
  } while (performance.now() < until && failed.size < properties.length);
  for (const [name, { rounds, inputs }] of tried) {
    const verdict = failed.has(name) ? "FAILED" : "held";
    write(`${verdict}: ${inputs} inputs in ${rounds} rounds: ${name}`);
  }
  return failed.size;
}
