/**
 * The arrows of docs/architecture.md, checked: who may import whom. A rule that is only written down is soon broken.
 *
 * @module
 */
import { assert, assertEquals } from "./support/assert.ts";
import { type Import, importsOf, sourceFiles } from "./support/imports.ts";
import { PROJECT } from "./support/project.ts";

/** Folders whose code runs in a browser; the first two run on the server as well. */
const ISOMORPHIC = ["lib/protocol", "lib/e2e", "lib/i18n"];
const BROWSER = ["lib/net", "lib/image", "lib/viewer", "lib/session", "lib/app"];
const SERVER = ["lib/rooms", "lib/server"];

/** Whom a folder may import besides itself. Every folder of lib/ stands here, or the last test fails. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  "lib/protocol": [],
  "lib/e2e": ["lib/protocol"],
  "lib/i18n": ["lib/protocol"],
  "lib/net": ["lib/e2e", "lib/protocol"],
  "lib/image": ["lib/e2e", "lib/protocol"],
  "lib/viewer": ["lib/e2e", "lib/protocol"],
  "lib/session": ["lib/net", "lib/image", "lib/viewer", "lib/e2e", "lib/protocol", "lib/i18n"],
  "lib/app": ["lib/session", "lib/protocol", "lib/i18n"],
  "lib/rooms": ["lib/server", "lib/protocol"],
  "lib/server": ["lib/rooms", "lib/protocol"],
  "components": ["lib/i18n", "lib/protocol"],
  "islands": ["components", ...BROWSER, ...ISOMORPHIC],
  "routes": ["islands", "components", ...SERVER, "lib/protocol", "lib/i18n"],
};

/** Types alone may also come from here: texts and components name the reasons that the session has, and run nothing of it. */
const TYPE_ARROWS: Readonly<Record<string, readonly string[]>> = {
  "lib/i18n": BROWSER,
  "components": BROWSER,
};

const FOLDERS = Object.keys(ARROWS);

function folderOf(path: string): string {
  return FOLDERS.find((folder) => path.startsWith(`${folder}/`)) ?? path;
}

function isAllowed(from: string, { path, typeOnly }: Import): boolean {
  if (path === null) return true;
  const to = folderOf(path);
  // Where "fresh" is linked to is a package for everybody else, and the build is made of all of it.
  if (to === from || /^(packages|_fresh|locales)\//.test(path)) return true;
  return ARROWS[from]!.includes(to) || (typeOnly && (TYPE_ARROWS[from] ?? []).includes(to));
}

function filesIn(folders: readonly string[]): string[] {
  return folders.flatMap(sourceFiles);
}

const imports = await importsOf(filesIn(FOLDERS));

for (const folder of FOLDERS) {
  const allowed = ARROWS[folder]!.map((name) => name.replace("lib/", ""));
  Deno.test(`${folder} imports ${allowed.join(", ") || "nothing else of ours"}`, () => {
    const wrong: string[] = [];
    for (const file of sourceFiles(folder)) {
      for (const used of imports.get(file) ?? []) {
        if (!isAllowed(folder, used)) wrong.push(`${file} imports ${used.specifier}`);
      }
    }
    assertEquals(wrong, []);
  });
}

Deno.test("what runs in a browser imports no module of Node or Deno, and nothing of the server", () => {
  const roots = filesIn([...ISOMORPHIC, ...BROWSER, "islands", "components"]);
  const wrong: string[] = [];
  for (const file of reachable(roots)) {
    for (const { specifier, path } of imports.get(file) ?? []) {
      const server = path !== null && SERVER.includes(folderOf(path));
      if (server || /^(node|jsr|deno):/.test(specifier)) wrong.push(`${file} imports ${specifier}`);
    }
  }
  assertEquals(wrong, []);
});

/** Files that end up in a browser when `roots` do: followed through imports that are more than types. */
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
  for (const file of filesIn([...ISOMORPHIC, ...BROWSER])) {
    const [header = ""] = (await Deno.readTextFile(`${PROJECT}${file}`)).split("*/");
    if (!header.includes("This module is browser compatible.")) silent.push(file);
  }
  assertEquals(silent, []);
});

Deno.test("every folder of lib/ has its place in the arrows", () => {
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
  assert(!isAllowed("lib/net", to("lib/rooms/store.ts")));
  assert(!isAllowed("lib/session", to("islands/Send.tsx", true)));
  assert(!isAllowed("lib/i18n", to("lib/session/sender.ts")));
  assert(isAllowed("lib/i18n", to("lib/session/sender.ts", true)));
  assert(isAllowed("islands", to("lib/session/sender.ts")));
});
