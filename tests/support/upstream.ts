/**
 * Runs the app on the real Fresh and Deno standard library instead of the packages that replace
 * them: `deno task upstream DIRECTORY …`, where the dots are the arguments for `deno`, see
 * packages/README.md.
 *
 * @module
 */
import { basename, join, resolve } from "node:path";
import { complain } from "../../lib/ops/log.ts";
import { sourceFiles } from "./imports.ts";
import { PROJECT } from "./project.ts";

/** The copy of the project below DIRECTORY. */
const COPY = "app";

/** Not copied, because the copy creates them anew or does not need them. */
const LEFT_OUT: ReadonlySet<string> = new Set([".git", "_fresh", "node_modules"]);

const APP_FOLDERS = ["lib", "components", "islands", "routes"];

/** The packages below `directory`: every folder with a deno.json, except our copy. */
function packagesBelow(directory: string): string[] {
  const folders = [...Deno.readDirSync(directory)]
    .filter(({ name, isDirectory }) => isDirectory && name !== COPY)
    .map(({ name }) => join(directory, name));
  return folders.filter((folder) =>
    [...Deno.readDirSync(folder)].some(({ name }) => name === "deno.json")
  );
}

async function copyTree(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory, isFile } of Deno.readDir(from)) {
    if (LEFT_OUT.has(name)) continue;
    if (isDirectory) await copyTree(join(from, name), join(to, name));
    else if (isFile) await Deno.copyFile(join(from, name), join(to, name));
  }
}

/**
 * Copies the project below `directory`, linked to upstream's packages there. Returns the copy's
 * path.
 */
async function copyProject(directory: string): Promise<string> {
  const copy = join(directory, COPY);
  await Deno.remove(copy, { recursive: true }).catch(() => {});
  await copyTree(PROJECT, copy);
  const path = join(copy, "deno.json");
  const settings: unknown = JSON.parse(await Deno.readTextFile(path));
  const links = packagesBelow(directory).map((folder) => `../${basename(folder)}`);
  await Deno.writeTextFile(path, JSON.stringify(Object.assign({}, settings, { links }), null, 2));
  return copy;
}

async function run(cwd: string, args: readonly string[]): Promise<number> {
  const command = new Deno.Command(Deno.execPath(), { args: [...args], cwd });
  return (await command.spawn().status).code;
}

/**
 * Adds the dependencies of upstream's packages to the copy's lock files. Returns whether that
 * succeeded.
 */
async function refreshLocks(copy: string): Promise<boolean> {
  const app = ["main.ts", "dev.ts", ...APP_FOLDERS.flatMap(sourceFiles)];
  const locks: [lock: string, files: readonly string[]][] = [
    ["deno.lock", app],
    ["tests/deno.lock", [...app, ...sourceFiles("tests")]],
  ];
  for (const [lock, files] of locks) {
    // Not by a task: it would type-check linked packages too, and upstream is written for other
    // compiler options than ours.
    const code = await run(copy, ["cache", "--frozen=false", `--lock=${lock}`, ...files]);
    if (code !== 0) return false;
  }
  return true;
}

const [directory, ...args] = Deno.args;
if (directory === undefined || args.length === 0) {
  complain("Usage: deno task upstream DIRECTORY …, e.g. deno task upstream ../upstream task start");
  Deno.exit(2);
}
const copy = await copyProject(resolve(directory));
Deno.exit(await refreshLocks(copy) ? await run(copy, args) : 1);
