import {
  type Life,
  type LifeEvent,
  senderPhase,
  transition,
  viewerPhase,
} from "../../lib/pages/phases.ts";
import { DEFAULT_RULES } from "../../lib/protocol/display_options.ts";
import type { IncomingPicture } from "../../lib/pictures/inbox.ts";
import type { Incoming } from "../../lib/pictures/incoming.ts";
import type { OutgoingPicture } from "../../lib/pictures/outgoing_list.ts";
import { isFinished, type Outgoing } from "../../lib/pictures/outgoing.ts";
import { assertEquals } from "../support/assert.ts";
import { prepared } from "../pictures/pictures.ts";

const LIVES = {
  idle: { at: "idle" },
  starting: { at: "starting" },
  waiting: { at: "waiting" },
  connecting: { at: "connecting" },
  live: { at: "live" },
  ended: { at: "ended", reason: "done" },
  failed: { at: "failed", reason: "timeout" },
} as const satisfies { [K in Life["at"]]: Life & { at: K } };

const EVENTS = {
  start: { type: "start" },
  seated: { type: "seated" },
  here: { type: "peer", here: true },
  gone: { type: "peer", here: false },
  bound: { type: "bound" },
  end: { type: "end", reason: "left" },
  fail: { type: "fail", reason: "network" },
} as const satisfies Record<string, LifeEvent>;

type Name = keyof typeof LIVES;

/** The state after each event; `=` where it changes nothing. */
const TABLE: Record<Name, Record<keyof typeof EVENTS, Name | "=">> = {
  // deno-fmt-ignore
  idle: {
    start: "starting", seated: "=", here: "=", gone: "=", bound: "live", end: "ended",
    fail: "failed",
  },
  // deno-fmt-ignore
  starting: {
    start: "=", seated: "waiting", here: "=", gone: "=", bound: "live", end: "ended",
    fail: "failed",
  },
  // deno-fmt-ignore
  waiting: {
    start: "=", seated: "=", here: "connecting", gone: "waiting", bound: "live", end: "ended",
    fail: "failed",
  },
  // deno-fmt-ignore
  connecting: {
    start: "=", seated: "=", here: "connecting", gone: "waiting", bound: "live", end: "ended",
    fail: "failed",
  },
  // deno-fmt-ignore
  live: { start: "=", seated: "=", here: "=", gone: "=", bound: "live", end: "ended", fail: "=" },
  // deno-fmt-ignore
  ended: { start: "=", seated: "=", here: "=", gone: "=", bound: "=", end: "=", fail: "=" },
  // deno-fmt-ignore
  failed: { start: "=", seated: "=", here: "=", gone: "=", bound: "=", end: "=", fail: "=" },
};

for (const [from, row] of Object.entries(TABLE)) {
  Deno.test(`a session that is ${from} knows every event`, () => {
    const life = LIVES[from as Name];
    for (const [name, event] of Object.entries(EVENTS)) {
      const next = transition(life, event);
      assertEquals(
        next === life ? "=" : next.at,
        row[name as keyof typeof EVENTS],
        `${from} + ${name}`,
      );
    }
  });
}

Deno.test("the first reason is the one that stays", () => {
  const ended = transition(LIVES.live, { type: "end", reason: "burned" });
  assertEquals(transition(ended, { type: "end", reason: "lost" }), {
    at: "ended",
    reason: "burned",
  });
  const failed = transition(LIVES.waiting, { type: "fail", reason: "busy" });
  assertEquals(transition(failed, { type: "fail", reason: "network" }), {
    at: "failed",
    reason: "busy",
  });
});

function outgoing(...states: readonly Outgoing[]): OutgoingPicture[] {
  const rules = { ...DEFAULT_RULES, seconds: 3 };
  const details = {
    caption: "",
    alt: "",
    named: false,
    coming: null,
    editing: false,
    request: null,
  };
  return states.map((state, n) => ({
    ...details,
    id: n,
    n,
    name: "",
    prepared: prepared(),
    rules,
    state,
  }));
}

const CLOSED = { at: "closed", why: "timer", ms: 1 } as const satisfies Outgoing;

const SENDER: readonly [
  name: string,
  life: Life,
  states: readonly Outgoing[],
  phase: string,
  preparing?: boolean,
][] = [
  ["nothing was chosen", LIVES.idle, [], "idle"],
  ["a file is being prepared", LIVES.idle, [], "preparing", true],
  ["the seat is being taken", LIVES.starting, [{ at: "queued" }], "preparing"],
  ["nobody has joined", LIVES.waiting, [{ at: "queued" }], "waiting"],
  ["somebody has joined", LIVES.connecting, [{ at: "queued" }], "connecting"],
  ["nothing is being sent", LIVES.live, [{ at: "queued" }], "connected"],
  ["there is no picture", LIVES.live, [], "connected"],
  ["it is under way", LIVES.live, [{ at: "sending", sent: 1 }], "sending"],
  ["it was delivered", LIVES.live, [{ at: "delivered" }], "delivered"],
  ["its viewer asks to see it", LIVES.live, [{ at: "asked" }], "delivered"],
  ["it was opened", LIVES.live, [{ at: "opened" }], "opened"],
  ["it is on screen", LIVES.live, [{ at: "shown" }], "shown"],
  ["it was closed", LIVES.live, [CLOSED], "closed"],
  ["it was burned", LIVES.live, [{ at: "burned" }], "closed"],
  ["it was refused", LIVES.live, [{ at: "refused", code: "corrupt", opened: false }], "closed"],
  ["its file can't be read", LIVES.live, [{ at: "unreadable" }], "closed"],
  ["the next one waits", LIVES.live, [CLOSED, { at: "queued" }], "closed"],
  ["the next one is being sent", LIVES.live, [CLOSED, { at: "sending", sent: 0 }], "sending"],
  [
    "one is on screen and the next one is there",
    LIVES.live,
    [CLOSED, { at: "shown" }, { at: "delivered" }],
    "shown",
  ],
  ["another file is being prepared meanwhile", LIVES.live, [{ at: "shown" }], "shown", true],
  ["it is over", LIVES.ended, [CLOSED], "ended"],
  ["it failed", LIVES.failed, [{ at: "queued" }], "failed"],
];

for (const [name, life, states, phase, preparing = false] of SENDER) {
  Deno.test(`the sender's page is ${phase} when ${name}`, () => {
    const pictures = outgoing(...states);
    const at = pictures.filter(({ state }) => isFinished(state)).length;
    assertEquals(senderPhase(life, { pictures, at, preparing }), phase);
  });
}

Deno.test("a moment after closing the page still says so, though the next one is there", () => {
  const pictures = outgoing(CLOSED, { at: "delivered" });
  assertEquals(senderPhase(LIVES.live, { pictures, at: 0, preparing: false }), "closed");
});

function incoming(state: Incoming): IncomingPicture {
  const view = { ...DEFAULT_RULES, seconds: 3 };
  const meta = { t: "meta", n: 0, type: "image/png", size: 1, w: 1, h: 1, view } as const;
  return { meta, state, request: null };
}

const VIEWER: readonly [name: string, life: Life, state: Incoming | null, phase: string][] = [
  ["nothing was pressed", LIVES.idle, null, "idle"],
  ["the seat is being taken", LIVES.starting, null, "connecting"],
  ["the sender is away", LIVES.waiting, null, "connecting"],
  ["the handshake runs", LIVES.connecting, null, "connecting"],
  ["nothing was announced", LIVES.live, null, "connected"],
  ["it is under way", LIVES.live, { at: "receiving", received: 1 }, "receiving"],
  ["it was delivered", LIVES.live, { at: "delivered" }, "delivered"],
  ["it is being opened", LIVES.live, { at: "opening", waits: "owner" }, "delivered"],
  ["it is on screen", LIVES.live, { at: "viewing" }, "viewing"],
  ["it was closed", LIVES.live, CLOSED, "closed"],
  ["it was taken back", LIVES.live, { at: "revoked" }, "closed"],
  ["it can't be used", LIVES.live, { at: "failed", code: "corrupt" }, "closed"],
  ["it is over", LIVES.ended, { at: "lost" }, "ended"],
  ["it failed", LIVES.failed, null, "failed"],
];

for (const [name, life, state, phase] of VIEWER) {
  Deno.test(`the viewer's page is ${phase} when ${name}`, () => {
    assertEquals(viewerPhase(life, state === null ? null : incoming(state)), phase);
  });
}
