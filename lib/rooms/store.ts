/**
 * The contract of a room store. The memory store implements it for one process; one on a shared
 * database can implement it for many.
 *
 * What a room is and does is in room.ts. A room has an address, H(otok), H(jtok), an expiry and two
 * seats, each of them empty, up or lost; whoever presents the rtok of a lost one within the grace
 * period gets it back.
 *
 * Its second address is a *code*: 4 to 8 digits that the store draws when it creates the room,
 * uniformly, from an unpredictable random source. No two rooms have the same digits. After digits
 * were withdrawn or their room ended, for whatever reason, they are not assigned again for
 * `codeRestMs`. The more codes are live or resting, the longer new ones are, so that a guess rarely
 * hits and a draw soon succeeds. If there are too many, a room is created without a code. A code's
 * address allows only `join` and `resume`.
 *
 * Every operation is atomic: it sees and leaves a consistent room, and competing operations take
 * effect one after the other. Deadlines (the expiry, the grace period of a seat) take effect before
 * any later operation on the room, or at the latest at the next sweep. Holders are fenced: an
 * operation whose `conn` no longer holds the seat changes nothing.
 *
 * Events reach a listener in the order in which the operations took effect. So messages that one
 * seat relays, each awaited before the next, arrive in order. A listener is never called from
 * within the operation's own call stack, but may be called before the operation's promise resolves.
 *
 * @module
 */
import type { TokenHash } from "../ops/tokens.ts";
import type { RoomTerms, Seat, SeatEvent, SeatOperation } from "./room.ts";

export type { RoomTerms, Seat, SeatEvent } from "./room.ts";

/** Called with each event of a seat. Must not throw. */
export type SeatListener = (event: SeatEvent) => void;

/** A request for a seat. */
export interface Claim {
  /** The requested address: the room's own, or digits that may lead to one. */
  readonly room: string;
  /** Id of the connection, unique among all instances; fences the seat. */
  readonly conn: string;
  /** Hash of the rtok that resumes the seat from now on. */
  readonly rtok: TokenHash;
  readonly listener: SeatListener;
  /** This client made rooms lately: the last share of all rooms is not for it. */
  readonly regular?: boolean;
}

/** A granted request for a seat. */
export interface Seated {
  /** The room's own address, even if digits were requested. */
  readonly room: string;
  readonly seat: Seat;
  /** Remaining lifetime of the room in whole seconds. */
  readonly exp: number;
  /** The salt of the seat: the one of its `create` or `join`, with every grant. */
  readonly salt: string;
}

/** A granted `create`. */
export interface Created extends Seated {
  /** Digits that lead to the room; `null` if they were withdrawn or none were available. */
  readonly code: string | null;
  /** The room did not exist before. */
  readonly made: boolean;
}

/** A request that was not granted: refused, or `busy` if the store is full or unavailable. */
export type Denied = "refused" | "busy";

/** Identifies the holder of a seat. */
export interface Ticket {
  /** The room's own address. */
  readonly room: string;
  readonly conn: string;
  readonly seat: Seat;
}

/** Rooms, seats, and the path to the other seat. Never inspects or keeps what it relays. */
export interface RoomStore {
  /** False if what the store depends on is unavailable: requests for seats then return `busy`. */
  readonly ready: boolean;

  /**
   * Creates the room and seats its sender. If it already exists with the same hashes, the sender
   * takes the seat back: a live holder is superseded; the expiry, the salt and the code stay; and
   * if a viewer is up, the two meet anew: both receive `peer` by `join`. A room gets digits when it
   * is created or never: after they were withdrawn there are no new ones. Refused at a code's
   * address.
   */
  create(claim: Claim, terms: RoomTerms): Promise<Created | Denied>;

  /**
   * Seats a viewer if that seat is empty: at the room's own address with a `token` that is the
   * room's `join`, at its code with `null`. Of several concurrent requests exactly one succeeds.
   * Both seats receive `peer` by `join`; if the sender is lost, the viewer is told so instead, and
   * both meet when the sender is back. Unknown rooms, unknown and resting digits, a wrong token and
   * a taken seat are refused after the same work. `salt` is the seat's from now on.
   */
  join(claim: Claim, token: TokenHash | null, salt: string): Promise<Seated | Denied>;

  /**
   * Gives the seat whose rtok hashes to `token` to this connection, and replaces that hash with the
   * one of the request. The presented rtok remains valid as well until `confirm`,
   * because the response with the new one may get lost. A live holder is
   * superseded. The new holder is told the state of the other seat; the other seat receives `peer`
   * by `resume` (or both by `join`, if these two were never up together).
   */
  resume(claim: Claim, token: TokenHash): Promise<Seated | Denied>;

  /**
   * Does what the holder of a seat asks for. Resolves to whether it was done: not if the ticket
   * holds no seat any more, or as {@linkcode SeatOperation} says. While the store is unavailable,
   * what must not be forgotten is done later, and resolves to false now; `delete` throws.
   */
  act(ticket: Ticket, what: SeatOperation): Promise<boolean>;
}
