import { MAX_MARK_LENGTH } from "../../lib/protocol/limits.ts";
import { cleanMark, tileOf } from "../../lib/viewer/watermark.ts";
import { assert, assertEquals } from "../support/assert.ts";

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

Deno.test("a tile repeats without seams and without overlapping marks", () => {
  for (const [textWidth, fontSize] of [[10, 9], [240.5, 17], [1_300, 51]] as const) {
    const { width, height, marks } = tileOf(textWidth, fontSize);
    assert(Number.isInteger(width) && Number.isInteger(height));
    assert(width > textWidth + fontSize, "a gap between neighbours");
    const rows = Map.groupBy(marks, ({ y }) => y);
    for (const [y, row] of rows) {
      assert(y - fontSize > 0 && y + fontSize < height, "nothing sticks out above or below");
      // What leaves the tile at one edge has to enter it at the other.
      const leaves = row.some(({ x }) => x + textWidth + fontSize > width);
      assert(!leaves || row.some(({ x }) => x < 0));
      assert(row.every(({ x }) => x < 0 || x >= fontSize), "the first letter's rim is whole");
      const starts = new Set(row.map(({ x }) => ((x % width) + width) % width));
      assertEquals(starts.size, 1, "one mark per row and tile");
    }
    assertEquals(rows.size, 2);
  }
});
