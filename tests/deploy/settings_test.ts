/**
 * Both lists of settings that operators read, compared with the program's.
 *
 * @module
 */
import { DEFAULTS, parseConfig } from "../../lib/ops/config.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { PROJECT } from "../support/project.ts";

const example = (await Deno.readTextFile(`${PROJECT}.env.example`)).split("\n");
const operations = await Deno.readTextFile(`${PROJECT}docs/operations.md`);

/** The assignments of .env.example, with their line numbers. */
const assignments = example.flatMap((line, index) => {
  const [, name = "", value = ""] = /^([A-Z_]+)=(.*)$/.exec(line) ?? [];
  return name === "" ? [] : [{ name, value, index }];
});

/** Name, default and meaning of each row of the table of settings. */
const rows = operations.split("\n")
  .map((line) => /^\| `([A-Z_]+)` +\| (.+?) +\| (.+?) +\|$/.exec(line))
  .flatMap((match) => match === null ? [] : [[match[1]!, match[2]!, match[3]!] as const]);

Deno.test(".env.example names every setting with its default, and no other", () => {
  assertEquals(assignments.map(({ name, value }) => [name, value]), Object.entries(DEFAULTS));
});

Deno.test(".env.example holds nothing but comments and settings, each below a comment", () => {
  const strange = example.filter((line) => line !== "" && !/^#|^[A-Z_]+=[^\s'"]*$/.test(line));
  assertEquals(strange, []);
  for (const { name, index } of assignments) {
    const above = example[index - 1] ?? "";
    assert(/^# |^[A-Z_]+=/.test(above), `${name} has no comment above it`);
  }
});

Deno.test(".env.example as it is changes nothing", () => {
  const env = Object.fromEntries(assignments.map(({ name, value }) => [name, value]));
  assertEquals(parseConfig(env), parseConfig({}));
});

Deno.test("docs/operations.md names every setting with its default, and no other", () => {
  assertEquals(
    rows.map(([name, value]) => `${name} ${value}`),
    Object.entries(DEFAULTS).map(([name, value]) =>
      `${name} ${value === "" ? "not set" : `\`${value}\``}`
    ),
  );
});

Deno.test("docs/operations.md and .env.example call the same settings secret", () => {
  const told = rows.filter(([, , meaning]) => meaning.includes("**secret**")).map(([name]) => name);
  const secret = assignments.filter(({ index }) => {
    let first = index;
    while (/^# /.test(example[first - 1] ?? "")) first--;
    return example.slice(first, index).some((line) => line.startsWith("# SECRET"));
  });
  assertEquals(told, secret.map(({ name }) => name));
});
