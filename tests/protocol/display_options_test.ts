import {
  DEFAULT_RULES,
  DISPLAY_OPTIONS,
  FLAGS,
  fromRemembered,
  parseRules,
  toRemember,
} from "../../lib/protocol/display_options.ts";
import { assertEquals } from "../support/assert.ts";

const CHOSEN = { seconds: 30, hold: true, mark: "for Anna", ask: true };

Deno.test("every option has its default, which the parser takes", () => {
  assertEquals(DEFAULT_RULES, { seconds: 10, hold: false, ask: false, mark: "" });
  assertEquals(parseRules(DEFAULT_RULES), DEFAULT_RULES);
  assertEquals(FLAGS, ["hold", "ask"]);
});

Deno.test("parseRules() returns the options and nothing else", () => {
  assertEquals(parseRules({ ...CHOSEN, admin: true }), CHOSEN);
  for (const value of [undefined, null, "", [], {}]) assertEquals(parseRules(value), null);
});

Deno.test("parseRules() refuses an option that is missing, or of another type or size", () => {
  const wrong = { flag: [0, "true", null], count: [-1, 0.5, "1", NaN], text: [0, null] };
  for (const [name, option] of Object.entries(DISPLAY_OPTIONS)) {
    const values: unknown[] = [undefined, ...wrong[option.kind]];
    if (option.kind === "count") values.push(option.max + 1);
    if (option.kind === "text") values.push("x".repeat(option.max + 1));
    for (const value of values) assertEquals(parseRules({ ...CHOSEN, [name]: value }), null, name);
  }
});

Deno.test("what a browser remembers names nobody, and comes back", () => {
  const kept = toRemember(CHOSEN);
  assertEquals(kept, { seconds: 30, hold: true, ask: true });
  assertEquals(fromRemembered(kept), { ...CHOSEN, mark: "" });
});

Deno.test("what can't be used of what was remembered has its default", () => {
  assertEquals(fromRemembered({ seconds: 601, hold: "yes", ask: true, mark: "for Anna" }), {
    ...DEFAULT_RULES,
    ask: true,
  });
});
