/**
 * The messages of the signaling WebSocket `/ws/<room>`: JSON text, of at most 8 KiB except for
 * `data`, one union per direction, and a parser for each that trusts nothing.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { isBase64Url } from "./bytes.ts";
import {
  MAX_DATA_LENGTH,
  MAX_DATA_MESSAGE_LENGTH,
  MAX_RELAY_LENGTH,
  MAX_RETRY_S,
  MAX_SIGNAL_LENGTH,
  MAX_TTL_S,
  MIN_TTL_S,
} from "./limits.ts";

/** The messages of a client. Tokens are base64url: 16 bytes for `tok`, 32 bytes for all others. */
export type ClientMessage =
  /**
   * Creates the room and takes the sender's seat. `own` = H(otok), `join` = H(jtok), `ttl` in
   * seconds. A client that repeats it with the same hashes gets its own seat back.
   */
  | { readonly t: "create"; readonly own: string; readonly join: string; readonly ttl: number }
  /**
   * Takes the viewer's seat: with `tok` at a room's address, without it at the digits of a code.
   */
  | { readonly t: "join"; readonly tok?: string }
  /** Takes a seat back after a lost socket or a reload. */
  | { readonly t: "resume"; readonly rtok: string }
  /** Sends `d` to the other seat. */
  | { readonly t: "relay"; readonly d: string }
  /**
   * Sends a frame of the encrypted relay to the other seat, if the server offered the relay in
   * `ice`.
   */
  | { readonly t: "data"; readonly d: string }
  /** Deletes the room. Only the sender knows `otok`. */
  | { readonly t: "delete"; readonly otok: string }
  /** Gives the seat up. */
  | { readonly t: "leave" }
  /** Sender: the viewer failed to prove themselves, and loses the seat. */
  | { readonly t: "dismiss" }
  /** Sender: the code's digits must not lead here any more. */
  | { readonly t: "withdraw" }
  /**
   * The result of the last attempt to connect, for the server's statistics. Optional, and without
   * any effect.
   */
  | { readonly t: "outcome"; readonly way: Outcome }
  /** Answers `ping`. */
  | { readonly t: "pong" };

/**
 * How two browsers are connected: directly, `relayed` by TURN, or by the `server`'s encrypted
 * relay; or `failed`.
 */
export type Outcome = "direct" | "relayed" | "server" | "failed";

/** Why the other seat was filled or emptied. */
export type PeerCause = "join" | "resume" | "lost" | "leave";

/**
 * Why a room ended: the sender deleted it, its lifetime was over, or the sender stayed away longer
 * than the grace period.
 */
export type GoneReason = "deleted" | "expired" | "lost";

/**
 * Codes of `err`. The socket is closed after `refused` and `busy`; `no_peer` answers a `relay` to
 * an empty seat.
 */
export type SignalError = "refused" | "busy" | "no_peer";

/** An ICE server as RTCPeerConnection takes it. */
export interface IceServer {
  readonly urls: readonly string[];
  readonly username?: string;
  readonly credential?: string;
}

/** The messages of the server. */
export type ServerMessage =
  /**
   * The room exists. It expires in `exp` seconds (a span, because two clocks never agree). `code`:
   * the digits that also lead to it; absent if they were withdrawn or none are available. `salt`:
   * 32 bytes that live as long as the room. A tab needs them to decrypt what it kept for a reload,
   * so without a salt a page can't return after a reload.
   */
  | {
    readonly t: "created";
    readonly exp: number;
    readonly rtok: string;
    readonly salt?: string;
    readonly code?: string;
  }
  /** The seat is yours, by `join` or `resume`. */
  | { readonly t: "joined"; readonly rtok: string; readonly salt?: string }
  | { readonly t: "peer"; readonly up: boolean; readonly by: PeerCause }
  | { readonly t: "relay"; readonly d: string }
  | { readonly t: "data"; readonly d: string }
  /**
   * ICE servers for this session, valid for `exp` seconds; sent once both seats are filled.
   * `relay`: if no other route works, this server relays encrypted records as `data`.
   */
  | {
    readonly t: "ice";
    readonly servers: readonly IceServer[];
    readonly exp: number;
    readonly relay?: true;
  }
  | { readonly t: "gone"; readonly why: GoneReason }
  /** `retry`: seconds after which to try again, if the server knows. */
  | { readonly t: "err"; readonly code: SignalError; readonly retry?: number }
  /** Asks for a `pong`; also shows the client that the server is alive. */
  | { readonly t: "ping" };

/** 16 bytes in base64url: a room derived from a link. */
export const ROOM_PATTERN = /^[A-Za-z0-9_-]{21}[AQgw]$/;

/** The digits of a code, issued by the server: a short-lived second address of a room. */
export const CODE_PATTERN = /^\d{4,8}$/;

/** Parses a JSON object of at most `max` characters, or returns `null`. */
export function parseObject(raw: string, max: number): Record<string, unknown> | null {
  if (raw.length > max) return null;
  try {
    const value: unknown = JSON.parse(raw);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? { ...value }
      : null;
  } catch {
    return null;
  }
}

function isOpaque(value: unknown, max: number): value is string {
  return typeof value === "string" && value.length > 0 && value.length <= max &&
    /^[A-Za-z0-9_-]+$/.test(value);
}

function parsePassed(t: "relay" | "data", d: unknown): { t: "relay" | "data"; d: string } | null {
  return isOpaque(d, t === "data" ? MAX_DATA_LENGTH : MAX_RELAY_LENGTH) ? { t, d } : null;
}

/** Only `data` may be longer than {@linkcode MAX_SIGNAL_LENGTH}. */
function parseMessage(raw: string): Record<string, unknown> | null {
  const value = parseObject(raw, MAX_DATA_MESSAGE_LENGTH);
  return value === null || value["t"] === "data" || raw.length <= MAX_SIGNAL_LENGTH ? value : null;
}

function isSpan(value: unknown, min: number, max: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= min && value <= max;
}

/**
 * Parses a client's message. Returns a fresh object with only the fields of the union, or `null` if
 * it is not exactly one of them. Unknown extra fields are dropped.
 */
export function parseClientMessage(raw: string): ClientMessage | null {
  const value = parseMessage(raw);
  if (value === null) return null;
  const { t, own, join, ttl, tok, rtok, d, otok, way } = value;
  switch (t) {
    case "create":
      return isBase64Url(own, 32) && isBase64Url(join, 32) && isSpan(ttl, MIN_TTL_S, MAX_TTL_S)
        ? { t, own, join, ttl }
        : null;
    case "join":
      if (tok === undefined) return { t };
      return isBase64Url(tok, 16) ? { t, tok } : null;
    case "resume":
      return isBase64Url(rtok, 32) ? { t, rtok } : null;
    case "relay":
    case "data":
      return parsePassed(t, d);
    case "delete":
      return isBase64Url(otok, 32) ? { t, otok } : null;
    case "outcome": {
      const outcome = oneOf<Outcome>(way, ["direct", "relayed", "server", "failed"]);
      return outcome === null ? null : { t, way: outcome };
    }
    case "leave":
    case "dismiss":
    case "withdraw":
    case "pong":
      return { t };
    default:
      return null;
  }
}

function oneOf<T extends string>(value: unknown, allowed: readonly T[]): T | null {
  return allowed.find((item) => item === value) ?? null;
}

function parseSeat(rtok: unknown, salt: unknown): { rtok: string; salt?: string } | null {
  if (!isBase64Url(rtok, 32)) return null;
  if (salt === undefined) return { rtok };
  return isBase64Url(salt, 32) ? { rtok, salt } : null;
}

function parseIceServer(value: unknown): IceServer | null {
  if (typeof value !== "object" || value === null) return null;
  const { urls, username, credential }: Record<string, unknown> = { ...value };
  if (!Array.isArray(urls) || urls.length < 1 || urls.length > 8) return null;
  const list: string[] = [];
  for (const url of urls) {
    if (typeof url !== "string" || url.length > 256 || !/^(stun|turn)s?:/.test(url)) return null;
    list.push(url);
  }
  if (username === undefined && credential === undefined) return { urls: list };
  if (typeof username !== "string" || typeof credential !== "string") return null;
  return { urls: list, username, credential };
}

/**
 * Parses a server's message; a server is trusted as little as a client. Returns a fresh object or
 * `null`.
 */
export function parseServerMessage(raw: string): ServerMessage | null {
  const value = parseMessage(raw);
  if (value === null) return null;
  const { t, exp, rtok, salt, up, by, d, servers, relay, why, code, retry } = value;
  switch (t) {
    case "created": {
      const seat = parseSeat(rtok, salt);
      if (seat === null || !isSpan(exp, 0, MAX_TTL_S)) return null;
      if (code === undefined) return { t, exp, ...seat };
      return typeof code === "string" && CODE_PATTERN.test(code) ? { t, exp, ...seat, code } : null;
    }
    case "joined": {
      const seat = parseSeat(rtok, salt);
      return seat === null ? null : { t, ...seat };
    }
    case "peer": {
      const cause = oneOf<PeerCause>(by, ["join", "resume", "lost", "leave"]);
      return typeof up === "boolean" && cause !== null ? { t, up, by: cause } : null;
    }
    case "relay":
    case "data":
      return parsePassed(t, d);
    case "ice": {
      if (!Array.isArray(servers) || servers.length > 8 || !isSpan(exp, 0, 86_400)) return null;
      const list: IceServer[] = [];
      for (const item of servers) {
        const server = parseIceServer(item);
        if (server === null) return null;
        list.push(server);
      }
      if (relay === undefined) return { t, servers: list, exp };
      return relay === true ? { t, servers: list, exp, relay } : null;
    }
    case "gone": {
      const reason = oneOf<GoneReason>(why, ["deleted", "expired", "lost"]);
      return reason === null ? null : { t, why: reason };
    }
    case "err": {
      const known = oneOf<SignalError>(code, ["refused", "busy", "no_peer"]);
      if (known === null) return null;
      if (retry === undefined) return { t, code: known };
      return isSpan(retry, 1, MAX_RETRY_S) ? { t, code: known, retry } : null;
    }
    case "ping":
      return { t };
    default:
      return null;
  }
}
