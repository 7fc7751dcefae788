import { findLanguage, LANGUAGES, pickLanguage } from "../../lib/i18n/languages.ts";
import { assertEquals } from "../support/assert.ts";

function pick(accepted: string | null, chosen: string | null = null): string {
  return pickLanguage({ chosen, accepted }).tag;
}

Deno.test("the chosen language wins, if it exists", () => {
  assertEquals(pick("de", "ar"), "ar");
  assertEquals(pick("de", "xx"), "de");
});

Deno.test("the most preferred language wins, and the first of equals", () => {
  assertEquals(pick("fr;q=0.3, de;q=0.9, en;q=0.5"), "de");
  assertEquals(pick("fr, de"), "fr");
  assertEquals(pick("xx, pt-BR;q=0.8, en;q=0.7"), "pt");
  assertEquals(pick("zh-Hant-TW"), "zh");
  assertEquals(pick("iw-IL"), "he");
});

Deno.test("a quality of 0 excludes, and nonsense is ignored", () => {
  assertEquals(pick("de;q=0, fr"), "fr");
  assertEquals(pick("de;q=7, fr;q=NaN, ja;q=-1, es;q=0.1"), "es");
});

Deno.test("whoever reads none of them, or sends nothing, gets English", () => {
  for (const accepted of [null, "", "*", "tlh", ";;;,,,=", "q=1", "constructor", "__proto__"]) {
    assertEquals(pick(accepted), "en");
  }
});

Deno.test("only the first twenty entries of a header are considered", () => {
  assertEquals(pick("xx,".repeat(100_000) + "de"), "en");
});

Deno.test("twelve languages, two of them right to left, each found by its tag", () => {
  assertEquals(LANGUAGES.length, 12);
  const fromRight = LANGUAGES.filter(({ dir }) => dir === "rtl").map(({ tag }) => tag);
  assertEquals(fromRight.sort(), ["ar", "he"]);
  for (const language of LANGUAGES) assertEquals(findLanguage(language.tag), language);
});
