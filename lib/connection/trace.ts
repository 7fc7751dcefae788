/**
 * Diagnostics of an attempt to connect, for finding out why it failed: kinds and counts, never an
 * address.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { RelayProtocol, Route } from "./route.ts";

/** The type of an ICE candidate. */
export type CandidateKind = "host" | "srflx" | "prflx" | "relay";

/** How many of each kind there were. */
export type CandidateCounts = Partial<Record<CandidateKind, number>>;

/** Filled in by the connection, over all attempts of a session. */
export class Trace {
  /** Found on this side. */
  readonly own: CandidateCounts = {};
  /** Received from the peer. */
  readonly other: CandidateCounts = {};
  /**
   * Whether the server named a TURN server, and whether it relays encrypted records itself; `null`
   * before it is known.
   */
  turn: boolean | null = null;
  server: boolean | null = null;
  /** How often a STUN or TURN server gave no good answer, by the browser's error code. */
  readonly iceErrors: Record<number, number> = {};
  /** The last state of ICE; `null` before there was one. */
  ice: RTCIceConnectionState | null = null;
  /** The route, if it is known. */
  route: Route | null = null;
  /** The protocol by which this browser last reached its TURN relay, if it used one. */
  relayProtocol: RelayProtocol | null = null;
}

/** Counts a candidate line; anything else is not counted. */
export function countCandidate(counts: CandidateCounts, line: string): void {
  const kind = kindOf(line);
  if (kind !== null) counts[kind] = (counts[kind] ?? 0) + 1;
}

function kindOf(line: string): CandidateKind | null {
  const [, kind] = / typ (\w+)/.exec(line) ?? [];
  return kind === "host" || kind === "srflx" || kind === "prflx" || kind === "relay" ? kind : null;
}
