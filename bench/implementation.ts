/**
 * What the transfer benchmark asks of whatever carries bytes from one page to the other. Runs in
 * browsers.
 *
 * @module
 */

/** Carries signaling from page to page, in order; it is not part of what is measured. */
export interface SignalPort {
  send(message: string): void;
  /** Set by whoever wants to hear what the other page sent; messages wait until it is. */
  onmessage: ((message: string) => void) | null;
}

/** One side of a connection that is ready to carry bytes. */
export interface Endpoint {
  /**
   * Hears what will be sent, before the time runs: a picture is chosen long before anybody is there
   * to get it.
   */
  choose?(data: Uint8Array<ArrayBuffer>): void;
  /**
   * Sends `data` and resolves when the other side has said that it holds the last byte. Called on
   * the sending side, once.
   */
  send(data: Uint8Array<ArrayBuffer>): Promise<void>;
  /** How many bytes this side received and still holds. */
  received(): number;
  close(): void;
}

/** Something that connects two pages. */
export interface Implementation {
  /** Shown in the results. Those that start with `bare` are what the others are compared with. */
  readonly name: string;
  /**
   * Connects, and resolves when bytes can be sent. `size` is how many will come, so that a side
   * without framing knows when it has all of them.
   */
  connect(role: "sender" | "receiver", port: SignalPort, size: number): Promise<Endpoint>;
}
