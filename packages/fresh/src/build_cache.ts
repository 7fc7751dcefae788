import type { ComponentType } from "preact";

/** Encodings that a static file may have been compressed with ahead of time, best first. */
export const ENCODINGS = ["br", "gzip"] as const;
export type Encoding = (typeof ENCODINGS)[number];

/** Suffix of a compressed copy's file name. */
export const SUFFIX = { br: ".br", gzip: ".gz" } as const;

/** A static file or a client bundle, ready to be served. */
export interface StaticFile {
  /** Hex SHA-256 of the uncompressed bytes; the entity tag. */
  hash: string;
  encodings: readonly Encoding[];
  read(encoding: Encoding | null): Promise<Uint8Array<ArrayBuffer>>;
}

/** An island's component and the client module that exports it. */
export interface Island {
  name: string;
  exportName: string;
  /** URL path of the client module. */
  file: string;
  /** URL paths of what that module imports statically. */
  imports: readonly string[];
}

/** Everything that the dev side collects for the server side. */
export interface BuildCache {
  buildId: string;
  root: string;
  /** URL path of the module that exports `boot`. */
  clientEntry: string;
  clientImports: readonly string[];
  islands: Map<ComponentType, Island>;
  /** Route files in order of precedence: path below `routes/` without extension, and exports. */
  routes: readonly { id: string; mod: Record<string, unknown> }[];
  staticFiles: Map<string, StaticFile>;
  /** A script that a dev server adds to every page to reload it. */
  liveReload: string | null;
}

/** Registers every function that an island module exports; `default` gets the file's name. */
export function registerIslands(
  cache: BuildCache,
  mod: Record<string, unknown>,
  chunk: { name: string; file: string; imports: readonly string[] },
): void {
  for (const [exportName, value] of Object.entries(mod)) {
    if (!isComponent(value)) continue;
    const base = exportName === "default" ? chunk.name : exportName;
    const taken = new Set([...cache.islands.values()].map((island) => island.name));
    let name = base;
    for (let i = 1; taken.has(name); i++) name = `${base}_${i}`;
    cache.islands.set(value, { name, exportName, file: chunk.file, imports: chunk.imports });
  }
}

function isComponent(value: unknown): value is ComponentType {
  return typeof value === "function";
}
