/**
 * Measures the first load of a page: all requests until the page is loaded and idle, with the
 * transferred bytes. Fails above the budget, or if a page contacts another host. What is loaded
 * later, on demand, is not counted.
 *
 *     deno run -A bench/page.ts             in a real browser
 *     deno run -A bench/page.ts --static    without one: the scripts that the HTML names, and what
 *                                           they import statically
 *
 * Prints one JSON line per page.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { get } from "node:http";
import { startApp } from "../tests/support/app.ts";
import { launchBrowser } from "../tests/support/browser.ts";

/**
 * JavaScript of one page, brotli, as transferred: about what a slow phone connection transfers in a
 * second.
 */
export const BUDGET_BYTES = 40_000;

/** The pages to measure. */
export const PAGES = ["/", "/join"];

/** One request of a page. */
export interface Fetched {
  readonly url: string;
  /** `script`, `stylesheet`, `document` … */
  readonly type: string;
  /**
   * Size of the body as transferred. Headers are not counted: they are not part of a script, and
   * HTTP/2 sends repeated ones only once.
   */
  readonly bytes: number;
}

/** The cost of a page. */
export interface PageCost {
  readonly page: string;
  readonly requests: number;
  readonly bytes: number;
  readonly scriptBytes: number;
  readonly list: readonly Fetched[];
}

/** Sums up the requests of one page. */
export function sumUp(page: string, list: readonly Fetched[]): PageCost {
  const sum = (items: readonly Fetched[]) => items.reduce((total, { bytes }) => total + bytes, 0);
  return {
    page,
    requests: list.length,
    bytes: sum(list),
    scriptBytes: sum(list.filter(({ type }) => type === "script")),
    list,
  };
}

/** The problems with a page's cost, in sentences. */
export function problems(cost: PageCost, origin: string): string[] {
  const found: string[] = [];
  if (cost.scriptBytes > BUDGET_BYTES) {
    found.push(
      `${cost.page} loads ${cost.scriptBytes} bytes of JavaScript, more than ${BUDGET_BYTES}`,
    );
  }
  for (const { url } of cost.list) {
    if (!/^(data|blob):/.test(url) && new URL(url, origin).origin !== origin) {
      found.push(`${cost.page} asks another host: ${url}`);
    }
  }
  return found;
}

/** Loads a page in a fresh browser profile and lists what it fetched. */
async function measureInBrowser(origin: string, path: string): Promise<Fetched[]> {
  await using browser = await launchBrowser();
  const { page } = await browser.newPage();
  const session = await page.createCDPSession();
  await session.send("Network.enable");
  const open = new Map<string, { url: string; type: string }>();
  const headers = new Map<string, number>();
  const list: Fetched[] = [];
  session.on("Network.requestWillBeSent", ({ requestId, request, type }) => {
    open.set(requestId, { url: request.url, type: (type ?? "other").toLowerCase() });
  });
  session.on("Network.responseReceived", ({ requestId, response }) => {
    headers.set(requestId, response.encodedDataLength);
  });
  const finish = (requestId: string, bytes: number) => {
    const request = open.get(requestId);
    const body = Math.max(0, bytes - (headers.get(requestId) ?? 0));
    if (request !== undefined) list.push({ ...request, bytes: body });
    open.delete(requestId);
  };
  session.on(
    "Network.loadingFinished",
    (event) => finish(event.requestId, event.encodedDataLength),
  );
  session.on("Network.loadingFailed", (event) => finish(event.requestId, 0));
  await page.goto(origin + path, { waitUntil: "networkidle0" });
  for (const { url, type } of open.values()) {
    // A worker's script finishes in the worker's own session, which we don't observe, so fetch it
    // once more. WebSockets don't finish.
    const again = type === "script" && new URL(url).origin === origin;
    list.push({ url, type, bytes: again ? (await fetchRaw(url)).bytes : 0 });
  }
  return list;
}

/** Fetches a page and the scripts that it names, and follows their static imports. */
export async function measureStatically(origin: string, path: string): Promise<Fetched[]> {
  const document = await fetchRaw(origin + path);
  const list: Fetched[] = [{ url: origin + path, type: "document", bytes: document.bytes }];
  const seen = new Set<string>();
  const visit = async (url: string) => {
    if (seen.has(url)) return;
    seen.add(url);
    if (new URL(url).origin !== origin) {
      list.push({ url, type: "script", bytes: 0 });
      return;
    }
    const { text, bytes } = await fetchRaw(url);
    list.push({ url, type: "script", bytes });
    for (const specifier of staticImports(text)) await visit(new URL(specifier, url).href);
  };
  for (const specifier of namedScripts(document.text)) {
    await visit(new URL(specifier, origin + path).href);
  }
  return list;
}

/**
 * URLs of the scripts that a page's HTML loads: `<script src>`, preloaded modules, imports of
 * inline scripts.
 */
export function namedScripts(html: string): string[] {
  const found: string[] = [];
  for (
    const [, attributes = "", body = ""] of html.matchAll(/<script\b([^>]*)>(.*?)<\/script>/gs)
  ) {
    const src = attribute(attributes, "src");
    if (src !== null) found.push(src);
    else if (attribute(attributes, "type") === "module") found.push(...staticImports(body));
  }
  for (const [, attributes = ""] of html.matchAll(/<link\b([^>]*)>/g)) {
    const href = attribute(attributes, "href");
    const script = attribute(attributes, "rel") === "modulepreload" ||
      attribute(attributes, "as") === "script";
    if (href !== null && script) found.push(href);
  }
  return found;
}

function attribute(attributes: string, name: string): string | null {
  const match = new RegExp(`\\b${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)'|([^\\s>]+))`).exec(
    attributes,
  );
  return match?.[1] ?? match?.[2] ?? match?.[3] ?? null;
}

/** Specifiers of static imports and re-exports in bundled code; `import()` is left out. */
export function staticImports(code: string): string[] {
  const pattern = /(?:^|[;}\s])(?:import|export)\s*(?:[\w$\s{},*]+?from\s*)?["']([^"']+)["']/g;
  return [...code.matchAll(pattern)].map(([, specifier = ""]) => specifier)
    .filter((specifier) => /^(\/|\.|https?:)/.test(specifier));
}

/**
 * Fetches as a browser that supports brotli. `fetch` would hide the number of transferred bytes.
 */
export function fetchRaw(url: string): Promise<{ text: string; bytes: number }> {
  return new Promise((resolve, reject) => {
    get(url, { headers: { "accept-encoding": "br, gzip" } }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const body = Buffer.concat(chunks);
        if (response.statusCode !== 200) {
          reject(new Error(`Cannot fetch ${url}: status ${response.statusCode}`));
          return;
        }
        decode(body, response.headers["content-encoding"]).then(
          (text) => resolve({ text, bytes: body.length }),
          reject,
        );
      });
    }).on("error", reject);
  });
}

async function decode(body: Buffer, encoding: string | undefined): Promise<string> {
  const { brotliDecompressSync, gunzipSync } = await import("node:zlib");
  if (encoding === "br") return brotliDecompressSync(body).toString();
  if (encoding === "gzip") return gunzipSync(body).toString();
  return body.toString();
}

if (import.meta.main) {
  await using app = await startApp();
  const measure = Deno.args.includes("--static") ? measureStatically : measureInBrowser;
  const found: string[] = [];
  const encoder = new TextEncoder();
  for (const path of PAGES) {
    const cost = sumUp(path, await measure(app.url, path));
    const list = cost.list.map((item) => ({ ...item, url: item.url.replace(app.url, "") }));
    Deno.stdout.writeSync(encoder.encode(`${JSON.stringify({ ...cost, list })}\n`));
    found.push(...problems(cost, app.url));
  }
  if (found.length > 0) {
    Deno.stderr.writeSync(encoder.encode(`${found.join("\n")}\n`));
    // Not Deno.exit(), because the server has to be stopped first.
    Deno.exitCode = 1;
  }
}
