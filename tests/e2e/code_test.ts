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

/** Codes as phones, dictation, other alphabets and chats make them. */
const AS_PEOPLE_GET_THEM = [
  "٤٨٢١ crystal orbit lemon",
  "۴۸۲۱-crystal-orbit-lemon",
  "४८२१ crystal orbit lemon",
  "４８２１－ｃｒｙｓｔａｌ－ｏｒｂｉｔ－ｌｅｍｏｎ",
  "𝟒𝟖𝟐𝟏 𝐜𝐫𝐲𝐬𝐭𝐚𝐥 𝐨𝐫𝐛𝐢𝐭 𝐥𝐞𝐦𝐨𝐧",
  "4821 crýstal örbit lémon",
  "4821 cry\u0301stal orbit lemon",
  "4821-cry\u00adstal-or\u200bbit-le\u2060mon\ufeff",
  "\u200f4821-crystal-orbit-lemon\u200e",
  "4821-crystal-orbıt-lemon",
  "4821-CRYSTAL-ORBİT-LEMON",
  "4821CrystalOrbitLemon",
  "CrystalOrbitLemon4821",
  "4821-CrystalOrbit-lemon",
  "Code: 4821-crystal-orbit-lemon",
  "“4821-crystal-orbit-lemon”.",
  "Hi! My code is 4821-crystal-orbit-lemon, see you at 18:30.",
  "It is 4821-crystal-orbit-lemon and you open it once.",
  "At 18:30. The code is 4821 and crystal, orbit and lemon!",
  "Або скажи його: 4821-crystal-orbit-lemon, дякую",
  "Open pic.example.org/join and type this: 4821-crystal-orbit-lemon",
  "Open 192.168.1.5:3443/join and type this: 4821-crystal-orbit-lemon",
  "4821-crystal-orbit-lemon\n4821-crystal-orbit-lemon",
];

for (const text of AS_PEOPLE_GET_THEM) {
  Deno.test(`parseCode() takes ${JSON.stringify(text)}`, () => {
    assertEquals(parseCode(text, list), CODE);
  });
}

Deno.test("parseCode() reads the digits of every script", () => {
  const digits = Array.from({ length: 0x20000 }, (_, code) => String.fromCodePoint(code))
    .filter((letter) => /^\p{Nd}$/u.test(letter));
  assert(digits.length > 600, String(digits.length));
  for (let zero = 0; zero < digits.length; zero += 10) {
    const number = [4, 8, 2, 1].map((value) => digits[zero + value]).join("");
    assertEquals(parseCode(`${number} crystal orbit lemon`, list), CODE, number);
  }
});

Deno.test("parseCode() names the word behind the number, not one of the sentence", () => {
  for (const text of ["My code: 4821-cristal-orbit-lemon", "Hello, 4821 cristal orbit lemon!"]) {
    assertEquals(parseCode(text, list), { reason: "unknown_word", word: "cristal" });
  }
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
      "My code is 4821 crystal orbit lemon lemon",
      "4821-crystal-orbit-lemon-lemon",
      "The code is 4821, then crystal, orbit and lemon",
      "4821-crystal-orbit-lemon or 4822-crystal-orbit-lemon",
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
