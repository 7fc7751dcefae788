import { TEXTS } from "../../lib/i18n/catalogue.ts";
import {
  duration,
  fileSize,
  fill,
  foreign,
  leftToRight,
  list,
  number,
  percent,
  plain,
  plural,
  seconds,
  sentences,
} from "../../lib/i18n/format.ts";
import { assertEquals, assertMatch } from "../support/assert.ts";

const en = TEXTS.en.island;

const polish = { ...en, language: "pl" };
const FILES = { one: "{n} plik", few: "{n} pliki", many: "{n} plików", other: "{n} pliku" };

Deno.test("fill() replaces names by values, and leaves names without a value", () => {
  assertEquals(fill("{a} of {b}, {a}", { a: 1, b: "two" }), "1 of two, 1");
  assertEquals(fill("{a} of {b}", { a: 0 }), "0 of {b}");
});

Deno.test("fill() does not expand what it fills in", () => {
  assertEquals(
    fill("“{name}”: {text}", { name: "{text}.jpg", text: "$& {name}" }),
    "“{text}.jpg”: $& {name}",
  );
});

Deno.test("plain() removes bidi controls and line breaks, and keeps every letter", () => {
  assertEquals(plain("photo\u202egpj.exe"), "photogpj.exe");
  assertEquals(plain("a\u2066b\u2069\u202ac\u2067d\u2068"), "abcd");
  assertEquals(plain(" a\0\n\x1b\x9fb\u2028c "), "a b c");
  for (const text of ["שלום.jpg", "صورة.png", "👩‍👩‍👧 می‌خواهم", "{name}"]) {
    assertEquals(plain(text), text);
  }
});

Deno.test("foreign() isolates, and nothing escapes from it", () => {
  assertEquals(foreign("צילום"), "\u2068צילום\u2069");
  assertEquals(foreign("a\u2069\u202eb"), "\u2068ab\u2069");
});

Deno.test("plural() selects the form that the language has for the number", () => {
  assertEquals(plural(en, en.units.seconds, 1), "1 second");
  assertEquals(plural(en, en.units.seconds, 0), "0 seconds");
  assertEquals(plural(polish, FILES, 1), "1 plik");
  assertEquals(plural(polish, FILES, 3), "3 pliki");
  assertEquals(plural(polish, FILES, 12), "12 plików");
  assertEquals(plural(polish, { other: "{n} s" }, 3), "3 s");
});

Deno.test("number() groups as the language does, with the digits of the texts", () => {
  assertEquals(number({ ...en, language: "de" }, 12_345), "12.345");
  // Browsers disagree on the digits of Arabic; the texts have 16 and 512.
  assertEquals(number({ ...en, language: "ar-EG" }, 7), "7");
});

Deno.test("percent() writes the sign as the language does", () => {
  assertEquals(percent(en, 0.4), "40%");
  assertEquals(percent({ ...en, language: "it" }, 0.4), "40%");
  assertEquals(percent({ ...en, language: "de" }, 0.4), "40\u00a0%");
  assertMatch(percent({ ...en, language: "fr" }, 0.4), /^40[\u00a0\u202f]%$/);
});

Deno.test("list() and sentences() join as the language does", () => {
  const { ja, fr } = TEXTS;
  assertEquals(list(en, ["a", "b", "c"]), "a, b, and c");
  assertEquals(list(fr.island, ["a", "b"]), "a et b");
  assertEquals(list(ja.island, ["a", "b"]), "a、b");
  assertEquals(sentences(en, ["One.", "", "Two.", "Three."]), "One. Two. Three.");
  assertEquals(sentences(ja.island, ["一。", "二。"]), "一。二。");
  assertEquals(sentences(en, ["", ""]), "");
});

Deno.test("leftToRight() isolates, and nothing in it turns around", () => {
  assertEquals(leftToRight("example.org/join"), "\u2066example.org/join\u2069");
});

Deno.test("duration() rounds to seconds, and names what is shorter", () => {
  assertEquals(duration(en, 0), "less than a second");
  assertEquals(duration(en, 949), "less than a second");
  assertEquals(duration(en, 1_499), "1 second");
  assertEquals(duration(en, 7_100), seconds(en, 7));
});

Deno.test("fileSize() is in kB below a megabyte, and never nothing", () => {
  assertEquals(fileSize(en, 12), "1 kB");
  assertEquals(fileSize(en, 299_600), "300 kB");
  assertEquals(fileSize(en, 2_449_999), "2.4 MB");
});
