/**
 * Fetches what a session needs, which is most of the program and of no use to who only looks at the
 * page.
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
 * The class {@linkcode Session}; asked for again where it did not come. Rejects while the server
 * does not answer.
 */
export function loadSession(): Promise<SessionClass> {
  loading ??= import("./session.ts").then(({ Session }) => Session).catch((error) => {
    loading = null;
    throw error;
  });
  return loading;
}

/** A page that was looked at for so long is likely to be used, in milliseconds. */
const REST_MS = 1_000;

/**
 * Fetches what a page will need before it needs it, and after it was shown: a session as soon as
 * somebody moves a hand, and the picture worker then or a second later, whichever is first. The
 * server may be away when a picture is chosen.
 */
export function loadSoon(worker: Pick<Decoder, "warmUp">): void {
  const listening = new AbortController();
  const options = { signal: listening.signal, capture: true, passive: true };
  for (const kind of ["pointermove", "pointerdown", "keydown", "dragenter"]) {
    globalThis.addEventListener(kind, () => {
      listening.abort();
      worker.warmUp();
      loadSession().catch(() => {
        // Asked for again when it is needed, and answered for then.
      });
    }, options);
  }
  setTimeout(() => worker.warmUp(), REST_MS);
}
