/**
 * The few numbers that benchmarks print.
 *
 * @module
 */

/**
 * The middle of some numbers, the mean of the two middle ones when they are even in number.
 *
 * @throws {RangeError} when there are none
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

/** Rounds to `digits` digits after the point, for print. */
export function rounded(value: number, digits = 1): number {
  return Number(value.toFixed(digits));
}

/** Writes one result as a line of JSON. */
export function printLine(result: Readonly<Record<string, unknown>>): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(result)}\n`));
}
