/** `deno task dev` serves, rebuilds and reloads; `deno run -A dev.ts build [--if-stale]` builds. */
import { createHash } from "node:crypto";
import { walkSync } from "@std/fs/walk";
import { basename } from "@std/path";
import { tell } from "./lib/ops/log.ts";
import type { State } from "./lib/server/state.ts";
import { config } from "./lib/ops/config.ts";
import { NO_BUILD, takeOut } from "./lib/release/pages.ts";
import { renderPages } from "./lib/release/render_pages.ts";

/** Holds the result of {@linkcode hashBuild}. */
const BUILD = "_fresh/build.sha256";
const STAMP = "_fresh/inputs.sha256";
/** Every page in every language, without nonce, number of the build and settings. */
const RENDERED = "_fresh/pages";
const SERVICE_WORKER = "static/sw.js";
const INPUTS = [
  "deno.json",
  "deno.lock",
  "dev.ts",
  "main.ts",
  "components",
  "islands",
  "lib",
  "locales",
  "packages",
  "routes",
  "static",
];

/**
 * Regular files below a path, or the path itself, in an order that is the same on every machine.
 */
function* filesBelow(path: string): Generator<string> {
  const info = statOrNull(path);
  if (info === null) return;
  if (info.isFile) return yield path;
  const files = walkSync(path, { includeDirs: false, includeSymlinks: false });
  yield* [...files].map((file) => file.path.replaceAll("\\", "/")).sort();
}

function statOrNull(path: string): Deno.FileInfo | null {
  try {
    return Deno.statSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** A hash of everything that the build depends on. */
function hashInputs(): string {
  const hash = createHash("sha256").update(`deno ${Deno.version.deno}\n`);
  for (const path of INPUTS.flatMap((input) => [...filesBelow(input)])) {
    // Output of bundleWorkers(), which depends only on the other inputs.
    if (path.startsWith("static/workers/") || path === SERVICE_WORKER) continue;
    const content = Deno.readFileSync(path);
    hash.update(`${path} ${content.byteLength}\n`).update(content);
  }
  return hash.digest("hex");
}

function isFresh(): boolean {
  if (statOrNull(STAMP) === null || statOrNull("_fresh/server.js") === null) {
    return false;
  }
  return Deno.readTextFileSync(STAMP) === hashInputs();
}

/**
 * Fresh bundles islands only, so this bundles each `lib/…/x_worker.ts` into
 * static/workers/x_worker.js. The service worker becomes static/sw.js, at the top, because it
 * controls only what is below its own path.
 */
async function bundleWorkers(minify: boolean): Promise<void> {
  const entries = [...filesBelow("lib")].filter((path) => path.endsWith("_worker.ts"));
  const made = new Set<string>();
  for (const entry of entries) {
    const name = basename(entry, ".ts") + ".js";
    if (made.has(name)) {
      throw new Error(`Cannot bundle ${entry}: another worker has its name`);
    }
    made.add(name);
    await writeIfChanged(`static/workers/${name}`, await bundleScript(entry, minify));
  }
  for (const path of filesBelow("static/workers")) {
    if (!made.has(basename(path))) await Deno.remove(path);
  }
  await writeIfChanged(SERVICE_WORKER, await bundleScript("lib/app/sw.ts", minify));
}

/** Bundles a module and all its imports into one classic script. */
async function bundleScript(entry: string, minify: boolean): Promise<Uint8Array> {
  const result = await Deno.bundle({
    entrypoints: [entry],
    outputDir: "static/workers",
    platform: "browser",
    format: "iife",
    minify,
    write: false,
  });
  const code = result.outputFiles?.[0]?.contents;
  if (!result.success || code === undefined) {
    throw new Error(
      `Cannot bundle ${entry}: ${result.errors.map((e) => e.text).join("; ")}`,
    );
  }
  return code;
}

/** An access key for the pages that a server with one shows; any value would do. */
const SOME_KEY = "rendered with a key";

/**
 * Writes the pages as every server with this build sends them, so that the number of the build
 * covers them. They contain that number themselves: zeros stand for it.
 */
async function renderBuild(): Promise<void> {
  await Deno.writeTextFile(BUILD, `${NO_BUILD}\n`);
  await renderPages(RENDERED, { settings: {} });
  await renderPages(RENDERED, { settings: { ACCESS_KEY: SOME_KEY } });
  for (const path of filesBelow(RENDERED)) {
    await Deno.writeTextFile(path, takeOut(await Deno.readTextFile(path)).html);
  }
}

/**
 * SHA-256 over everything that browsers receive: over the lines that `sha256sum` prints for these
 * files and pages, in the order of their paths, so that anybody can compute it without this program
 * (docs/architecture.md has the command).
 */
function hashBuild(): string {
  // Fresh serves files that a build does not process from static/; its stand-in copies them next to
  // the processed ones.
  const served = new Map<string, string>();
  const roots = [["static", "static"], ["_fresh/static", "static"], [RENDERED, "pages"]] as const;
  for (const [root, name] of roots) {
    for (const path of filesBelow(root)) served.set(name + path.slice(root.length), path);
  }
  const lines = [...served]
    // Skips the compressed copies.
    .filter(([name]) => !/\.(?:br|gz)$/.test(name))
    .sort(([a], [b]) => a < b ? -1 : 1)
    .map(([name, path]) => `${sha256(Deno.readFileSync(path))}  ${name}\n`);
  return sha256(lines.join(""));
}

function sha256(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

/** Does not rewrite equal content: a write to static/ would make the watcher restart forever. */
async function writeIfChanged(path: string, content: Uint8Array): Promise<void> {
  if (statOrNull(path) !== null) {
    const old = await Deno.readFile(path);
    if (
      old.byteLength === content.byteLength &&
      old.every((byte, i) => byte === content[i])
    ) return;
  }
  await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
  await Deno.writeFile(path, content);
}

async function build(): Promise<void> {
  const started = performance.now();
  // Computed first: a file that changes during the build makes it stale, as it should.
  const inputs = hashInputs();
  // Fresh chooses a random build id unless this variable sets one; its stand-in hashes the content
  // and ignores the variable.
  Deno.env.set("DENO_DEPLOYMENT_ID", inputs);
  const { Builder } = await import("fresh/dev");
  await bundleWorkers(true);
  await new Builder<State>().build();
  await renderBuild();
  const hash = hashBuild();
  await Deno.writeTextFile(BUILD, `${hash}\n`);
  // Written last: an interrupted build has no stamp, and is repeated.
  await Deno.writeTextFile(STAMP, inputs);
  tell(
    `Built _fresh in ${((performance.now() - started) / 1000).toFixed(1)} s`,
  );
  tell(`What browsers get: sha256 ${hash}`);
}

async function listen(): Promise<void> {
  const { PORT: port, HOST } = config();
  const hostname = HOST || "localhost";
  const { Builder } = await import("fresh/dev");
  await bundleWorkers(false);
  await new Builder<State>().listen(() => import("./main.ts"), { port, hostname });
}

const root = import.meta.dirname;
if (root !== undefined) Deno.chdir(root);
if (Deno.args[0] !== "build") await listen();
else if (!Deno.args.includes("--if-stale") || !isFresh()) await build();
