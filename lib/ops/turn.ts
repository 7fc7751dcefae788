/**
 * ICE servers for a session: those of the configuration, and TURN credentials that live for ten
 * minutes, as coturn's `use-auth-secret` checks them (draft-uberti-behave-turn-rest).
 *
 * @module
 */
import { createHmac } from "node:crypto";
import { toBase64Url } from "../protocol/bytes.ts";
import type { IceServer, ServerMessage } from "../protocol/signaling.ts";
import { type RandomSource, systemRandom } from "./tokens.ts";

/**
 * How long credentials may be shown to the relay, in seconds. A relayed connection that was made
 * meanwhile goes on.
 */
export const TURN_TTL_S = 600;

/**
 * For how long servers without such credentials are good, in seconds: as long as the protocol can
 * say.
 */
const STATIC_TTL_S = 86_400;

/** Bytes of the label; new each time, so that two sessions of one person have nothing in common. */
const LABEL_BYTES = 12;

/** What goes to a member of a room whose seats are both filled. */
export type IceMessage = Extract<ServerMessage, { t: "ice" }>;

/** Makes the message for one seat, or `null` where there are no servers to name. */
export type IceIssuer = () => IceMessage | null;

/** Settings of {@linkcode iceIssuer}. */
export interface IceOptions {
  /** Servers that are handed out as they are. */
  readonly servers: readonly IceServer[];
  readonly turnUrls: readonly string[];
  /** What the relay knows as well; never handed out. */
  readonly turnSecret: string;
  /** This server itself passes encrypted records on. */
  readonly relay?: boolean;
  /** Wall clock in ms: the relay compares with its own. */
  readonly now?: () => number;
  readonly random?: RandomSource;
}

/**
 * What a relay with `secret` takes from `username` until the moment that it names:
 * base64(HMAC-SHA1).
 */
export function turnPassword(secret: string, username: string): string {
  return createHmac("sha1", secret).update(username).digest("base64");
}

/** Makes an {@linkcode IceIssuer}; each of its messages has credentials of its own. */
export function iceIssuer(options: IceOptions): IceIssuer {
  const { servers, turnUrls, turnSecret, now = Date.now, random = systemRandom } = options;
  const more = options.relay === true ? { relay: true } as const : {};
  return () => {
    if (turnUrls.length === 0) {
      if (servers.length === 0 && options.relay !== true) return null;
      return { t: "ice", servers, exp: STATIC_TTL_S, ...more };
    }
    const label = toBase64Url(new Uint8Array(random(LABEL_BYTES)));
    const username = `${Math.floor(now() / 1_000) + TURN_TTL_S}:${label}`;
    const turn = { urls: turnUrls, username, credential: turnPassword(turnSecret, username) };
    return { t: "ice", servers: [...servers, turn], exp: TURN_TTL_S, ...more };
  };
}
