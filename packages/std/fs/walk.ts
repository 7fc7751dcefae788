/**
 * Lists what a directory contains, recursively.
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
   * Only entries with one of these extensions, with or without the dot. Directories are entered in
   * any case.
   */
  exts?: string[];
  /** Excludes paths that match; directories that match are not entered. */
  skip?: RegExp[];
}

/**
 * Yields `root` and everything below it, in the order of the file system. Symbolic links are not
 * followed.
 *
 * @throws {Deno.errors.NotFound} if `root` does not exist
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

/** Resets `lastIndex`, so that patterns with the flag `g` always match from the start. */
function matches(pattern: RegExp, path: string): boolean {
  pattern.lastIndex = 0;
  return pattern.test(path);
}
