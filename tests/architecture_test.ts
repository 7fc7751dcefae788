/**
 * Tests the order of docs/architecture.md: who may import whom.
 *
 * @module
 */
import { assert, assertEquals } from "./support/assert.ts";
import { type Import, importsOf, sourceFiles } from "./support/imports.ts";
import { BROWSER_FOLDERS, LAYERS } from "./support/layers.ts";
import { PROJECT } from "./support/project.ts";

/**
 * Rendered on the server and in browsers: they import types of the browser's folders, and load
 * their code only where they run in a browser.
 */
const SHOWS_ONLY = "components";

/** Pages are put together here, so it imports from both sides. */
const JOINS_BOTH = "routes";

const FOLDERS = LAYERS.map(({ folder }) => folder);

function folderOf(path: string): string {
  return FOLDERS.find((folder) => path.startsWith(`${folder}/`)) ?? path;
}

function isAllowed(from: string, { path, typeOnly, dynamic }: Import): boolean {
  if (path === null) return true;
  const to = folderOf(path);
  // Linked packages are external to everything else; the build covers all of it; locales are data.
  if (to === from || /^(packages|_fresh|locales)\//.test(path)) return true;
  const [here, there] = [FOLDERS.indexOf(from), FOLDERS.indexOf(to)];
  if (there === -1 || there > here) return false;
  const side = LAYERS[there]!.side;
  if (from === SHOWS_ONLY) return side === "both" || typeOnly || dynamic;
  return from === JOINS_BOTH || side === "both" || side === LAYERS[here]!.side;
}

const imports = await importsOf(FOLDERS.flatMap(sourceFiles));

for (const folder of FOLDERS) {
  Deno.test(`${folder} imports nothing above it in the order, nor what runs elsewhere`, () => {
    const wrong: string[] = [];
    for (const file of sourceFiles(folder)) {
      for (const used of imports.get(file) ?? []) {
        if (!isAllowed(folder, used)) wrong.push(`${file} imports ${used.specifier}`);
      }
    }
    assertEquals(wrong, []);
  });
}

Deno.test("what runs in a browser imports nothing of Node, Deno or the server", () => {
  const wrong: string[] = [];
  for (const file of reachable(BROWSER_FOLDERS.flatMap(sourceFiles))) {
    for (const { specifier, path } of imports.get(file) ?? []) {
      const layer = LAYERS.find(({ folder }) => path !== null && folderOf(path) === folder);
      if (layer?.side === "server" || /^(node|deno):/.test(specifier)) {
        wrong.push(`${file} imports ${specifier}`);
      }
    }
  }
  assertEquals(wrong, []);
});

/**
 * Files that end up in a browser if `roots` do, found by following imports other than type imports.
 */
function reachable(roots: readonly string[]): Set<string> {
  const seen = new Set(roots);
  for (const file of seen) {
    for (const { path, typeOnly } of imports.get(file) ?? []) {
      if (path !== null && !typeOnly) seen.add(path);
    }
  }
  return seen;
}

Deno.test("files that run in a browser say so in their header", async () => {
  const silent: string[] = [];
  for (
    const file of BROWSER_FOLDERS.filter((folder) => folder.startsWith("lib/")).flatMap(sourceFiles)
  ) {
    const [header = ""] = (await Deno.readTextFile(`${PROJECT}${file}`)).split("*/");
    if (!header.includes("This module is browser compatible.")) silent.push(file);
  }
  assertEquals(silent, []);
});

Deno.test("every folder of lib/ has its place in the order", () => {
  const unknown: string[] = [];
  for (const { name, isDirectory } of Deno.readDirSync(`${PROJECT}lib`)) {
    if (!isDirectory || !FOLDERS.includes(`lib/${name}`)) unknown.push(name);
  }
  assertEquals(unknown, []);
});

Deno.test("the checks of this file can fail", () => {
  const to = (path: string, typeOnly = false): Import => ({
    specifier: path,
    path,
    typeOnly,
    dynamic: false,
  });
  assert(!isAllowed("lib/protocol", to("lib/e2e/link.ts")));
  assert(!isAllowed("lib/connection", to("lib/rooms/store.ts")));
  assert(!isAllowed("lib/pages", to("islands/Send.tsx", true)));
  assert(!isAllowed("lib/rooms", to("lib/server/instance.ts", true)));
  assert(!isAllowed("lib/rooms", to("lib/pictures/outbox.ts")));
  assert(!isAllowed("components", to("lib/pages/session.ts")));
  assert(isAllowed("components", to("lib/pages/session.ts", true)));
  assert(isAllowed("islands", to("lib/pages/session.ts")));
});
