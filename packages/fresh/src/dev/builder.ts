import { walkSync } from "@std/fs/walk";
import {
  basename,
  dirname,
  extname,
  fromFileUrl,
  isAbsolute,
  join,
  relative,
  resolve,
  toFileUrl,
} from "@std/path";
import { createHash } from "node:crypto";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { App, listenOn, type ListenOptions, setBuildCache } from "../app.ts";
import { type BuildCache, type Encoding, registerIslands, SUFFIX } from "../build_cache.ts";
import { compareRoutes } from "../router.ts";
import { assetOf } from "../runtime/mod.ts";
import type { Chunk, Snapshot } from "../snapshot.ts";
import { liveReload } from "./live_reload.ts";
import { mergeChunks } from "./merge.ts";

export interface BuildOptions {
  /** Directory of the app; the other paths are relative to it. */
  root?: string;
  outDir?: string;
  staticDir?: string;
  islandDir?: string;
  routeDir?: string;
  serverEntry?: string;
}

type Mode = "development" | "production";
type Bytes = Uint8Array<ArrayBuffer>;

/** The result of a build, before it is written to disk or served from memory. */
interface Output {
  buildId: string;
  client: Chunk;
  islands: { name: string; path: string; chunk: Chunk }[];
  routes: { id: string; path: string }[];
  files: Map<string, Bytes>;
}

const CLIENT = "fresh-runtime";
const CLIENT_ENTRY = fromFileUrl(new URL("../runtime/client.ts", import.meta.url));
const COMPRESSIBLE = /\.(css|html|js|json|map|md|mjs|svg|txt|wasm|webmanifest|xml)$/;

/** Bundles islands, collects routes and static files, and serves or writes the result. */
export class Builder<State = unknown> {
  #root: string;
  #dirs: {
    out: string;
    static: string;
    islands: string;
    routes: string;
    entry: string;
  };

  constructor(options: BuildOptions = {}) {
    const root = resolve(options.root ?? ".");
    const at = (path: string) => isAbsolute(path) ? path : join(root, path);
    this.#root = root;
    this.#dirs = {
      out: at(options.outDir ?? "_fresh"),
      static: at(options.staticDir ?? "static"),
      islands: at(options.islandDir ?? "islands"),
      routes: at(options.routeDir ?? "routes"),
      entry: at(options.serverEntry ?? "main.ts"),
    };
  }

  /**
   * Serves the app for development. Under `deno run --watch` the process restarts on a change, and
   * open pages reload once the new process responds.
   */
  async listen(
    importApp: () => Promise<{ app: App<State> } | App<State>>,
    options: ListenOptions = {},
  ): Promise<void> {
    const output = await this.#collect("development");
    const imported = await importApp();
    const app = imported instanceof App ? imported : imported.app;
    const reload = liveReload();
    const cache = await this.#load(output, reload.script);
    setBuildCache(app, cache, "development");
    const handler = app.handler();
    await listenOn((req, info) => reload.handle(req) ?? handler(req, info), options);
  }

  /**
   * Builds into `outDir`, or into memory: then the returned function applies the result to an app,
   * which is how tests get islands and file routes.
   */
  async build(
    options: { mode?: Mode; snapshot?: "disk" | "memory" } = {},
  ): Promise<(app: App<State>) => void> {
    const output = await this.#collect(options.mode ?? "production");
    if (options.snapshot !== "memory") {
      // Routes are not imported here: what they start could keep the build process alive.
      await this.#write(output);
      return () => {
        throw new Error("Cannot apply a build on disk to an App: import its server.js instead");
      };
    }
    const cache = await this.#load(output, null);
    return (app) => setBuildCache(app, cache, app.config.mode);
  }

  async #collect(mode: Mode): Promise<Output> {
    const dirs = this.#dirs;
    const scripts = /\.[tj]sx?$/;
    const keep = (path: string) => scripts.test(path) && !/[._]test\.[tj]sx?$/.test(path);
    const islandFiles = walk(dirs.islands).filter(keep);
    const routes = walk(dirs.routes).filter(keep)
      .map((path) => ({ id: posix(relative(dirs.routes, path)).replace(scripts, ""), path }))
      // A folder like (_lib) contains helpers of the routes beside it, not routes.
      .filter(({ id }) => !/(^|\/)\(_/.test(id))
      .sort((a, b) => compareRoutes(a.id, b.id));

    const files = new Map<string, Bytes>();
    for (const path of walk(dirs.static)) {
      if (!relative(dirs.out, path).startsWith("..")) continue;
      files.set("/" + posix(relative(dirs.static, path)), await Deno.readFile(path));
    }
    const entries = new Map([[CLIENT, CLIENT_ENTRY]]);
    for (const path of islandFiles) {
      const base = basename(path, extname(path)).replaceAll(/^[^a-z_$]|[^a-z0-9_$]+/gi, "_");
      let name = base;
      for (let i = 1; entries.has(name); i++) name = `${base}_${i}`;
      entries.set(name, path);
    }
    // Without islands no page needs a client, and nothing has to be bundled.
    const bundles = entries.size === 1 ? new Map<string, Bytes>() : await bundle(entries, mode);
    // The id is a hash of the content: the same files have the same id on every machine.
    const buildId = hash(
      [...bundles, ...files].sort(([a], [b]) => a < b ? -1 : 1)
        .map(([path, bytes]) => `${path} ${hash(bytes)}\n`).join(""),
    ).slice(0, 16);
    const prefix = `/_fresh/js/${buildId}/`;
    for (const [path, bytes] of bundles) files.set(prefix + path, bytes);
    for (const [path, bytes] of files) {
      if (path.endsWith(".css")) files.set(path, withAssets(bytes, buildId));
    }

    const chunkOf = (name: string): Chunk => ({
      file: `${prefix}${name}.js`,
      imports: references(bundles, `${name}.js`).map((path) => prefix + path),
    });
    const client = chunkOf(CLIENT);
    const islands = [...entries].slice(1).map(([name, path]) => (
      { name, path, chunk: chunkOf(name) }
    ));
    return { buildId, client, islands, routes, files };
  }

  async #load(output: Output, reloadScript: string | null): Promise<BuildCache> {
    const cache: BuildCache = {
      buildId: output.buildId,
      root: this.#root,
      clientEntry: output.client.file,
      clientImports: output.client.imports,
      islands: new Map(),
      routes: await Promise.all(
        output.routes.map(async ({ id, path }) => ({ id, mod: await load(path) })),
      ),
      staticFiles: new Map(),
      liveReload: reloadScript,
    };
    for (const { name, path, chunk } of output.islands) {
      registerIslands(cache, await load(path), { name, ...chunk });
    }
    for (const [path, bytes] of output.files) {
      const read = () => Promise.resolve(bytes);
      cache.staticFiles.set(path, { hash: hash(bytes), encodings: [], read });
    }
    return cache;
  }

  async #write(output: Output): Promise<void> {
    const { out, entry } = this.#dirs;
    await Deno.remove(out, { recursive: true }).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
    const listed: Snapshot["files"] = {};
    for (const [path, bytes] of [...output.files].sort(([a], [b]) => a < b ? -1 : 1)) {
      const target = join(out, "static", path);
      await Deno.mkdir(dirname(target), { recursive: true });
      await Deno.writeFile(target, bytes);
      const compressed = COMPRESSIBLE.test(path) ? compress(bytes) : [];
      for (const [encoding, body] of compressed) {
        await Deno.writeFile(target + SUFFIX[encoding], body);
      }
      listed[path] = [hash(bytes), ...compressed.map(([encoding]) => encoding)];
    }
    await Deno.mkdir(out, { recursive: true });
    await Deno.writeTextFile(join(out, "server.js"), serverModule(output, listed, out, entry));
  }
}

function serverModule(
  output: Output,
  files: Snapshot["files"],
  out: string,
  entry: string,
): string {
  const from = (path: string) => {
    const spec = posix(relative(out, path));
    return JSON.stringify(spec.startsWith(".") ? spec : "./" + spec);
  };
  const list = (items: string[]) => items.map((item) => `    ${item},\n`).join("");
  return `// Generated by the Builder: do not edit.
import { applySnapshot } from "fresh/internal";
import { app } from ${from(entry)};
${output.islands.map(({ path }, i) => `import * as island${i} from ${from(path)};\n`).join("")}${
    output.routes.map(({ path }, i) => `import * as route${i} from ${from(path)};\n`).join("")
  }
applySnapshot(app, {
  buildId: ${JSON.stringify(output.buildId)},
  root: import.meta.dirname,
  client: ${JSON.stringify(output.client)},
  islands: [
${
    list(output.islands.map(({ name, chunk }, i) =>
      `{ name: ${JSON.stringify(name)}, mod: island${i}, chunk: ${JSON.stringify(chunk)} }`
    ))
  }  ],
  routes: [
${list(output.routes.map(({ id }, i) => `{ id: ${JSON.stringify(id)}, mod: route${i} }`))}  ],
  files: ${JSON.stringify(files, null, 2).replaceAll("\n", "\n  ")},
});

export default { fetch: app.handler() };
`;
}

/**
 * Bundles entry files with code splitting. Each entry becomes `<name>.js`; shared code becomes
 * chunk-1.js and so on. The bundler's own chunk names are not reproducible: they depend on where
 * packages are cached.
 */
async function bundle(entries: Map<string, string>, mode: Mode): Promise<Map<string, Bytes>> {
  const outputDir = resolve("/bundle");
  const entrypoints = [...entries.values()];
  const result = await Deno.bundle({
    entrypoints,
    outputDir,
    platform: "browser",
    format: "esm",
    codeSplitting: true,
    minify: mode === "production",
    write: false,
  });
  if (!result.success) {
    const reasons = result.errors.map(({ text, location }) =>
      location ? `${location.file}:${location.line}: ${text}` : text
    );
    throw new Error(`Cannot bundle islands: ${reasons.join("; ")}`);
  }
  const outputs = new Map((result.outputFiles ?? []).map((file) => [
    posix(relative(outputDir, file.path)),
    file.text(),
  ]));

  // The bundler puts an entry's output at its path below the deepest directory that all entries
  // share.
  let shared = dirname(CLIENT_ENTRY);
  while (entrypoints.some((path) => relative(shared, path).startsWith(".."))) {
    shared = dirname(shared);
  }
  const names = new Map<string, string>();
  for (const [name, path] of entries) {
    names.set(posix(relative(shared, path)).replace(/\.[^./]+$/, ".js"), `${name}.js`);
  }
  const scripts = new Map<string, string>();
  // Iterating over a Map includes entries added meanwhile, so this visits every chunk, in a fixed
  // order.
  for (const [path, name] of names) {
    const code = outputs.get(path);
    if (code === undefined) throw new Error(`Cannot find the bundle of ${name}`);
    const renamed = code.replaceAll(/"(\.\.?\/[^"]+\.js)"/g, (text, spec: string) => {
      const target = posix(join(dirname(path), spec));
      if (!outputs.has(target)) return text;
      if (!names.has(target)) names.set(target, `chunk-${names.size - entries.size + 1}.js`);
      return `"./${names.get(target)}"`;
    });
    scripts.set(name, renamed);
  }
  const client = `${CLIENT}.js`;
  const islands = [...entries.keys()].slice(1).map((name) => `${name}.js`);
  // In development unmerged chunks are easier to debug.
  const merged = mode === "production" ? await mergeChunks(scripts, { client, islands }) : scripts;
  const encoder = new TextEncoder();
  return withRetries(new Map([...merged].map(([name, code]) => [name, encoder.encode(code)])));
}

/** Replaces each `import()` in a bundle with the client's `load()`, which can be retried. */
function withRetries(files: Map<string, Bytes>): Map<string, Bytes> {
  const result = new Map<string, Bytes>();
  for (const [name, bytes] of files) {
    // Modules that are loaded with the file itself or before it need not be fetched.
    const there = [name, ...references(files, name), ...references(files, `${CLIENT}.js`)];
    const code = new TextDecoder().decode(bytes);
    const rewritten = code.replaceAll(/\bimport\("\.\/([^"]+)"\)/g, (text, target: string) => {
      if (!files.has(target)) return text;
      const others = references(files, target).filter((path) => !there.includes(path));
      return `$load("${target}",${JSON.stringify(others)})`;
    });
    const head = rewritten === code ? "" : `import{load as $load}from"./${CLIENT}.js";`;
    result.set(name, new TextEncoder().encode(head + rewritten));
  }
  return result;
}

/** Rewrites the URLs of this site in a style sheet's `url(…)` as `asset()` does. */
function withAssets(css: Bytes, id: string): Bytes {
  const text = new TextDecoder().decode(css).replaceAll(
    /\burl\(\s*(?:"([^"]*)"|'([^']*)'|([^"')\s]+))\s*\)/g,
    (_, double?: string, single?: string, plain?: string) =>
      `url(${JSON.stringify(assetOf(double ?? single ?? plain ?? "", id))})`,
  );
  return new TextEncoder().encode(text);
}

/** All modules that a module imports statically, directly or indirectly. */
function references(files: Map<string, Bytes>, start: string): string[] {
  const found = new Set([start]);
  for (const path of found) {
    const code = new TextDecoder().decode(files.get(path));
    for (const [, target = ""] of code.matchAll(/\b(?:from|import)\s*"\.\/([^"]+)"/g)) {
      if (files.has(target)) found.add(target);
    }
  }
  return [...found].slice(1);
}

/**
 * Best compression, because files are compressed once and sent often. Copies that are not smaller
 * are left out.
 */
function compress(bytes: Bytes): [Encoding, Bytes][] {
  const params = { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.byteLength };
  const all: [Encoding, Bytes][] = [
    ["br", new Uint8Array(brotliCompressSync(bytes, { params }))],
    ["gzip", new Uint8Array(gzipSync(bytes, { level: 9 }))],
  ];
  return all.filter(([, body]) => body.byteLength < bytes.byteLength);
}

async function load(path: string): Promise<Record<string, unknown>> {
  return await import(toFileUrl(path).href);
}

/** All files below a directory, sorted, without those whose path has a hidden part. */
function walk(dir: string): string[] {
  const isHidden = (path: string) =>
    /(?:^|[/\\])\.(?!well-known(?:[/\\]|$))/.test(relative(dir, path));
  try {
    return [...walkSync(dir, { includeDirs: false, includeSymlinks: false })]
      .map(({ path }) => path)
      .filter((path) => !isHidden(path))
      .sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

function hash(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

function posix(path: string): string {
  return path.replaceAll("\\", "/");
}
