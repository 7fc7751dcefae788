import {
  type Incoming,
  type IncomingEvent,
  isFinished,
  transition,
} from "../../lib/pictures/incoming.ts";
import { assertEquals } from "../support/assert.ts";

const STATES = {
  receiving: { at: "receiving", received: 5 },
  delivered: { at: "delivered" },
  opening: { at: "opening", waits: "owner" },
  viewing: { at: "viewing" },
  closed: { at: "closed", why: "timer", ms: 3_000 },
  revoked: { at: "revoked" },
  failed: { at: "failed", code: "corrupt" },
  lost: { at: "lost" },
} as const satisfies { [K in Incoming["at"]]: Incoming & { at: K } };

const EVENTS = {
  progress: { type: "progress", received: 9 },
  complete: { type: "complete" },
  open: { type: "open", ask: false },
  unlock: { type: "unlock" },
  painted: { type: "painted" },
  closed: { type: "closed", why: "user", ms: 1_200 },
  revoke: { type: "revoke" },
  fail: { type: "fail", code: "undecodable" },
  over: { type: "over" },
} as const satisfies { [K in IncomingEvent["type"]]: IncomingEvent & { type: K } };

type Name = keyof typeof STATES;

/** The state after each event; `-` where the event does not fit. */
const TABLE: Record<Name, Record<keyof typeof EVENTS, Name | "-">> = {
  // deno-fmt-ignore
  receiving: {
    progress: "receiving", complete: "delivered", open: "-", unlock: "-", painted: "-", closed: "-",
    revoke: "revoked", fail: "failed", over: "lost",
  },
  // deno-fmt-ignore
  delivered: {
    progress: "-", complete: "-", open: "opening", unlock: "-", painted: "-", closed: "-",
    revoke: "revoked", fail: "failed", over: "lost",
  },
  // deno-fmt-ignore
  opening: {
    progress: "-", complete: "-", open: "-", unlock: "opening", painted: "viewing",
    closed: "closed", revoke: "revoked", fail: "failed", over: "lost",
  },
  // deno-fmt-ignore
  viewing: {
    progress: "-", complete: "-", open: "-", unlock: "-", painted: "-", closed: "closed",
    revoke: "revoked", fail: "failed", over: "lost",
  },
  // deno-fmt-ignore
  closed: {
    progress: "-", complete: "-", open: "-", unlock: "-", painted: "-", closed: "-", revoke: "-",
    fail: "-", over: "-",
  },
  // deno-fmt-ignore
  revoked: {
    progress: "-", complete: "-", open: "-", unlock: "-", painted: "-", closed: "-", revoke: "-",
    fail: "-", over: "-",
  },
  // deno-fmt-ignore
  failed: {
    progress: "-", complete: "-", open: "-", unlock: "-", painted: "-", closed: "-", revoke: "-",
    fail: "-", over: "-",
  },
  // deno-fmt-ignore
  lost: {
    progress: "-", complete: "-", open: "-", unlock: "-", painted: "-", closed: "-", revoke: "-",
    fail: "-", over: "-",
  },
};

for (const [from, row] of Object.entries(TABLE)) {
  Deno.test(`an incoming picture that is ${from} knows every event`, () => {
    for (const event of Object.values(EVENTS)) {
      const next = transition(STATES[from as Name], event);
      assertEquals(next?.at ?? "-", row[event.type], `${from} + ${event.type}`);
    }
  });
}

Deno.test("the state that follows has what the event contained", () => {
  assertEquals(transition(STATES.receiving, EVENTS.progress), { at: "receiving", received: 9 });
  assertEquals(transition(STATES.viewing, EVENTS.closed), { at: "closed", why: "user", ms: 1_200 });
  assertEquals(transition(STATES.opening, EVENTS.fail), { at: "failed", code: "undecodable" });
});

Deno.test("what a picture that is being opened waits for is known, and a key comes once", () => {
  for (const [ask, waits] of [[true, "owner"], [false, "key"]] as const) {
    const opening = { at: "opening", waits } as const;
    assertEquals(transition(STATES.delivered, { type: "open", ask }), opening);
    assertEquals(transition(opening, EVENTS.unlock), { at: "opening", waits: "frame" });
  }
  assertEquals(transition({ at: "opening", waits: "frame" }, EVENTS.unlock), null);
});

Deno.test("nothing can happen to a finished picture", () => {
  const finished = Object.values(STATES).filter((state) => isFinished(state));
  assertEquals(finished.map(({ at }) => at), ["closed", "revoked", "failed", "lost"]);
});
