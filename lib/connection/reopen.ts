/**
 * Takes a seat back for a page that was reloaded and knows nothing but its token. The room's salt
 * arrives with the seat, and decrypts what the page had kept.
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
 * Keeps asking the server until it answers, the seat's grace period is over, or `signal` aborts.
 * Resolves to `null` in the last two cases, and if the seat or the room no longer exists. Does not
 * keep the seat: it counts as lost until a page takes it with the new token, or with `rtok`, which
 * is still valid.
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
