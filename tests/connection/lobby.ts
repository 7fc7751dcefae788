/**
 * The real server behind a line that a test can cut, and a WebSocket that names its origin as a
 * browser's does.
 *
 * @module
 */
import type { RelayBudget } from "../../lib/rooms/relay_budget.ts";
import type { IceIssuer } from "../../lib/ops/turn.ts";
import { RoomServer } from "../rooms/room_server.ts";
import { withGlobals } from "../support/fake_time.ts";
import { ownContext } from "../support/slow_crypto.ts";
import { Line } from "./line.ts";

/** Calls the handlers of a socket on the side that made it. */
function inOwnContext(): ProxyHandler<WebSocket> {
  const own = ownContext();
  return {
    get(socket, name) {
      const value: unknown = Reflect.get(socket, name);
      return typeof value === "function" ? value.bind(socket) : value;
    },
    set: (socket, name, value) =>
      Reflect.set(
        socket,
        name,
        typeof value === "function" ? (event: unknown) => own(() => value(event)) : value,
      ),
  };
}

/** A server for the browser side's own code. */
export class Lobby implements AsyncDisposable {
  readonly line = new Line();
  readonly #origin = `http://127.0.0.1:${this.line.port}`;
  readonly #globals: Disposable;
  #ice: IceIssuer | undefined;
  readonly #relay: RelayBudget | undefined;
  #server: RoomServer;

  /**
   * `ice` makes the ICE servers that both ends are given; by default none. `relay`: it relays
   * encrypted records.
   */
  constructor(ice?: IceIssuer, relay?: RelayBudget) {
    this.#ice = ice;
    this.#relay = relay;
    this.#server = this.#start();
    const origin = this.#origin;
    this.#globals = withGlobals({
      WebSocket: new Proxy(WebSocket, {
        construct(target, [url, protocol]) {
          // Deno's WebSocket takes headers, and sends no Origin by itself.
          const options = { protocols: [protocol], headers: { origin } };
          return new Proxy(Reflect.construct(target, [url, options]), inOwnContext());
        },
      }),
    });
  }

  /** `ws://host`, without a path. */
  get url(): string {
    return `ws://127.0.0.1:${this.line.port}`;
  }

  /** The number of rooms. */
  get rooms(): number {
    return this.#server.store.size;
  }

  /** The process ends, and another one, without its state, takes its place. */
  async restart(ice = this.#ice): Promise<void> {
    this.#ice = ice;
    const old = this.#server;
    this.#server = this.#start();
    await old[Symbol.asyncDispose]();
  }

  #start(): RoomServer {
    // The store's sweep outlives its server, and must not run in a later test with a fake clock.
    const store = { sweepMs: 1_000_000_000 };
    const ice = this.#ice === undefined ? {} : { ice: this.#ice };
    const relay = this.#relay === undefined ? {} : { relay: this.#relay };
    const server = new RoomServer({ allowedOrigins: [this.#origin], store, ...ice, ...relay });
    this.line.target = server.port;
    return server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#globals[Symbol.dispose]();
    this.line[Symbol.dispose]();
    await this.#server[Symbol.asyncDispose]();
  }
}
