/**
 * `deno task house` prints how many files a change touches, and where the structure leaks. The
 * counts are those that docs/architecture.md states, so that "before" and "after" are counted
 * alike.
 *
 * @module
 */
import { tell } from "../../lib/ops/log.ts";
import { importsOf, sourceFiles } from "../support/imports.ts";
import { PROJECT } from "../support/project.ts";
import { circlesOf, foldersOf, mutableFields, overlong, withoutComments } from "./counts.ts";

/** Code of the product, by folder. */
const CODE = ["lib", "islands", "components", "routes", "packages/fresh/src"];

/** Features that were added once, and the identifiers that they use. Comments do not count. */
const IDEAS = {
  // The secure link's `#hold()` keeps early messages, which is unrelated.
  "an option of a picture (hold)": /(?<!#)\bhold\b/,
  "a control message (more)": /t: "more"|"more"(?: \||,|:|\))|\bwish\(|\bwanted\b/,
  "a signaling message with the store (withdraw)": /\bwithdraw\b/,
} as const;

async function read(path: string): Promise<string> {
  return await Deno.readTextFile(PROJECT + path);
}

/** Files that use the identifiers of a feature, by kind. */
async function touched(idea: RegExp): Promise<Record<string, number>> {
  const count = { code: 0, languages: 0, documents: 0, tests: 0 };
  for (const file of CODE.flatMap(sourceFiles)) {
    if (!idea.test(withoutComments(await read(file)))) continue;
    count[/^lib\/i18n\/[a-z]{2}(_pages)?\.ts$/.test(file) ? "languages" : "code"]++;
  }
  for (const file of namesIn("locales").filter((name) => name.endsWith(".json"))) {
    if (idea.test(await read(file))) count.languages++;
  }
  for (const file of ["README.md", ...namesIn("docs").filter((name) => name.endsWith(".md"))]) {
    if (idea.test(await read(file))) count.documents++;
  }
  for (const file of sourceFiles("tests")) {
    if (file.startsWith("tests/house/")) continue;
    if (idea.test(withoutComments(await read(file)))) count.tests++;
  }
  return count;
}

function namesIn(folder: string): string[] {
  try {
    return [...Deno.readDirSync(PROJECT + folder)].map(({ name }) => `${folder}/${name}`).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

async function report(): Promise<void> {
  for (const [name, idea] of Object.entries(IDEAS)) {
    const parts = Object.entries(await touched(idea)).map(([kind, n]) => `${n} ${kind}`);
    tell(`files that ${name} touches: ${parts.join(", ")}`);
  }
  let fields = 0;
  for (const file of sourceFiles("lib/connection")) {
    fields += mutableFields(await read(file)).length;
  }
  tell(`mutable fields in lib/connection: ${fields}`);
  const imports = await importsOf(CODE.flatMap(sourceFiles));
  const graph = new Map(
    [...imports]
      // The build depends on everything, and is left out.
      .filter(([file]) => !file.startsWith("_fresh/"))
      .map(([file, used]) => [file, used.flatMap(({ path }) => path ?? [])]),
  );
  for (
    const [what, circles] of [
      ["files", circlesOf(graph)],
      ["folders", circlesOf(foldersOf(graph))],
    ] as const
  ) {
    tell(`circles of ${what}: ${circles.length}`);
    for (const circle of circles) tell(`  ${circle.join(" <-> ")}`);
  }
  let long = 0;
  for (const file of [...CODE, "tests", "bench"].flatMap(sourceFiles)) {
    long += overlong(await read(file)).length;
  }
  tell(`lines over 100 columns in code and tests: ${long}`);
  let lines = 0;
  for (const file of sourceFiles("lib").filter((file) => !file.startsWith("lib/i18n/"))) {
    lines += (await read(file)).split("\n").length - 1;
  }
  tell(`lines of lib/ without texts: ${lines}`);
}

await report();
