/**
 * Rooms as the routes see them: open sockets come in, everything else happens here.
 *
 * @module
 */
import { type Clock, systemClock } from "./clock.ts";
import { Connection, type ConnectionContext } from "./connection.ts";
import { CONNECTION_LIMITS, type ConnectionLimits, MAX_SOCKETS } from "./limits.ts";
import type { RoomStore } from "./store.ts";
import { type RandomSource, systemRandom } from "./tokens.ts";

/** Options of {@linkcode Rooms}; whatever is missing has its default. */
export interface RoomsOptions {
  readonly clock?: Clock;
  readonly random?: RandomSource;
  readonly limits?: Partial<ConnectionLimits>;
  readonly maxSockets?: number;
  /** Hears what the store threw. */
  readonly onError?: (error: unknown) => void;
}

/** All sockets of this process. */
export class Rooms {
  readonly #context: ConnectionContext;
  readonly #maxSockets: number;
  /** Kept until the socket itself is closed, which a stuck reader can delay: they count as open. */
  readonly #open = new Map<WebSocket, Connection>();

  constructor(store: RoomStore, options: RoomsOptions = {}) {
    this.#context = {
      store,
      clock: options.clock ?? systemClock,
      random: options.random ?? systemRandom,
      limits: { ...CONNECTION_LIMITS, ...options.limits },
      onError: options.onError ?? (() => {}),
    };
    this.#maxSockets = options.maxSockets ?? MAX_SOCKETS;
  }

  /** How many sockets are open. */
  get size(): number {
    return this.#open.size;
  }

  /** True where no further socket may be upgraded. */
  get full(): boolean {
    return this.#open.size >= this.#maxSockets;
  }

  /** Takes a socket just upgraded for the room at `room`, a valid address of its own or of digits. */
  accept(socket: WebSocket, room: string): void {
    // Before `open` a socket can neither send nor be closed.
    socket.addEventListener("open", () => {
      const connection = new Connection(socket, room, this.#context);
      this.#open.set(socket, connection);
      socket.addEventListener("message", ({ data }) => connection.receive(data));
      socket.addEventListener("close", () => {
        this.#open.delete(socket);
        connection.closed();
      });
    });
  }

  /** Sends everybody away with the code for a restart. */
  shutdown(): void {
    for (const connection of this.#open.values()) connection.end("restart");
  }
}
