/**
 * Rooms as the routes see them: open sockets come in, everything else happens here.
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
import type { RoomStore } from "./store.ts";
import { type RandomSource, systemRandom } from "../ops/tokens.ts";

/** Options of {@linkcode Rooms}; whatever is missing has its default. */
export interface RoomsOptions {
  readonly clock?: Clock;
  readonly random?: RandomSource;
  readonly limits?: Partial<ConnectionLimits>;
  /** What clients may have; nothing is limited without. */
  readonly admission?: Admission;
  /** What the two ends of a room are told to get through with; nothing without. */
  readonly ice?: IceIssuer;
  /** What may go through the encrypted relay; without it there is none. */
  readonly relay?: RelayBudget;
  readonly counters?: Counters;
  /** Hears what the store threw. */
  readonly onError?: (error: unknown) => void;
}

/** All sockets of this process. */
export class Rooms {
  /** Asked before an upgrade. */
  readonly admission: Admission;
  readonly counters: Counters | undefined;
  readonly #context: ConnectionContext;
  #stopping = false;
  /** Kept until the socket itself is closed, which a stuck reader can delay: they count as open. */
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
      relay: options.relay,
      counters: options.counters,
      onError: options.onError ?? (() => {}),
    };
  }

  /** How many sockets are open. */
  get size(): number {
    return this.#open.size;
  }

  /**
   * Whether this process can seat anybody: its store is within reach, and it is not being stopped.
   */
  get ready(): boolean {
    return !this.#stopping && this.#context.store.ready;
  }

  /**
   * How many rooms have a seat in this process; one whose two seats are in two processes counts in
   * both.
   */
  countRooms(): number {
    const rooms = new Set<string>();
    for (const { room } of this.#open.values()) if (room !== null) rooms.add(room);
    return rooms.size;
  }

  /** Takes a socket just upgraded, for which `admission` was asked. */
  accept(socket: WebSocket, guest: Guest): void {
    const { clock } = this.#context;
    const leave = this.admission.enter(guest.address);
    // Before `open` a socket can neither send nor be closed.
    socket.addEventListener("open", () => {
      const connection = new Connection(new OpenSocket(socket, clock), guest, this.#context);
      this.#open.set(socket, connection);
      socket.addEventListener("message", ({ data }) => connection.receive(data));
    });
    // Comes without `open` where the client went away in between.
    socket.addEventListener("close", () => {
      leave();
      this.#open.get(socket)?.closed();
      this.#open.delete(socket);
    });
  }

  /** Sends everybody away with the code for a restart. */
  shutdown(): void {
    this.#stopping = true;
    for (const connection of this.#open.values()) connection.end("restart");
  }
}
