/**
 * The life of a connection as one pure function: from the seat over the handshake to the secure
 * link, its repair and its replacement, to its end. `connection.ts` runs the effects.
 *
 *     state        | what holds                                    | goes on with
 *     -------------|-----------------------------------------------|-------------------------
 *     joining      | no seat yet                                   | seated → waiting
 *     waiting      | a seat; nobody there, or nobody has begun     | peer, commit → handshaking
 *     handshaking  | an attempt without keys                       | proved → connecting
 *     connecting   | both proved themselves; a route is sought     | bound → connected
 *     connected    | the link is bound, and the peer answers       | silent → recovering
 *     recovering   | the peer does not answer; it may again        | answering → connected
 *     peer_away    | the peer's page closed the connection         | bound → connected
 *     closed       | over, for one reason                          | nothing
 *
 * In the three states with a link a further attempt may run beside it, its *successor*. Only
 * `bound` puts the successor in the place of the link; whatever else happens to a successor changes
 * nothing on the link. Events of attempts that are neither the current one nor the successor are
 * ignored: they are late.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { MODE } from "../protocol/handshake.ts";
import { CONNECT_TIMEOUT_MS, SEAT_GRACE_MS } from "../protocol/limits.ts";
import type { GoneReason, PeerCause } from "../protocol/signaling.ts";
import type { Role } from "../e2e/transcript.ts";
import type { Health } from "./recovery.ts";
import type { SignalingEnd } from "./signaling_client.ts";

/**
 * Delay after which a viewer who was told that the sender is away asks the server again, in ms.
 * That message may have overtaken the one that reports the sender back. Without asking, both would
 * wait for each other until the room expires.
 */
const ASK_AGAIN_MS = 40_000;

/** Why no connection could be established, or why the room ended before one was. */
export type ConnectFailure =
  | Exclude<SignalingEnd, "gone">
  | `room_${GoneReason}`
  | "network"
  | "timeout"
  | "verification"
  /** The sender turned this viewer away: the code was wrong. */
  | "wrong_code"
  /**
   * This side's address was to stay hidden, but the server offers neither TURN nor the encrypted
   * relay.
   */
  | "no_relay"
  /** WebRTC is disabled, by policy or by lockdown mode. */
  | "no_webrtc";

/** An attempt beside a link, by its number; `proved`: the peer has proved itself. */
export interface Successor {
  readonly attempt: number;
  readonly proved: boolean;
}

/** The states with a link; `link` is the number of the attempt that it came from. */
interface Linked {
  readonly at: "connected" | "recovering" | "peer_away";
  readonly link: number;
  readonly successor: Successor | null;
}

type Phase =
  | { readonly at: "joining" }
  | { readonly at: "waiting" }
  | { readonly at: "handshaking"; readonly attempt: number }
  | { readonly at: "connecting"; readonly attempt: number }
  | Linked
  /** `left`: this side ended it, or its link had ended. */
  | { readonly at: "closed"; readonly why: ConnectFailure | "left" };

/** A state, with the counts that outlive it. */
export type ConnectionState = Phase & {
  /** The number of the next attempt. */
  readonly next: number;
  /** Attempts begun since the start, or since the last bound link. */
  readonly tries: number;
  /**
   * Handshakes that were confirmed (sender) or answered (viewer) since the start, or since the last
   * bound link.
   */
  readonly handshakes: number;
};

/**
 * What a time is for: the peer's proof and a route (viewer), an answer of the server to who is
 * there (viewer), a successor's binding.
 */
export type Wait = "attempt" | "news" | "successor";

/** What happens. */
export type ConnectionEvent =
  /** The server granted the seat, for the first time or again. */
  | { readonly type: "seated" }
  /** The server says whether the peer is there. */
  | { readonly type: "peer"; readonly here: boolean; readonly by: PeerCause }
  /** Sender: M1 arrived. */
  | { readonly type: "commit"; readonly mode: number | undefined }
  /** Viewer: the sender's page was reloaded, which is proved, and the link does not answer. */
  | { readonly type: "reloaded" }
  /** A handshake was confirmed or answered; there may be `most` of them. */
  | { readonly type: "counted"; readonly most: number }
  | { readonly type: "proved"; readonly attempt: number }
  | { readonly type: "bound"; readonly attempt: number }
  /**
   * An attempt failed; `null` for a message that is none. `guarded`: visitors who prove nothing are
   * turned away.
   */
  | {
    readonly type: "failed";
    readonly attempt: number | null;
    readonly why: "network" | "verification";
    readonly guarded: boolean;
  }
  /** Sender: a visitor has had the seat for too long without proving anything. */
  | { readonly type: "overdue" }
  /** A connection can't be attempted, or strangers came too often. */
  | { readonly type: "impossible"; readonly why: ConnectFailure }
  /** The link's peer answers, or does not, or closed the connection. */
  | { readonly type: "health"; readonly attempt: number; readonly health: Health }
  /** The time set by the last `wait` is over. */
  | { readonly type: "time"; readonly of: Wait }
  /** The connection to the server is lost. */
  | { readonly type: "unreachable" }
  | { readonly type: "gone"; readonly why: GoneReason }
  | { readonly type: "signaling_ended"; readonly why: SignalingEnd; readonly retry?: number }
  /** This side ends it. */
  | { readonly type: "end" };

/** What has to be done. */
export type ConnectionEffect =
  /** Starts attempt number `attempt`. `settle`: messages of an earlier one may still arrive. */
  | { readonly do: "start"; readonly attempt: number; readonly settle: boolean }
  | { readonly do: "drop"; readonly attempt: number }
  /** Hands the link of this attempt over; it replaces that of `before`. */
  | { readonly do: "adopt"; readonly attempt: number; readonly before: number | null }
  /** Sends the event `time` after `ms`, unless another `wait` or `stop_waiting` comes before. */
  | { readonly do: "wait"; readonly for: Wait; readonly ms: number }
  | { readonly do: "stop_waiting" }
  | { readonly do: "tell_peer"; readonly here: boolean }
  /** Tells the viewer that this page was reloaded, if it was. */
  | { readonly do: "say_reloaded" }
  | { readonly do: "set_reachable"; readonly reachable: boolean }
  /** The server, or the peer's seat there, is gone for good. */
  | { readonly do: "seat_gone"; readonly attempt: number }
  /** Takes the seat on a new socket, to be told again who is there. */
  | { readonly do: "renew" }
  | { readonly do: "turn_away"; readonly attempt: number | null }
  | { readonly do: "report_failed" }
  /** Ends everything, and tells why. */
  | { readonly do: "fail"; readonly why: ConnectFailure; readonly retry?: number };

/** A state, and what to do on the way to it. */
export interface Step {
  readonly state: ConnectionState;
  readonly effects: readonly ConnectionEffect[];
}

/** Who this side is. */
export interface ConnectionSettings {
  readonly role: Role;
  /** Viewer: what the sender's dismissal means. */
  readonly byCode: boolean;
}

/** The first state. */
export const JOINING: ConnectionState = { at: "joining", next: 0, tries: 0, handshakes: 0 };

/** Whether a link is bound. */
export function isBound(state: ConnectionState): state is ConnectionState & Linked {
  return state.at === "connected" || state.at === "recovering" || state.at === "peer_away";
}

/** The attempt that is not bound, on its own or beside a link. */
export function attemptOf(state: ConnectionState): number | null {
  if (isBound(state)) return state.successor?.attempt ?? null;
  return state.at === "handshaking" || state.at === "connecting" ? state.attempt : null;
}

/** What follows from an event. */
export function transition(
  state: ConnectionState,
  event: ConnectionEvent,
  settings: ConnectionSettings,
): Step {
  if (state.at === "closed") return { state, effects: [] };
  switch (event.type) {
    case "end":
      return close(state, "left", []);
    case "counted":
      return count(state, event.most);
    case "proved":
      return prove(state, event.attempt);
    case "bound":
      return bind(state, event.attempt);
    default:
      return isBound(state)
        ? afterBinding(state, event, settings)
        : beforeBinding(state, event, settings);
  }
}

type Counts = Pick<ConnectionState, "next" | "tries" | "handshakes">;

function countsOf({ next, tries, handshakes }: ConnectionState): Counts {
  return { next, tries, handshakes };
}

function stay(state: ConnectionState, ...effects: readonly ConnectionEffect[]): Step {
  return { state, effects };
}

/** Ends everything; the owner of the effects closes all attempts. */
function close(
  state: ConnectionState,
  why: ConnectFailure | "left",
  effects: readonly ConnectionEffect[],
): Step {
  return { state: { ...countsOf(state), at: "closed", why }, effects };
}

function fail(state: ConnectionState, why: ConnectFailure, retry?: number): Step {
  const effects: ConnectionEffect[] = why === "network" ? [{ do: "report_failed" }] : [];
  effects.push({ do: "fail", why, ...(retry === undefined ? {} : { retry }) });
  return close(state, why, effects);
}

function drop(state: ConnectionState): readonly ConnectionEffect[] {
  const attempt = attemptOf(state);
  return attempt === null ? [] : [{ do: "drop", attempt }];
}

/** Counts a handshake: the network breaks that often, or somebody makes it break. */
function count(state: ConnectionState, most: number): Step {
  const counted = { ...state, handshakes: state.handshakes + 1 };
  return counted.handshakes > most && !isBound(state) ? fail(counted, "timeout") : stay(counted);
}

function prove(state: ConnectionState, attempt: number): Step {
  if (attemptOf(state) !== attempt) return stay(state);
  if (!isBound(state)) return stay({ ...countsOf(state), at: "connecting", attempt });
  // The peer may be bound to it from now on, and need as long as any session to be repaired.
  const successor = { attempt, proved: true };
  return stay({ ...state, successor }, { do: "wait", for: "successor", ms: SEAT_GRACE_MS });
}

function bind(state: ConnectionState, attempt: number): Step {
  if (attemptOf(state) !== attempt) return stay(state);
  const before = isBound(state) ? state.link : null;
  const counts = { next: state.next, tries: 0, handshakes: 0 };
  return stay(
    { ...counts, at: "connected", link: attempt, successor: null },
    { do: "stop_waiting" },
    { do: "adopt", attempt, before },
  );
}

/** Begins an attempt in place of the one under way, if there is one. */
function begin(state: ConnectionState): { counts: Counts; attempt: number; effects: Start } {
  const attempt = state.next;
  return {
    attempt,
    counts: { ...countsOf(state), next: attempt + 1, tries: state.tries + 1 },
    effects: [...drop(state), { do: "start", attempt, settle: state.tries > 0 }],
  };
}

type Start = readonly ConnectionEffect[];

function beginFirst(state: ConnectionState): Step {
  const { counts, attempt, effects } = begin(state);
  return { state: { ...counts, at: "handshaking", attempt }, effects };
}

function beginSuccessor(state: ConnectionState & Linked): Step {
  const { counts, attempt, effects } = begin(state);
  return {
    state: { ...state, ...counts, successor: { attempt, proved: false } },
    // Whoever does not prove anything must not keep it open.
    effects: [{ do: "wait", for: "successor", ms: CONNECT_TIMEOUT_MS }, ...effects],
  };
}

type OpenEvent = Exclude<
  ConnectionEvent,
  { readonly type: "end" | "counted" | "proved" | "bound" }
>;

/** While nothing is bound, the server is believed: whoever is there has to prove themselves. */
function beforeBinding(
  state: ConnectionState,
  event: OpenEvent,
  { role, byCode }: ConnectionSettings,
): Step {
  const waiting = { ...countsOf(state), at: "waiting" } as const;
  switch (event.type) {
    case "seated":
      // The attempt under way has lost messages, so it starts over, and what the old one still
      // sends would only confuse the peer. Its timeout keeps running until `peer` arrives:
      // otherwise a server that sends only this could keep people waiting forever.
      return stay(waiting, ...drop(state));
    case "peer":
      return meet(state, event.here, role);
    case "commit":
      // A viewer who lost the socket commits again, which starts a new attempt.
      return role === "S" ? beginFirst(state) : stay(state);
    case "failed":
      return lose(state, event, role);
    case "overdue":
      return state.at === "connecting"
        ? stay(state)
        : stay(waiting, { do: "turn_away", attempt: attemptOf(state) });
    case "impossible":
      return fail(state, event.why);
    case "time":
      if (event.of === "news") return stay(state, { do: "renew" });
      return fail(state, state.at === "connecting" ? "network" : "timeout");
    case "gone":
      return fail(state, `room_${event.why}`);
    case "signaling_ended":
      return fail(state, failureOf(event.why, role, byCode), event.retry);
    case "unreachable":
      return stay(state, { do: "set_reachable", reachable: false });
    case "reloaded":
    case "health":
      return stay(state);
    default:
      return event satisfies never;
  }
}

function meet(state: ConnectionState, here: boolean, role: Role): Step {
  const waiting = { ...countsOf(state), at: "waiting" } as const;
  const effects: readonly ConnectionEffect[] = [
    ...drop(state),
    { do: "stop_waiting" },
    { do: "tell_peer", here },
  ];
  if (role === "S") {
    return here ? stay(waiting, ...effects, { do: "say_reloaded" }) : stay(waiting, ...effects);
  }
  if (!here) return stay(waiting, ...effects, { do: "wait", for: "news", ms: ASK_AGAIN_MS });
  // The viewer starts the handshake, and the timeout is the viewer's too.
  const begun = beginFirst(waiting);
  return {
    state: begun.state,
    effects: [
      ...effects,
      { do: "wait", for: "attempt", ms: CONNECT_TIMEOUT_MS },
      ...begun.effects,
    ],
  };
}

/** An attempt failed, or a message was none, and nothing is bound. */
function lose(
  state: ConnectionState,
  { attempt, why, guarded }: Extract<ConnectionEvent, { readonly type: "failed" }>,
  role: Role,
): Step {
  if (attempt !== null && attempt !== attemptOf(state)) return stay(state);
  const waiting = { ...countsOf(state), at: "waiting" } as const;
  if (why === "network" && role === "S") {
    // One visitor's network failure must not use up the share link.
    return stay(waiting, { do: "report_failed" }, { do: "stop_waiting" }, ...drop(state));
  }
  if (why === "verification" && guarded && (attempt === null || state.at !== "connecting")) {
    return stay(waiting, { do: "turn_away", attempt: attemptOf(state) });
  }
  return fail(state, why);
}

function failureOf(why: SignalingEnd, role: Role, byCode: boolean): ConnectFailure {
  switch (why) {
    case "dismissed":
      // Only a sender dismisses, so a server that reports this to a sender breaks the protocol.
      if (role === "S") return "protocol";
      return byCode ? "wrong_code" : "dismissed";
    case "gone":
      return "room_deleted";
    default:
      return why;
  }
}

const AT_HEALTH: Readonly<Record<Health, Linked["at"]>> = {
  answers: "connected",
  silent: "recovering",
  away: "peer_away",
};

/** Once bound, the two know more about each other than the server does. */
function afterBinding(
  state: ConnectionState & Linked,
  event: OpenEvent,
  { role }: ConnectionSettings,
): Step {
  switch (event.type) {
    case "commit":
      // Only the peer who was there can return, and only by resuming the handshake.
      return role === "S" && event.mode === MODE.resume ? beginSuccessor(state) : stay(state);
    case "reloaded":
      return role === "R" ? beginSuccessor(state) : stay(state);
    case "failed":
      return event.attempt !== null && event.attempt === attemptOf(state)
        ? dropSuccessor(state)
        : stay(state);
    case "time":
      return event.of === "successor" ? dropSuccessor(state) : stay(state);
    case "peer":
      // There is nobody left to receive what goes through the server.
      if (!event.here && event.by === "leave") {
        return stay(state, { do: "seat_gone", attempt: state.link });
      }
      return stay(state, { do: "set_reachable", reachable: event.here });
    case "unreachable":
      return stay(state, { do: "set_reachable", reachable: false });
    case "signaling_ended":
      return stay(state, { do: "seat_gone", attempt: state.link });
    case "health":
      return stay(
        event.attempt === state.link ? { ...state, at: AT_HEALTH[event.health] } : state,
      );
    case "seated":
    case "gone":
    case "overdue":
    case "impossible":
      return stay(state);
    default:
      return event satisfies never;
  }
}

function dropSuccessor(state: ConnectionState & Linked): Step {
  return stay({ ...state, successor: null }, { do: "stop_waiting" }, ...drop(state));
}
