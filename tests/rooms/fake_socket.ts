/**
 * The server's end of a WebSocket, without a network.
 *
 * @module
 */
import type { Socket } from "../../lib/rooms/connection.ts";

/** Remembers what was sent and how it was closed. */
export class FakeSocket implements Socket {
  bufferedAmount = 0;
  readonly sent: unknown[] = [];
  /** Code and reason of each `close`. */
  readonly closes: [number, string][] = [];
  /** Makes `send` throw, as Deno's does on a socket that is closing. */
  broken = false;

  send(text: string): void {
    if (this.broken) throw new DOMException("'readyState' not OPEN", "InvalidStateError");
    this.sent.push(JSON.parse(text));
  }

  close(code: number, reason: string): void {
    this.closes.push([code, reason]);
  }
}
