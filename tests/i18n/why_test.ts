/**
 * Every end and every failure has a screen: what happened, whether anything was seen, what to do
 * now.
 *
 * @module
 */
import { senderWhy, spoken, viewerWhy } from "../../components/messages.ts";
import { TEXTS } from "../../lib/i18n/catalogue.ts";
import type { Why } from "../../lib/i18n/texts.ts";
import type { EndReason, FailReason } from "../../lib/pages/phases.ts";
import { assert, assertMatch } from "../support/assert.ts";

const en = TEXTS.en.island;

/** All of them: a new one that is missing here fails the type check. */
const ENDS: Record<EndReason, true> = {
  done: true,
  burned: true,
  left: true,
  peer_left: true,
  lost: true,
  protocol: true,
  mismatch: true,
};
const FAILURES: Record<FailReason, true> = {
  refused: true,
  superseded: true,
  busy: true,
  dismissed: true,
  access: true,
  unreachable: true,
  protocol: true,
  room_deleted: true,
  room_expired: true,
  room_lost: true,
  network: true,
  timeout: true,
  verification: true,
  wrong_code: true,
  no_relay: true,
  no_webrtc: true,
  insecure: true,
  old_browser: true,
  bad_link: true,
  foreign_link: true,
  forgotten: true,
};

function namesOf<K extends string>(table: Record<K, true>): K[] {
  return Object.keys(table) as K[];
}

function assertWhole({ title, happened, todo }: Why, where: string): void {
  assertMatch(title, /^\p{Lu}.{2,}[^.]$/u, `${where}: the headline`);
  assertMatch(happened, /^\p{Lu}.{10,}\.$/u, `${where}: what happened`);
  assertMatch(todo, /^\p{Lu}.{6,}\.$/u, `${where}: what to do now`);
  assert(happened !== todo && title !== happened, `${where}: says one thing twice`);
}

for (const reason of namesOf(ENDS)) {
  Deno.test(`the end "${reason}" is explained on both pages, with what to do`, () => {
    assertWhole(senderWhy(en, { at: "ended", reason }), "sender");
    assertWhole(en.ended.viewer[reason], "viewer");
  });
}

for (const reason of namesOf(FAILURES)) {
  Deno.test(`the failure "${reason}" is explained on both pages, with what to do`, () => {
    assertWhole(senderWhy(en, { at: "failed", reason }), "sender");
    for (const by of ["link", "code"] as const) {
      assertWhole(viewerWhy(en, reason, { by, retry: undefined }), `viewer by ${by}`);
    }
  });
}

Deno.test("the access key of another host is to be entered there", () => {
  const life = { at: "failed", reason: "access" } as const;
  const why = senderWhy(en, life, { elsewhere: "signal.example" });
  assertWhole(why, "sender");
  assertMatch(why.todo, /signal\.example/);
  assert(senderWhy(en, life).todo !== why.todo);
});

Deno.test("a reloaded page claims nothing about what it showed or saw before its reload", () => {
  const claims = /no picture was sent|before any|nobody came|nothing was seen|has not left/i;
  for (const reason of namesOf(FAILURES)) {
    const sender = senderWhy(en, { at: "failed", reason }, { again: true });
    assertWhole(sender, "sender");
    for (
      const why of [
        sender,
        viewerWhy(en, reason, { by: "link", retry: undefined, again: true }),
        viewerWhy(en, reason, { by: "code", retry: undefined, again: true }),
      ]
    ) assert(!claims.test(spoken(en, why)), `${reason}: ${spoken(en, why)}`);
  }
});

Deno.test("a busy server's delay is quoted", () => {
  const why = viewerWhy(en, "busy", { by: "link", retry: 30 });
  assertWhole(why, "viewer");
  assertMatch(why.todo, /30 seconds/);
  assertMatch(senderWhy(en, { at: "failed", reason: "busy", retry: 1 }).todo, /1 second\./);
});

Deno.test("where nothing began, the page says that nothing was seen", () => {
  assertMatch(en.why.nothingSeen, /nothing was seen/i);
  assertMatch(en.why.stayed, /nothing was seen/i);
});
