import { join } from "@std/path";
import { type App, setBuildCache } from "./app.ts";
import { type BuildCache, type Encoding, registerIslands, SUFFIX } from "./build_cache.ts";

/** The production build as `_fresh/server.js` contains it. */
export interface Snapshot {
  buildId: string;
  /** Directory of the build. */
  root: string;
  client: Chunk;
  islands: { name: string; mod: Record<string, unknown>; chunk: Chunk }[];
  routes: { id: string; mod: Record<string, unknown> }[];
  /** For each URL path: the hash, and the encodings of the compressed copies beside the file. */
  files: Record<string, [hash: string, ...encodings: Encoding[]]>;
}

/** A client module and what it imports statically, as URL paths. */
export interface Chunk {
  file: string;
  imports: string[];
}

/** Gives an app the production build to serve. */
export function applySnapshot<State>(app: App<State>, snapshot: Snapshot): void {
  const { buildId, root, client, routes } = snapshot;
  const cache: BuildCache = {
    buildId,
    root,
    clientEntry: client.file,
    clientImports: client.imports,
    islands: new Map(),
    routes,
    staticFiles: new Map(),
    liveReload: null,
  };
  for (const { name, mod, chunk } of snapshot.islands) {
    registerIslands(cache, mod, { name, ...chunk });
  }
  for (const [path, [hash, ...encodings]] of Object.entries(snapshot.files)) {
    const file = join(root, "static", path);
    cache.staticFiles.set(path, {
      hash,
      encodings,
      read: (encoding) => Deno.readFile(encoding === null ? file : file + SUFFIX[encoding]),
    });
  }
  setBuildCache(app, cache, "production");
}
