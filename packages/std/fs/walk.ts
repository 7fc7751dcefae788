/**
 * What lies below a directory.
 *
 * @module
 */
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

/** One file, directory or symbolic link. */
export interface WalkEntry extends Deno.DirEntry {
  path: string;
}

/** Options of {@linkcode walkSync}. */
export interface WalkOptions {
  includeDirs?: boolean;
  includeFiles?: boolean;
  includeSymlinks?: boolean;
  /**
   * Extensions of what is named, with or without the dot. Directories are entered whatever they are
   * called.
   */
  exts?: string[];
  /** What is left out, and in directories nothing is looked for. Matched against paths. */
  skip?: RegExp[];
}

/**
 * Everything below `root`, and `root` itself first, in the order of the file system. Links are not
 * followed.
 *
 * @throws {Deno.errors.NotFound} where there is no `root`
 */
export function* walkSync(
  root: string | URL,
  options: WalkOptions = {},
): IterableIterator<WalkEntry> {
  const { includeDirs = true, includeFiles = true, includeSymlinks = true, skip = [] } = options;
  const exts = options.exts?.map((ext) => ext.startsWith(".") ? ext : `.${ext}`);
  const isSkipped = (path: string) => skip.some((pattern) => matches(pattern, path));
  const isNamed = (path: string) =>
    (exts === undefined || exts.some((ext) => path.endsWith(ext))) && !isSkipped(path);

  const path = typeof root === "string" ? root : fileURLToPath(root);
  if (includeDirs && isNamed(path)) {
    const { isDirectory, isFile, isSymlink } = Deno.statSync(path);
    yield { path, name: basename(path), isDirectory, isFile, isSymlink };
  }
  if (isSkipped(path)) return;
  for (const entry of Deno.readDirSync(path)) {
    const child = join(path, entry.name);
    if (entry.isDirectory) yield* walkSync(child, options);
    else if ((entry.isSymlink ? includeSymlinks : includeFiles) && isNamed(child)) {
      yield { path: child, ...entry };
    }
  }
}

/** Whatever a pattern with the flag `g` was asked before. */
function matches(pattern: RegExp, path: string): boolean {
  pattern.lastIndex = 0;
  return pattern.test(path);
}
