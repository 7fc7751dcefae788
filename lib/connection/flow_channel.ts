/**
 * A DataChannel with flow control by two watermarks. Chromium is fast with a small queue and ten
 * times slower with megabytes in it: 3 MB took 240–260 ms, and 2–4 s with 8 MiB queued at once. So
 * `send` waits while 128 KiB are queued and continues at 64 KiB.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { Bytes } from "../protocol/bytes.ts";

/** Sending continues when the queue has drained to this, in bytes. */
export const LOW_WATERMARK = 64 * 1024;

/**
 * Sending waits when the queue holds this many bytes. Never equal to the low mark: the event could
 * be missed for good.
 */
export const HIGH_WATERMARK = 128 * 1024;

/** The part of an RTCDataChannel that is used here. */
export interface DataChannelLike extends EventTarget {
  readonly readyState: string;
  readonly bufferedAmount: number;
  bufferedAmountLowThreshold: number;
  send(data: Bytes): void;
}

/** The channel closed before something could be sent on it. */
export class ChannelClosedError extends Error {
  override readonly name = "ChannelClosedError";

  constructor() {
    super("Cannot send: the channel is closed");
  }
}

/** Sends on a channel no faster than it drains. One sender at a time. */
export class FlowChannel {
  readonly #channel: DataChannelLike;
  /** Aborted by `abandon()`; ends every wait. */
  readonly #gone = new AbortController();

  constructor(channel: DataChannelLike) {
    this.#channel = channel;
    channel.bufferedAmountLowThreshold = LOW_WATERMARK;
  }

  /** Whether a message could be sent without waiting. */
  get room(): boolean {
    return this.#channel.readyState === "open" && this.#channel.bufferedAmount < HIGH_WATERMARK;
  }

  /** Bytes that were queued and have not left. */
  get queued(): number {
    return this.#channel.bufferedAmount;
  }

  /** Calls `tell` each time that the queue has drained. */
  onRoom(tell: () => void): void {
    this.#channel.addEventListener("bufferedamountlow", tell);
  }

  /**
   * Hands `data` to the channel as soon as its queue has room. Throws
   * {@linkcode ChannelClosedError}, or the reason of `signal`.
   */
  async send(data: Bytes, signal?: AbortSignal): Promise<void> {
    if (this.#channel.bufferedAmount >= HIGH_WATERMARK) await this.#drained(signal);
    signal?.throwIfAborted();
    if (this.#gone.signal.aborted || this.#channel.readyState !== "open") {
      throw new ChannelClosedError();
    }
    this.#channel.send(data);
  }

  /**
   * Ends every wait: closing an RTCPeerConnection on this side does not fire `close` on its
   * channels.
   */
  abandon(): void {
    this.#gone.abort();
  }

  #drained(signal?: AbortSignal): Promise<void> {
    const channel = this.#channel;
    const gone = this.#gone.signal;
    if (channel.readyState !== "open" || gone.aborted) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const done = () => {
        cleanup();
        resolve();
      };
      const aborted = () => {
        cleanup();
        reject(signal?.reason);
      };
      const cleanup = () => {
        channel.removeEventListener("bufferedamountlow", done);
        channel.removeEventListener("close", done);
        signal?.removeEventListener("abort", aborted);
        gone.removeEventListener("abort", done);
      };
      channel.addEventListener("bufferedamountlow", done);
      channel.addEventListener("close", done);
      signal?.addEventListener("abort", aborted);
      gone.addEventListener("abort", done);
      if (signal?.aborted) aborted();
    });
  }
}
