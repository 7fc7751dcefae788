/**
 * What a handshake costs in computing: M1 to M4, both sides one after the other in one page of a
 * real browser, without a network.
 *
 *     deno run -A bench/handshake.ts [--check]
 *
 * All ways in turn within one round, so that whatever the machine does meanwhile hits all alike;
 * the first handshake of a page, which compiles and opens what is opened once, is counted apart.
 * One JSON line a way; `--check` fails above its target.
 *
 * And what a spoken code costs in bytes: CPace and the list of words, in scripts that a page loads
 * at first (none, or `--check` fails), and in those that it loads once a code is used. One JSON
 * line a page.
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
/** Fresh pages, for the first handshake of each. */
const COLD_ROUNDS = 7;

/** Milliseconds that a median may take; the way without a target is there to compare. */
const TARGETS: Readonly<Record<Way, number | null>> = {
  "link": 15,
  "link, ML-KEM in JavaScript": null,
  "code": 60,
};

/** What the scripts of a code have in them, and no others. */
const CODE_MARKS = /CPaceP256_XMD|abandon\W+ability/;

/** Transferred bytes of the scripts that are there for codes alone. */
export interface CodeCost {
  readonly page: string;
  /** In those that the page loads at first: what a code costs who does not use one. */
  readonly firstLoad: number;
  /** In those that it loads when a code is used. */
  readonly whenUsed: number;
}

/**
 * Counts them without a browser: the scripts that a page names, what these can import, and what
 * that imports in turn.
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
  /** What a session needs comes later as well, and what a code needs hangs on that. */
  const look = async (url: string) => {
    if (seen.has(url)) return;
    seen.add(url);
    const { text } = await fetchRaw(url);
    for (const specifier of staticImports(text)) await look(new URL(specifier, url).href);
    for (const [, specifier = ""] of text.matchAll(/\bimport\(["']([^"']+)["']\)/g)) {
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

/** Times of one way. */
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
