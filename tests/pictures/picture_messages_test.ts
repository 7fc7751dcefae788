import { dispatch, type Handlers } from "../../lib/pictures/picture_messages.ts";
import type { ControlMessage, MetaMessage } from "../../lib/protocol/control.ts";
import type { Bytes } from "../../lib/protocol/bytes.ts";
import { DEFAULT_RULES } from "../../lib/protocol/display_options.ts";
import { assertEquals, assertRejects } from "../support/assert.ts";

const META: MetaMessage = {
  t: "meta",
  n: 0,
  type: "image/png",
  size: 1,
  w: 1,
  h: 1,
  view: DEFAULT_RULES,
};

/** What each message is handed on as. `more` is for the session once it can be granted. */
const CALLS: { readonly [T in ControlMessage["t"]]: readonly [ControlMessage & { t: T }, string] } =
  {
    meta: [META, "inbox.announced"],
    end: [{ t: "end", n: 1, digest: "d" }, "inbox.ended 1 d"],
    key: [{ t: "key", n: 1, key: "k" }, "inbox.unlock 1 k"],
    revoke: [{ t: "revoke", n: 1 }, "inbox.revoked 1"],
    extend: [{ t: "extend", n: 1, seconds: 5 }, "inbox.extended 1 5"],
    got: [{ t: "got", n: 1 }, 'outbox.report 1 {"type":"got"}'],
    open: [{ t: "open", n: 1 }, 'outbox.report 1 {"type":"open","ask":false}'],
    shown: [{ t: "shown", n: 1, still: true }, 'outbox.report 1 {"type":"shown","still":true}'],
    closed: [
      { t: "closed", n: 1, why: "user", ms: 7 },
      'outbox.report 1 {"type":"closed","why":"user","ms":7}',
    ],
    abort: [
      { t: "abort", code: "corrupt", n: 1 },
      'outbox.report 1 {"type":"abort","code":"corrupt"}',
    ],
    more: [{ t: "more", n: 1 }, "outbox.request 1 more"],
    back: [{ t: "back", next: 2 }, "session.onBack 2"],
    keep: [{ t: "keep", on: true }, "session.onKeep true"],
    bye: [{ t: "bye", why: "done" }, "session.onBye done"],
  };

function say(value: unknown): string {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** Handlers that note what is called, without bytes. */
function noting(notes: string[]): Handlers {
  const noter = (who: string) => (what: string) => (...values: readonly unknown[]) => {
    const shown = what === "announced" ? [] : values.filter((value) => value !== undefined);
    notes.push([`${who}.${what}`, ...shown.map(say)].join(" "));
    return null;
  };
  const [inbox, outbox, session] = [noter("inbox"), noter("outbox"), noter("session")];
  return {
    inbox: {
      announced: (...values) => Promise.resolve(void inbox("announced")(...values)),
      ended: (...values) => Promise.resolve(void inbox("ended")(...values)),
      unlock: inbox("unlock"),
      revoked: inbox("revoked"),
      extended: inbox("extended"),
    },
    outbox: {
      report: (...values) => Promise.resolve(void outbox("report")(...values)),
      request: outbox("request"),
    },
    session: {
      onBack: session("onBack"),
      onKeep: session("onKeep"),
      onBye: session("onBye"),
      onAbort: session("onAbort"),
      onRequest: session("onRequest"),
    },
  };
}

async function handedOn(message: ControlMessage, plaintext: Bytes = new Uint8Array(256)) {
  const notes: string[] = [];
  await dispatch({ message, plaintext }, noting(notes));
  return notes;
}

for (const [t, [message, call]] of Object.entries(CALLS)) {
  Deno.test(`\`${t}\` is handed to one handler`, async () => {
    assertEquals(await handedOn(message), [call]);
  });
}

Deno.test("everything is taken back at once, and a session is given up as a whole", async () => {
  assertEquals(await handedOn({ t: "revoke", all: true }), ["inbox.revoked null"]);
  assertEquals(await handedOn({ t: "abort", code: "protocol" }), ["session.onAbort"]);
});

Deno.test("the plaintext of a key is overwritten", async () => {
  const plaintext = new Uint8Array(256).fill(7);
  await handedOn({ t: "key", n: 0, key: "k" }, plaintext);
  assertEquals(plaintext, new Uint8Array(256));
});

Deno.test("what a handler throws ends up with the caller", async () => {
  const handlers = noting([]);
  const report = () => Promise.reject(new RangeError("too early"));
  await assertRejects(
    () =>
      dispatch({ message: { t: "got", n: 0 }, plaintext: new Uint8Array() }, {
        ...handlers,
        outbox: { ...handlers.outbox, report },
      }),
    RangeError,
  );
});
