/**
 * A transport carries the records of a secure link on two ordered lanes, and reports whether
 * anything gets through. One kind is a pair of DataChannels, the other uses the server's encrypted
 * relay.
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
 * `up`: the peer answers. `shaky`: it does not answer now, but may recover by itself. `stuck`: it
 * will not recover without help. `closed`: the peer closed the transport.
 */
export type TransportState = "up" | "shaky" | "stuck" | "closed";

/** Callbacks of a transport. */
export interface TransportHandlers {
  /**
   * The next message of a lane, in order, not validated. Returns a promise if it is opened later
   * than that; the promise never rejects.
   */
  onMessage(lane: Lane, data: unknown): void | Promise<void>;
  /** Nothing follows `closed`. */
  onState(state: TransportState): void;
}

/** Carries messages between two browsers. */
export interface Transport {
  /**
   * Sets the handlers. Nothing is lost if this is called synchronously once the transport is there.
   */
  listen(handlers: TransportHandlers): void;
  /** The route in use; `null` if the browser does not tell. */
  route(): Promise<Route | null>;
  /**
   * Sends a message as soon as the lane has room. Rejects with a `ChannelClosedError` if the
   * transport is gone, or with the reason of `signal`.
   */
  send(lane: Lane, message: Bytes, signal?: AbortSignal): Promise<void>;
  /**
   * Resolves once everything sent has left, or can't leave any more; after at most a second. True
   * if the peer is known to have opened all of it.
   */
  flush(): Promise<boolean>;
  /** Closes it at once; no callback is called afterwards. Idempotent. */
  close(): void;
}
