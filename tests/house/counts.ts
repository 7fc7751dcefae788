/**
 * What `deno task house` counts, as pure functions over source texts and the graph of imports.
 *
 * @module
 */

/** The maximum length of a line, in characters. */
export const COLUMNS = 100;

/** The lines of a text that are longer than {@linkcode COLUMNS}, by their number from 1. */
export function overlong(text: string): number[] {
  return text.split("\n").flatMap((line, i) => [...line].length > COLUMNS ? [i + 1] : []);
}

/**
 * The names of the private fields of classes that can be reassigned. Leaves out `readonly` ones,
 * whatever they hold, as well as methods and accessors.
 */
export function mutableFields(text: string): string[] {
  return Array.from(text.matchAll(/^ {2}(#\w+)[?!]?(?::| =)/gm), ([, name = ""]) => name);
}

/**
 * A text of TypeScript without its comments; a `//` inside of a string may cost the rest of that
 * line.
 */
export function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|\s)\/\/.*$/gm, "$1");
}

/** The same graph between folders: an edge if a file of one imports a file of the other. */
export function foldersOf(graph: ReadonlyMap<string, readonly string[]>): Map<string, string[]> {
  const folder = (file: string) => file.slice(0, file.lastIndexOf("/"));
  const folders = new Map<string, Set<string>>();
  for (const [file, used] of graph) {
    const from = folder(file);
    const to = folders.get(from) ?? new Set();
    for (const path of used) if (graph.has(path) && folder(path) !== from) to.add(folder(path));
    folders.set(from, to);
  }
  return new Map([...folders].map(([from, to]) => [from, [...to]]));
}

/**
 * The groups of files that import each other in a circle: the strongly connected components with
 * more than one member (Tarjan 1972), each sorted by name.
 */
export function circlesOf(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const circles: string[][] = [];
  const visit = (file: string): void => {
    index.set(file, index.size);
    low.set(file, index.get(file) ?? 0);
    stack.push(file);
    for (const next of graph.get(file) ?? []) {
      if (!graph.has(next)) continue;
      if (!index.has(next)) visit(next);
      else if (!stack.includes(next)) continue;
      low.set(file, Math.min(low.get(file) ?? 0, low.get(next) ?? 0));
    }
    if (low.get(file) !== index.get(file)) return;
    const members = stack.splice(stack.indexOf(file));
    if (members.length > 1) circles.push(members.sort());
  };
  for (const file of graph.keys()) if (!index.has(file)) visit(file);
  return circles;
}
