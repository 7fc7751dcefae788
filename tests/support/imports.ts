/**
 * The imports of files, as Deno itself resolves them.
 *
 * @module
 */
import { relative, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { PROJECT } from "./project.ts";

/** One import of a file. */
export interface Import {
  /** As it is written. */
  readonly specifier: string;
  /** Path as in {@linkcode importsOf}, or `null` for a package or a built-in module. */
  readonly path: string | null;
  /** Only `import type`: nothing of it is left at run time. */
  readonly typeOnly: boolean;
  /** `import()`: loaded on demand. */
  readonly dynamic: boolean;
}

/**
 * TypeScript files below a folder of the project, as paths relative to the project, with slashes.
 */
export function sourceFiles(folder: string): string[] {
  const found: string[] = [];
  const walk = (path: string) => {
    for (const entry of Deno.readDirSync(`${PROJECT}${path}`)) {
      const child = `${path}/${entry.name}`;
      if (entry.isDirectory) walk(child);
      else if (/\.tsx?$/.test(entry.name)) found.push(child);
    }
  };
  walk(folder);
  return found.sort();
}

/**
 * The imports of each of `files` and of the files that they import, by path: relative to the
 * project, with slashes, or absolute if it is outside.
 */
export async function importsOf(files: readonly string[]): Promise<Map<string, Import[]>> {
  const entry = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    // `deno info` takes one file, so make one that imports all.
    const urls = files.map((file) => pathToFileURL(resolve(PROJECT, file)).href);
    await Deno.writeTextFile(entry, urls.map((url) => `import "${url}";\n`).join(""));
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", "--config", `${PROJECT}deno.json`, entry],
      cwd: PROJECT,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).output();
    const decoder = new TextDecoder();
    if (!success) throw new Error(`Cannot read imports: ${decoder.decode(stderr)}`);
    const graph: Graph = JSON.parse(decoder.decode(stdout));
    const imports = new Map<string, Import[]>();
    for (const { specifier, dependencies = [] } of graph.modules) {
      const path = projectPath(specifier);
      if (path !== null) imports.set(path, dependencies.map(toImport));
    }
    return imports;
  } finally {
    await Deno.remove(entry);
  }
}

/** The part of the output of `deno info --json` that is used. */
interface Graph {
  readonly modules: readonly {
    readonly specifier: string;
    readonly dependencies?: readonly Dependency[];
  }[];
}

interface Dependency {
  readonly specifier: string;
  readonly code?: { readonly specifier?: string };
  readonly type?: { readonly specifier?: string };
  readonly isDynamic?: boolean;
}

function toImport({ specifier, code, type, isDynamic }: Dependency): Import {
  const target = code?.specifier ?? type?.specifier;
  return {
    specifier,
    path: target === undefined ? null : projectPath(target),
    typeOnly: code === undefined,
    dynamic: isDynamic ?? false,
  };
}

function projectPath(url: string): string | null {
  if (!url.startsWith("file:")) return null;
  const absolute = fileURLToPath(url);
  const path = relative(PROJECT, absolute);
  return (path.startsWith("..") ? absolute : path).replaceAll("\\", "/");
}
