/**
 * The app on Fresh and on Deno's standard library themselves instead of the packages that stand in
 * for them: `deno task upstream DIRECTORY …`, where the dots are what `deno` is to do there, as
 * packages/README.md describes it.
 *
 * @module
 */
import { basename, join, resolve } from "node:path";
import { complain } from "../../lib/ops/log.ts";
import { sourceFiles } from "./imports.ts";
import { PROJECT } from "./project.ts";

/** The copy of the project below DIRECTORY. */
const COPY = "app";

/** What a copy makes anew, or has no use for. */
const LEFT_OUT: ReadonlySet<string> = new Set([".git", "_fresh", "node_modules"]);

const APP_FOLDERS = ["lib", "components", "islands", "routes"];

/** The packages below `directory`: every folder in it with a deno.json, besides our copy. */
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
 * A copy of the project below `directory` that links upstream's packages there. Returns where it
 * is.
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
 * Names in the copy's lock files what upstream's packages need themselves. Says whether that went
 * well.
 */
async function refreshLocks(copy: string): Promise<boolean> {
  const app = ["main.ts", "dev.ts", ...APP_FOLDERS.flatMap(sourceFiles)];
  const locks: [lock: string, files: readonly string[]][] = [
    ["deno.lock", app],
    ["tests/deno.lock", [...app, ...sourceFiles("tests")]],
  ];
  for (const [lock, files] of locks) {
    // No task: types are checked in linked packages too, and upstream is written for other options
    // than ours.
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
