import {
  attemptOf,
  type ConnectionEffect,
  type ConnectionEvent,
  type ConnectionSettings,
  type ConnectionState,
  isBound,
  JOINING,
  type Successor,
  transition,
} from "../../lib/connection/connection_state.ts";
import { MODE } from "../../lib/protocol/handshake.ts";
import { CONNECT_TIMEOUT_MS, SEAT_GRACE_MS } from "../../lib/protocol/limits.ts";
import { assert, assertEquals } from "../support/assert.ts";

const SENDER: ConnectionSettings = { role: "S", byCode: false };
const VIEWER: ConnectionSettings = { role: "R", byCode: false };

const JOINED = { type: "peer", here: true, by: "join" } as const;
const LEFT = { type: "peer", here: false, by: "leave" } as const;
const LOST = { type: "peer", here: false, by: "lost" } as const;
const RESUMED = { type: "commit", mode: MODE.resume } as const;

interface Run {
  readonly state: ConnectionState;
  readonly done: readonly ConnectionEffect[];
}

/** The state after `events`, and all that was to be done. */
function run(settings: ConnectionSettings, ...events: readonly ConnectionEvent[]): Run {
  return go(settings, { state: JOINING, done: [] }, ...events);
}

function go(
  settings: ConnectionSettings,
  { state, done }: Run,
  ...events: readonly ConnectionEvent[]
): Run {
  for (const event of events) {
    const step = transition(state, event, settings);
    state = step.state;
    done = [...done, ...step.effects];
  }
  return { state, done };
}

function names({ done }: Run): string[] {
  return done.map((effect) => effect.do);
}

/** A viewer whose first attempt is bound, and a sender's. */
const BOUND: Readonly<Record<"R" | "S", Run>> = {
  R: run(
    VIEWER,
    { type: "seated" },
    JOINED,
    { type: "proved", attempt: 0 },
    { type: "bound", attempt: 0 },
  ),
  S: run(
    SENDER,
    { type: "seated" },
    JOINED,
    { type: "commit", mode: MODE.link },
    { type: "proved", attempt: 0 },
    { type: "bound", attempt: 0 },
  ),
};

Deno.test("a viewer begins when the sender is there, and is bound once both are proved", () => {
  const begun = run(VIEWER, { type: "seated" }, JOINED);
  assertEquals([begun.state.at, attemptOf(begun.state)], ["handshaking", 0]);
  assertEquals(names(begun), ["stop_waiting", "tell_peer", "wait", "start"]);
  const proved = go(VIEWER, begun, { type: "proved", attempt: 0 });
  assertEquals(proved.state.at, "connecting");
  const bound = go(VIEWER, proved, { type: "bound", attempt: 0 });
  assertEquals([bound.state.at, isBound(bound.state)], ["connected", true]);
  assertEquals(bound.done.at(-1), { do: "adopt", attempt: 0, before: null });
});

Deno.test("a sender waits for M1, and each M1 starts over", () => {
  const waiting = run(SENDER, { type: "seated" }, JOINED);
  assertEquals([waiting.state.at, names(waiting).at(-1)], ["waiting", "say_reloaded"]);
  const commit = { type: "commit", mode: MODE.link } as const;
  const begun = go(SENDER, waiting, commit, commit);
  assertEquals(begun.done.slice(-3), [
    { do: "start", attempt: 0, settle: false },
    { do: "drop", attempt: 0 },
    { do: "start", attempt: 1, settle: true },
  ]);
});

Deno.test("a lost socket starts over; a viewer whose sender is away asks again", () => {
  const begun = run(VIEWER, { type: "seated" }, JOINED, { type: "seated" });
  assertEquals([begun.state.at, names(begun).at(-1)], ["waiting", "drop"]);
  assertEquals(
    go(VIEWER, begun, { type: "time", of: "attempt" }).done.at(-1),
    { do: "fail", why: "timeout" },
  );
  const away = go(VIEWER, begun, LOST, { type: "time", of: "news" });
  assertEquals([away.state.at, names(away).at(-1)], ["waiting", "renew"]);
});

Deno.test("without a link, everything that ends a try says why, once", () => {
  const begun = run(VIEWER, { type: "seated" }, JOINED);
  const proved = go(VIEWER, begun, { type: "proved", attempt: 0 });
  const failed = { type: "failed", attempt: 0, guarded: false } as const;
  for (
    const [from, event, why] of [
      [begun, { type: "time", of: "attempt" }, "timeout"],
      [proved, { type: "time", of: "attempt" }, "network"],
      [begun, { ...failed, why: "verification" }, "verification"],
      [proved, { ...failed, why: "network" }, "network"],
      [begun, { type: "gone", why: "expired" }, "room_expired"],
      [begun, { type: "signaling_ended", why: "gone" }, "room_deleted"],
      [begun, { type: "signaling_ended", why: "dismissed" }, "dismissed"],
      [begun, { type: "impossible", why: "no_relay" }, "no_relay"],
      [begun, { type: "counted", most: 0 }, "timeout"],
    ] as const
  ) {
    const ended = go(VIEWER, from, event);
    assertEquals(ended.done.at(-1), { do: "fail", why });
    assertEquals(ended.state.at === "closed" && ended.state.why, why);
    assertEquals(go(VIEWER, ended, event, JOINED).done.length, ended.done.length);
  }
  const dismissed = { type: "signaling_ended", why: "dismissed" } as const;
  const byCode = go({ ...VIEWER, byCode: true }, begun, dismissed);
  assertEquals(byCode.done.at(-1), { do: "fail", why: "wrong_code" });
  assertEquals(run(SENDER, dismissed).done.at(-1), { do: "fail", why: "protocol" });
});

Deno.test("a sender turns away who proves nothing, not whose network failed", () => {
  const begun = run(SENDER, { type: "seated" }, JOINED, { type: "commit", mode: MODE.link });
  const wrong = { type: "failed", attempt: 0, why: "verification", guarded: true } as const;
  for (const event of [wrong, { ...wrong, attempt: null }, { type: "overdue" }] as const) {
    const { state, done } = go(SENDER, begun, event);
    assertEquals([state.at, done.at(-1)], ["waiting", { do: "turn_away", attempt: 0 }]);
  }
  const unguarded = go(SENDER, begun, { ...wrong, guarded: false });
  assertEquals(unguarded.done.at(-1), { do: "fail", why: "verification" });
  const proved = go(SENDER, begun, { type: "proved", attempt: 0 });
  assertEquals(go(SENDER, proved, wrong).done.at(-1), { do: "fail", why: "verification" });
  assertEquals(go(SENDER, proved, { type: "overdue" }).state.at, "connecting");
  const network = go(SENDER, proved, { ...wrong, why: "network" });
  assertEquals([network.state.at, names(network).slice(-3)], [
    "waiting",
    ["report_failed", "stop_waiting", "drop"],
  ]);
});

// A link, and its successor

function beside({ state }: Run, successor: Successor | null): ConnectionState {
  assert(isBound(state));
  return { ...state, successor };
}

Deno.test("a link is replaced by its successor when that is bound, and not before", () => {
  for (
    const [settings, bound, event] of [
      [SENDER, BOUND.S, RESUMED],
      [VIEWER, BOUND.R, { type: "reloaded" }],
    ] as const
  ) {
    const begun = go(settings, bound, event);
    const successor = { attempt: 1, proved: false };
    assertEquals(begun.state, { ...beside(bound, successor), next: 2, tries: 1 });
    assertEquals(begun.done.slice(bound.done.length), [
      { do: "wait", for: "successor", ms: CONNECT_TIMEOUT_MS },
      { do: "start", attempt: 1, settle: false },
    ]);
    const proved = go(settings, begun, { type: "proved", attempt: 1 });
    assertEquals(proved.done.at(-1), { do: "wait", for: "successor", ms: SEAT_GRACE_MS });
    const replaced = go(settings, proved, { type: "bound", attempt: 1 });
    assertEquals(replaced.state, {
      at: "connected",
      link: 1,
      successor: null,
      next: 2,
      tries: 0,
      handshakes: 0,
    });
    assertEquals(replaced.done.at(-1), { do: "adopt", attempt: 1, before: 0 });
  }
});

Deno.test("a successor that fails, is too slow or is replaced leaves the link as it was", () => {
  const begun = go(SENDER, BOUND.S, RESUMED);
  for (
    const event of [
      { type: "failed", attempt: 1, why: "verification", guarded: true },
      { type: "failed", attempt: 1, why: "network", guarded: false },
      { type: "time", of: "successor" },
    ] as const
  ) {
    const { state, done } = go(SENDER, begun, event);
    assertEquals(state, beside(begun, null));
    assertEquals(done.slice(begun.done.length), [
      { do: "stop_waiting" },
      { do: "drop", attempt: 1 },
    ]);
  }
  const again = go(SENDER, begun, RESUMED);
  assertEquals(attemptOf(again.state), 2);
  assertEquals(again.done.some((effect) => effect.do === "drop" && effect.attempt === 1), true);
});

Deno.test("only a resumed handshake starts beside a link, and only where it can", () => {
  for (const mode of [MODE.link, MODE.code, 0, undefined]) {
    assertEquals(go(SENDER, BOUND.S, { type: "commit", mode }), BOUND.S);
  }
  assertEquals(go(VIEWER, BOUND.R, RESUMED), BOUND.R);
  assertEquals(go(SENDER, BOUND.S, { type: "reloaded" }), BOUND.S);
});

Deno.test("events of attempts that are over change nothing", () => {
  const late = [
    { type: "proved", attempt: 0 },
    { type: "bound", attempt: 0 },
    { type: "failed", attempt: 0, why: "verification", guarded: true },
  ] as const;
  const begun = run(SENDER, { type: "seated" }, JOINED, RESUMED, RESUMED);
  for (const event of late) assertEquals(go(SENDER, begun, event), begun);
  const replaced = go(SENDER, BOUND.S, RESUMED, { type: "bound", attempt: 1 });
  for (
    const event of [
      ...late,
      { type: "health", attempt: 0, health: "silent" },
      { type: "health", attempt: 0, health: "away" },
    ] as const
  ) assertEquals(go(SENDER, replaced, event), replaced);
});

Deno.test("the server's word about a bound peer reaches the link's repair alone", () => {
  for (const event of [{ type: "gone", why: "deleted" }, { type: "seated" }] as const) {
    assertEquals(go(SENDER, BOUND.S, event), BOUND.S);
  }
  assertEquals(go(SENDER, BOUND.S, LEFT).done.at(-1), { do: "seat_gone", attempt: 0 });
  const reachable = { do: "set_reachable", reachable: false } as const;
  for (const event of [LOST, { type: "unreachable" }] as const) {
    assertEquals(go(SENDER, BOUND.S, event).done.at(-1), reachable);
  }
  assertEquals(go(SENDER, BOUND.S, JOINED).done.at(-1), { ...reachable, reachable: true });
});

Deno.test("a link recovers, or its peer is away, beside a successor as well", () => {
  const silent = go(VIEWER, BOUND.R, { type: "health", attempt: 0, health: "silent" });
  assertEquals(silent.state.at, "recovering");
  assertEquals(
    go(VIEWER, silent, { type: "health", attempt: 0, health: "answers" }).state,
    BOUND.R.state,
  );
  const away = go(VIEWER, silent, { type: "health", attempt: 0, health: "away" }, {
    type: "reloaded",
  });
  assertEquals([away.state.at, attemptOf(away.state)], ["peer_away", 1]);
});

Deno.test("the end is final", () => {
  const { state, done } = go(VIEWER, BOUND.R, { type: "end" });
  assertEquals([state.at, done.length], ["closed", BOUND.R.done.length]);
  for (const event of [JOINED, { type: "reloaded" }, { type: "bound", attempt: 0 }] as const) {
    assertEquals(go(VIEWER, { state, done }, event), { state, done });
  }
});
