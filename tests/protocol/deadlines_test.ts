import { frameMs, keyMs, lookMs } from "../../lib/protocol/deadlines.ts";
import { DEFAULT_RULES as RULES } from "../../lib/protocol/display_options.ts";
import { assert, assertEquals } from "../support/assert.ts";

Deno.test("a person who has to decide or to press may take their time", () => {
  assertEquals([keyMs(RULES), frameMs(RULES)], [15_000, 30_000]);
  assertEquals(keyMs({ ...RULES, ask: true }), 600_000);
  assertEquals(frameMs({ ...RULES, hold: true }), 600_000);
});

Deno.test("under any rules the viewer's page gives up first, and its report can arrive", () => {
  for (const hold of [true, false]) {
    for (const ask of [true, false]) {
      const rules = { ...RULES, hold, ask };
      assert(lookMs(rules) > 0 && lookMs(rules) <= frameMs(rules) - 5_000);
    }
  }
});
