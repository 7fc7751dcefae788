import { assertEquals } from "../support/assert.ts";
import { circlesOf, foldersOf, mutableFields, overlong, withoutComments } from "./counts.ts";

Deno.test("overlong() counts characters, not bytes", () => {
  assertEquals(overlong(`${"é".repeat(100)}\n${"é".repeat(101)}\nshort`), [2]);
});

Deno.test("mutableFields() finds fields that can change, no readonly ones, methods, locals", () => {
  const source = `class A {
  readonly a = 1;
  readonly #b: number;
  #c = 2;
  #d: string;
  #e: Set<string> | undefined;
  constructor(g: number) {
    let h = 1;
  }
  get #i(): number {}
  async #j(): Promise<void> {}
}`;
  assertEquals(mutableFields(source), ["#c", "#d", "#e"]);
});

Deno.test("circlesOf() finds files that import each other, and no others", () => {
  const graph = new Map([
    ["a", ["b", "c"]],
    ["b", ["c"]],
    ["c", ["b", "outside"]],
    ["d", ["e"]],
    ["e", ["f"]],
    ["f", ["d", "a"]],
  ]);
  assertEquals(circlesOf(graph), [["b", "c"], ["d", "e", "f"]]);
  assertEquals(circlesOf(new Map([["a", ["b"]], ["b", []]])), []);
});

Deno.test("foldersOf() keeps only the edges between folders", () => {
  const graph = new Map([["a/x", ["a/y", "b/z"]], ["a/y", []], ["b/z", ["a/y", "c/gone"]]]);
  assertEquals(foldersOf(graph), new Map([["a", ["b"]], ["b", ["a"]]]));
});

Deno.test("withoutComments() leaves code alone", () => {
  assertEquals(
    withoutComments("a(); // b\n/** c\n * d */\nconst url = 'http://e';"),
    "a(); \n\nconst url = 'http://e';",
  );
});
