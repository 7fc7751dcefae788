/**
 * Whether a direct connection has fallen silent, judged by its statistics: browsers report a break
 * late, or not at all. Pure: what was seen goes in, a verdict comes out.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { Pair } from "./route.ts";

/** How often a working direct connection is polled, in ms. */
export const POLL_MS = 200;

/** Time after a recovery action during which silence does not start another one, in ms. */
const SETTLE_MS = 2_000;

/**
 * If an ICE check stays unanswered for this long, in ms, or for two round trips if those take
 * longer, and nothing else is received, this side's network may be gone. Chromium sends a check
 * every 2.5 s, and reports "disconnected" 5 s after the first one that was lost. The time doubles
 * after each suspicion: a network that merely loses many packets must not be restarted all the
 * time.
 */
const ANSWER_MS = 400;

/**
 * If nothing at all is received for this long, in ms, the network may be gone. For engines that
 * don't count their ICE checks. Firefox sends a check every 4 to 6 s.
 */
const SILENCE_MS = 7_000;

/** What is known of a path after a poll. Times are those of `performance.now()`. */
export interface PathState {
  /** `null` before the first poll. */
  readonly pair: Pair | null;
  readonly silentSince: number;
  /** Since when an ICE check has been unanswered; `Infinity` if none is. */
  readonly waitingSince: number;
  /** How often the path was suspected to be dead. */
  readonly suspicions: number;
}

/** A path that was not polled yet. */
export const UNSEEN: PathState = {
  pair: null,
  silentSince: 0,
  waitingSince: Infinity,
  suspicions: 0,
};

/** One poll. */
export interface Poll {
  readonly now: number;
  readonly pair: Pair;
  /** When the last recovery action began, on either side. */
  readonly actedAt: number;
  /** False if this device has no network at all. */
  readonly online: boolean;
}

/** What a poll shows. */
export interface Verdict {
  readonly state: PathState;
  /** The browser switched to another candidate pair. */
  readonly switched: boolean;
  /** Nothing gets through. */
  readonly silent: boolean;
}

/** Judges a poll by the ones before it. */
export function judge(before: PathState, { now, pair, actedAt, online }: Poll): Verdict {
  const switched = before.pair !== null && pair.id !== before.pair.id;
  const heard = pair.id !== before.pair?.id || pair.heard !== before.pair.heard;
  const silentSince = heard ? now : before.silentSince;
  const stillWaiting = heard ? Infinity : before.waitingSince;
  // Without any network nothing can be done; the browser reports when there is one again.
  const settling = now - actedAt < SETTLE_MS || !online;
  const waitingSince = !settling && pair.unanswered ? Math.min(stillWaiting, now) : stillWaiting;
  const state = { ...before, pair, silentSince, waitingSince };
  const patience = 2 ** before.suspicions;
  const silent = !settling && (
    now - waitingSince >= Math.max(ANSWER_MS * patience, 2 * pair.roundTrip) ||
    now - silentSince >= SILENCE_MS * patience
  );
  return { state, switched, silent };
}

/** The path was suspected to be dead, and something was done about it. */
export function suspect(state: PathState): PathState {
  return { ...state, suspicions: state.suspicions + 1 };
}
