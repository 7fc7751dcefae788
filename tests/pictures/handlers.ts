/**
 * Handlers of control messages for tests.
 *
 * @module
 */

/** A handler of messages that a test does not expect: whatever is called throws. */
export function unexpected<T extends object>(): T {
  return new Proxy({} as T, {
    get(_, name) {
      throw new Error(`Not expected: ${String(name)}`);
    },
  });
}
