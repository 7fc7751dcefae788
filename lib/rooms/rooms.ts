/**
 * The rooms, as routes use them: they hand over open sockets, everything else happens here.
 *
 * @module
 */
import { Admission, UNLIMITED } from "./admission.ts";
import { type Clock, systemClock } from "../ops/clock.ts";
import { Connection, type ConnectionContext, type Guest } from "./connection.ts";
import { CONNECTION_LIMITS, type ConnectionLimits } from "./limits.ts";
import type { Counters } from "../ops/metrics.ts";
import type { IceIssuer } from "../ops/turn.ts";
import { OpenSocket } from "./open_socket.ts";
import type { RelayBudget } from "./relay_budget.ts";
import { RelayGate } from "./relay_gate.ts";
import type { RoomStore } from "./store.ts";
import { type RandomSource, systemRandom } from "../ops/tokens.ts";

/** Options of {@linkcode Rooms}. */
export interface RoomsOptions {
  readonly clock?: Clock;
  readonly random?: RandomSource;
  readonly limits?: Partial<ConnectionLimits>;
  /** Limits for clients, who are not limited if this is absent. */
  readonly admission?: Admission;
  /** Creates the ICE servers for both seats of a room; without it no `ice` message is sent. */
  readonly ice?: IceIssuer;
  /** Budget of the encrypted relay, which is off if this is absent. */
  readonly relay?: RelayBudget;
  readonly counters?: Counters;
  /** Receives errors that the store threw. */
  readonly onError?: (error: unknown) => void;
}

/** All sockets of this process. */
export class Rooms {
  /** Consulted before an upgrade. */
  readonly admission: Admission;
  readonly counters: Counters | undefined;
  readonly #context: ConnectionContext;
  #stopping = false;
  /**
   * Sockets stay in this map until they are really closed, which a client can delay: until then
   * they count as open.
   */
  readonly #open = new Map<WebSocket, Connection>();

  constructor(store: RoomStore, options: RoomsOptions = {}) {
    this.admission = options.admission ?? new Admission(UNLIMITED);
    this.counters = options.counters;
    this.#context = {
      store,
      admission: this.admission,
      clock: options.clock ?? systemClock,
      random: options.random ?? systemRandom,
      limits: { ...CONNECTION_LIMITS, ...options.limits },
      ice: options.ice,
      relay: options.relay && { budget: options.relay, gate: new RelayGate() },
      counters: options.counters,
      onError: options.onError ?? (() => {}),
    };
  }

  /** Number of open sockets. */
  get size(): number {
    return this.#open.size;
  }

  /** True if this process can assign seats: its store is available, and it is not shutting down. */
  get ready(): boolean {
    return !this.#stopping && this.#context.store.ready;
  }

  /**
   * Number of rooms that have a seat in this process. A room whose seats are in two processes is
   * counted in both.
   */
  countRooms(): number {
    const rooms = new Set<string>();
    for (const { room } of this.#open.values()) if (room !== null) rooms.add(room);
    return rooms.size;
  }

  /** Takes a socket that was just upgraded. `admission` must have granted the upgrade. */
  accept(socket: WebSocket, guest: Guest): void {
    const { clock } = this.#context;
    const leave = this.admission.enter(guest.address);
    // Before `open` a socket can neither send nor be closed.
    socket.addEventListener("open", () => {
      const connection = new Connection(new OpenSocket(socket, clock), guest, this.#context);
      this.#open.set(socket, connection);
      socket.addEventListener("message", ({ data }) => connection.receive(data));
    });
    // Fires without `open` if the client disconnected in between.
    socket.addEventListener("close", () => {
      leave();
      this.#open.get(socket)?.closed();
      this.#open.delete(socket);
    });
  }

  /** Closes all sockets with the code for a restart. */
  shutdown(): void {
    this.#stopping = true;
    for (const connection of this.#open.values()) connection.end("restart");
  }
}
