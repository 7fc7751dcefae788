import { DEFAULT_RULES } from "../../lib/protocol/display_options.ts";
import { keepPreferences, parsePreferences, readPreferences } from "../../lib/pages/preferences.ts";
import { assertEquals } from "../support/assert.ts";
import { withGlobals } from "../support/fake_time.ts";

const NOTHING = { rules: DEFAULT_RULES, relay: false, fullSize: false };

/** Storage of a page. */
function storage(): Pick<Storage, "getItem" | "setItem"> & { readonly kept: Map<string, string> } {
  const kept = new Map<string, string>();
  return {
    kept,
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
  };
}

Deno.test("nothing, nonsense and other versions of the page read as the defaults", () => {
  for (const text of [null, "", "{", "null", "[]", "3", '{"relay":1,"sound":true,"seconds":-1}']) {
    assertEquals(parsePreferences(text), NOTHING);
  }
});

Deno.test("what is changed is kept, beside what was kept before; no text of a watermark", () => {
  const localStorage = storage();
  using _page = withGlobals({ localStorage });
  keepPreferences({ relay: true });
  const rules = { ...DEFAULT_RULES, seconds: 30, hold: true, mark: "for Anna" };
  keepPreferences({ rules });
  assertEquals(readPreferences(), { rules: { ...rules, mark: "" }, relay: true, fullSize: false });
  assertEquals([...localStorage.kept.values()].join().includes("Anna"), false);
});

Deno.test("blocked storage costs only convenience", () => {
  const fail = () => {
    throw new DOMException("blocked", "SecurityError");
  };
  using _page = withGlobals({ localStorage: { getItem: fail, setItem: fail } });
  keepPreferences({ relay: true });
  assertEquals(readPreferences(), NOTHING);
});
