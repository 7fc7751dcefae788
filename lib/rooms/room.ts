/**
 * The rules of a room, once: what each operation answers, how it changes the room, and who is told.
 * {@linkcode step} is pure. The memory store applies it; the scripts of the store on Redis say the
 * same in Lua, because a room there is changed in one round trip, and a property holds the two
 * equal (`tests/properties/room_stores.ts`).
 *
 * A seat is empty (`null`, the viewer's only), *up* (a connection holds it) or *lost* (its socket
 * was closed, and the grace period runs).
 *
 * @module
 */
import type { ClientMessage, GoneReason, ServerMessage } from "../protocol/signaling.ts";
import { equalHashes, hashToken, type TokenHash } from "../ops/tokens.ts";

/** The two seats of a room. */
export type Seat = "sender" | "viewer";

/**
 * What the holder of a seat receives from the room. `gone`, `superseded`, `dismissed` and `astray`
 * are always the last event.
 */
export type SeatEvent =
  | Extract<ServerMessage, { t: "peer" | "relay" | "data" | "gone" }>
  /** A newer connection took this seat. */
  | { readonly t: "superseded" }
  /** The sender dismissed this viewer. */
  | { readonly t: "dismissed" }
  /** The store lost the room, this seat, or a message from it; reconnecting repairs it. */
  | { readonly t: "astray" };

/**
 * The properties of a new room: both hashes, its lifetime in seconds, and 32 random bytes in
 * base64url, the `salt` of the sender's seat. A salt is half of a key; the other half is stored in
 * a tab. When the room ends its salts are deleted, and what the tabs stored can't be decrypted any
 * more. The viewer's seat has a new one each time that somebody joins, because nobody who joins by
 * digits has proved anything: what they get opens neither the sender's tab nor that of a viewer
 * before or after them.
 */
export interface RoomTerms {
  readonly own: TokenHash;
  readonly join: TokenHash;
  readonly ttl: number;
  readonly salt: string;
}

interface Tokens {
  readonly rtok: TokenHash;
  /**
   * Hash of the token that `resume` exchanged for `rtok`. It stays valid until the holder is known
   * to have `rtok`; `null` afterwards.
   */
  readonly before: TokenHash | null;
}

type Up = Tokens & { readonly up: true; readonly conn: string };
type Lost = Tokens & { readonly up: false; readonly lostAt: number };

/** A seat that somebody has taken. */
export type Holder = Up | Lost;

/** A room. Times are in ms. */
export interface Room {
  readonly own: TokenHash;
  readonly join: TokenHash;
  readonly expires: number;
  /** Of the sender's seat. */
  readonly salt: string;
  /** Of the viewer's seat, drawn when it was taken; `null` if nobody has it. */
  readonly viewerSalt: string | null;
  /** Digits that lead here; `null` if they were withdrawn or none were available. */
  readonly code: string | null;
  readonly sender: Holder;
  readonly viewer: Holder | null;
  /** These two holders were up at the same time, so the next `peer` they receive is by `resume`. */
  readonly met: boolean;
}

/** What the holder of a seat asks for. Fenced: it changes nothing once another one holds it. */
export type SeatOperation =
  /** Sends `d` to the other seat; not done if nobody is up there. */
  | Extract<ClientMessage, { t: "relay" | "data" }>
  /** A viewer gives up the seat. A sender who leaves ends the room, as `delete` does. */
  | { readonly t: "leave" }
  /** The sender empties the viewer's seat, up or lost. Without a viewer nobody is told. */
  | { readonly t: "dismiss" }
  /** The sender lets the digits lead nowhere, for good. Nobody is told, and seats stay. */
  | { readonly t: "withdraw" }
  /** The sender ends the room; not done with another hash than the room's `own`. */
  | { readonly t: "delete"; readonly own: TokenHash }
  /** The holder has received their new rtok: the one that was shown for it becomes invalid. */
  | { readonly t: "confirm" }
  /** The holder's socket was closed: the other seat is told, and the grace period begins. */
  | { readonly t: "lose" };

/** Messages of a client that a room decides about. */
export type RoomMessage = Extract<ClientMessage, { t: SeatOperation["t"] }>;

/** Everything that can happen to a room; `null` is one that does not exist. */
export type Operation =
  /** Makes the room, or gives the sender's seat back to whoever shows both of its hashes. */
  | { readonly t: "create"; readonly code: string | null; readonly terms: RoomTerms } & Claimant
  /** Takes the viewer's seat: by the token, or with `null` by digits that were resolved. */
  | { readonly t: "join"; readonly token: TokenHash | null; readonly salt: string } & Claimant
  /** Takes the seat that `token` opens. */
  | { readonly t: "resume"; readonly token: TokenHash } & Claimant
  | { readonly t: "act"; readonly what: SeatOperation; readonly seat: Seat; readonly conn: string }
  /** Nothing but the deadlines, which come first in all others too. */
  | { readonly t: "settle" };

/** The connection that asks for a seat, and the hash of the rtok that will resume it. */
interface Claimant {
  readonly conn: string;
  readonly rtok: TokenHash;
}

/** A seat that was given, and what its holder is told of the room. */
export interface Grant {
  readonly seat: Seat;
  /** Remaining lifetime in whole seconds. */
  readonly exp: number;
  readonly salt: string;
  readonly code: string | null;
  /** The room did not exist before. */
  readonly made: boolean;
}

/** What a step leads to. */
export interface Step {
  /** The room afterwards. */
  readonly room: Room | null;
  readonly answer: Grant | "refused" | "done" | "not done";
  /** What connections receive, in this order. */
  readonly events: readonly { readonly to: string; readonly event: SeatEvent }[];
}

/** When a step happens, and how long a lost seat is kept, in ms. */
export interface StepOptions {
  readonly now: number;
  readonly graceMs: number;
}

/**
 * No token hashes to this. Unknown rooms and empty seats are compared with it, so that they take
 * the same time.
 */
export const NO_HASH: TokenHash = "A".repeat(43);

/** The seat opposite each. */
export const OTHER = { sender: "viewer", viewer: "sender" } as const satisfies Record<Seat, Seat>;

/** True if only the sender may ask for it: from a viewer it is out of turn. */
export function isForSender({ t }: SeatOperation): boolean {
  return t === "delete" || t === "dismiss" || t === "withdraw";
}

/** The operation that a client's message asks for, with hashes in place of tokens. */
export function operationOf(message: RoomMessage): SeatOperation {
  return message.t === "delete" ? { t: "delete", own: hashToken(message.otok) } : message;
}

/** Takes one step: first every deadline that has passed, then the operation. */
export function step(before: Room | null, operation: Operation, options: StepOptions): Step {
  const { now } = options;
  const settled = settle(before, options);
  const applied = apply(settled.room, operation, now);
  if (settled.events.length === 0) return applied;
  return { ...applied, events: [...settled.events, ...applied.events] };
}

function apply(room: Room | null, operation: Operation, now: number): Step {
  switch (operation.t) {
    case "create":
      return create(room, operation, now);
    case "join":
      return join(room, operation, now);
    case "resume":
      return resume(room, operation, now);
    case "act": {
      const holder = room?.[operation.seat];
      if (room === null || !holder?.up || holder.conn !== operation.conn) return not(room);
      return act(room, operation, now);
    }
    case "settle":
      return done(room);
    default:
      return operation satisfies never;
  }
}

type Of<T extends Operation["t"]> = Extract<Operation, { t: T }>;
type Events = Step["events"];

function create(room: Room | null, claim: Of<"create">, now: number): Step {
  const { own, join, ttl, salt } = claim.terms;
  if (room === null) {
    const empty = { viewer: null, viewerSalt: null, met: false };
    const sender = holderOf(claim);
    const expires = now + ttl * 1_000;
    const made: Room = { own, join, expires, salt, code: claim.code, sender, ...empty };
    return grant(made, "sender", { now, made: true, events: [] });
  }
  const owner = equalHashes(room.own, own);
  if (!equalHashes(room.join, join) || !owner) return refuse(room);
  const anew: Room = { ...room, met: false };
  if (room.viewer !== null) return seat(anew, "sender", claim, now);
  const taken = take(anew, "sender", claim);
  return grant(taken.room, "sender", { now, made: false, events: taken.events });
}

function join(room: Room | null, claim: Of<"join">, now: number): Step {
  const known = equalHashes(room?.join ?? NO_HASH, claim.token ?? NO_HASH);
  if (room === null || !(claim.token === null || known) || room.viewer !== null) {
    return refuse(room);
  }
  return seat({ ...room, viewerSalt: claim.salt, met: false }, "viewer", claim, now);
}

function resume(room: Room | null, claim: Of<"resume">, now: number): Step {
  const isSender = opens(room?.sender, claim.token);
  const isViewer = opens(room?.viewer, claim.token);
  if (room === null || !(isSender || isViewer)) return refuse(room);
  return seat(room, isSender ? "sender" : "viewer", claim, now, claim.token);
}

function act(room: Room, { what, seat }: Of<"act">, now: number): Step {
  if (isForSender(what) && seat !== "sender") return not(room);
  const holder = room[seat];
  const other = room[OTHER[seat]];
  switch (what.t) {
    case "relay":
    case "data":
      return other?.up ? done(room, tell(other, what)) : not(room);
    case "leave":
      return seat === "sender" ? end(room, "deleted") : emptyViewer(room);
    case "dismiss": {
      if (room.viewer === null) return done(room);
      const emptied = emptyViewer(room);
      return { ...emptied, events: [...tell(room.viewer, { t: "dismissed" }), ...emptied.events] };
    }
    case "withdraw":
      return done({ ...room, code: null });
    case "delete":
      return equalHashes(room.own, what.own) ? end(room, "deleted") : not(room);
    case "confirm":
      return done(holder === null ? room : { ...room, [seat]: { ...holder, before: null } });
    case "lose": {
      const { rtok = NO_HASH, before = null } = holder ?? {};
      const lost: Lost = { up: false, rtok, before, lostAt: now };
      return done({ ...room, [seat]: lost }, tell(other, { t: "peer", up: false, by: "lost" }));
    }
    default:
      return what satisfies never;
  }
}

/** Applies the first deadline that has passed. */
function settle(room: Room | null, { now, graceMs }: StepOptions): Step {
  if (room === null) return done(room);
  const over = (holder: Holder | null) =>
    holder !== null && !holder.up && now >= holder.lostAt + graceMs;
  if (now >= room.expires) return end(room, "expired");
  if (over(room.sender)) return end(room, "lost");
  return over(room.viewer) ? emptyViewer(room) : done(room);
}

function seat(
  room: Room,
  which: Seat,
  claim: Claimant,
  now: number,
  shown: TokenHash | null = null,
): Step {
  const taken = take(room, which, claim, shown);
  const met = introduce(taken.room, which);
  return grant(met.room, which, { now, made: false, events: [...taken.events, ...met.events] });
}

function take(room: Room, seat: Seat, claim: Claimant, shown: TokenHash | null = null) {
  const events = tell(room[seat], { t: "superseded" });
  const seated: Room = { ...room, [seat]: holderOf(claim, shown) };
  return { room: seated, events };
}

/**
 * Tells the new holder of `seat` whether the other seat is up; if it is, tells the other holder
 * too.
 */
function introduce(room: Room, seat: Seat): { room: Room; events: Events } {
  const newcomer = room[seat];
  const other = room[OTHER[seat]];
  if (!other?.up) {
    const by = other === null ? "leave" : "lost";
    return { room, events: tell(newcomer, { t: "peer", up: false, by }) };
  }
  const event = { t: "peer", up: true, by: room.met ? "resume" : "join" } as const;
  return {
    room: { ...room, met: true },
    events: [...tell(newcomer, event), ...tell(other, event)],
  };
}

function emptyViewer(room: Room): Step {
  const events = tell(room.sender, { t: "peer", up: false, by: "leave" });
  return done({ ...room, viewer: null, viewerSalt: null }, events);
}

function end({ sender, viewer }: Room, why: GoneReason): Step {
  return done(null, [sender, viewer].flatMap((holder) => tell(holder, { t: "gone", why })));
}

function done(room: Room | null, events: Events = []): Step {
  return { room, answer: "done", events };
}

function not(room: Room | null): Step {
  return { room, answer: "not done", events: [] };
}

function refuse(room: Room | null): Step {
  return { room, answer: "refused", events: [] };
}

function grant(
  room: Room,
  seat: Seat,
  { now, made, events }: { now: number; made: boolean; events: Events },
): Step {
  const { code } = room;
  const salt = seat === "sender" ? room.salt : room.viewerSalt ?? "";
  const exp = Math.ceil((room.expires - now) / 1_000);
  return { room, answer: { seat, exp, salt, code, made }, events };
}

function holderOf({ conn, rtok }: Claimant, before: TokenHash | null = null): Holder {
  return { up: true, rtok, before, conn };
}

/** Whether a token opens the seat. Takes the same time for an empty seat. */
function opens(holder: Holder | null | undefined, token: TokenHash): boolean {
  const newest = equalHashes(holder?.rtok ?? NO_HASH, token);
  const shown = equalHashes(holder?.before ?? NO_HASH, token);
  return newest || shown;
}

function tell(holder: Holder | null, event: SeatEvent): Events {
  return holder?.up ? [{ to: holder.conn, event }] : [];
}
