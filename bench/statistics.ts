/**
 * Statistics and output of benchmarks.
 *
 * @module
 */

/**
 * The median of some numbers: the middle one, or the mean of the two middle ones.
 *
 * @throws {RangeError} if there are none
 */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const low = sorted[Math.ceil(sorted.length / 2) - 1];
  const high = sorted[Math.floor(sorted.length / 2)];
  if (low === undefined || high === undefined) {
    throw new RangeError("Cannot take a median of nothing");
  }
  return (low + high) / 2;
}

/** Rounds to `digits` decimal places, for output. */
export function rounded(value: number, digits = 1): number {
  return Number(value.toFixed(digits));
}

/** Prints one result as a line of JSON. */
export function printLine(result: Readonly<Record<string, unknown>>): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(result)}\n`));
}
