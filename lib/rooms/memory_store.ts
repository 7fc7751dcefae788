/**
 * Rooms in the memory of one process. Each operation runs without an `await`, which makes it
 * atomic.
 *
 * @module
 */
import type { GoneReason } from "../protocol/signaling.ts";
import { type Clock, systemClock } from "../ops/clock.ts";
import { CodeTable, isCode } from "./codes.ts";
import { STORE_LIMITS, type StoreLimits } from "./limits.ts";
import type {
  Claim,
  Created,
  Denied,
  RoomStore,
  RoomTerms,
  Seat,
  Seated,
  SeatEvent,
  SeatListener,
  Ticket,
} from "./store.ts";
import { equalHashes, type RandomSource, systemRandom, type TokenHash } from "../ops/tokens.ts";

interface Tokens {
  readonly rtok: TokenHash;
  /**
   * Hash of the token that `resume` exchanged for `rtok`. It stays valid until the holder is known
   * to have `rtok`; `null` afterwards.
   */
  readonly before: TokenHash | null;
}

type Holder =
  | Tokens & { readonly up: true; readonly conn: string; readonly listener: SeatListener }
  | Tokens & { readonly up: false; readonly lostAt: number };

interface Room {
  readonly address: string;
  readonly own: TokenHash;
  readonly join: TokenHash;
  readonly expires: number;
  readonly salt: string;
  code: string | null;
  sender: Holder;
  viewer: Holder | null;
  /** These two holders were up at the same time, so the next `peer` they receive is by `resume`. */
  met: boolean;
}

/** Options of {@linkcode MemoryRoomStore}. */
export interface MemoryRoomStoreOptions {
  readonly clock?: Clock;
  /** Random source for the digits of codes. */
  readonly random?: RandomSource;
  readonly limits?: Partial<StoreLimits>;
}

/**
 * No token hashes to this. Unknown rooms and empty seats are compared with it, so that they take
 * the same time.
 */
const NO_HASH: TokenHash = "A".repeat(43);

const OTHER = { sender: "viewer", viewer: "sender" } as const satisfies Record<Seat, Seat>;

/** A {@linkcode RoomStore} for one process; all rooms are lost when the process ends. */
export class MemoryRoomStore implements RoomStore {
  readonly #rooms = new Map<string, Room>();
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

  create(claim: Claim, { own, join, ttl, salt }: RoomTerms): Promise<Created | Denied> {
    if (isCode(claim.room)) return Promise.resolve("refused");
    const room = this.#find(claim.room);
    if (room !== undefined) {
      const owner = equalHashes(room.own, own);
      if (!equalHashes(room.join, join) || !owner) return Promise.resolve("refused");
      room.met = false;
      this.#take(room, "sender", claim);
      if (room.viewer !== null) this.#introduce(room, "sender");
      return Promise.resolve(this.#created(room));
    }
    if (this.#rooms.size >= this.#limits.maxRooms) this.#sweep();
    if (this.#rooms.size >= this.#limits.maxRooms) return Promise.resolve("busy");
    const made: Room = {
      address: claim.room,
      own,
      join,
      expires: this.#clock.now() + ttl * 1_000,
      salt,
      code: this.#codes.draw(claim.room),
      sender: holderOf(claim),
      viewer: null,
      met: false,
    };
    this.#rooms.set(claim.room, made);
    this.#cancelSweep ??= this.#clock.after(this.#limits.sweepMs, () => this.#sweep());
    return Promise.resolve(this.#created(made));
  }

  join(claim: Claim, token: TokenHash | null): Promise<Seated | Denied> {
    const room = this.#find(this.#lead(claim.room));
    const known = equalHashes(room?.join ?? NO_HASH, token ?? NO_HASH);
    const entitled = isCode(claim.room) ? token === null : token !== null && known;
    if (room === undefined || !entitled || room.viewer !== null) return Promise.resolve("refused");
    room.met = false;
    this.#take(room, "viewer", claim);
    this.#introduce(room, "viewer");
    return Promise.resolve(this.#seated(room, "viewer"));
  }

  resume(claim: Claim, token: TokenHash): Promise<Seated | Denied> {
    const room = this.#find(this.#lead(claim.room));
    const isSender = opens(room?.sender, token);
    const isViewer = opens(room?.viewer, token);
    if (room === undefined || !(isSender || isViewer)) return Promise.resolve("refused");
    const seat = isSender ? "sender" : "viewer";
    this.#take(room, seat, claim, token);
    this.#introduce(room, seat);
    return Promise.resolve(this.#seated(room, seat));
  }

  confirm(ticket: Ticket): Promise<void> {
    const room = this.#held(ticket);
    const holder = room?.[ticket.seat];
    if (room !== undefined && holder) room[ticket.seat] = { ...holder, before: null };
    return Promise.resolve();
  }

  relay(ticket: Ticket, d: string, t: "relay" | "data" = "relay"): Promise<boolean> {
    const room = this.#held(ticket);
    const other = room?.[OTHER[ticket.seat]];
    if (!other?.up) return Promise.resolve(false);
    tell(other, { t, d });
    return Promise.resolve(true);
  }

  lose(ticket: Ticket): Promise<void> {
    const room = this.#held(ticket);
    if (room !== undefined) {
      const { rtok = NO_HASH, before = null } = room[ticket.seat] ?? {};
      room[ticket.seat] = { up: false, rtok, before, lostAt: this.#clock.now() };
      tell(room[OTHER[ticket.seat]], { t: "peer", up: false, by: "lost" });
    }
    return Promise.resolve();
  }

  leave(ticket: Ticket): Promise<void> {
    const room = this.#held(ticket);
    if (room !== undefined) {
      if (ticket.seat === "sender") this.#end(room, "deleted");
      else this.#emptyViewer(room);
    }
    return Promise.resolve();
  }

  remove(ticket: Ticket, token: TokenHash): Promise<boolean> {
    const room = this.#held(ticket);
    if (room === undefined || ticket.seat !== "sender" || !equalHashes(room.own, token)) {
      return Promise.resolve(false);
    }
    this.#end(room, "deleted");
    return Promise.resolve(true);
  }

  dismiss(ticket: Ticket): Promise<void> {
    const room = this.#held(ticket);
    if (room !== undefined && ticket.seat === "sender" && room.viewer !== null) {
      tell(room.viewer, { t: "dismissed" });
      this.#emptyViewer(room);
    }
    return Promise.resolve();
  }

  withdraw(ticket: Ticket): Promise<void> {
    const room = this.#held(ticket);
    if (room !== undefined && ticket.seat === "sender") this.#retire(room);
    return Promise.resolve();
  }

  /**
   * Resolves digits to the room's own address. Unknown digits become '', so that the search for the
   * room is still made.
   */
  #lead(address: string): string {
    return isCode(address) ? this.#codes.find(address) ?? "" : address;
  }

  #find(address: string): Room | undefined {
    const room = this.#rooms.get(address);
    if (room !== undefined) this.#settle(room);
    return this.#rooms.get(address);
  }

  #held({ room: address, conn, seat }: Ticket): Room | undefined {
    const room = this.#find(address);
    const holder = room?.[seat];
    return holder?.up && holder.conn === conn ? room : undefined;
  }

  #seated(room: Room, seat: Seat): Seated {
    const exp = Math.ceil((room.expires - this.#clock.now()) / 1_000);
    return { room: room.address, seat, exp, salt: room.salt };
  }

  #created(room: Room): Created {
    return { ...this.#seated(room, "sender"), code: room.code };
  }

  #take(room: Room, seat: Seat, claim: Claim, shown: TokenHash | null = null): void {
    tell(room[seat], { t: "superseded" });
    room[seat] = holderOf(claim, shown);
  }

  /**
   * Tells the new holder of `seat` whether the other seat is up; if it is, tells the other holder
   * too.
   */
  #introduce(room: Room, seat: Seat): void {
    const newcomer = room[seat];
    const other = room[OTHER[seat]];
    if (!other?.up) {
      tell(newcomer, { t: "peer", up: false, by: other === null ? "leave" : "lost" });
      return;
    }
    const by = room.met ? "resume" : "join";
    room.met = true;
    tell(newcomer, { t: "peer", up: true, by });
    tell(other, { t: "peer", up: true, by });
  }

  #emptyViewer(room: Room): void {
    room.viewer = null;
    tell(room.sender, { t: "peer", up: false, by: "leave" });
  }

  #retire(room: Room): void {
    if (room.code !== null) this.#codes.retire(room.code);
    room.code = null;
  }

  #end(room: Room, why: GoneReason): void {
    this.#rooms.delete(room.address);
    this.#retire(room);
    tell(room.sender, { t: "gone", why });
    tell(room.viewer, { t: "gone", why });
    if (this.#rooms.size === 0) {
      this.#cancelSweep?.();
      this.#cancelSweep = null;
    }
  }

  /** Applies every deadline that has passed. */
  #settle(room: Room): void {
    const now = this.#clock.now();
    const over = (holder: Holder | null) =>
      holder !== null && !holder.up && now >= holder.lostAt + this.#limits.graceMs;
    if (now >= room.expires) this.#end(room, "expired");
    else if (over(room.sender)) this.#end(room, "lost");
    else if (over(room.viewer)) this.#emptyViewer(room);
  }

  // One sweep over all rooms instead of a timer for each room: 10,000 rooms take less than a
  // millisecond, and there are no timers to leak.
  #sweep(): void {
    this.#cancelSweep?.();
    for (const room of this.#rooms.values()) this.#settle(room);
    this.#codes.sweep();
    this.#cancelSweep = this.#rooms.size === 0
      ? null
      : this.#clock.after(this.#limits.sweepMs, () => this.#sweep());
  }
}

function holderOf({ conn, rtok, listener }: Claim, before: TokenHash | null = null): Holder {
  return { up: true, rtok, before, conn, listener };
}

/** Whether a token opens the seat. Takes the same time for an empty seat. */
function opens(holder: Holder | null | undefined, token: TokenHash): boolean {
  const newest = equalHashes(holder?.rtok ?? NO_HASH, token);
  const shown = equalHashes(holder?.before ?? NO_HASH, token);
  return newest || shown;
}

// Delivered in a microtask. A listener may call the store again (a slow reader that gives up its
// seat); by then the operation is complete, and events it causes queue behind those already under
// way.
function tell(holder: Holder | null, event: SeatEvent): void {
  if (holder?.up) queueMicrotask(() => holder.listener(event));
}
