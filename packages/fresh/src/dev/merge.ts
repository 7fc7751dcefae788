import { join } from "node:path";

/** Files of a bundle by name, as text. */
export type Scripts = Map<string, string>;

/** The entries that pages load: the client's, and one for each island. */
export interface Entries {
  client: string;
  islands: readonly string[];
}

/**
 * Merges chunks that pages always load together, so that a page requests two files instead of
 * dozens. Code splitting makes a chunk for each set of entries (`import()` included), and most of
 * them have a few hundred bytes. Chunks used by every page are merged into the client's file, those
 * used by one page into its island's, and those used by some pages into a file of their own. Files
 * that only `import()` loads stay as they are.
 */
export async function mergeChunks(scripts: Scripts, entries: Entries): Promise<Scripts> {
  const hosts = hostsOf(scripts, entries);
  const members = new Map<string, string[]>();
  for (const [chunk, host] of hosts) members.set(host, [...members.get(host) ?? [], chunk]);
  const result = new Map([...scripts].filter(([name]) => !hosts.has(name)));
  const directory = await Deno.makeTempDir();
  try {
    for (const [name, code] of scripts) await Deno.writeTextFile(join(directory, name), code);
    for (const [host, chunks] of members) {
      result.set(host, await mergeOne(directory, { host, chunks, scripts }));
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
  for (const [name, code] of result) result.set(name, redirect(name, code, hosts));
  return result;
}

/** Maps each merged chunk to the file that it is merged into. */
function hostsOf(scripts: Scripts, { client, islands }: Entries): Map<string, string> {
  const pages = islands.map((island) => ({
    island,
    files: new Set([...loadedWith(scripts, client), ...loadedWith(scripts, island)]),
  }));
  const asked = new Set([...scripts.values()].flatMap((code) => matches(code, DYNAMIC)));
  const hosts = new Map<string, string>();
  for (const name of scripts.keys()) {
    if (name === client || islands.includes(name) || asked.has(name)) continue;
    const users = pages.filter(({ files }) => files.has(name)).map(({ island }) => island);
    const [first] = users;
    if (first === undefined) continue;
    const all = users.length === islands.length;
    hosts.set(
      name,
      all
        ? client
        : users.length === 1
        ? first
        : `shared-${users.join("-").replaceAll(".js", "")}.js`,
    );
  }
  return hosts;
}

const STATIC = /\b(?:from|import)\s*"\.\/([^"]+)"/g;
const DYNAMIC = /\bimport\("\.\/([^"]+)"\)/g;
const EXPORTS = /\bexport\s*\{([^}]*)\}/g;

function matches(code: string, pattern: RegExp): string[] {
  return Array.from(code.matchAll(pattern), ([, found = ""]) => found);
}

function loadedWith(scripts: Scripts, start: string): Set<string> {
  const found = new Set([start]);
  for (const name of found) {
    for (const target of matches(scripts.get(name) ?? "", STATIC)) {
      if (scripts.has(target)) found.add(target);
    }
  }
  return found;
}

/** The names that a file exports. */
function exportsOf(code: string): string[] {
  return matches(code, EXPORTS).flatMap((list) => list.split(","))
    .map((item) => item.trim().split(/\s+as\s+/).at(-1) ?? "")
    .filter((name) => name !== "");
}

/**
 * Name of a chunk's export in the merged file. It includes the chunk's name, because minified names
 * are short and several chunks use the same ones.
 */
function renamed(chunk: string, name: string): string {
  return `${chunk.replace(/\W/g, "_")}_${name}`;
}

async function mergeOne(
  directory: string,
  { host, chunks, scripts }: { host: string; chunks: readonly string[]; scripts: Scripts },
): Promise<string> {
  const own = scripts.has(host)
    ? [`export{${exportsOf(scripts.get(host) ?? "")}}from"./${host}";`]
    : [];
  const others = chunks.map((chunk) => {
    const names = exportsOf(scripts.get(chunk) ?? "");
    const list = names.map((name) => `${name} as ${renamed(chunk, name)}`);
    // A chunk without exports is imported for its side effects.
    return list.length === 0 ? `import"./${chunk}";` : `export{${list}}from"./${chunk}";`;
  });
  const entry = join(directory, "merged-entry.js");
  await Deno.writeTextFile(entry, [...others, ...own].join("\n"));
  const inside = new Set([host, ...chunks]);
  const bundled = await Deno.bundle({
    entrypoints: [entry],
    outputDir: directory,
    platform: "browser",
    format: "esm",
    minify: true,
    write: false,
    external: [...scripts.keys()].filter((name) => !inside.has(name)).map((name) => `./${name}`),
  });
  const code = bundled.outputFiles?.[0]?.text();
  if (!bundled.success || code === undefined) {
    throw new Error(`Cannot merge ${host}: ${bundled.errors.map(({ text }) => text).join("; ")}`);
  }
  return code;
}

/** Rewrites a file's imports of merged chunks to the files that contain them now. */
function redirect(name: string, code: string, hosts: ReadonlyMap<string, string>): string {
  const rewritten = code
    .replaceAll(
      /\bimport\s*\{([^}]*)\}\s*from\s*"\.\/([^"]+)"/g,
      (text, list: string, target: string) => {
        const host = hosts.get(target);
        if (host === undefined) return text;
        const names = list.split(",").filter((item) => item.trim() !== "").map((item) => {
          const [exported = "", local = exported] = item.trim().split(/\s+as\s+/);
          return `${renamed(target, exported)} as ${local}`;
        });
        return `import{${names}}from"./${host}"`;
      },
    )
    .replaceAll(/\bimport\s*"\.\/([^"]+)"/g, (text, target: string) => {
      const host = hosts.get(target);
      return host === undefined ? text : `import"./${host}"`;
    });
  const left = matches(rewritten, STATIC).find((target) => hosts.has(target));
  if (left !== undefined) throw new Error(`Cannot merge ${left}: ${name} imports all of it`);
  return rewritten;
}
