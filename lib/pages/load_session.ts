/**
 * Loads the script for a session. It is most of the JavaScript, and useless to people who only look
 * at the page.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { Decoder } from "../image/decoder.ts";
import type { Session } from "./session.ts";

type SessionClass = typeof Session;

let loading: Promise<SessionClass> | null = null;

/**
 * The class {@linkcode Session}. A failed import is retried at the next call. Rejects while the
 * server does not answer.
 */
export function loadSession(): Promise<SessionClass> {
  loading ??= import("./session.ts").then(({ Session }) => Session).catch((error) => {
    loading = null;
    throw error;
  });
  return loading;
}

/** After this time, in milliseconds, a page is likely to be used. */
const REST_MS = 1_000;

/**
 * Preloads, after the page was shown, what it is going to need, because the server may be
 * unreachable by the time a picture is chosen. Loads the session's script at the first input, and
 * the picture worker at the first input or after {@linkcode REST_MS}, whichever is first.
 */
export function loadSoon(worker: Pick<Decoder, "warmUp">): void {
  const listening = new AbortController();
  const options = { signal: listening.signal, capture: true, passive: true };
  for (const kind of ["pointermove", "pointerdown", "keydown", "dragenter"]) {
    globalThis.addEventListener(kind, () => {
      listening.abort();
      worker.warmUp();
      loadSession().catch(() => {
        // Retried, with error handling, when it is needed.
      });
    }, options);
  }
  setTimeout(() => worker.warmUp(), REST_MS);
}
