/**
 * Type-checks browser code without Deno's types, so that a use of `Deno`, `process` or `Buffer`
 * fails here and not in somebody's browser. `deno task check:browser`.
 *
 * @module
 */
import { join, resolve } from "node:path";
import { PROJECT, readDenoJson } from "./project.ts";
import { importsOf, sourceFiles } from "./imports.ts";
import { BROWSER_FOLDERS } from "./layers.ts";

/** The type libraries of a browser. */
const LIB = ["dom", "dom.iterable", "dom.asynciterable", "esnext"];

/**
 * Type-checks files as browser code: with `deno.json`, but other `lib`s, in a temporary directory,
 * so that imports and strictness are not written twice. Returns the compiler's errors, or `null` if
 * there are none.
 */
export async function checkBrowser(files: readonly string[]): Promise<string | null> {
  // The compiler resolves `node:` modules whatever its `lib`s are, so look for them separately.
  const imports = await importsOf(files);
  for (const file of files) {
    const node = imports.get(file)?.find(({ specifier }) => specifier.startsWith("node:"));
    if (node !== undefined) return `${file} imports ${node.specifier}, which no browser has\n`;
  }
  return await typeCheck(files);
}

async function typeCheck(files: readonly string[]): Promise<string | null> {
  const { imports, links, compilerOptions } = await readDenoJson();
  const directory = await Deno.makeTempDir();
  try {
    const config = {
      imports: Object.fromEntries(
        Object.entries(imports).map(([name, target]) => [
          name,
          target.startsWith(".") ? join(PROJECT, target) : target,
        ]),
      ),
      links: links.map((path) => join(PROJECT, path)),
      lock: { path: join(PROJECT, "tests/deno.lock"), frozen: true },
      nodeModulesDir: "none",
      compilerOptions: { ...compilerOptions, lib: LIB, types: [] },
    };
    const path = join(directory, "deno.json");
    await Deno.writeTextFile(path, JSON.stringify(config));
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "check",
        "--quiet",
        "--config",
        path,
        ...files.map((file) => resolve(PROJECT, file)),
      ],
      cwd: directory,
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).output();
    return success ? null : new TextDecoder().decode(stderr);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

if (import.meta.main) {
  const files = BROWSER_FOLDERS.flatMap(sourceFiles);
  const problem = await checkBrowser(files);
  const encoder = new TextEncoder();
  if (problem === null) {
    Deno.stdout.writeSync(encoder.encode(`${files.length} files type-check as browser code\n`));
  } else {
    Deno.stderr.writeSync(encoder.encode(problem));
    Deno.exit(1);
  }
}
