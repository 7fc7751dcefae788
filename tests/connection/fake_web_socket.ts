/**
 * The browser's end of a WebSocket without a network: a test plays the server, to the millisecond.
 *
 * @module
 */
import type { ServerMessage } from "../../lib/protocol/signaling.ts";
import { ownContext } from "../support/slow_crypto.ts";

/** Stands in for the global `WebSocket`; remembers every instance. */
export class FakeWebSocket extends EventTarget {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSING = 2;
  static readonly CLOSED = 3;
  static all: FakeWebSocket[] = [];

  readyState = FakeWebSocket.CONNECTING;
  onopen: (() => void) | null = null;
  onmessage: ((event: { readonly data: unknown }) => void) | null = null;
  onclose: ((event: { readonly code: number }) => void) | null = null;
  readonly sent: unknown[] = [];
  /** The code of each `close`, `null` if none was given. */
  readonly closes: (number | null)[] = [];
  readonly #own = ownContext();

  constructor(readonly url: string, readonly protocols: string) {
    super();
    FakeWebSocket.all.push(this);
  }

  /** The latest instance. */
  static get last(): FakeWebSocket {
    const last = FakeWebSocket.all.at(-1);
    if (last === undefined) throw new Error("No WebSocket was made");
    return last;
  }

  send(text: string): void {
    if (this.readyState !== FakeWebSocket.OPEN) throw new DOMException("", "InvalidStateError");
    this.sent.push(JSON.parse(text));
  }

  /** Closing takes as long as the other side likes: `closed` fires the event. */
  close(code?: number): void {
    this.closes.push(code ?? null);
    if (this.readyState !== FakeWebSocket.CLOSED) this.readyState = FakeWebSocket.CLOSING;
  }

  open(): void {
    this.readyState = FakeWebSocket.OPEN;
    this.#own(() => this.onopen?.());
  }

  hear(message: ServerMessage): void {
    this.hearRaw(JSON.stringify(message));
  }

  hearRaw(data: unknown): void {
    this.#own(() => this.onmessage?.({ data }));
  }

  closed(code: number): void {
    this.readyState = FakeWebSocket.CLOSED;
    this.#own(() => this.onclose?.({ code }));
  }
}
