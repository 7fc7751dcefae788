import {
  guard,
  type GuardEffect,
  type GuardEvent,
  guardFrom,
  type GuardState,
} from "../../lib/connection/visitor_guard.ts";
import { MAX_CODE_GUESSES } from "../../lib/protocol/limits.ts";
import { assertEquals } from "../support/assert.ts";

const CODE = { digits: "4821", words: "crystal-orbit-lemon" };
const SHOWN = guardFrom({ code: CODE });

/** The state after `events`, and what was done. */
function after(
  state: GuardState,
  ...events: readonly GuardEvent[]
): { state: GuardState; done: GuardEffect["do"][] } {
  const done: GuardEffect["do"][] = [];
  for (const event of events) {
    const step = guard(state, event);
    state = step.state;
    done.push(...step.effects.map((effect) => effect.do));
  }
  return { state, done };
}

const UNPROVED = { type: "unproved", by: "silence", counted: false } as const;

Deno.test("digits get words, and both are shown; without words the digits are withdrawn", () => {
  const words = { type: "words", ...CODE } as const;
  const made = { type: "created", digits: CODE.digits } as const;
  assertEquals(after(guardFrom({}), made, words), { state: SHOWN, done: ["draw_words", "show"] });
  const { state, done } = after(guardFrom({}), made, { ...words, words: null });
  assertEquals([state.code, state.open, done], [null, true, ["draw_words", "withdraw"]]);
  assertEquals(after(guardFrom({}), { type: "created", digits: null }).state, guardFrom({}));
});

Deno.test("the third visitor who proves nothing costs the code, before the seat is free", () => {
  const once = after(SHOWN, UNPROVED);
  assertEquals(once.done, ["keep", "report", "dismiss"]);
  const last = after(SHOWN, ...Array.from({ length: MAX_CODE_GUESSES }, () => UNPROVED));
  assertEquals(last.done.slice(-4), ["keep", "withdraw", "report", "dismiss"]);
  assertEquals([last.state.code, last.state.open], [null, true]);
});

Deno.test("a guess counts once: when it arrives, and not again when it was wrong", () => {
  const wrong = after(SHOWN, { type: "guess" }, { ...UNPROVED, by: "code", counted: true });
  assertEquals(wrong.state.misses, 1);
  assertEquals(after(SHOWN, { type: "guess" }, { type: "guess_right" }).state.misses, 0);
  const lost = after(SHOWN, { type: "guess" }, { type: "guess_lost" });
  assertEquals([lost.state.misses, lost.done], [1, ["report"]]);
});

Deno.test("a server that forgot the withdrawal is told again, at any claim", () => {
  const spent = guardFrom({ misses: MAX_CODE_GUESSES });
  for (
    const event of [
      { type: "created", digits: "1111" },
      { type: "resumed" },
      { type: "words", ...CODE },
    ] as const
  ) assertEquals(after(spent, event).done, ["withdraw"]);
});

Deno.test("after ten visitors the sender gives up, and reports nothing more", () => {
  const { done } = after(guardFrom({ misses: 9 }), UNPROVED);
  assertEquals(done, ["keep", "give_up"]);
});

Deno.test("a dismissed visitor is not listened to until somebody joins", () => {
  const dismissed = after(SHOWN, UNPROVED).state;
  assertEquals(dismissed.dismissed, true);
  assertEquals(after(dismissed, { type: "joined" }).state.dismissed, false);
});
