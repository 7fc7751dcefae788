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

/** How a feature that was added once is found, in each kind of file. Comments do not count. */
interface Idea {
  readonly code: RegExp;
  readonly languages: RegExp;
  readonly documents: RegExp;
  readonly tests: RegExp;
}

/**
 * A message by its name on the wire. `more` and `withdraw` are English words too, so that only
 * literals and, in documents, code count; `="more"` is an attribute of an element.
 */
function message(name: string): Idea {
  const literal = new RegExp(`(?<!=)"${name}"`);
  return { code: literal, languages: literal, documents: RegExp(`\`${name}\\b`), tests: literal };
}

const IDEAS: Readonly<Record<string, Idea>> = {
  "an option of a picture (hold)": {
    // The secure link's `#hold()` keeps early messages, which is unrelated.
    code: /(?<!#)\bhold\b/,
    languages: /"hold":/,
    documents: /`hold\b|hold\]|\*\*hold\*\*/,
    tests: /\bhold\b(?= ?[:,}])|\.hold\b|"hold"|=hold\]/,
  },
  "a control message (more)": message("more"),
  "a signaling message with the store (withdraw)": {
    ...message("withdraw"),
    // With the operation of the store.
    code: /\bwithdraw\b/,
    tests: /\bwithdraw\b/,
  },
};

async function read(path: string): Promise<string> {
  return await Deno.readTextFile(PROJECT + path);
}

/** Files in which a feature is found, by kind. */
async function touched(idea: Idea): Promise<Record<string, number>> {
  const count = { code: 0, languages: 0, documents: 0, tests: 0 };
  for (const file of CODE.flatMap(sourceFiles)) {
    if (idea.code.test(withoutComments(await read(file)))) count.code++;
  }
  for (const file of namesIn("locales").filter((name) => name.endsWith(".json"))) {
    if (idea.languages.test(await read(file))) count.languages++;
  }
  for (const file of ["README.md", ...namesIn("docs").filter((name) => name.endsWith(".md"))]) {
    if (idea.documents.test(await read(file))) count.documents++;
  }
  for (const file of sourceFiles("tests")) {
    if (file.startsWith("tests/house/")) continue;
    if (idea.tests.test(withoutComments(await read(file)))) count.tests++;
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
