/**
 * Limits of this server, in addition to those of the protocol. They bound the resources that
 * clients can make it use.
 *
 * @module
 */
import {
  CODE_REST_MS,
  FIRST_MESSAGE_MS,
  HEARTBEAT_MS,
  HEARTBEAT_TIMEOUT_MS,
  SEAT_GRACE_MS,
} from "../protocol/limits.ts";
import { KEPT_SHARE } from "../ops/rate_limits.ts";

/** Limits of a room store. */
export interface StoreLimits {
  /** How long the seat of a lost socket is kept, in ms: the grace period. */
  readonly graceMs: number;
  /** Rooms existing at the same time. */
  readonly maxRooms: number;
  /** Interval between checks for rooms and seats whose deadlines have passed, in ms. */
  readonly sweepMs: number;
  /** How long digits are not assigned again after they led to a room, in ms. */
  readonly codeRestMs: number;
  /** Maximum number of live and resting codes; further rooms get no code. */
  readonly maxCodes: number;
}

/** Limits of a store on Redis, in addition to those of every store. */
export interface RedisLimits {
  /** How long a seat counts as held if its instance does not renew the lease, in ms. */
  readonly leaseMs: number;
  /**
   * How often an instance renews the leases of its seats, and reads events whose notification was
   * lost, in ms.
   */
  readonly touchMs: number;
  /** How long an operation may take before Redis counts as unavailable, in ms. */
  readonly operationMs: number;
  /** Unread events in a room. */
  readonly maxQueued: number;
  /** Operations postponed while Redis is unavailable. */
  readonly maxOwed: number;
}

/** Limits of one socket. */
export interface ConnectionLimits {
  /** Time for the first message, in ms. */
  readonly firstMessageMs: number;
  /** Time between two `ping` messages, in ms. */
  readonly heartbeatMs: number;
  /** Silence after which a socket counts as dead, in ms. */
  readonly heartbeatTimeoutMs: number;
  /** Unsent bytes at which a client counts as reading too slowly. */
  readonly maxBuffered: number;
  /** Messages of one socket that may wait for the store. */
  readonly maxPending: number;
  /** Characters of relay frames that may wait; a client beyond it is ignoring its window. */
  readonly maxPendingData: number;
}

/** Rooms that may exist when this client asks for one more. */
export function roomsFor(regular: boolean, { maxRooms }: StoreLimits): number {
  return regular ? Math.ceil(maxRooms * (1 - KEPT_SHARE)) : maxRooms;
}

/**
 * 10,000 rooms: the memory is mostly that of their two idle sockets, 22.5 KiB each, so half a
 * gigabyte if all of them are connected. 200,000 codes take 12 MiB, and allow 330 new rooms a
 * second for ten minutes before a room gets no code.
 */
export const STORE_LIMITS: StoreLimits = {
  graceMs: SEAT_GRACE_MS,
  maxRooms: 10_000,
  sweepMs: 1_000,
  codeRestMs: CODE_REST_MS,
  maxCodes: 200_000,
};

/**
 * A lease covers three renewals, so losing one of them costs no seat. 256 events are 1.5 MiB of the
 * longest relayed messages, and five times the burst of an honest client. Postponed operations are
 * one or two for each socket.
 */
export const REDIS_LIMITS: RedisLimits = {
  leaseMs: 45_000,
  touchMs: 15_000,
  operationMs: 2_000,
  maxQueued: 256,
  maxOwed: 50_000,
};

/**
 * 256 KiB is ten times what a whole session relays. It can't be much lower: Deno counts a message
 * as buffered until its write has returned, so a burst counts in full even for a fast client. A
 * burst of ICE candidates is about 30 messages.
 */
export const CONNECTION_LIMITS: ConnectionLimits = {
  firstMessageMs: FIRST_MESSAGE_MS,
  heartbeatMs: HEARTBEAT_MS,
  heartbeatTimeoutMs: HEARTBEAT_TIMEOUT_MS,
  maxBuffered: 256 * 1024,
  maxPending: 128,
  maxPendingData: 512 * 1024,
};
