/**
 * Writes the app as a static site: `deno task export DIR`. It needs no server of ours, only the one
 * that SIGNALING_ORIGIN names, which has the rooms. docs/operations.md says what hosts have to do.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { dirname } from "@std/path";
import { walkSync } from "@std/fs/walk";
import { TEXTS } from "../i18n/catalogue.ts";
import { LANGUAGES } from "../i18n/languages.ts";
import { config } from "../ops/config.ts";
import { complain, tell } from "../ops/log.ts";
import { COMMON, filePolicy, pagePolicy, socketsOf } from "../server/headers.ts";
import { PAGES } from "./pages.ts";
import { renderPages } from "./render_pages.ts";

/** The language of the pages at the top; scripts replace it by the visitor's. */
const FIRST = "en";

/** The files of a static site, by path without a leading slash. */
export type Site = ReadonlyMap<string, Uint8Array<ArrayBuffer>>;

/** What a static site has to know. */
export interface ExportOptions {
  /** Origin of the server that has the rooms. */
  readonly signaling: string;
  /** True if that server offers its encrypted relay. */
  readonly relay: boolean;
}

/** A page in a frame could be clicked by mistake; only headers can forbid frames beforehand. */
const UNFRAMED = 'if(top!==self)throw new Error("Cannot start: this page is in a frame");';

const SCRIPT = /<script type="module" nonce="[^"]*">(.*?)<\/script>/gs;

/** A rendered page, without a nonce, with its policy and its preloads in the document. */
export function toStatic(page: string, { signaling }: Pick<ExportOptions, "signaling">): string {
  const hashes: string[] = [];
  const bundles = new Set<string>();
  let html = page.replace(SCRIPT, (_, code: string) => {
    const guarded = UNFRAMED + code;
    hashes.push(`'sha256-${createHash("sha256").update(guarded).digest("base64")}'`);
    for (const [, path = ""] of code.matchAll(/from "(\/[^"]+)"/g)) bundles.add(path);
    return `<script type="module">${guarded}</script>`;
  });
  const sockets = socketsOf({ publicOrigins: [], signaling });
  // Browsers ignore this directive in a document, and report that.
  const policy = pagePolicy(hashes, sockets).replace(/; frame-ancestors [^;]+/, "");
  const head = [
    `<meta http-equiv="content-security-policy" content="${policy}"/>`,
    ...[...bundles].map((path) => `<link rel="modulepreload" href="${path}"/>`),
  ].join("");
  html = html.replace('<meta charset="utf-8"/>', (charset) => charset + head);
  // Static hosts redirect from a folder's name to its address with a slash.
  return html.replaceAll(/href="\/(security|build)"/g, 'href="/$1/"');
}

/** The rules for hosts that read `_headers`. */
function headersFile(workers: readonly string[]): string {
  const rule = (path: string, headers: readonly (readonly [string, string])[]) =>
    [path, ...headers.map(([name, value]) => `  ${name}: ${value}`), ""].join("\n");
  return [
    // Two policies for one path both apply: this one restricts no script.
    rule("/*", [
      ...Object.entries(COMMON),
      ["content-security-policy", "frame-ancestors 'none'"],
    ]),
    rule("/_fresh/js/*", [["cache-control", "public, max-age=31536000, immutable"]]),
    ...workers.map((path) => rule(path, [["content-security-policy", filePolicy(path)]])),
  ].join("\n");
}

/** Every file of the site. `pages` is a folder that {@linkcode renderPages} wrote for an export. */
export function collect(pages: string, options: ExportOptions): Site {
  const site = new Map<string, Uint8Array<ArrayBuffer>>();
  const write = (path: string, text: string) => site.set(path, new TextEncoder().encode(text));
  for (const root of ["static", "_fresh/static"]) {
    for (const { path } of walkSync(root, { includeDirs: false, includeSymlinks: false })) {
      if (!/\.(?:br|gz)$/.test(path)) {
        site.set(path.slice(root.length + 1), Deno.readFileSync(path));
      }
    }
  }
  const workers = [...site.keys()].filter((path) => /^workers\/|^sw\.js$/.test(path)).sort();
  for (const { tag } of LANGUAGES) {
    for (const { name } of PAGES) {
      const page = toStatic(Deno.readTextFileSync(`${pages}/${tag}/${name}.html`), options);
      const local = page.replaceAll(/href="\/(security|build)\/"/g, `href="/${tag}/$1/"`);
      const path = name === "index" ? "index.html" : `${name}/index.html`;
      if (name !== "404") write(`${tag}/${path}`, local);
      if (tag === FIRST) write(name === "404" ? "404.html" : path, page);
    }
    const { dir, island, pages: around } = TEXTS[tag];
    write(`texts/${tag}.json`, JSON.stringify({ dir, island, pages: around }));
  }
  write("_headers", headersFile(workers.map((path) => `/${path}`)));
  return site;
}

/** Renders and collects the site of the build in `_fresh`. */
export async function exportSite(options: ExportOptions): Promise<Site> {
  const pages = await Deno.makeTempDir();
  try {
    const settings = {
      SIGNALING_ORIGIN: options.signaling,
      RELAY: options.relay ? "on" : "off",
    };
    await renderPages(pages, { settings, forExport: true });
    return collect(pages, options);
  } finally {
    await Deno.remove(pages, { recursive: true });
  }
}

/** Writes the files below `directory`. Throws if anything is there already. */
export async function writeSite(site: Site, directory: string): Promise<void> {
  await Deno.mkdir(directory, { recursive: true });
  for await (const { name } of Deno.readDir(directory)) {
    throw new Error(`Cannot export to ${directory}: ${name} is there already`);
  }
  for (const [path, bytes] of site) {
    await Deno.mkdir(dirname(`${directory}/${path}`), { recursive: true });
    await Deno.writeFile(`${directory}/${path}`, bytes);
  }
}

async function main([directory]: readonly string[]): Promise<void> {
  const { SIGNALING_ORIGIN: signaling, RELAY } = config();
  if (directory === undefined) throw new Error("Cannot export: name a folder");
  if (signaling === "") {
    throw new Error("Cannot export: set SIGNALING_ORIGIN to the server that has the rooms");
  }
  const site = await exportSite({ signaling, relay: RELAY === "on" });
  await writeSite(site, directory);
  tell(`Wrote ${site.size} files to ${directory}, for the rooms of ${signaling}`);
}

if (import.meta.main) {
  try {
    await main(Deno.args);
  } catch (error) {
    complain(error instanceof Error ? error.message : String(error));
    Deno.exit(1);
  }
}
