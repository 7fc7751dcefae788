/**
 * ICE servers for a session: this server's own STUN, those of the configuration, and TURN
 * credentials valid for ten minutes, in the form that coturn's `use-auth-secret` checks
 * (draft-uberti-behave-turn-rest).
 *
 * @module
 */
import { createHmac } from "node:crypto";
import type { IceServer, ServerMessage } from "../protocol/signaling.ts";
import { isLoopback, networksOf } from "./client_address.ts";
import { type RandomSource, systemRandom } from "./tokens.ts";

/**
 * How long a TURN server accepts the credentials, in seconds. A relayed connection established in
 * that time continues afterwards.
 */
export const TURN_TTL_S = 600;

/**
 * How long a list of servers without such credentials is valid, in seconds: the longest time that
 * the protocol allows.
 */
const STATIC_TTL_S = 86_400;

/** Characters of a client's name. */
const NAME_LENGTH = 16;

/** How long a client keeps its name, in ms. */
const NAME_MS = 3_600_000;

/** The message for a member of a room whose seats are both taken. */
export type IceMessage = Extract<ServerMessage, { t: "ice" }>;

/** Whom a message is for. */
export interface IceGuest {
  /** The host by which the client reached this server, as the client wrote it. */
  readonly host: string;
  /** The key that limits are counted by, see `clientKey`. */
  readonly address: string;
}

/** Creates the message for one seat; `null` if there are no servers and no encrypted relay. */
export type IceIssuer = (guest: IceGuest) => IceMessage | null;

/** Settings of {@linkcode iceIssuer}. */
export interface IceOptions {
  /** Servers that are handed out unchanged. */
  readonly servers: readonly IceServer[];
  readonly turnUrls: readonly string[];
  /** The secret shared with the TURN server; never handed out. */
  readonly turnSecret: string;
  /** Whether this client may have credentials now; without it each may. */
  readonly admit?: (address: string) => boolean;
  /** Where this process answers STUN itself; `null` while it does not. */
  readonly stun?: () => OwnStun | null;
  /** True if this server offers its encrypted relay. */
  readonly relay?: boolean;
  /** Wall clock in ms, because the TURN server compares the expiry with its own clock. */
  readonly now?: () => number;
  readonly random?: RandomSource;
}

/** The STUN that this process answers. */
export interface OwnStun {
  /** Empty if browsers reach it by the same host as this server. */
  readonly host: string;
  readonly port: number;
}

/** Most servers in one message, as the pages parse it. */
const MAX_SERVERS = 8;

/** Hosts that browsers accept in an ICE URL. */
const ICE_HOST = /^(?:[\w.-]{1,200}|\[[\da-f:.]{2,45}\])$/i;

function ownServer(stun: OwnStun | null, asked: string): IceServer | null {
  if (stun === null) return null;
  const host = stun.host || asked;
  // Between two pages of one machine, there is no router to learn an address from.
  if (!ICE_HOST.test(host) || isLoopback(host)) return null;
  return { urls: [`stun:${host}:${stun.port}`] };
}

/**
 * The password that a TURN server with `secret` accepts for `username` until the expiry that
 * `username` contains: base64(HMAC-SHA1).
 */
export function turnPassword(secret: string, username: string): string {
  return createHmac("sha1", secret).update(username).digest("base64");
}

/**
 * Names clients for a TURN server, which counts by name how much each of them uses (`user-quota`;
 * coturn leaves the expiry before it out). A name is an HMAC over the hour and the client's widest
 * network. Its key stays in this process: who reads the TURN server's log can't test addresses
 * against it, nor recognize a client an hour later.
 */
function clientNames(now: () => number, random: RandomSource): (address: string) => string {
  const key = new Uint8Array(random(32));
  return (address) => {
    const text = `${Math.floor(now() / NAME_MS)} ${networksOf(address).at(-1) ?? address}`;
    return createHmac("sha256", key).update(text).digest("base64url").slice(0, NAME_LENGTH);
  };
}

/** Creates an {@linkcode IceIssuer}. */
export function iceIssuer(options: IceOptions): IceIssuer {
  const { turnUrls, turnSecret, now = Date.now, random = systemRandom } = options;
  const more = options.relay === true ? { relay: true } as const : {};
  const room = MAX_SERVERS - options.servers.length - (turnUrls.length === 0 ? 0 : 1);
  const nameOf = clientNames(now, random);
  return ({ host, address }) => {
    const own = room > 0 ? ownServer(options.stun?.() ?? null, host) : null;
    const servers = own === null ? options.servers : [own, ...options.servers];
    if (turnUrls.length === 0 || options.admit?.(address) === false) {
      if (servers.length === 0 && options.relay !== true) return null;
      return { t: "ice", servers, exp: STATIC_TTL_S, ...more };
    }
    const username = `${Math.floor(now() / 1_000) + TURN_TTL_S}:${nameOf(address)}`;
    const turn = { urls: turnUrls, username, credential: turnPassword(turnSecret, username) };
    return { t: "ice", servers: [...servers, turn], exp: TURN_TTL_S, ...more };
  };
}
