import { judge, type Poll, suspect, UNSEEN } from "../../lib/connection/path_monitor.ts";
import type { Pair } from "../../lib/connection/route.ts";
import { assertEquals } from "../support/assert.ts";

const PAIR: Pair = {
  id: "a",
  route: "direct",
  relayProtocol: null,
  unanswered: false,
  heard: 1,
  roundTrip: 0,
};

/** Polls every 200 ms, beginning at 10 s; returns when the path was first called silent, in ms. */
function silentAfter(
  polls: number,
  pairAt: (i: number) => Pair,
  { state = UNSEEN, ...rest }: Partial<Poll> & { state?: typeof UNSEEN } = {},
): number | null {
  for (let i = 0; i < polls; i++) {
    const now = 10_000 + i * 200;
    const verdict = judge(state, {
      now,
      pair: pairAt(i),
      actedAt: -Infinity,
      online: true,
      ...rest,
    });
    if (verdict.silent) return i * 200;
    state = verdict.state;
  }
  return null;
}

Deno.test("a path that hears something is never silent, however long an answer takes", () => {
  assertEquals(silentAfter(100, (i) => ({ ...PAIR, unanswered: true, heard: i })), null);
});

Deno.test("an unanswered check makes it silent after 400 ms, or two round trips", () => {
  const unanswered = (roundTrip: number) => () => ({ ...PAIR, unanswered: true, roundTrip });
  assertEquals(silentAfter(100, unanswered(0)), 400);
  assertEquals(silentAfter(100, unanswered(350)), 800);
});

Deno.test("without counts of checks, nothing heard for 7 s makes it silent", () => {
  assertEquals(silentAfter(100, () => PAIR), 7_000);
});

Deno.test("each suspicion doubles the patience", () => {
  const state = suspect(suspect(UNSEEN));
  assertEquals(silentAfter(100, () => ({ ...PAIR, unanswered: true }), { state }), 1_600);
});

Deno.test("nothing is said for 2 s after an action, nor without a network", () => {
  const unanswered = () => ({ ...PAIR, unanswered: true });
  assertEquals(silentAfter(100, unanswered, { actedAt: 10_000 }), 2_400);
  assertEquals(silentAfter(100, unanswered, { online: false }), null);
});

Deno.test("another candidate pair is told, and begins anew", () => {
  const poll = { now: 1, actedAt: -Infinity, online: true };
  const first = judge(UNSEEN, { ...poll, pair: PAIR });
  assertEquals(first.switched, false);
  const second = judge(first.state, { ...poll, now: 9_000, pair: { ...PAIR, id: "b" } });
  assertEquals([second.switched, second.silent], [true, false]);
});
