/**
 * The reasons for closing a signaling socket: one table for server, client and docs/protocol.md.
 *
 * This module is browser compatible.
 *
 * @module
 */

/**
 * Close codes of `/ws/<room>`. 1000–1012 as in RFC 6455 and its registry, 4000–4999 are the
 * protocol's own.
 */
export const CLOSE = {
  /** The client left or deleted the room, as it asked. */
  done: 1000,
  /** The server restarts, or lost the room: reconnect with `resume`, after a short random delay. */
  restart: 1012,
  /** Not JSON, an unknown message, a wrong field. */
  malformed: 4000,
  /** Longer than 8 KiB (`data`: than its own limit), or binary. */
  tooLarge: 4001,
  /** A message that this socket may not send now, e.g. `relay` before `join`. */
  outOfTurn: 4002,
  /** No first message within 5 s, or no message at all for 50 s. */
  timeout: 4003,
  /** Unknown room, wrong token, no free seat: one code for all, so that nothing can be probed. */
  refused: 4004,
  /** A newer socket took this seat. */
  superseded: 4005,
  /** The room ended; the message `gone` has the reason. */
  gone: 4006,
  /** The client reads too slowly; its queue is full. */
  slow: 4007,
  /** The server is at its limit, or can't reach its rooms: try later. */
  busy: 4008,
  /** The sender turned this viewer away: they did not prove that they have the link or the code. */
  dismissed: 4009,
  /** This server creates rooms only for people who have entered its access key. */
  access: 4010,
} as const;

/** Name of a close code in the table. */
export type CloseReason = keyof typeof CLOSE;
