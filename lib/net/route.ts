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
  /** In seconds. */
  readonly currentRoundTripTime?: number;
  /** Firefox names the pair in use here. */
  readonly selected?: boolean;
}

type Connection = Pick<RTCPeerConnection, "getStats">;

/** Everything that the engine tells, and the pair of candidates in use among it. */
async function statsOf(
  pc: Connection,
): Promise<{ entries: ReadonlyMap<string, Entry>; pair: Entry | undefined }> {
  const entries = new Map<string, Entry>();
  try {
    (await pc.getStats()).forEach((entry: Entry, id: string) => entries.set(id, entry));
  } catch {
    // It does not tell.
  }
  const all = [...entries.values()];
  const id = all.find(({ type }) => type === "transport")?.selectedCandidatePairId;
  return {
    entries,
    pair: entries.get(id ?? "") ?? all.find(({ selected }) => selected === true),
  };
}

/** The last round trip of the pair in use, in milliseconds, or `null` where the engine does not tell. Never rejects. */
export async function roundTripOf(pc: Connection): Promise<number | null> {
  const { pair } = await statsOf(pc);
  return pair?.currentRoundTripTime === undefined ? null : pair.currentRoundTripTime * 1_000;
}

/** Says which way the pair in use goes, or `null` where the engine does not tell. Never rejects. */
export async function routeOf(pc: Connection): Promise<Route | null> {
  const { entries, pair } = await statsOf(pc);
  const kinds = [pair?.localCandidateId, pair?.remoteCandidateId]
    .map((end) => entries.get(end ?? "")?.candidateType);
  if (kinds.includes("relay")) return "relayed";
  return kinds.includes(undefined) ? null : "direct";
}
