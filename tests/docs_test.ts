/**
 * The documents, compared with what they describe: a table that is not compared with the code is
 * soon wrong.
 *
 * @module
 */
import { IMAGE_PROBLEMS } from "../lib/image/errors.ts";
import { DEFAULTS } from "../lib/ops/config.ts";
import { Metrics } from "../lib/ops/metrics.ts";
import { TOOLS } from "../lib/pages/editor_model.ts";
import { CLOSE } from "../lib/protocol/close_codes.ts";
import { DISPLAY_OPTIONS, FLAGS } from "../lib/protocol/display_options.ts";
import * as limits from "../lib/protocol/limits.ts";
import { assert, assertEquals } from "./support/assert.ts";
import { sourceFiles } from "./support/imports.ts";
import { LAYERS } from "./support/layers.ts";
import { PROJECT, readDenoJson } from "./support/project.ts";

/** Every document about the code of today. CHANGELOG.md is about the code of the past. */
const DOCUMENTS = [
  "README.md",
  "SECURITY.md",
  "CONTRIBUTING.md",
  "locales/README.md",
  "packages/fresh/README.md",
  "packages/std/README.md",
  "docs/models/README.md",
  ...namesIn("docs").filter((name) => name.endsWith(".md")).map((name) => `docs/${name}`),
];

/** Folders with the project's own code. */
const CODE = ["lib", "components", "islands", "routes", "packages", "bench", "tests"];

const texts = new Map(DOCUMENTS.map((path) => [path, read(path)]));
const protocol = textOf("docs/protocol.md");
const models = textOf("docs/models/README.md");
const architecture = textOf("docs/architecture.md");

function read(path: string): string {
  return Deno.readTextFileSync(PROJECT + path);
}

function textOf(path: string): string {
  const text = texts.get(path);
  assert(text !== undefined, path);
  return text;
}

function namesIn(folder: string): string[] {
  return [...Deno.readDirSync(PROJECT + folder)].map(({ name }) => name);
}

function exists(path: string): boolean {
  try {
    Deno.statSync(PROJECT + path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** The first group of every match, without duplicates, sorted. */
function named(text: string, pattern: RegExp): string[] {
  return [...new Set(Array.from(text.matchAll(pattern), ([, name = ""]) => name))].sort();
}

/** The cells of all table rows of a document, trimmed. */
function tableRows(markdown: string): string[][] {
  return markdown.split("\n")
    .filter((line) => line.startsWith("|"))
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
}

/** The part of a document below a heading, up to the next heading of the same level. */
function section(markdown: string, heading: string): string {
  const start = markdown.indexOf(`\n${heading}\n`);
  assert(start >= 0, heading);
  const body = markdown.slice(start + heading.length + 2);
  const level = heading.split(" ")[0] ?? "";
  const end = body.indexOf(`\n${level} `);
  return end < 0 ? body : body.slice(0, end);
}

/** What `collect` finds in each document, prefixed with the document's name. */
function inDocuments(collect: (text: string, path: string) => Iterable<string>): string[] {
  return [...texts].flatMap(([path, text]) =>
    Array.from(collect(text, path), (found) => `${path}: ${found}`)
  );
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

Deno.test("docs/models/README.md has a row for every model, and no other", () => {
  const files = namesIn("docs/models").filter((name) => name !== "README.md");
  assert(files.length > 0);
  const rows = tableRows(models).flatMap(([name = ""]) => /^`(.+\.pv)`$/.exec(name)?.[1] ?? []);
  assertEquals(rows.sort(), files.sort());
});

Deno.test("the documents name only files and folders that exist", () => {
  const files = new Set(CODE.flatMap(sourceFiles).map((path) => path.split("/").at(-1)));
  assertEquals(
    inDocuments(function* (text, path) {
      const folders =
        "lib|tests|bench|components|islands|routes|deploy|docs|packages|locales|\\.ci";
      // Anywhere, commands included; "peer_*" counts as its folder.
      const rest = "(?:[\\w./@-]|\\[\\w+\\])*\\*?";
      const paths = new RegExp(`(?<![\\w/.…@:-])((?:${folders})/${rest})`, "g");
      for (const name of named(text, paths)) {
        const place = name.endsWith("*") ? name.slice(0, name.lastIndexOf("/")) : name;
        if (!exists(place.replace(/[.]+$/, ""))) yield name;
      }
      for (const name of named(text, /`(\w[\w.-]*\/[\w./@[\]-]+\.tsx?)`/g)) {
        if (!exists(name) && !exists(path.replace(/[^/]*$/, name))) yield name;
      }
      // Without its folder, if that is unambiguous.
      for (const name of named(text, /`([a-z0-9_]+\.tsx?)`/g)) {
        if (!files.has(name) && !exists(name)) yield name;
      }
    }),
    [],
  );
});

Deno.test("the documents' links lead to files and headings that exist", () => {
  assertEquals(
    inDocuments(function* (text, path) {
      for (const target of named(text, /\]\((?!\w+:)([^)\s]+)\)/g)) {
        const { pathname, hash } = new URL(target, `file:///${path}`);
        const file = pathname.slice(1);
        if (!exists(file)) yield target;
        else if (hash !== "" && !anchorsOf(read(file)).has(hash.slice(1))) yield target;
      }
    }),
    [],
  );
});

/** The anchors that GitHub gives to a document's headings. */
function anchorsOf(markdown: string): Set<string> {
  const headings = named(markdown, /^#+ (.+)$/gm);
  return new Set(
    headings.map((heading) =>
      heading.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-")
    ),
  );
}

Deno.test("the documents name only constants, settings and functions that exist", () => {
  const code = [
    ...CODE.flatMap(sourceFiles).filter((path) => path !== "tests/docs_test.ts"),
    "dev.ts",
    "main.ts",
    "tests/run.ts",
    ".env.example",
  ].map(read).join("\n");
  const words = new Set(code.match(/[A-Za-z_]\w*/g));
  const names =
    /`([A-Z][A-Z0-9]*_[A-Z0-9_]*[A-Z0-9]|[A-Za-z]+[a-z0-9][A-Z]\w*(?:\.\w+)*)(?:\(\))?`/g;
  assertEquals(
    inDocuments((text, path) =>
      // That document also names what only upstream has.
      path === "packages/fresh/README.md"
        ? []
        : named(text, names).filter((name) => !name.split(".").every((part) => words.has(part)))
    ),
    [],
  );
});

Deno.test("README.md names the buttons of the first steps as the pages do", () => {
  const start = section(textOf("README.md"), "## Start").replaceAll(/\s+/g, " ");
  const labels = named(start, /\*\*([^*]+)\*\*/g)
    .filter((label) => label !== "HTTPS");
  assert(labels.length >= 3);
  const english = read("locales/en.json");
  assertEquals(labels.filter((label) => !english.includes(`: "${label}"`)), []);
});

Deno.test("README.md has the right defaults of the settings that it names", () => {
  const rows = tableRows(textOf("README.md"))
    .flatMap(([name = "", value = ""]) => /^`[A-Z_]+`$/.test(name) ? [[name, value]] : []);
  assert(rows.length > 0);
  const defaults: Readonly<Record<string, string>> = DEFAULTS;
  assertEquals(
    rows.filter(([, value = ""]) => value.startsWith("`")),
    rows.flatMap(([name = ""]) => {
      const value = defaults[name.replaceAll("`", "")];
      assert(value !== undefined, name);
      return value === "" ? [] : [[name, `\`${value}\``]];
    }),
  );
});

Deno.test("docs/operations.md has every counter with the words of its label, and no other", () => {
  const rows = tableRows(textOf("docs/operations.md"))
    .flatMap(([name = "", label = "", meaning = ""]) =>
      /^`\w+_total`$/.test(name)
        ? named(meaning, /`(\w+)`/g).map((word) => [name, label, word].join(" "))
        : []
    );
  const series = new Metrics().render().matchAll(/^ephemeral_(\w+)\{(\w+)="(\w+)"\}/gm);
  assertEquals(
    rows.sort(),
    Array.from(series, ([, name, label, word]) => `\`${name}\` \`${label}\` ${word}`).sort(),
  );
});

Deno.test("README.md or CONTRIBUTING.md has every environment variable of the tests", () => {
  const code = sourceFiles("tests").map(read).join("\n");
  const variables = named(code, /\b(?:number|numberFrom|env\.get)\("([A-Z]+_[A-Z_]+)"/g)
    // Set by systems, not by people.
    .filter((name) => name !== "XDG_CACHE_HOME");
  assert(variables.includes("CHAOS_SEED") && variables.includes("FUZZ_SECONDS"));
  const told = textOf("README.md") + textOf("CONTRIBUTING.md");
  assertEquals(variables.filter((name) => !told.includes(`\`${name}\``)), []);
});

Deno.test("the documents name every task of deno.json, and no other", async () => {
  const tasks = Object.keys((await readDenoJson()).tasks);
  const pattern = /\b(?:deno|deno@[\d.]+) task ([a-z][a-z:]*[a-z])/g;
  assertEquals(named([...texts.values()].join("\n"), pattern), tasks.sort());
});

Deno.test("docs/architecture.md lists the folders in the order of tests/support/layers.ts", () => {
  const listed = named(
    section(architecture, "## Where a line belongs"),
    /^ {4}((?:lib\/\w+|components|islands|routes))(?= )/gm,
  );
  const order = (folder: string) => architecture.search(new RegExp(`^ {4}${folder} `, "m"));
  assertEquals(
    listed.toSorted((a, b) => order(a) - order(b)),
    LAYERS.map(({ folder }) => folder),
  );
});

Deno.test("docs/architecture.md has a reason for every dependency, and no other", async () => {
  const rows = tableRows(section(architecture, "## Why each dependency"));
  const inTable = (ofTests: boolean) =>
    rows.map(([cell = ""]) => cell)
      .filter((cell) => cell.endsWith("(tests)") === ofTests)
      .flatMap((cell) => named(cell, /`([^`]+)`/g)).sort();
  const specifiers = Object.values((await readDenoJson()).imports).join("\n")
    .replaceAll(/@std\/[\w-]+/g, "@std/…");
  const ofApp = named(specifiers, /^(?:npm|jsr):((?:@[\w-]+\/)?[\w-]+|@std\/…)/gm);
  assertEquals(inTable(false), ofApp);
  const tests = sourceFiles("tests").map(read).join("\n");
  assertEquals(inTable(true), named(tests, /(?:from |import\()"npm:((?:@[\w-]+\/)?[\w-]+)/g));
});

const contract = section(architecture, "## The automation contract");

/** Values of computed attributes, by the expression that computes them. */
const COMPUTED: Readonly<Record<string, readonly string[]>> = {
  // Passed through a component; its users name it.
  "data-action={action}": [],
  "data-action={name}": TOOLS,
  "data-field={`code-${codeless}`}": ["code-withdrawn", "code-unavailable"],
  'data-field={removed === null ? "empty" : "removed-picture"}': ["empty", "removed-picture"],
};

/** The values of an attribute on the pages. */
function valuesOf(attribute: "data-action" | "data-field"): string[] {
  const code = ["components", "islands", "routes"].flatMap(sourceFiles).map(read).join("\n");
  const values = named(code, new RegExp(`\\s${attribute}="([^"]*)"`, "g"));
  if (attribute === "data-action") values.push(...named(code, /\saction="([a-z][a-z-]*)"/g));
  for (const expression of named(code, new RegExp(`(${attribute}=\\{.*\\})(?=[> \\n])`, "g"))) {
    const computed = Object.entries(COMPUTED).find(([known]) => expression.startsWith(known));
    assert(computed !== undefined, expression);
    values.push(...computed[1]);
  }
  return [...new Set(values)].sort();
}

for (const attribute of ["data-action", "data-field"] as const) {
  Deno.test(`the automation contract has every ${attribute}, and no other`, () => {
    const rows = tableRows(contract).map(([cell = ""]) => cell).join("\n");
    assertEquals(named(rows, new RegExp(`\\[${attribute}=([\\w-]+)\\]`, "g")), valuesOf(attribute));
    const pattern = new RegExp(`\\[${attribute}=([\\w-]+)\\]`, "g");
    const values = valuesOf(attribute);
    assertEquals(
      inDocuments((text) => named(text, pattern).filter((name) => !values.includes(name))),
      [],
    );
  });
}

/** The strings of the union type with this name. */
function unionOf(path: string, type: string): string[] {
  const code = read(path).replaceAll(/\/\*\*[\s\S]*?\*\//g, "");
  // Up to the next line that is empty or not indented.
  const [, body = ""] = new RegExp(`type ${type} =([\\s\\S]*?)\n(?=\\S|\n)`).exec(code) ?? [];
  return named(body, /"([a-z_]+)"/g);
}

/** The words in backticks between the first `before` and the end of that list item. */
function wordsBehind(before: string): string[] {
  const start = contract.indexOf(before);
  assert(start >= 0, before);
  const [item = ""] = contract.slice(start).split(/\n(?:- |\n)/);
  const lists = named(item, /`([a-z_]+(?:\s+[a-z_]+)+)`/g);
  return lists.flatMap((list) => list.split(/\s+/)).sort();
}

Deno.test("the automation contract has every phase, and no other", () => {
  const phases = "lib/pages/phases.ts";
  assertEquals(wordsBehind("- sender:"), unionOf(phases, "SenderPhase"));
  assertEquals(wordsBehind("- viewer:"), unionOf(phases, "ViewerPhase"));
});

Deno.test("the automation contract has every reason, and no other", () => {
  const phases = "lib/pages/phases.ts";
  assertEquals(wordsBehind("- `ended` ("), unionOf(phases, "EndReason"));
  const gone = unionOf("lib/protocol/signaling.ts", "GoneReason").map((why) => `room_${why}`);
  const ends = unionOf("lib/connection/signaling_client.ts", "SignalingEnd")
    .filter((end) => end !== "gone");
  assertEquals(
    wordsBehind("- `failed` ("),
    [
      ...unionOf(phases, "FailReason"),
      ...unionOf("lib/connection/connection_state.ts", "ConnectFailure").filter((name) =>
        name !== "gone"
      ),
      ...ends,
      ...gone,
    ].sort(),
  );
  assertEquals(
    wordsBehind("- `failed` on `/`"),
    [...IMAGE_PROBLEMS, ...unionOf("lib/image/errors.ts", "ImageErrorReason"), "too_many"].sort(),
  );
  assertEquals(
    wordsBehind("- `idle` on `/join`"),
    [
      ...unionOf("lib/e2e/code.ts", "CodeProblem"),
      ...unionOf("lib/pages/viewer_model.ts", "CodeTrouble"),
    ].sort(),
  );
});

Deno.test("the automation contract has the name of every input, and no other", () => {
  const code = ["components", "islands"].flatMap(sourceFiles).map(read).join("\n");
  // Fields of forms that the server reads.
  const ofForms = ["key", "language", "page"];
  const names = [
    ...named(code, /\sname="([a-z-]+)"/g).filter((name) => !ofForms.includes(name)),
    ...FLAGS,
    ...FLAGS.filter((name) => DISPLAY_OPTIONS[name].perPicture).map((name) => `picture-${name}`),
  ];
  const rows = tableRows(contract).map(([cell = ""]) => cell).join("\n");
  assertEquals(named(rows, /\[name=([\w-]+)\]/g), [...names, "seconds"].sort());
});

Deno.test("the tests that docs/threat-model.md quotes have these names", () => {
  const paths = new Map(sourceFiles("tests").map((path) => [path.split("/").at(-1) ?? "", path]));
  const missing: string[] = [];
  const quotes = /`([\w/]+_test\.ts)`(?:: | \()((?:“[^”]+”(?:, )?)+)/g;
  const found = [...textOf("docs/threat-model.md").matchAll(quotes)];
  assert(found.length > 30);
  for (const [, file = "", titles = ""] of found) {
    const code = read(paths.get(file) ?? file).replaceAll(/" \+\s+"/g, "");
    for (const title of named(titles, /“([^”]+)”/g)) {
      if (!code.includes(title.replaceAll("’", "'"))) missing.push(`${file}: ${title}`);
    }
  }
  assertEquals(missing, []);
});
