/**
 * What a sender does about visitors who prove nothing: they are turned away, and each costs the
 * code one of its guesses. Without digits only the share link's token leads to the seat, so nobody
 * is turned away then. Pure: what happens goes in, what is to be done comes out.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { MAX_CODE_GUESSES } from "../protocol/limits.ts";
import type { Code } from "../e2e/code.ts";

/**
 * After turning away this many visitors the sender gives up: by then they can only come from the
 * server itself.
 */
const MAX_TURNED_AWAY = 10;

/** What a visitor tried to use as proof: a share link, a code, or nothing so far. */
export type AttemptedProof = "link" | "code" | "silence";

/** What a sender knows of their visitors. */
export interface GuardState {
  /**
   * The server issued digits, so anybody who tries them can take the seat. Stays true after a
   * withdrawal, which the server may not have received.
   */
  readonly open: boolean;
  /** The code that is valid now. */
  readonly code: Code | null;
  /** Visitors who did not prove themselves. While a code is valid, each counts as a guess. */
  readonly misses: number;
  /** The last visitor was dismissed, and nobody has joined since. */
  readonly dismissed: boolean;
}

/** What happens to a sender's seat. */
export type GuardEvent =
  /** The room was made, and the server issued these digits, or none. */
  | { readonly type: "created"; readonly digits: string | null }
  /** The seat was taken back. */
  | { readonly type: "resumed" }
  /** The words for these digits; `null` if there are none. */
  | { readonly type: "words"; readonly digits: string; readonly words: string | null }
  /** A proof of the code arrived. It counts before it is verified, and no more if it was right. */
  | { readonly type: "guess" }
  | { readonly type: "guess_right" }
  /** A guess will never be verified. It counts as a wrong one, or guesses would be free. */
  | { readonly type: "guess_lost" }
  /** A visitor proved nothing; `counted` if their guess was. */
  | { readonly type: "unproved"; readonly by: AttemptedProof; readonly counted: boolean }
  | { readonly type: "joined" };

/** What has to be done. */
export type GuardEffect =
  | { readonly do: "draw_words"; readonly digits: string }
  | { readonly do: "show"; readonly code: Code }
  | { readonly do: "withdraw" }
  | { readonly do: "keep"; readonly misses: number }
  | { readonly do: "report"; readonly by: AttemptedProof; readonly withdrawn: boolean }
  | { readonly do: "dismiss" }
  /** Too many visitors: only the server can send so many. */
  | { readonly do: "give_up" };

/** A state, and what to do on the way to it. */
export interface GuardStep {
  readonly state: GuardState;
  readonly effects: readonly GuardEffect[];
}

/** The state of a page, from what it kept before a reload. */
export function guardFrom(
  { code = null, misses = 0 }: Partial<Pick<GuardState, "code" | "misses">>,
): GuardState {
  // Digits that were issued before the reload may already have been tried.
  return { open: code !== null || misses > 0, code, misses, dismissed: false };
}

/** What follows from an event. */
export function guard(state: GuardState, event: GuardEvent): GuardStep {
  const used = state.misses >= MAX_CODE_GUESSES;
  switch (event.type) {
    case "created":
      if (used) return withdraw(state);
      if (event.digits === null) return { state: { ...state, code: null }, effects: [] };
      return {
        state: { ...state, code: null, open: true },
        effects: [{ do: "draw_words", digits: event.digits }],
      };
    case "resumed":
      return used ? withdraw(state) : { state, effects: [] };
    case "words": {
      const { digits, words } = event;
      // Digits that no viewer is told can only serve strangers.
      if (words === null || used) return withdraw(state);
      const code = { digits, words };
      return { state: { ...state, code }, effects: [{ do: "show", code }] };
    }
    case "guess":
      return { state: { ...state, misses: state.misses + 1 }, effects: [] };
    case "guess_right":
      return { state: { ...state, misses: state.misses - 1 }, effects: [] };
    case "guess_lost":
      return miss(state, "code");
    case "unproved":
      return turnAway(state, event.by, event.counted);
    case "joined":
      return { state: { ...state, dismissed: false }, effects: [] };
    default:
      return event satisfies never;
  }
}

function withdraw(state: GuardState): GuardStep {
  return { state: { ...state, code: null }, effects: [{ do: "withdraw" }] };
}

function miss(state: GuardState, by: AttemptedProof): GuardStep {
  const withdrawn = state.code !== null && state.misses >= MAX_CODE_GUESSES;
  const step = withdrawn ? withdraw(state) : { state, effects: [] };
  return { state: step.state, effects: [...step.effects, { do: "report", by, withdrawn }] };
}

function turnAway(before: GuardState, by: AttemptedProof, counted: boolean): GuardStep {
  const misses = before.misses + (counted ? 0 : 1);
  const state = { ...before, misses, dismissed: true };
  const keep = { do: "keep", misses } as const;
  if (misses >= MAX_TURNED_AWAY) return { state, effects: [keep, { do: "give_up" }] };
  const missed = miss(state, by);
  // The code is withdrawn before the seat is freed: somebody else who tries the digits must not get
  // a seat where no code is accepted any more.
  return { state: missed.state, effects: [keep, ...missed.effects, { do: "dismiss" }] };
}
