/**
 * Measures the computing time of a handshake: M1 to M4, both sides one after the other in one page
 * of a real browser, without a network.
 *
 *     deno run -A bench/handshake.ts [--check]
 *
 * All ways alternate within one round, so that other load on the machine affects all of them
 * equally. The first handshake of a page, which compiles code and loads what is loaded once, is
 * counted separately. Prints one JSON line per way; `--check` fails above its target.
 *
 * Also measures the bytes that a spoken code costs: CPace and the word list, in scripts of a page's
 * first load (`--check` fails if there are any), and in those loaded once a code is used. Prints
 * one JSON line per page.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { startApp } from "../tests/support/app.ts";
import { serveBlank } from "../tests/support/blank.ts";
import { launchBrowser } from "../tests/support/browser.ts";
import { fetchRaw, measureStatically, PAGES, staticImports } from "./page.ts";
import { median, printLine, rounded } from "./statistics.ts";
import type { Way } from "./handshake_page.ts";

const ROUNDS = 60;
/** New pages, to measure the first handshake of each. */
const COLD_ROUNDS = 7;

/** Allowed medians in milliseconds; the way without a target is for comparison. */
const TARGETS: Readonly<Record<Way, number | null>> = {
  "link": 15,
  "link, ML-KEM in JavaScript": null,
  "code": 60,
};

/** Text that only the scripts for codes contain. */
const CODE_MARKS = /CPaceP256_XMD|abandon\W+ability/;

/** Transferred bytes of the scripts that are needed for codes only. */
export interface CodeCost {
  readonly page: string;
  /** In scripts of the first load: the cost for people who do not use a code. */
  readonly firstLoad: number;
  /** In scripts that are loaded when a code is used. */
  readonly whenUsed: number;
}

/**
 * Counts them without a browser: the scripts that a page names, those that they can import, and so
 * on.
 */
export async function codeCost(origin: string, page: string): Promise<CodeCost> {
  const first = (await measureStatically(origin, page)).filter(({ type }) => type === "script");
  const there = new Set(first.map(({ url }) => url));
  let whenUsed = 0;
  const count = async (url: string) => {
    if (there.has(url)) return;
    there.add(url);
    const { text, bytes } = await fetchRaw(url);
    whenUsed += bytes;
    for (const specifier of staticImports(text)) await count(new URL(specifier, url).href);
  };
  const seen = new Set<string>();
  /** Follows dynamic imports, too: a code's scripts are loaded from those of a session. */
  const look = async (url: string) => {
    if (seen.has(url)) return;
    seen.add(url);
    const { text } = await fetchRaw(url);
    for (const specifier of staticImports(text)) await look(new URL(specifier, url).href);
    // `$load()` is what the build makes of `import()`.
    for (const [, specifier = ""] of text.matchAll(/(?:\bimport|\$load)\(["']([^"']+)["']/g)) {
      const later = new URL(specifier, url).href;
      if (CODE_MARKS.test((await fetchRaw(later)).text)) await count(later);
      else await look(later);
    }
  };
  let firstLoad = 0;
  for (const { url } of first) {
    const { text, bytes } = await fetchRaw(url);
    if (CODE_MARKS.test(text)) firstLoad += bytes;
    await look(url);
  }
  return { page, firstLoad, whenUsed };
}

async function bundlePage(): Promise<string> {
  const { success, errors, outputFiles } = await Deno.bundle({
    entrypoints: [fileURLToPath(new URL("handshake_page.ts", import.meta.url))],
    platform: "browser",
    format: "iife",
    minify: true,
    write: false,
  });
  const code = outputFiles?.[0]?.text();
  if (!success || code === undefined) {
    throw new Error(`Cannot bundle the page: ${errors.map(({ text }) => text).join("; ")}`);
  }
  return code;
}

/** Times of one way, in milliseconds. */
interface Row {
  readonly way: Way;
  readonly cold: number[];
  readonly warm: number[];
}

async function measure(): Promise<Row[]> {
  await using site = serveBlank({ scripts: { "/bench.js": await bundlePage() } });
  await using browser = await launchBrowser();
  const open = async () => {
    const page = await browser.newPage();
    await page.page.goto(site.url);
    await page.page.addScriptTag({ url: "/bench.js" });
    return page;
  };
  const rows = Object.keys(TARGETS).map((way): Row => ({ way: way as Way, cold: [], warm: [] }));
  for (let round = 0; round < COLD_ROUNDS; round++) {
    for (const { way, cold } of rows) {
      const fresh = await open();
      cold.push(await fresh.page.evaluate((way) => handshakes.run(way), way));
      await fresh.close();
    }
  }
  const { page } = await open();
  for (let round = 0; round <= ROUNDS; round++) {
    for (const { way, warm } of rows) {
      const ms = await page.evaluate((way) => handshakes.run(way), way);
      if (round > 0) warm.push(ms);
    }
  }
  for (const page of browser.pages) page.assertNoErrors();
  return rows;
}

if (import.meta.main) {
  await using app = await startApp();
  for (const page of PAGES) {
    const cost = await codeCost(app.url, page);
    printLine({ bench: "bytes of a code", ...cost });
    if (cost.firstLoad > 0 && Deno.args.includes("--check")) Deno.exitCode = 1;
  }
  for (const { way, cold, warm } of await measure()) {
    const targetMs = TARGETS[way];
    printLine({
      bench: "handshake",
      way,
      rounds: warm.length,
      medianMs: rounded(median(warm)),
      minMs: rounded(Math.min(...warm)),
      maxMs: rounded(Math.max(...warm)),
      coldMs: rounded(median(cold)),
      targetMs,
    });
    const missed = targetMs !== null && median(warm) > targetMs;
    if (missed && Deno.args.includes("--check")) Deno.exitCode = 1;
  }
}
