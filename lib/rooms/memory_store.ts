/**
 * Rooms in the memory of one process: each operation is one {@linkcode step} of a room, without an
 * `await`, which makes it atomic.
 *
 * @module
 */
import { type Clock, systemClock } from "../ops/clock.ts";
import { CodeTable, isCode } from "./codes.ts";
import { roomsFor, STORE_LIMITS, type StoreLimits } from "./limits.ts";
import {
  type Holder,
  NO_HASH,
  type Operation,
  type Room,
  type SeatOperation,
  type Step,
  step,
} from "./room.ts";
import type {
  Claim,
  Created,
  Denied,
  RoomStore,
  RoomTerms,
  Seated,
  SeatEvent,
  SeatListener,
  Ticket,
} from "./store.ts";
import { type RandomSource, systemRandom, type TokenHash } from "../ops/tokens.ts";

/** Options of {@linkcode MemoryRoomStore}. */
export interface MemoryRoomStoreOptions {
  readonly clock?: Clock;
  /** Random source for the digits of codes. */
  readonly random?: RandomSource;
  readonly limits?: Partial<StoreLimits>;
}

/** A {@linkcode RoomStore} for one process; all rooms are lost when the process ends. */
export class MemoryRoomStore implements RoomStore {
  readonly #rooms = new Map<string, Room>();
  /** Of the connections that hold a seat. */
  readonly #listeners = new Map<string, SeatListener>();
  readonly #codes: CodeTable;
  readonly #clock: Clock;
  readonly #limits: StoreLimits;
  /**
   * Cancels the sweep, which runs while there are rooms. Without rooms, resting digits are swept
   * when the next room is created.
   */
  #cancelSweep: (() => void) | null = null;

  constructor(
    { clock = systemClock, random = systemRandom, limits = {} }: MemoryRoomStoreOptions = {},
  ) {
    this.#clock = clock;
    this.#limits = { ...STORE_LIMITS, ...limits };
    const { codeRestMs: restMs, maxCodes } = this.#limits;
    this.#codes = new CodeTable({ clock, random, restMs, maxCodes });
  }

  /** Memory is always available. */
  get ready(): boolean {
    return true;
  }

  /** Number of rooms. */
  get size(): number {
    return this.#rooms.size;
  }

  create(claim: Claim, terms: RoomTerms): Promise<Created | Denied> {
    const { room: address, conn, rtok } = claim;
    if (isCode(address)) return Promise.resolve("refused");
    this.#step(address, { t: "settle" });
    const isNew = !this.#rooms.has(address);
    const max = roomsFor(claim.regular ?? false, this.#limits);
    if (isNew && this.#rooms.size >= max) this.#sweep();
    if (isNew && this.#rooms.size >= max) return Promise.resolve("busy");
    const code = isNew ? this.#codes.draw(address) : null;
    const grant = this.#claim(claim, address, { t: "create", code, terms, conn, rtok });
    this.#cancelSweep ??= this.#clock.after(this.#limits.sweepMs, () => this.#sweep());
    return Promise.resolve(grant);
  }

  join(claim: Claim, token: TokenHash | null, salt: string): Promise<Seated | Denied> {
    const { conn, rtok } = claim;
    const byCode = isCode(claim.room);
    // A token at digits, or none at a room's address, is compared with what no token hashes to.
    const shown = byCode === (token === null) ? token : NO_HASH;
    const address = this.#lead(claim.room);
    const operation = { t: "join", token: shown, salt, conn, rtok } as const;
    return Promise.resolve(seatedOf(this.#claim(claim, address, operation)));
  }

  resume(claim: Claim, token: TokenHash): Promise<Seated | Denied> {
    const { conn, rtok } = claim;
    const operation = { t: "resume", token, conn, rtok } as const;
    return Promise.resolve(seatedOf(this.#claim(claim, this.#lead(claim.room), operation)));
  }

  act({ room, conn, seat }: Ticket, what: SeatOperation): Promise<boolean> {
    return Promise.resolve(this.#step(room, { t: "act", what, seat, conn }) === "done");
  }

  /**
   * Resolves digits to the room's own address. Unknown digits become '', so that the search for the
   * room is still made.
   */
  #lead(address: string): string {
    return isCode(address) ? this.#codes.find(address) ?? "" : address;
  }

  #claim({ conn, listener }: Claim, address: string, operation: Operation): Created | Denied {
    this.#listeners.set(conn, listener);
    const answer = this.#step(address, operation);
    if (typeof answer === "object") return { room: address, ...answer };
    this.#listeners.delete(conn);
    return "refused";
  }

  /** Takes one step of a room, and keeps what follows from it. */
  #step(address: string, operation: Operation): Step["answer"] {
    const before = this.#rooms.get(address) ?? null;
    const { graceMs } = this.#limits;
    const { room, answer, events } = step(before, operation, { now: this.#clock.now(), graceMs });
    for (const { to, event } of events) this.#tell(to, event);
    if (room === before) return answer;
    if (before !== null) {
      if (before.code !== null && room?.code !== before.code) this.#codes.retire(before.code);
      this.#forget(before.sender, room);
      this.#forget(before.viewer, room);
    }
    if (room !== null) this.#rooms.set(address, room);
    else this.#rooms.delete(address);
    if (this.#rooms.size === 0) {
      this.#cancelSweep?.();
      this.#cancelSweep = null;
    }
    return answer;
  }

  // Delivered in a microtask. A listener may call the store again (a slow reader that gives up its
  // seat); by then the operation is complete, and events it causes queue behind those already under
  // way.
  #tell(conn: string, event: SeatEvent): void {
    const listener = this.#listeners.get(conn);
    if (listener !== undefined) queueMicrotask(() => listener(event));
  }

  /** Drops the listener of a connection that no longer holds a seat. */
  #forget(holder: Holder | null, room: Room | null): void {
    if (!holder?.up) return;
    const holds = (now: Holder | null | undefined) => now?.up === true && now.conn === holder.conn;
    if (!holds(room?.sender) && !holds(room?.viewer)) this.#listeners.delete(holder.conn);
  }

  // One sweep over all rooms instead of a timer for each room: 10,000 rooms take about a
  // millisecond, and there are no timers to leak.
  #sweep(): void {
    this.#cancelSweep?.();
    for (const address of this.#rooms.keys()) this.#step(address, { t: "settle" });
    this.#codes.sweep();
    this.#cancelSweep = this.#rooms.size === 0
      ? null
      : this.#clock.after(this.#limits.sweepMs, () => this.#sweep());
  }
}

/** Only the sender is told the digits. */
function seatedOf(grant: Created | Denied): Seated | Denied {
  if (typeof grant === "string") return grant;
  const { code: _, made: __, ...seated } = grant;
  return seated;
}
