/**
 * A WebSocket that ends when it is closed, also where the other end does not want it to.
 *
 * @module
 */
import type { Clock } from "../ops/clock.ts";
import type { Socket } from "./connection.ts";

/** How long the other end has to answer a close. */
const FAREWELL_MS = 3_000;

/** What Deno keeps to itself, as far as it is needed. */
interface Core {
  tryClose(rid: number): void;
}

/**
 * After `close()` Deno (2.9.6) waits for the other end's close frame for as long as that one likes,
 * reads on meanwhile, and its idle timeout no longer counts: a message in fragments without an end
 * then fills the memory without an end. There is no public way to cut the connection, so this
 * closes the resource below it, as the idle timeout does. Where a version of Deno has these parts
 * under other names nothing happens, and a test in tests/hostile fails.
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

/** An open WebSocket, for a connection. */
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

  /** Closes with a code, and cuts the connection where it is still there after 3 s. */
  close(code: number, reason: string): void {
    const socket = this.#socket;
    const cancel = this.#clock.after(FAREWELL_MS, () => cut(socket));
    socket.addEventListener("close", cancel);
    socket.close(code, reason);
  }
}
