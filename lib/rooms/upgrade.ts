/**
 * Turns a request for `/ws/<room>` or `/ws/<digits>` into an open socket, or into a response with
 * the reason for refusal.
 *
 * @module
 */
import { SUBPROTOCOL } from "../protocol/limits.ts";
import { ROOM_PATTERN } from "../protocol/signaling.ts";
import { isAllowedOrigin, type OriginRules } from "../ops/origin.ts";
import type { Refusal } from "./admission.ts";
import { isCode } from "./codes.ts";
import type { Guest } from "./connection.ts";
import type { Rooms } from "./rooms.ts";

/**
 * Seconds after which Deno pings a silent socket, which detects a dead connection before the
 * heartbeat does.
 */
const IDLE_TIMEOUT_S = 15;

/** The version of the WebSocket protocol (RFC 6455 §4.4). */
const VERSION = "13";

/** Options of {@linkcode upgradeToRoom}. */
export interface UpgradeOptions extends OriginRules {
  readonly rooms: Rooms;
}

function refuse(status: number, code: string, message: string, more: HeadersInit = {}): Response {
  const headers = { "cache-control": "no-store", ...more };
  return Response.json({ code, message }, { status, headers });
}

function postpone({ total, retry }: Refusal): Response {
  const headers = { "retry-after": String(retry) };
  return total
    ? refuse(503, "busy", "Too many people are here now. Try again later.", headers)
    : refuse(429, "busy", "Too many connections from your network. Try again later.", headers);
}

/**
 * Upgrades a request for the room of `guest` and hands the socket over. Everything is checked
 * before the upgrade. If a check fails, the response is `{code, message}` in JSON with status 400
 * (room, subprotocol, handshake), 403 (origin), 405, 426 (not a WebSocket, or another version), or,
 * with Retry-After, 429 (limit of this client) or 503 (limit of all). A page can't read a response
 * that refuses its WebSocket, but it can ask again without an upgrade: then 429 and 503 take
 * precedence over 426.
 */
export function upgradeToRoom(req: Request, guest: Guest, options: UpgradeOptions): Response {
  const response = answer(req, guest, options);
  const why = REFUSALS[response.status];
  if (why !== undefined) options.rooms.counters?.count("refusals", why);
  return response.status === 101 ? response : readable(req, response, options);
}

/** Lets pages of listed origins read why they were refused (CORS). Changes `response`. */
function readable(req: Request, response: Response, { allowedOrigins = [] }: UpgradeOptions) {
  const origin = req.headers.get("origin");
  response.headers.set("vary", "origin");
  if (origin !== null && allowedOrigins.includes(origin)) {
    response.headers.set("access-control-allow-origin", origin);
    response.headers.set("access-control-expose-headers", "retry-after");
  }
  return response;
}

/** The refusal that each status is counted as. */
const REFUSALS: Readonly<Record<number, "malformed" | "origin" | "busy">> = {
  400: "malformed",
  403: "origin",
  405: "malformed",
  426: "malformed",
  429: "busy",
  503: "busy",
};

function answer(req: Request, guest: Guest, options: UpgradeOptions): Response {
  const { rooms } = options;
  if (req.method !== "GET") return refuse(405, "method", "Only GET is possible here.");
  const { room, address } = guest;
  if (!ROOM_PATTERN.test(room) && !isCode(room)) {
    return refuse(400, "room", "This is not the address of a room.");
  }
  if (req.headers.get("upgrade")?.toLowerCase() !== "websocket") {
    const refused = rooms.admission.look(address);
    if (refused !== null) return postpone(refused);
    return refuse(426, "upgrade", "This address speaks WebSocket only.", { upgrade: "websocket" });
  }
  if (!isAllowedOrigin(req, { ...options, local: guest.local })) {
    return refuse(403, "origin", "Only pages of this site, and of those it lists, may connect.");
  }
  const protocols = req.headers.get("sec-websocket-protocol")?.split(",") ?? [];
  if (!protocols.some((name) => name.trim() === SUBPROTOCOL)) {
    return refuse(400, "subprotocol", `The subprotocol has to be ${SUBPROTOCOL}.`);
  }
  if (req.headers.get("sec-websocket-version") !== VERSION) {
    const headers = { "sec-websocket-version": VERSION };
    return refuse(426, "version", `The version of WebSocket has to be ${VERSION}.`, headers);
  }
  const refused = rooms.admission.upgrade(address);
  if (refused !== null) return postpone(refused);
  try {
    const { socket, response } = Deno.upgradeWebSocket(req, {
      protocol: SUBPROTOCOL,
      idleTimeout: IDLE_TIMEOUT_S,
    });
    rooms.accept(socket, guest);
    return response;
  } catch {
    return refuse(400, "handshake", "The WebSocket handshake is not complete.");
  }
}
