/**
 * The route of a connection: directly from browser to browser, or over a relay.
 *
 * This module is browser compatible.
 *
 * @module
 */

/**
 * `relayed`: over a TURN relay at either end. `server`: over the signaling server's encrypted
 * relay.
 */
export type Route = "direct" | "relayed" | "server";

/** The protocol by which a browser reaches its own TURN relay. */
export type RelayProtocol = "udp" | "tcp" | "tls";

/** The candidate pair in use, and how it is doing. */
export interface Pair {
  readonly id: string;
  /** `null` if the engine does not tell. */
  readonly route: Route | null;
  /** `null` if this side uses no TURN relay, or the engine does not tell. */
  readonly relayProtocol: RelayProtocol | null;
  /** Whether an ICE check is unanswered; false if the engine does not count them. */
  readonly unanswered: boolean;
  /** Grows with everything received from the peer. */
  readonly heard: number;
  /** The last round trip in ms; 0 if the engine does not tell. */
  readonly roundTrip: number;
}

/** The fields read from a connection's statistics; engines omit what they don't know. */
interface Entry {
  readonly id?: string;
  readonly type?: string;
  readonly selectedCandidatePairId?: string;
  readonly localCandidateId?: string;
  readonly remoteCandidateId?: string;
  readonly candidateType?: string;
  readonly relayProtocol?: string;
  /** Firefox marks the pair in use here. */
  readonly selected?: boolean;
  readonly requestsSent?: number;
  readonly responsesReceived?: number;
  readonly requestsReceived?: number;
  readonly bytesReceived?: number;
  /** In seconds. */
  readonly currentRoundTripTime?: number;
}

/** Finds the pair in use; `null` if the engine does not tell. Never rejects. */
export async function pairOf(pc: Pick<RTCPeerConnection, "getStats">): Promise<Pair | null> {
  const entries = new Map<string, Entry>();
  try {
    (await pc.getStats()).forEach((entry: Entry, id: string) => entries.set(id, entry));
  } catch {
    return null;
  }
  const all = [...entries.values()];
  const id = all.find(({ type }) => type === "transport")?.selectedCandidatePairId;
  const pair = entries.get(id ?? "") ?? all.find(({ selected }) => selected === true);
  if (pair === undefined) return null;
  const [own, other] = [pair.localCandidateId, pair.remoteCandidateId]
    .map((end) => entries.get(end ?? ""));
  const { requestsSent = 0, responsesReceived = 0, requestsReceived = 0 } = pair;
  return {
    id: pair.id ?? "",
    route: routeBy([own?.candidateType, other?.candidateType]),
    relayProtocol: protocolOf(own),
    unanswered: requestsSent > responsesReceived,
    heard: responsesReceived + requestsReceived + (pair.bytesReceived ?? 0),
    roundTrip: (pair.currentRoundTripTime ?? 0) * 1_000,
  };
}

/** The route of the pair in use; `null` if the engine does not tell. Never rejects. */
export async function routeOf(pc: Pick<RTCPeerConnection, "getStats">): Promise<Route | null> {
  return (await pairOf(pc))?.route ?? null;
}

/**
 * The last round trip of the pair in use in ms; `null` if the engine does not tell. Never rejects.
 */
export async function roundTripOf(
  pc: Pick<RTCPeerConnection, "getStats">,
): Promise<number | null> {
  return (await pairOf(pc))?.roundTrip || null;
}

function routeBy(kinds: readonly (string | undefined)[]): Route | null {
  if (kinds.includes("relay")) return "relayed";
  return kinds.includes(undefined) ? null : "direct";
}

function protocolOf(own: Entry | undefined): RelayProtocol | null {
  const protocol = own?.candidateType === "relay" ? own.relayProtocol : undefined;
  return protocol === "udp" || protocol === "tcp" || protocol === "tls" ? protocol : null;
}
