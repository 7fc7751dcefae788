/**
 * The documents, held against what they describe: a table that nobody compares with the code is
 * soon wrong.
 *
 * @module
 */
import { CLOSE } from "../lib/protocol/close_codes.ts";
import * as limits from "../lib/protocol/limits.ts";
import { assert, assertEquals } from "./support/assert.ts";
import { PROJECT } from "./support/project.ts";

const protocol = await Deno.readTextFile(`${PROJECT}docs/protocol.md`);
const models = await Deno.readTextFile(`${PROJECT}docs/models/README.md`);

/** The cells of all table rows of a document, trimmed. */
function tableRows(markdown: string): string[][] {
  return markdown.split("\n")
    .filter((line) => line.startsWith("|"))
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(PROJECT + path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** The value of a limit as the document writes it. */
function written(value: string | number): string {
  return typeof value === "number" ? value.toLocaleString("en") : value;
}

Deno.test("docs/protocol.md names every limit with its value, and no other", () => {
  const rows = tableRows(protocol).filter(([name = ""]) => /^`[A-Z_]+`$/.test(name));
  assertEquals(
    rows.map(([name = "", value = ""]) => `${name.replaceAll("`", "")} ${value}`).sort(),
    Object.entries(limits).map(([name, value]) => `${name} ${written(value)}`).sort(),
  );
});

Deno.test("docs/protocol.md names every close code, and no other", () => {
  const rows = tableRows(protocol).filter(([code = ""]) => /^\d{4}$/.test(code));
  assertEquals(
    rows.map(([code, name]) => `${code} ${name}`),
    Object.entries(CLOSE).map(([name, code]) => `${code} ${name}`),
  );
});

Deno.test("docs/models/README.md has a row for every model, and none for another", async () => {
  const files: string[] = [];
  for await (const { name } of Deno.readDir(`${PROJECT}docs/models`)) {
    if (name !== "README.md") files.push(name);
  }
  assert(files.length > 0);
  const named = tableRows(models).flatMap(([name = ""]) => /^`(.+\.pv)`$/.exec(name)?.[1] ?? []);
  assertEquals(named.sort(), files.sort());
});

Deno.test("the documents name no file of lib/ or tests/ that is not there", async () => {
  const missing: string[] = [];
  for (
    const name of [
      "protocol",
      "threat-model",
      "architecture",
      "operations",
      "deno-deploy",
      "models/README",
    ]
  ) {
    const text = await Deno.readTextFile(`${PROJECT}docs/${name}.md`);
    for (const [, path = ""] of text.matchAll(/`((?:lib|tests)\/[^`\s]*)`/g)) {
      if (!await exists(path)) missing.push(`${name}.md: ${path}`);
    }
  }
  assertEquals(missing, []);
});
