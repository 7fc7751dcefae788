/**
 * Describes how two values that should be equal differ. This module is browser compatible.
 *
 * @module
 */

/** Number of equal lines shown before and after a difference. */
const CONTEXT = 3;

/**
 * The lines that differ, with - for actual and + for expected ones, and a few equal lines around
 * them.
 */
export function difference(actual: unknown, expected: unknown): string {
  const is = lines(actual);
  const wanted = lines(expected);
  let start = 0;
  while (start < is.length && start < wanted.length && is[start] === wanted[start]) start++;
  let end = 0;
  const most = Math.min(is.length, wanted.length) - start;
  while (end < most && is.at(-1 - end) === wanted.at(-1 - end)) end++;
  return [
    ...is.slice(Math.max(0, start - CONTEXT), start).map((line) => `    ${line}`),
    ...is.slice(start, is.length - end).map((line) => `-   ${line}`),
    ...wanted.slice(start, wanted.length - end).map((line) => `+   ${line}`),
    ...is.slice(is.length - end, is.length - end + CONTEXT).map((line) => `    ${line}`),
  ].join("\n");
}

function lines(value: unknown): string[] {
  if (typeof value === "string") return value.split("\n").map((line) => JSON.stringify(line));
  const options = {
    depth: Infinity,
    sorted: true,
    iterableLimit: Infinity,
    strAbbreviateSize: Infinity,
  };
  return Deno.inspect(value, { ...options, compact: false, trailingComma: true }).split("\n");
}
