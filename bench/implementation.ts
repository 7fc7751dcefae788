/**
 * The interface between the transfer benchmark and the implementations that transfer bytes from one
 * page to the other. Runs in browsers.
 *
 * @module
 */

/** Carries signaling from page to page, in order; it is not part of the measurement. */
export interface SignalPort {
  send(message: string): void;
  /** Set it to receive what the other page sent; messages wait until it is set. */
  onmessage: ((message: string) => void) | null;
}

/** One side of an established connection. */
export interface Endpoint {
  /**
   * Announces what will be sent, before the measurement starts: a picture is chosen long before the
   * viewer joins.
   */
  choose?(data: Uint8Array<ArrayBuffer>): void;
  /**
   * Sends `data` and resolves when the other side has confirmed that it has the last byte. Called
   * once, on the sending side.
   */
  send(data: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Number of bytes that this side received and still holds. */
  received(): number;
  close(): void;
}

/** A way to connect two pages and transfer bytes. */
export interface Implementation {
  /** Shown in the results. The others are compared with those whose name starts with `bare`. */
  readonly name: string;
  /**
   * Connects, and resolves when bytes can be sent. `size` is the number of bytes to transfer, so
   * that a receiver without framing knows when it has all of them.
   */
  connect(role: "sender" | "receiver", port: SignalPort, size: number): Promise<Endpoint>;
}
