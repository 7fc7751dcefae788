/**
 * What a try to connect leaves behind for who has to find out why it failed: kinds and counts,
 * never an address.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { RelayProtocol, Route } from "./route.ts";

/** Where an ICE candidate leads. */
export type CandidateKind = "host" | "srflx" | "prflx" | "relay";

/** How many of each kind there were. */
export type CandidateCounts = Partial<Record<CandidateKind, number>>;

/** Filled in by the connection, over all attempts of a session. */
export class Trace {
  /** Found on this side. */
  readonly own: CandidateCounts = {};
  /** Told by the other side. */
  readonly other: CandidateCounts = {};
  /**
   * Whether the server named a TURN relay, and whether it passes encrypted records on itself;
   * `null` before it could.
   */
  turn: boolean | null = null;
  server: boolean | null = null;
  /**
   * How often ICE asked a STUN or TURN server and got no good answer, by the code that the browser
   * gives.
   */
  readonly iceErrors: Record<number, number> = {};
  /** The last state of ICE; `null` before there was one. */
  ice: RTCIceConnectionState | null = null;
  /** Which way it went, where it is known. */
  route: Route | null = null;
  /** What this browser's TURN relay was reached over, where one was used last. */
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
