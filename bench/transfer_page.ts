/**
 * The page's side of the transfer benchmark, which the driver calls through `globalThis.bench`.
 *
 * @module
 */
import type { Endpoint, SignalPort } from "./implementation.ts";
import { IMPLEMENTATIONS } from "./implementations.ts";

/** What the driver can call in a page. */
export interface BenchPage {
  names(): string[];
  /** Prepares the bytes to send: random ones, so that they can't be compressed on the way. */
  prepare(size: number): void;
  connect(name: string, role: "sender" | "receiver", size: number): Promise<void>;
  /** Receives what the other page sent through its signal port. */
  signal(message: string): void;
  /** Starts sending the prepared bytes. */
  start(): void;
  /**
   * Milliseconds until the last byte was acknowledged; `null` before that. Throws the error if
   * sending failed.
   */
  took(): number | null;
  /** Returns the number of received bytes and closes the connection. */
  finish(): number;
}

declare global {
  var bench: BenchPage;
  /** Provided by the driver: sends a message to the other page. */
  function benchSignal(message: string): Promise<void>;
}

let data = new Uint8Array();
let endpoint: Endpoint | undefined;
let took: number | null = null;
let wrong: unknown = null;
let waiting: string[] = [];
let listener: ((message: string) => void) | null = null;

const port: SignalPort = {
  send: (message) => void benchSignal(message),
  get onmessage() {
    return listener;
  },
  set onmessage(value) {
    listener = value;
    for (const message of waiting.splice(0)) value?.(message);
  },
};

globalThis.bench = {
  names: () => IMPLEMENTATIONS.map(({ name }) => name),

  prepare(size) {
    data = new Uint8Array(size);
    // getRandomValues() takes at most 64 KiB at once.
    for (let i = 0; i < size; i += 65_536) crypto.getRandomValues(data.subarray(i, i + 65_536));
  },

  async connect(name, role, size) {
    const implementation = IMPLEMENTATIONS.find((candidate) => candidate.name === name);
    if (implementation === undefined) throw new RangeError(`Cannot measure "${name}": unknown`);
    endpoint = await implementation.connect(role, port, size);
    if (role === "sender") endpoint.choose?.(data);
  },

  signal(message) {
    if (listener === null) waiting.push(message);
    else listener(message);
  },

  start() {
    if (endpoint === undefined) throw new Error("Cannot send: not connected");
    took = wrong = null;
    const start = performance.now();
    endpoint.send(data).then(
      () => took = performance.now() - start,
      (error) => wrong = error,
    );
  },

  took() {
    if (wrong !== null) throw wrong;
    return took;
  },

  finish() {
    const bytes = endpoint?.received() ?? 0;
    endpoint?.close();
    endpoint = undefined;
    listener = null;
    waiting = [];
    return bytes;
  },
};
