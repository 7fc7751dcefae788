import {
  completeWord,
  drawWords,
  formatCode,
  loadWordlist,
  parseCode,
  suggestWords,
} from "../../lib/e2e/code.ts";
import { assert, assertEquals } from "../support/assert.ts";

const list = await loadWordlist();
const CODE = { digits: "4821", words: "crystal-orbit-lemon" };

Deno.test("the list has 2,048 words, each distinct by four letters, easy to type", () => {
  assertEquals(list.length, 2_048);
  assertEquals(new Set(list.map((word) => word.slice(0, 4))).size, 2_048);
  for (const word of list) assert(/^[a-z]{3,8}$/.test(word), word);
});

Deno.test("drawWords() draws three words of the list, each equally likely", () => {
  const counts = new Map<string, number>();
  for (let i = 0; i < 20_000; i++) {
    const words = drawWords(list).split("-");
    assertEquals(words.length, 3);
    for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  // 60,000 draws of 2,048: 29.3 each on average; a word that never appears has a chance of e^-29.
  assertEquals(counts.size, 2_048);
  assert([...counts.keys()].every((word) => list.includes(word)));
  assert(Math.max(...counts.values()) < 100, "no word is drawn much more often than others");
});

Deno.test("parseCode() forgives case, spaces, punctuation, order and shortened words", () => {
  for (
    const text of [
      formatCode(CODE),
      "4821 crystal orbit lemon",
      "  4821--Crystal_ORBIT . lemon\n",
      "48 21 crystal orbit lemon",
      "crystal orbit lemon 4821",
      "4821crystal-orbit-lemon",
      "4821–crystal—orbit‑lemon",
      "4821, crys orbi lemo",
      "4821 crysta orbit lemon",
      "4821 ｃｒｙｓｔａｌ orbit lemon",
      "４８２１ crystal orbit lemon",
    ]
  ) assertEquals({ text, code: parseCode(text, list) }, { text, code: CODE });
});

Deno.test("parseCode() names the word that is not in the list", () => {
  for (const word of ["cristal", "xyz", "crystall", "żółw", "orbits"]) {
    assertEquals(parseCode(`4821 ${word} orbit lemon`, list), { reason: "unknown_word", word });
  }
});

Deno.test("parseCode() reports a missing part, and more than a code", () => {
  for (
    const text of [
      "",
      "   ",
      "4821",
      "crystal orbit lemon",
      "4821 crystal orbit",
      "482 crystal orbit lemon",
      "482148214 crystal orbit lemon",
      "4821 crystal orbit lemon lemon",
      "٤٨٢١ crystal orbit lemon",
    ]
  ) {
    assertEquals({ text, code: parseCode(text, list) }, {
      text,
      code: { reason: "incomplete_code" },
    });
  }
});

Deno.test("suggestWords() completes the last word, from two letters on, with few", () => {
  assertEquals(suggestWords("4821-crys", list), ["crystal"]);
  assertEquals(suggestWords("4821 crystal OR", list), ["orange", "orbit", "orchard", "order"]);
  for (const text of ["", "4821", "4821-c", "4821-crystal", "4821-crystal-", "4821-xyz", "48"]) {
    assertEquals({ text, found: suggestWords(text, list) }, { text, found: [] });
  }
});

Deno.test("completeWord() replaces the word begun, and goes on to the next", () => {
  assertEquals(completeWord("4821-crys", "crystal"), "4821-crystal-");
  assertEquals(completeWord("4821 Crystal or", "orbit"), "4821 Crystal orbit-");
  assertEquals(completeWord("4821-crystal-orbit-le", "lemon"), formatCode(CODE));
  assertEquals(parseCode(completeWord("4821 crystal orbit lem", "lemon"), list), CODE);
});
