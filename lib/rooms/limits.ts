/**
 * Limits of this server, on top of those of the protocol. They bound what strangers can make it
 * hold.
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

/** Limits of a room store. */
export interface StoreLimits {
  /** How long a seat waits for its lost socket, in ms. */
  readonly graceMs: number;
  /** Rooms at the same time. */
  readonly maxRooms: number;
  /** How often overdue rooms and seats are looked for, in ms. */
  readonly sweepMs: number;
  /** How long digits are not given out again after they led to a room, in ms. */
  readonly codeRestMs: number;
  /** Digits that lead to rooms or rest; rooms beyond get none. */
  readonly maxCodes: number;
}

/** Limits of a store on Redis, besides those of every store. */
export interface RedisLimits {
  /** How long a seat counts as held without a word from its instance, in ms. */
  readonly leaseMs: number;
  /**
   * How often an instance vouches for its seats, and reads what a lost bell did not tell it, in ms.
   */
  readonly touchMs: number;
  /** How long an operation may take until Redis counts as away, in ms. */
  readonly operationMs: number;
  /** Events of a room that may wait to be read. */
  readonly maxQueued: number;
  /** Operations that are owed to Redis while it is away. */
  readonly maxOwed: number;
}

/** Limits of one socket. */
export interface ConnectionLimits {
  /** Time for the first message, in ms. */
  readonly firstMessageMs: number;
  /** Time between two `ping`, in ms. */
  readonly heartbeatMs: number;
  /** Silence after which a socket counts as dead, in ms. */
  readonly heartbeatTimeoutMs: number;
  /** Unsent bytes at which a reader counts as too slow. */
  readonly maxBuffered: number;
  /** Messages of one socket that may wait for the store. */
  readonly maxPending: number;
  /**
   * Characters of the encrypted relay's frames among them at which a socket counts as not heeding
   * its window.
   */
  readonly maxPendingData: number;
}

/**
 * 10,000 rooms: what they weigh is their two idle sockets, 22.5 KiB each, so half a gigabyte with
 * everybody there. 200,000 codes: 12 MiB, and 330 new rooms a second for ten minutes until somebody
 * gets a room without one.
 */
export const STORE_LIMITS: StoreLimits = {
  graceMs: SEAT_GRACE_MS,
  maxRooms: 10_000,
  sweepMs: 1_000,
  codeRestMs: CODE_REST_MS,
  maxCodes: 200_000,
};

/**
 * Three touches fit into a lease, so that one lost on the way costs no seat. 256 events are 1.5 MiB
 * of the longest relays, and five times the honest burst. What is owed is a seat or two of each
 * socket.
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
 * as buffered until its write came back, so a burst counts whole even for a quick reader. A burst
 * of ICE candidates is about 30 messages.
 */
export const CONNECTION_LIMITS: ConnectionLimits = {
  firstMessageMs: FIRST_MESSAGE_MS,
  heartbeatMs: HEARTBEAT_MS,
  heartbeatTimeoutMs: HEARTBEAT_TIMEOUT_MS,
  maxBuffered: 256 * 1024,
  maxPending: 128,
  maxPendingData: 512 * 1024,
};
