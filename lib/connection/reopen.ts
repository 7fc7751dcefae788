/**
 * Takes a seat back for a page that was loaded again, which knows nothing but its token: the room's
 * salt comes with the seat, and opens the rest.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { SEAT_GRACE_MS } from "../protocol/limits.ts";
import { SignalingClient } from "./signaling_client.ts";

/** The seat, and the room's salt. */
export interface Reopened {
  readonly rtok: string;
  readonly salt: string;
}

/**
 * Asks the server, for as long as it does not answer, until the seat would be gone or `signal`
 * aborts. Resolves to `null` then, and where the seat, or the room, is not there any more. The seat
 * counts as lost from then on, until somebody takes it with the new token, or once more with this
 * one.
 */
export function reopen(
  { server, path, rtok, signal }: {
    server: string;
    path: string;
    rtok: string;
    signal: AbortSignal;
  },
): Promise<Reopened | null> {
  return new Promise((resolve) => {
    const done = (result: Reopened | null) => {
      clearTimeout(timer);
      client.end();
      resolve(result);
    };
    const timer = setTimeout(() => done(null), SEAT_GRACE_MS);
    signal.addEventListener("abort", () => done(null), { once: true });
    const client = new SignalingClient({
      url: `${server}/ws/${path}`,
      first: { t: "resume", rtok },
      rtok,
      handlers: {
        onMessage(message) {
          if (message.t !== "created" && message.t !== "joined") return;
          const { rtok, salt } = message;
          done(salt === undefined ? null : { rtok, salt });
        },
        onContact() {},
        onEnd: () => done(null),
      },
    });
  });
}
