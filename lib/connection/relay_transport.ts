/**
 * The encrypted relay over the server, used if no other route works. Records are sent unchanged in
 * frames `lane u8 ‖ k u32 ‖ message`, as `data` over the signaling socket. Both ends limit what is
 * in flight, so nothing piles up in the server: `02 ‖ k ‖ bytes u32` reports how many bytes were
 * opened in total. A broken socket may have lost some of them. Then this transport is over, and the
 * next one has another `k`.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { type Bytes, concat } from "../protocol/bytes.ts";
import { ChannelClosedError } from "./flow_channel.ts";
import type { Route } from "./route.ts";
import type { Lane, Transport, TransportHandlers } from "./transport.ts";

const LANES: readonly Lane[] = ["control", "files"];
const OPENED = 2;
const HEAD_LENGTH = 5;

/**
 * Bytes that may be in flight: two whole records. Their base64url is shorter than the queue at
 * which the server considers a reader slow.
 */
export const WINDOW = 128 * 1024;

/** How long flushing waits at most, in ms. */
const FLUSH_MS = 1_000;

/** A frame; its number is not checked yet. */
export interface Frame {
  readonly k: number;
  readonly kind: number;
  readonly body: Bytes;
}

/** Parses a frame; `null` if `bytes` is too short to be one. */
export function parseFrame(bytes: Bytes): Frame | null {
  if (bytes.length < HEAD_LENGTH) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEAD_LENGTH);
  return { kind: view.getUint8(0), k: view.getUint32(1), body: bytes.subarray(HEAD_LENGTH) };
}

function encodeFrame(kind: number, k: number, body: Uint8Array): Bytes {
  const head = new Uint8Array(HEAD_LENGTH);
  const view = new DataView(head.buffer);
  view.setUint8(0, kind);
  view.setUint32(1, k);
  return concat(head, body);
}

function encodeCount(count: number): Uint8Array {
  const body = new Uint8Array(4);
  new DataView(body.buffer).setUint32(0, count);
  return body;
}

/** Carries messages over the server. */
export class RelayTransport implements Transport {
  readonly #k: number;
  readonly #say: (frame: Bytes) => boolean;
  #handlers: TransportHandlers | null = null;
  /**
   * Bytes sent, and bytes that the peer and this side opened, since the beginning; all modulo 2^32.
   */
  #sent = 0;
  #confirmed = 0;
  #opened = 0;
  #waiting: (() => void)[] = [];
  #over = false;

  /** `say` sends a frame to the server; it returns false while the server is unreachable. */
  constructor(k: number, say: (frame: Bytes) => boolean) {
    this.#k = k;
    this.#say = say;
  }

  listen(handlers: TransportHandlers): void {
    this.#handlers = handlers;
  }

  route(): Promise<Route> {
    return Promise.resolve("server");
  }

  async send(lane: Lane, message: Bytes, signal?: AbortSignal): Promise<void> {
    // Control messages never wait behind a picture.
    while (lane === "files" && this.#underway >= WINDOW && !this.#over) {
      signal?.throwIfAborted();
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
        signal?.addEventListener("abort", () => resolve(), { once: true });
      });
    }
    signal?.throwIfAborted();
    if (this.#over) throw new ChannelClosedError();
    this.#sent = (this.#sent + message.length) >>> 0;
    if (!this.#say(encodeFrame(LANES.indexOf(lane), this.#k, message))) this.broke();
  }

  async flush(): Promise<boolean> {
    const deadline = performance.now() + FLUSH_MS;
    while (this.#underway > 0 && !this.#over && performance.now() < deadline) {
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
        setTimeout(resolve, deadline - performance.now());
      });
    }
    return this.#underway === 0;
  }

  close(): void {
    this.#over = true;
    this.#wake();
  }

  /** Takes a frame of the peer; ignores frames of other transports. */
  receive({ k, kind, body }: Frame): void {
    if (this.#over || k !== this.#k) return;
    if (kind === OPENED) return this.#peerOpened(body);
    const lane = LANES[kind];
    if (lane === undefined) return;
    // Confirmed once it is opened: whoever sent the last message may end the room after that.
    const opening = this.#handlers?.onMessage(lane, body);
    if (opening === undefined) this.#confirm(body.length);
    else opening.then(() => this.#confirm(body.length));
  }

  /** The socket of either side is gone, and whatever was in flight on it. */
  broke(): void {
    if (this.#over) return;
    this.close();
    this.#handlers?.onState("stuck");
  }

  get #underway(): number {
    return (this.#sent - this.#confirmed) >>> 0;
  }

  #confirm(length: number): void {
    this.#opened = (this.#opened + length) >>> 0;
    if (!this.#over) this.#say(encodeFrame(OPENED, this.#k, encodeCount(this.#opened)));
  }

  #peerOpened(body: Bytes): void {
    if (body.length !== 4) return;
    const count = new DataView(body.buffer, body.byteOffset, 4).getUint32(0);
    // The server can forge this count, but only slows down or speeds up its own relaying by it.
    this.#confirmed = count;
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
