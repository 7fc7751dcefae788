/**
 * Waiting no longer than that. This module is browser compatible.
 *
 * @module
 */

/** Options of {@linkcode deadline}. */
export interface DeadlineOptions {
  /** Ends the wait early: the promise rejects with its reason. */
  signal?: AbortSignal;
}

/**
 * What becomes of `p`, if that is within `ms` milliseconds.
 *
 * @throws {DOMException} named TimeoutError, where it is not
 */
export async function deadline<T>(
  p: Promise<T>,
  ms: number,
  options: DeadlineOptions = {},
): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const { signal } = options;
  const abort = () => reject(signal?.reason);
  if (signal?.aborted) abort();
  signal?.addEventListener("abort", abort, { once: true });
  const timer = setTimeout(
    () => reject(new DOMException("The operation was aborted due to timeout", "TimeoutError")),
    ms,
  );
  try {
    return await Promise.race([promise, p]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", abort);
  }
}
