/**
 * A DataChannel without a network: what is sent reaches the other end of the pair in the next
 * microtask, or waits until the test drains the queue.
 *
 * @module
 */
import { type Bytes, concat } from "../../lib/protocol/bytes.ts";
import { ownContext } from "../support/slow_crypto.ts";

/** What an attacker on the path does with a message: forward, change, drop or repeat it. */
export type Tamper = (message: Bytes) => readonly (Bytes | string)[];

/** One end. Counts its listeners, so that a test can check that none was left. */
export class FakeDataChannel extends EventTarget {
  binaryType = "arraybuffer";
  readyState: RTCDataChannelState = "open";
  bufferedAmount = 0;
  bufferedAmountLowThreshold = 0;
  onopen: (() => void) | null = null;
  onclose: (() => void) | null = null;
  onmessage: ((event: { readonly data: unknown }) => void) | null = null;
  /** Everything that was sent from here. */
  readonly sent: Bytes[] = [];
  /** The largest amount ever queued, in bytes. */
  mostBuffered = 0;
  /** True: nothing leaves the queue by itself. */
  stuck = false;
  tamper: Tamper = (message) => [message];
  other: FakeDataChannel | null = null;
  readonly #listeners = new Map<string, number>();
  readonly #own = ownContext();

  /** Two ends of one channel. */
  static pair(): [FakeDataChannel, FakeDataChannel] {
    const a = new FakeDataChannel();
    const b = new FakeDataChannel();
    a.other = b;
    b.other = a;
    return [a, b];
  }

  /** The current number of listeners. */
  get listeners(): number {
    return this.#listeners.values().reduce((sum, count) => sum + count, 0);
  }

  override addEventListener(...args: Parameters<EventTarget["addEventListener"]>): void {
    this.#listeners.set(args[0], (this.#listeners.get(args[0]) ?? 0) + 1);
    super.addEventListener(...args);
  }

  override removeEventListener(...args: Parameters<EventTarget["removeEventListener"]>): void {
    this.#listeners.set(args[0], (this.#listeners.get(args[0]) ?? 0) - 1);
    super.removeEventListener(...args);
  }

  send(data: Bytes): void {
    if (this.readyState !== "open") throw new DOMException("not open", "InvalidStateError");
    const message = concat(data);
    this.sent.push(message);
    this.bufferedAmount += message.length;
    this.mostBuffered = Math.max(this.mostBuffered, this.bufferedAmount);
    queueMicrotask(() => {
      if (!this.stuck) this.drain(message.length);
      for (const item of this.tamper(message)) this.other?.deliver(item);
    });
  }

  /** Delivers something to the other side, whoever sent it. */
  deliver(message: Bytes | string): void {
    const data = typeof message === "string" ? message : message.slice().buffer;
    if (this.readyState === "open") this.#own(() => this.onmessage?.({ data }));
  }

  /**
   * Removes `bytes` from the queue; fires the event if that crosses the threshold, as a browser
   * does.
   */
  drain(bytes: number): void {
    const before = this.bufferedAmount;
    this.bufferedAmount = Math.max(0, before - bytes);
    const low = this.bufferedAmountLowThreshold;
    if (before > low && this.bufferedAmount <= low) {
      this.dispatchEvent(new Event("bufferedamountlow"));
    }
  }

  open(): void {
    this.readyState = "open";
    this.#own(() => this.onopen?.());
  }

  close(): void {
    if (this.readyState === "closed") return;
    this.readyState = "closed";
    this.#own(() => {
      this.dispatchEvent(new Event("close"));
      this.onclose?.();
    });
  }
}
