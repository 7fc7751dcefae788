/**
 * A WebSocket that really ends when it is closed, even if the client does not cooperate.
 *
 * @module
 */
import type { Clock } from "../ops/clock.ts";
import type { Socket } from "./connection.ts";

/** Time for the client to answer a close frame, in ms. */
const FAREWELL_MS = 3_000;

/** The part of Deno's internals that is needed here. */
interface Core {
  tryClose(rid: number): void;
}

/**
 * After `close()` Deno (2.9.6) waits for the client's close frame without a limit and keeps reading
 * meanwhile, and its idle timeout no longer applies: a fragmented message without an end would then
 * fill the memory. There is no public way to cut the connection, so this closes the underlying
 * resource, as the idle timeout does. If a version of Deno names these parts differently, this does
 * nothing, and a test in tests/attacks fails.
 */
function cut(socket: WebSocket): void {
  const symbol = Object.getOwnPropertySymbols(socket).find(({ description }) =>
    description === "[[rid]]"
  );
  const rid: unknown = symbol === undefined ? undefined : Reflect.get(socket, symbol);
  const internal: unknown = Reflect.get(Deno, Reflect.get(Deno, "internal"));
  const core: unknown = Reflect.get(Object(internal), "core");
  if (typeof rid === "number" && isCore(core)) core.tryClose(rid);
}

function isCore(value: unknown): value is Core {
  return typeof Reflect.get(Object(value), "tryClose") === "function";
}

/** Adapts an open WebSocket to what a connection needs. */
export class OpenSocket implements Socket {
  readonly #socket: WebSocket;
  readonly #clock: Clock;

  constructor(socket: WebSocket, clock: Clock) {
    this.#socket = socket;
    this.#clock = clock;
  }

  get bufferedAmount(): number {
    return this.#socket.bufferedAmount;
  }

  send(text: string): void {
    this.#socket.send(text);
  }

  /** Closes with a code, and cuts the connection if it is still open after 3 s. */
  close(code: number, reason: string): void {
    const socket = this.#socket;
    const cancel = this.#clock.after(FAREWELL_MS, () => cut(socket));
    socket.addEventListener("close", cancel);
    socket.close(code, reason);
  }
}
