import { MAX_MARK_LENGTH } from "../../lib/protocol/limits.ts";
import { breakLines, cleanMark, layMarks, markOf } from "../../lib/viewer/watermark.ts";
import { assert, assertEquals } from "../support/assert.ts";

Deno.test("markOf() writes the date as the page's language does, and three words", () => {
  const time = new Date(2026, 10, 30, 14, 5);
  const mark = (language: string) => markOf(["dog", "cat", "moon", "fire"], { time, language });
  assertEquals(mark("de"), "30.11.26, 14:05 · dog cat moon");
  assertEquals(mark("ja"), "2026/11/30 14:05 · dog cat moon");
  for (const language of ["ar", "he", "en"]) {
    assertEquals(cleanMark(mark(language)), mark(language).replace(/\s/g, " "), language);
  }
});

Deno.test("cleanMark() leaves ordinary text of any script alone", () => {
  for (
    const text of ["for Anna · 23.11.", "日本語のテキスト", "שלום עולם", "Zoë & Ian 🦦", "नमस्ते"]
  ) {
    assertEquals(cleanMark(text), text);
  }
});

Deno.test("cleanMark() turns control, bidi and invisible characters into one space", () => {
  assertEquals(cleanMark("a\u202eb"), "a b");
  assertEquals(cleanMark("a\u2066\u2069\u200b\ufeff\u00ad\u{e0041}b"), "a b");
  assertEquals(cleanMark("a\0\t\r\n\x1b\x7f\x9fb"), "a b");
  assertEquals(cleanMark("a\u2028\u2029b\u00a0 \u3000c"), "a b c");
});

Deno.test("cleanMark() leaves nothing of a text without anything visible", () => {
  assertEquals(cleanMark(" \u200b\u202e\n "), "");
});

Deno.test("cleanMark() limits stacked accents, which would cover the picture", () => {
  assertEquals(cleanMark("a" + "\u0301".repeat(70) + "b"), "a" + "\u0301".repeat(4) + "b");
});

Deno.test("cleanMark() bounds the length and cuts no character in two", () => {
  assertEquals(cleanMark("x".repeat(500)).length, MAX_MARK_LENGTH);
  const cut = cleanMark("x".repeat(MAX_MARK_LENGTH - 1) + "🦦");
  assertEquals(cut, "x".repeat(MAX_MARK_LENGTH - 1));
  assertEquals(cleanMark("a\ud800b\udc00"), "a b");
});

Deno.test("breakLines() breaks at the middle dot and between words, and loses no word", () => {
  assertEquals(breakLines("11/30/26, 2:57 AM · hammer scissors panda"), [
    "11/30/26, 2:57 AM",
    "hammer scissors panda",
  ]);
  assertEquals(breakLines("for Anna, only today, please do not share it"), [
    "for Anna, only today,",
    "please do not share it",
  ]);
  assertEquals(breakLines("Donaudampfschifffahrtsgesellschaft Wien"), [
    "Donaudampfschifffahrtsgesellschaft",
    "Wien",
  ]);
  assertEquals(breakLines(""), []);
  assertEquals(breakLines("·"), ["·"]);
});

const AREA = { width: 800, height: 600, step: 300, row: 95 };

Deno.test("marks reach every place of the canvas, at any angle and phase", () => {
  const { step, row } = AREA;
  const radius = 500;
  for (const phase of [0, 0.3, 0.99, -2.6]) {
    const marks = layMarks(AREA, phase);
    for (let turn = 0; turn < 2 * Math.PI; turn += 0.1) {
      for (const distance of [0, radius / 2, radius]) {
        const [x, y] = [distance * Math.cos(turn), distance * Math.sin(turn)];
        const near = marks.some((mark) =>
          Math.abs(mark.y - y) <= row / 2 + 1e-9 && Math.abs(mark.x - x) <= step / 2 + 1e-9
        );
        assert(near, `Nothing near ${x}, ${y} at phase ${phase}`);
      }
    }
  }
});

Deno.test("marks don't overlap, and neighboring rows are shifted by half", () => {
  const rows = [...Map.groupBy(layMarks(AREA, 0.2), ({ y }) => y)];
  for (const [i, [y, row]] of rows.entries()) {
    for (const [j, { x }] of row.entries()) {
      const next = row[j + 1];
      assert(next === undefined || next.x - x > AREA.step - 1e-9);
    }
    const after = rows[i + 1];
    if (after === undefined) continue;
    assert(after[0] - y > AREA.row - 1e-9);
    const shift = Math.abs((after[1][0]?.x ?? NaN) - (row[0]?.x ?? NaN));
    assert(Math.abs(shift - AREA.step / 2) < 1e-9, `${shift}`);
  }
});

Deno.test("a whole phase returns the marks to where they were, half a phase does not", () => {
  assertEquals(layMarks(AREA, 3), layMarks(AREA, 0));
  assert((layMarks(AREA, 0.5)[0]?.x ?? 0) !== layMarks(AREA, 0)[0]?.x);
});

Deno.test("the number of marks stays small on a screen of 8 megapixels", () => {
  assert(layMarks({ width: 3_840, height: 2_160, step: 720, row: 400 }, 0).length < 120);
});
