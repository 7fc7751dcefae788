/**
 * Assertions for tests. This module is browser compatible.
 *
 * @module
 */
import { difference } from "./difference.ts";
import { equal } from "./equal.ts";

/** Thrown by failed assertions. */
export class AssertionError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "AssertionError";
  }
}

/** A class of errors, including abstract ones. */
type ErrorClass<E extends Error> = abstract new (...args: never[]) => E;

/** Fails if `expr` is falsy. */
export function assert(expr: unknown, msg = ""): asserts expr {
  if (!expr) throw new AssertionError(msg);
}

/** Fails if the two are not deeply equal. */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  if (equal(actual, expected)) return;
  throw new AssertionError(`Values are not equal${ending(msg)}\n${difference(actual, expected)}`);
}

/** Fails if `actual` does not match. */
export function assertMatch(actual: string, expected: RegExp, msg?: string): void {
  if (expected.test(actual)) return;
  throw new AssertionError(
    `Expected actual: "${actual}" to match: "${expected}"${ending(msg)}`,
  );
}

/**
 * Fails if `fn` does not throw an instance of `type` whose message includes `includes`; returns the
 * error that it threw.
 */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  type: ErrorClass<E>,
  includes?: string,
  msg?: string,
): E {
  let reason: unknown;
  try {
    fn();
  } catch (error) {
    reason = error;
    return instance(reason, { type, includes, msg, what: "thrown" });
  }
  throw new AssertionError(`Expected function to throw${ending(msg)}`);
}

/**
 * As {@linkcode assertThrows}, for the promise that `fn` returns. Fails if `fn` throws
 * synchronously.
 */
export async function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  type: ErrorClass<E>,
  includes?: string,
  msg?: string,
): Promise<E> {
  let promise: PromiseLike<unknown>;
  try {
    promise = fn();
  } catch (cause) {
    const message = `Function throws when expected to reject${ending(msg)}`;
    throw new AssertionError(message, { cause });
  }
  try {
    await promise;
  } catch (reason) {
    return instance(reason, { type, includes, msg, what: "rejected" });
  }
  throw new AssertionError(`Expected function to reject${ending(msg)}`);
}

interface Expected<E extends Error> {
  readonly type: ErrorClass<E>;
  readonly includes: string | undefined;
  readonly msg: string | undefined;
  readonly what: string;
}

function instance<E extends Error>(error: unknown, expected: Expected<E>): E {
  const { type, includes, msg, what } = expected;
  if (!(error instanceof Error)) {
    throw new AssertionError(`A non-Error object was ${what}${ending(msg)}`, { cause: error });
  }
  if (!(error instanceof type)) {
    throw new AssertionError(
      `Expected error to be instance of "${type.name}", but was "${error.name}"${ending(msg)}`,
      { cause: error },
    );
  }
  if (includes !== undefined && !error.message.includes(includes)) {
    throw new AssertionError(
      `Expected error message to include "${includes}", but got "${error.message}"${ending(msg)}`,
      { cause: error },
    );
  }
  return error;
}

function ending(msg: string | undefined): string {
  return msg === undefined ? "." : `: ${msg}`;
}
