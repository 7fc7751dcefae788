/**
 * `deno task dev` serves with rebuild and reload; `deno run -A dev.ts build [--if-stale]` builds.
 */
import { createHash } from "node:crypto";
import { basename } from "node:path";
import { tell } from "./lib/server/log.ts";
import type { State } from "./lib/server/state.ts";
import { config } from "./lib/server/config.ts";

const STAMP = "_fresh/inputs.sha256";
const INPUTS = [
  "deno.json",
  "deno.lock",
  "dev.ts",
  "main.ts",
  "components",
  "islands",
  "lib",
  "packages/fresh",
  "routes",
  "static",
];

/** Regular files below a path, or the path itself, in an order that no machine changes. */
function* filesBelow(path: string): Generator<string> {
  const info = statOrNull(path);
  if (info === null) return;
  if (info.isFile) return yield path;
  const names = [...Deno.readDirSync(path)].map(({ name }) => name).sort();
  for (const name of names) yield* filesBelow(`${path}/${name}`);
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
    // What bundleWorkers() writes follows from the rest.
    if (path.startsWith("static/workers/")) continue;
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

/** Fresh bundles islands only: each `lib/…/x_worker.ts` becomes the one file static/workers/x_worker.js. */
async function bundleWorkers(minify: boolean): Promise<void> {
  const entries = [...filesBelow("lib")].filter((path) => path.endsWith("_worker.ts"));
  const made = new Set<string>();
  for (const entry of entries) {
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
    const name = basename(entry, ".ts") + ".js";
    if (made.has(name)) {
      throw new Error(`Cannot bundle ${entry}: another worker has its name`);
    }
    made.add(name);
    await writeIfChanged(`static/workers/${name}`, code);
  }
  for (const path of filesBelow("static/workers")) {
    if (!made.has(basename(path))) await Deno.remove(path);
  }
}

/** Leaves an equal file alone: a write to static/ would make the watcher restart for ever. */
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
  // Taken first: a file that changes meanwhile makes the build stale, as it should.
  const inputs = hashInputs();
  const { Builder } = await import("fresh/dev");
  await bundleWorkers(true);
  await new Builder<State>().build();
  // Written last: a build that was interrupted has no stamp and is made again.
  await Deno.writeTextFile(STAMP, inputs);
  tell(
    `Built _fresh in ${((performance.now() - started) / 1000).toFixed(1)} s`,
  );
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
