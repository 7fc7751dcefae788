import {
  isFinished,
  isOpen,
  type Outgoing,
  type OutgoingEvent,
  transition,
} from "../../lib/pictures/outgoing.ts";
import { assertEquals } from "../support/assert.ts";

const STATES = {
  queued: { at: "queued" },
  sending: { at: "sending", sent: 5 },
  delivered: { at: "delivered" },
  asked: { at: "asked" },
  opened: { at: "opened" },
  shown: { at: "shown" },
  closed: { at: "closed", why: "timer", ms: 3_000 },
  burned: { at: "burned" },
  refused: { at: "refused", code: "corrupt", opened: false },
  unreadable: { at: "unreadable" },
  unseen: { at: "unseen" },
  unconfirmed: { at: "unconfirmed" },
} as const satisfies { [K in Outgoing["at"]]: Outgoing & { at: K } };

const EVENTS = {
  progress: { type: "progress", sent: 9 },
  got: { type: "got" },
  open: { type: "open", ask: false },
  allow: { type: "allow" },
  shown: { type: "shown" },
  closed: { type: "closed", why: "user", ms: 1_200 },
  abort: { type: "abort", code: "undecodable" },
  unreadable: { type: "unreadable" },
  burn: { type: "burn" },
  again: { type: "again" },
  overdue: { type: "overdue" },
  over: { type: "over" },
} as const satisfies { [K in OutgoingEvent["type"]]: OutgoingEvent & { type: K } };

type Name = keyof typeof STATES;

/** The state after each event; `-` where the event does not fit, `=` where it changes nothing. */
const TABLE: Record<Name, Record<keyof typeof EVENTS, Name | "-" | "=">> = {
  // deno-fmt-ignore
  queued: {
    again: "=", progress: "sending", got: "-", open: "-", allow: "-", shown: "-", closed: "-",
    abort: "-", unreadable: "-", overdue: "-", burn: "burned", over: "unseen",
  },
  // deno-fmt-ignore
  sending: {
    again: "queued", progress: "sending", got: "delivered", open: "-", allow: "-", shown: "-",
    closed: "-", abort: "refused", unreadable: "unreadable", overdue: "-", burn: "burned",
    over: "unseen",
  },
  // deno-fmt-ignore
  delivered: {
    again: "queued", progress: "-", got: "-", open: "opened", allow: "-", shown: "-", closed: "-",
    abort: "refused", unreadable: "-", overdue: "-", burn: "burned", over: "unseen",
  },
  // deno-fmt-ignore
  asked: {
    again: "queued", progress: "-", got: "-", open: "-", allow: "opened", shown: "-", closed: "-",
    abort: "refused", unreadable: "-", overdue: "-", burn: "burned", over: "unseen",
  },
  // deno-fmt-ignore
  opened: {
    again: "=", progress: "-", got: "-", open: "-", allow: "-", shown: "shown", closed: "-",
    abort: "refused", unreadable: "-", overdue: "unconfirmed", burn: "=", over: "unconfirmed",
  },
  // deno-fmt-ignore
  shown: {
    again: "=", progress: "-", got: "-", open: "-", allow: "-", shown: "-", closed: "closed",
    abort: "-", unreadable: "-", overdue: "unconfirmed", burn: "=", over: "unconfirmed",
  },
  // deno-fmt-ignore
  closed: {
    again: "=", progress: "-", got: "-", open: "-", allow: "-", shown: "-", closed: "-", abort: "-",
    unreadable: "-", overdue: "-", burn: "=", over: "=",
  },
  // deno-fmt-ignore
  burned: {
    again: "=", progress: "-", got: "-", open: "-", allow: "-", shown: "-", closed: "-", abort: "-",
    unreadable: "-", overdue: "-", burn: "=", over: "=",
  },
  // deno-fmt-ignore
  refused: {
    again: "=", progress: "-", got: "-", open: "-", allow: "-", shown: "-", closed: "-", abort: "-",
    unreadable: "-", overdue: "-", burn: "=", over: "=",
  },
  // deno-fmt-ignore
  unreadable: {
    again: "=", progress: "-", got: "-", open: "-", allow: "-", shown: "-", closed: "-", abort: "-",
    unreadable: "-", overdue: "-", burn: "=", over: "=",
  },
  // deno-fmt-ignore
  unseen: {
    again: "=", progress: "-", got: "-", open: "-", allow: "-", shown: "-", closed: "-", abort: "-",
    unreadable: "-", overdue: "-", burn: "=", over: "=",
  },
  // deno-fmt-ignore
  unconfirmed: {
    again: "=", progress: "-", got: "-", open: "-", allow: "-", shown: "-", closed: "-", abort: "-",
    unreadable: "-", overdue: "-", burn: "=", over: "=",
  },
};

for (const [from, row] of Object.entries(TABLE)) {
  Deno.test(`an outgoing picture that is ${from} knows every event`, () => {
    const state = STATES[from as Name];
    for (const event of Object.values(EVENTS)) {
      const next = transition(state, event);
      const found = next === null ? "-" : next === state ? "=" : next.at;
      assertEquals(found, row[event.type], `${from} + ${event.type}`);
    }
  });
}

Deno.test("the state that follows has what the event contained", () => {
  assertEquals(transition(STATES.queued, EVENTS.progress), { at: "sending", sent: 9 });
  assertEquals(transition(STATES.shown, EVENTS.closed), { at: "closed", why: "user", ms: 1_200 });
  assertEquals(transition(STATES.opened, EVENTS.abort), {
    at: "refused",
    code: "undecodable",
    opened: true,
  });
});

Deno.test("with “ask me” the sender is asked before opening, and may not answer", () => {
  assertEquals(transition(STATES.delivered, { type: "open", ask: true }), { at: "asked" });
  const gone = { type: "closed", why: "user", ms: 0 } as const;
  assertEquals(transition(STATES.asked, gone), { at: "closed", why: "user", ms: 0 });
  assertEquals(transition(STATES.asked, { ...gone, ms: 1 }), null);
});

Deno.test("what was closed before it was shown was not seen for any time", () => {
  const closed = { at: "closed", why: "user", ms: 0 } as const;
  assertEquals(transition(STATES.opened, { ...EVENTS.closed, ms: 0 }), closed);
  assertEquals(transition(STATES.opened, { ...EVENTS.closed, ms: 1 }), null);
});

Deno.test("what the viewer's browser can't animate is shown, and known to be still", () => {
  assertEquals(transition(STATES.opened, { type: "shown", still: true }), {
    at: "shown",
    still: true,
  });
  const { shown, delivered } = STATES;
  assertEquals(transition(shown, { type: "shown", still: true }), null);
  assertEquals(transition(delivered, { type: "shown", still: true }), null);
  assertEquals(isOpen({ at: "shown", still: true }), true);
});

Deno.test("open pictures are opened and shown; nothing happens to finished ones", () => {
  const names = (test: (state: Outgoing) => boolean) =>
    Object.values(STATES).filter(test).map(({ at }) => at);
  assertEquals(names(isOpen), ["opened", "shown"]);
  assertEquals(names(isFinished), [
    "closed",
    "burned",
    "refused",
    "unreadable",
    "unseen",
    "unconfirmed",
  ]);
});

Deno.test("a picture is never called seen, or closed, without the viewer's report", () => {
  for (const type of ["burn", "over", "overdue", "unreadable", "abort", "progress"] as const) {
    for (const state of Object.values(STATES)) {
      const next = transition(state, EVENTS[type]);
      if (next === null || next === state) continue;
      assertEquals(["shown", "closed", "opened", "delivered"].includes(next.at), false);
    }
  }
});
