/**
 * One word for one thing: the texts of each language, held to the terms of `locales/glossary.json`.
 *
 * @module
 */
import glossary from "../../locales/glossary.json" with { type: "json" };
import { TEXTS } from "../../lib/i18n/catalogue.ts";
import { LANGUAGES, type LanguageTag } from "../../lib/i18n/languages.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { textsOf } from "./reading.ts";

/** The words of one language for one thing. */
interface Terms {
  /** Each of the concept's texts has one of them. */
  readonly use: readonly string[];
  /** No text of the language has one of them. */
  readonly avoid?: readonly string[];
  /** Texts in which a word to avoid means something else. */
  readonly except?: readonly string[];
}

interface Concept {
  /** Paths of the texts that name the thing. */
  readonly texts: readonly string[];
  readonly terms: Readonly<Record<LanguageTag, Terms>>;
}

// A language that is missing in the file is a type error here.
const CONCEPTS: Readonly<Record<string, Concept>> = glossary;

/** Languages that write articles and prepositions, or all words, without a space in between. */
const JOINED: readonly LanguageTag[] = ["ar", "he", "ja", "zh"];

/** Whether `text` has `term`, at the beginning of a word. */
function has(tag: LanguageTag, text: string, term: string): boolean {
  const [where, what] = [text, term].map((item) => item.toLowerCase().replace(/\s/g, " "));
  if (where === undefined || what === undefined) return false;
  for (let at = where.indexOf(what); at >= 0; at = where.indexOf(what, at + 1)) {
    if (JOINED.includes(tag) || !/\p{L}/u.test(where.slice(0, at).at(-1) ?? "")) return true;
  }
  return false;
}

/** What is wrong with the texts of one language, one sentence each. */
function faultsOf(
  tag: LanguageTag,
  texts: ReadonlyMap<string, string>,
  concepts: Readonly<Record<string, Concept>> = CONCEPTS,
): string[] {
  const faults: string[] = [];
  for (const [name, concept] of Object.entries(concepts)) {
    const { use, avoid = [], except = [] } = concept.terms[tag];
    for (const path of concept.texts) {
      const text = texts.get(path) ?? "";
      if (!use.some((term) => has(tag, text, term))) {
        faults.push(`${tag} ${path}: “${text}” needs “${use.join("” or “")}” (${name})`);
      }
    }
    for (const [path, text] of texts) {
      const found = except.includes(path) ? [] : avoid.filter((term) => has(tag, text, term));
      for (const term of found) {
        faults.push(
          `${tag} ${path}: “${text}” has “${term}”, not “${use.join("” or “")}” (${name})`,
        );
      }
    }
  }
  return faults;
}

for (const { tag } of LANGUAGES) {
  Deno.test(`${tag}: the texts use the words of the glossary, and no others`, () => {
    assertEquals(faultsOf(tag, textsOf(TEXTS[tag])), []);
  });
}

Deno.test("a text without the word, and one with another word, are reported by path", () => {
  const texts = new Map([
    ["a.mark", "Text über dem Bild"],
    ["a.hint", "Ein Wasserzeichen"],
    ["a.film", "Der Untertext über allem"],
  ]);
  const terms: Terms = { use: ["Wasserzeichen"], avoid: ["Text über"] };
  const concept = { texts: ["a.mark", "a.hint"], terms: { ...CONCEPTS.link?.terms, de: terms } };
  assertEquals(faultsOf("de", texts, { watermark: concept as Concept }), [
    "de a.mark: “Text über dem Bild” needs “Wasserzeichen” (watermark)",
    "de a.mark: “Text über dem Bild” has “Text über”, not “Wasserzeichen” (watermark)",
  ]);
});

Deno.test("the glossary names texts that exist, and at least 25 things", () => {
  const english = textsOf(TEXTS.en);
  assert(Object.keys(CONCEPTS).length >= 25);
  for (const [name, { texts, terms }] of Object.entries(CONCEPTS)) {
    assert(texts.length > 0, `${name} has no text`);
    const excepted = Object.values(terms).flatMap(({ except = [] }) => except);
    assertEquals([...texts, ...excepted].filter((path) => !english.has(path)), [], name);
  }
});
