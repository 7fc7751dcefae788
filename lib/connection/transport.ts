/**
 * What carries the records of a link: two ordered lanes, and whether anything gets through. One is
 * a pair of DataChannels, the other goes through the server.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { Bytes } from "../protocol/bytes.ts";
import type { Route } from "./route.ts";

/** `control` never waits behind `files`. */
export type Lane = "control" | "files";

/**
 * `up`: the other side answers. `shaky`: not now; it may come back by itself. `stuck`: it will not,
 * unless something is done about it. `closed`: the other side ended it.
 */
export type TransportState = "up" | "shaky" | "stuck" | "closed";

/** What the owner of a transport is told. */
export interface TransportHandlers {
  /** The next message of a lane, in order; not looked at. */
  onMessage(lane: Lane, data: unknown): void;
  /** Nothing follows `closed`. */
  onState(state: TransportState): void;
}

/** Carries messages between two browsers. */
export interface Transport {
  /** Says who listens; nothing is lost before that in the same turn. */
  listen(handlers: TransportHandlers): void;
  /** Which way it goes, or `null` where the browser does not tell. */
  route(): Promise<Route | null>;
  /**
   * Hands a message over as soon as the lane has room. Rejects with a `ChannelClosedError` where
   * the transport is gone, or with the reason of `signal`.
   */
  send(lane: Lane, message: Bytes, signal?: AbortSignal): Promise<void>;
  /** Resolves when what was handed over has left, or never will; at most a second later. */
  flush(): Promise<void>;
  /** Ends it at once; its owner hears nothing more. Idempotent. */
  close(): void;
}
