/**
 * Every language is complete. Types ensure that nothing is missing; this tests what types can't.
 *
 * @module
 */
import { SAS_EMOJI } from "../../lib/e2e/sas.ts";
import { speechOf, TEXTS } from "../../lib/i18n/catalogue.ts";
import { LANGUAGES } from "../../lib/i18n/languages.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { textsOf } from "./reading.ts";

const PLURALS = /\.(zero|one|two|few|many|other)$/;

/** Paths without plural forms, which differ, and without names of pictures, which English lacks. */
function pathsOf(texts: Map<string, string>): string[] {
  const paths = [...texts.keys()].filter((path) => !path.startsWith("island.sas."));
  return [...new Set(paths.map((path) => path.replace(PLURALS, ".*")))].sort();
}

function placeholders(text: string): string[] {
  return [...new Set(text.match(/\{\w+\}/g) ?? [])].sort();
}

const english = textsOf(TEXTS.en);

for (const { tag } of LANGUAGES) {
  const texts = textsOf(TEXTS[tag]);

  Deno.test(`${tag}: has every text that English has, and no other`, () => {
    assertEquals(pathsOf(texts), pathsOf(english));
    for (const [path, text] of texts) assert(text.trim() !== "", `${path} is empty`);
  });

  Deno.test(`${tag}: fills in the same values`, () => {
    for (const [path, text] of texts) {
      if (path.startsWith("island.sas.")) continue;
      const original = english.get(path) ?? english.get(path.replace(PLURALS, ".other")) ?? "";
      const exact = PLURALS.test(path) && !path.endsWith(".other");
      // "One second" and "two seconds" need no digit in some languages.
      const expected = placeholders(original).filter((name) => !exact || text.includes(name));
      assertEquals(placeholders(text), expected, path);
    }
  });

  Deno.test(`${tag}: has each plural form that the language has`, () => {
    const needed = new Intl.PluralRules(tag).resolvedOptions().pluralCategories;
    const bases = [...english.keys()].filter((path) =>
      path.endsWith(".other") && english.has(path.replace(PLURALS, ".one"))
    );
    assert(bases.length > 0);
    for (const base of bases) {
      for (const form of needed) {
        // Only "compact" numbers use it: 1 million in Spanish.
        if (form === "many" && ["es", "fr", "it", "pt"].includes(tag)) continue;
        const path = base.replace(PLURALS, `.${form}`);
        assert(texts.has(path), `${path} is missing`);
      }
    }
  });

  Deno.test(`${tag}: names all ${SAS_EMOJI.length} SAS pictures, each differently`, () => {
    const { sas, language } = TEXTS[tag].island;
    // The file's name, or more exactly: `pt-BR` for a screen reader's voice.
    assertEquals(new Intl.Locale(language).language, tag);
    if (tag === "en") return;
    assertEquals(Object.keys(sas).sort(), SAS_EMOJI.map(([, name]) => name).sort());
    assertEquals(new Set(Object.values(sas)).size, SAS_EMOJI.length);
  });

  Deno.test(`${tag}: was translated`, () => {
    if (tag === "en") return;
    // Names, and words that are the same in some language.
    const same = [...texts].filter(([path, text]) =>
      text === english.get(path) && text.length > 24
    );
    assertEquals(same.map(([path]) => path), []);
  });
}

Deno.test("a request gets the language of its cookie, or of its browser", () => {
  const speak = (headers: HeadersInit) =>
    speechOf(new Request("http://localhost/", { headers })).language.tag;
  assertEquals(speak({ "accept-language": "de-AT,en;q=0.5" }), "de");
  assertEquals(speak({ "accept-language": "de", cookie: "a=b; language=he; c=d" }), "he");
  assertEquals(speak({ "accept-language": "de", cookie: "xlanguage=he; language=<script>" }), "de");
});
