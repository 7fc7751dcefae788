/**
 * Which way a connection goes: straight from browser to browser, or through a relay.
 *
 * This module is browser compatible.
 *
 * @module
 */

/** A TURN relay at either end makes it `relayed`; `server`: everything goes, encrypted, over the signaling server. */
export type Route = "direct" | "relayed" | "server";

/** What is read of a connection's statistics; engines leave out what they don't know. */
interface Entry {
  readonly type?: string;
  readonly selectedCandidatePairId?: string;
  readonly localCandidateId?: string;
  readonly remoteCandidateId?: string;
  readonly candidateType?: string;
  /** Firefox names the pair in use here. */
  readonly selected?: boolean;
}

/** Says which way the pair in use goes, or `null` where the engine does not tell. Never rejects. */
export async function routeOf(pc: Pick<RTCPeerConnection, "getStats">): Promise<Route | null> {
  const entries = new Map<string, Entry>();
  try {
    (await pc.getStats()).forEach((entry: Entry, id: string) => entries.set(id, entry));
  } catch {
    return null;
  }
  const all = [...entries.values()];
  const id = all.find(({ type }) => type === "transport")?.selectedCandidatePairId;
  const pair = entries.get(id ?? "") ?? all.find(({ selected }) => selected === true);
  const kinds = [pair?.localCandidateId, pair?.remoteCandidateId]
    .map((end) => entries.get(end ?? "")?.candidateType);
  if (kinds.includes("relay")) return "relayed";
  return kinds.includes(undefined) ? null : "direct";
}
