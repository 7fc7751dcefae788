/**
 * What a room store has to do. The memory store does it for one process; one on a shared database
 * can do it for many.
 *
 * A room has an address, H(otok), H(jtok), an expiry and two seats. A seat is empty (the viewer's
 * only), *up* (a connection holds it) or *lost* (its socket went away; whoever shows its rtok
 * within the grace gets it back).
 *
 * Its second address is a *code*: 4 to 8 digits that the store draws when it makes the room, from a
 * random source that nobody can predict, each with the same chance. No two rooms have the same
 * ones, and nobody gets them for `codeRestMs` after they were withdrawn or their room ended, for
 * whatever reason. There are the more of them the more are taken or resting, so that a guess rarely
 * hits and a draw soon does; where too many are, a room is made without. At a code's address nobody
 * can do more than `join` and `resume`.
 *
 * Every operation is atomic: it sees and leaves a whole room, and of two that compete one comes
 * first. Deadlines (the expiry, the grace of a seat) take effect before any later operation on the
 * room, and at the latest a sweep afterwards. Holders are fenced: an operation whose `conn` no
 * longer holds the seat changes nothing.
 *
 * Events reach a listener in the order in which the operations took effect, so relays of one seat,
 * awaited one by one, arrive in order. They come from outside the operation's own call stack, but
 * may come before its promise resolves.
 *
 * @module
 */
import type { ServerMessage } from "../protocol/signaling.ts";
import type { TokenHash } from "../ops/tokens.ts";

/** The two seats of a room. */
export type Seat = "sender" | "viewer";

/**
 * What the holder of a seat hears from the room. Nothing follows `gone`, `superseded`, `dismissed`
 * and `astray`.
 */
export type SeatEvent =
  | Extract<ServerMessage, { t: "peer" | "relay" | "data" | "gone" }>
  /** A newer connection took this seat. */
  | { readonly t: "superseded" }
  /** The sender turned this viewer away. */
  | { readonly t: "dismissed" }
  /**
   * The store lost the room, this seat, or something that was said: who comes back anew repairs it.
   */
  | { readonly t: "astray" };

/** Called with each event of a seat. Must not throw. */
export type SeatListener = (event: SeatEvent) => void;

/** Who asks for a seat. */
export interface Claim {
  /** Where it was asked for: the room's own address, or digits that may lead to one. */
  readonly room: string;
  /** Id of the connection, unique among all instances: the fence. */
  readonly conn: string;
  /** Hash of the rtok that takes the seat back from now on. */
  readonly rtok: TokenHash;
  readonly listener: SeatListener;
}

/** A claim that was granted. */
export interface Seated {
  /** The room's own address, whichever was asked at. */
  readonly room: string;
  readonly seat: Seat;
  /** Rest of the room's life in whole seconds. */
  readonly exp: number;
  /** The room's, as it was made with; both seats get it at each claim. */
  readonly salt: string;
}

/** A `create` that was granted. */
export interface Created extends Seated {
  /**
   * Digits that lead to the room; `null` where they were withdrawn, or where there were none to be
   * had.
   */
  readonly code: string | null;
}

/** A claim that was not granted; `busy` where the store is full. */
export type Denied = "refused" | "busy";

/** Proves who holds a seat. */
export interface Ticket {
  /** The room's own address. */
  readonly room: string;
  readonly conn: string;
  readonly seat: Seat;
}

/**
 * What makes a room: both hashes, its life in seconds, and 32 random bytes in base64url, the half
 * of a key whose other half lies in a tab: they go with the room, and what that tab kept can't be
 * opened any more.
 */
export interface RoomTerms {
  readonly own: TokenHash;
  readonly join: TokenHash;
  readonly ttl: number;
  readonly salt: string;
}

/**
 * Rooms, seats and the way to the other seat. Never looks into what it relays and never keeps it.
 */
export interface RoomStore {
  /** False where what it needs is out of reach: claims are then answered `busy`. */
  readonly ready: boolean;

  /**
   * Makes the room and seats its sender. Where it exists already with the same hashes, the sender
   * gets the seat back (a live holder is superseded, the expiry, the salt and the code stay) and a
   * viewer who is up meets him anew: both hear `peer` by `join`. A room gets digits when it is made
   * or never: who withdrew his gets no others. Refused at digits.
   */
  create(claim: Claim, terms: RoomTerms): Promise<Created | Denied>;

  /**
   * Seats a viewer where that seat is empty: at the room's own address with a `token` that is the
   * room's `join`, at its code with `null`. Of many at once exactly one gets it. Both hear `peer`
   * by `join`; while the sender is lost the viewer hears that instead, and both meet when he is
   * back. Unknown rooms, unknown and resting digits, a wrong token and a taken seat are refused
   * after the same work.
   */
  join(claim: Claim, token: TokenHash | null): Promise<Seated | Denied>;

  /**
   * Gives the seat whose rtok hashes to `token` to this connection and replaces that hash by the
   * claim's. The one that was shown takes the seat as well until {@linkcode RoomStore.confirm}: the
   * answer with the other may get lost. A live holder is superseded. The claimant hears the state
   * of the other seat, the other seat hears `peer` by `resume` (or both by `join`, if these two
   * were never up together).
   */
  resume(claim: Claim, token: TokenHash): Promise<Seated | Denied>;

  /** The holder has his rtok: the one that he showed for it is worth nothing from now on. */
  confirm(ticket: Ticket): Promise<void>;

  /**
   * Passes `d` to the other seat, as `relay` or `data`. Resolves to false where nobody is up there.
   */
  relay(ticket: Ticket, d: string, t?: "relay" | "data"): Promise<boolean>;

  /**
   * The holder's socket is gone. The other seat hears it at once; after the grace a viewer's seat
   * is emptied (the sender hears `leave`) and a sender's seat ends the room (`gone`, `lost`).
   */
  lose(ticket: Ticket): Promise<void>;

  /**
   * Empties the viewer's seat, up or lost, if the ticket is the sender's: the viewer hears
   * `dismissed`, his rtok is dead, the sender hears `leave`. Changes nothing, and nobody hears
   * anything, where the seat is empty.
   */
  dismiss(ticket: Ticket): Promise<void>;

  /**
   * The digits lead to this room no longer and rest, if the ticket is the sender's. Nobody hears of
   * it; seats stay.
   */
  withdraw(ticket: Ticket): Promise<void>;

  /**
   * A viewer gives the seat up; the sender hears `leave`. A sender who leaves ends the room as
   * `remove` does.
   */
  leave(ticket: Ticket): Promise<void>;

  /**
   * Ends the room if the ticket is the sender's and `token` is its `own`: both hear `gone`,
   * `deleted`. Resolves to false, with nothing changed, otherwise.
   */
  remove(ticket: Ticket, token: TokenHash): Promise<boolean>;
}
