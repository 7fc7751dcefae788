import { nameProblems } from "../../components/messages.ts";
import { TEXTS } from "../../lib/i18n/catalogue.ts";
import { assertEquals, assertMatch } from "../support/assert.ts";

const en = TEXTS.en.island;

/** Without the Unicode isolates, which format_test.ts covers. */
function read(problems: Parameters<typeof nameProblems>[1]): string[] {
  return nameProblems(en, problems).map(({ text }) => text.replace(/[\u2068\u2069]/g, ""));
}

Deno.test("each wrong file is named with its reason", () => {
  const problems = [{ reason: "svg", name: "a.svg" }, { reason: "empty", name: "b.jpg" }] as const;
  assertEquals(read(problems), [`“a.svg”: ${en.picture.svg}`, `“b.jpg”: ${en.picture.empty}`]);
});

Deno.test("those with the same reason are named together, in order", () => {
  const problems = [
    { reason: "too_many", name: "a.jpg" },
    { reason: "svg", name: "b.svg" },
    { reason: "too_many", name: "c.jpg" },
  ] as const;
  assertEquals(read(problems), [
    `Not added, for the same reason: “a.jpg” and “c.jpg”. ${en.picture.too_many}`,
    `“b.svg”: ${en.picture.svg}`,
  ]);
});

Deno.test("with very many, their number is given", () => {
  const problems = Array.from(
    { length: 200 },
    (_, i) => ({ reason: "too_many", name: `${i}.jpg` }) as const,
  );
  const [text, ...others] = read(problems);
  assertEquals(others, []);
  assertMatch(text ?? "", /“0\.jpg”, .*“11\.jpg”, and 188 more files\./);
});

Deno.test("a file without a name is counted as well", () => {
  assertEquals(read([{ reason: "svg", name: "" }]), [en.picture.svg]);
  const text = read([{ reason: "svg", name: "" }, { reason: "svg", name: "a.svg" }]).join();
  assertMatch(text, /: “a\.svg” and 1 more file\./);
});

Deno.test("names keep their direction, and the sentence its own", () => {
  const name = "photo\u202egpj.exe";
  for (const { island } of [TEXTS.en, TEXTS.ar]) {
    const one = nameProblems(island, [{ reason: "not_an_image", name }])[0]?.text ?? "";
    const two = nameProblems(island, [
      { reason: "not_an_image", name },
      { reason: "not_an_image", name },
    ])[0]?.text ?? "";
    for (const text of [one, two]) {
      assertMatch(text, /\u2068photogpj\.exe\u2069/);
      assertEquals(text.includes("\u202e"), false);
    }
  }
});
