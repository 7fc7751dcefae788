/**
 * Assertions under the names of Deno's standard library, on top of `node:assert`: the standard library itself is published on
 * JSR alone, and the tests have to run where only npm can be reached.
 *
 * @module
 */
import nodeAssert from "node:assert/strict";

/** Fails when `condition` is false. */
export function assert(condition: boolean, message?: string): asserts condition {
  nodeAssert.ok(condition, message);
}

/** Fails when the two are not deeply and strictly equal. */
export function assertEquals<T>(actual: T, expected: T, message?: string): void {
  nodeAssert.deepStrictEqual(actual, expected, message);
}

/** Fails when `text` does not match. */
export function assertMatch(text: string, pattern: RegExp, message?: string): void {
  nodeAssert.match(text, pattern, message);
}

/** Fails when `body` does not throw an instance of `type`; returns what it threw. */
export function assertThrows<E extends Error>(
  body: () => unknown,
  type: abstract new (...args: never[]) => E,
): E {
  try {
    body();
  } catch (error) {
    return instance(error, type);
  }
  throw new Error(`Expected a ${type.name}, but nothing was thrown`);
}

/** Fails when the promise of `body` does not reject with an instance of `type`; resolves to the reason. */
export async function assertRejects<E extends Error>(
  body: () => Promise<unknown>,
  type: abstract new (...args: never[]) => E,
): Promise<E> {
  try {
    await body();
  } catch (error) {
    return instance(error, type);
  }
  throw new Error(`Expected a ${type.name}, but nothing was thrown`);
}

function instance<E extends Error>(error: unknown, type: abstract new (...args: never[]) => E): E {
  if (error instanceof type) return error;
  throw new Error(`Expected a ${type.name}, got ${String(error)}`, { cause: error });
}
