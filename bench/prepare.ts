/**
 * Measures the time from choosing a photo to the link, and to the picture that is ready to be sent;
 * and how long the page is blocked meanwhile: its longest task. With 12 megapixels, and with 48,
 * which are scaled down. Prints medians of five rounds, one JSON line each. `--check` fails if a
 * task takes more than 50 ms, which people notice.
 *
 *     deno run -A bench/prepare.ts [--check] [--rounds=5] [picture.jpg …]
 *
 * To compare with another version, copy this file into a checkout of it, and run the two
 * alternately with `--rounds=1`.
 *
 * @module
 */
import { join } from "node:path";
import { startApp } from "../tests/support/app.ts";
import { serveBlank } from "../tests/support/blank.ts";
import { type TestBrowser, withBrowser } from "../tests/support/browser.ts";
import { fixture } from "../tests/support/fixtures.ts";
import { Sender } from "../tests/support/flow.ts";
import { median, printLine, rounded } from "./statistics.ts";

const MOST_MS = 50;
/** Timeout: ten times what it normally takes. */
const PATIENCE_MS = 60_000;

/**
 * Records when a file was chosen, when the link and the picture appeared, and tasks above 50 ms,
 * the only ones that Chromium reports.
 */
const WATCH = `{
  const times = { chosen: 0, link: 0, picture: 0, tasks: [] };
  Object.defineProperty(globalThis, "__prepare", { value: times });
  addEventListener("change", (event) => {
    if (event.target.type === "file") times.chosen = performance.now();
  }, true);
  const look = () => {
    if (times.chosen === 0) return;
    if (document.querySelector("[data-field=share-link]")) times.link ||= performance.now();
    if (document.querySelector("li.picture canvas")) times.picture ||= performance.now();
  };
  new MutationObserver(look).observe(document, { subtree: true, childList: true });
  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) {
      if (times.chosen > 0 && startTime >= times.chosen) times.tasks.push(duration);
    }
  }).observe({ type: "longtask" });
}`;

interface Round {
  readonly linkMs: number;
  readonly pictureMs: number;
  readonly longestTaskMs: number;
}

async function measure(browser: TestBrowser, url: string, path: string): Promise<Round> {
  const page = await browser.newPage({ before: WATCH });
  try {
    const sender = await Sender.open(page, url);
    // Let the page finish loading first, because that is not part of the measurement.
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await sender.chooseFile({ ...await fixture("large"), path });
    const done = () =>
      Reflect.get(globalThis, "__prepare").picture > 0 ||
      document.querySelector("main[data-phase=failed]") !== null;
    await page.page.waitForFunction(done, { timeout: PATIENCE_MS });
    // The observer is notified of a task only afterwards.
    await new Promise((resolve) => setTimeout(resolve, 300));
    const [chosen, link, picture, longest] = await page.page.evaluate(() => {
      const { chosen, link, picture, tasks } = Reflect.get(globalThis, "__prepare");
      return [chosen, link, picture, Math.max(0, ...tasks)].map(Number);
    });
    if (picture === 0) throw new Error(`Cannot measure ${path}: it was refused`);
    const since = (time = NaN) => rounded(time - (chosen ?? NaN));
    return {
      linkMs: since(link),
      pictureMs: since(picture),
      longestTaskMs: rounded(longest ?? NaN),
    };
  } finally {
    await page.close();
  }
}

/** A photo of 8,000 × 6,000: four copies of the one with 12 megapixels, side by side. */
async function largest(directory: string): Promise<string> {
  const tile = (await Deno.readFile((await fixture("large")).path)).toBase64();
  const path = join(directory, "48.jpg");
  await using site = serveBlank();
  await withBrowser(async (browser) => {
    const { page } = await browser.newPage();
    await page.goto(site.url);
    const text = await page.evaluate(async (tile) => {
      const response = await fetch(`data:image/jpeg;base64,${tile}`);
      const bitmap = await createImageBitmap(await response.blob());
      const canvas = new OffscreenCanvas(2 * bitmap.width, 2 * bitmap.height);
      const context = canvas.getContext("2d");
      for (const x of [0, bitmap.width]) {
        for (const y of [0, bitmap.height]) context?.drawImage(bitmap, x, y);
      }
      const blob = await canvas.convertToBlob({ type: "image/jpeg", quality: 0.8 });
      const reader = new FileReader();
      await new Promise((resolve) => {
        reader.onload = resolve;
        reader.readAsDataURL(blob);
      });
      return String(reader.result).split(",")[1] ?? "";
    }, tile);
    await Deno.writeFile(path, Uint8Array.fromBase64(text));
  });
  return path;
}

if (import.meta.main) {
  const rounds = Number(/--rounds=(\d+)/.exec(Deno.args.join(" "))?.[1] ?? 5);
  const given = Deno.args.filter((arg) => !arg.startsWith("--"));
  const directory = await Deno.makeTempDir();
  try {
    const own = [(await fixture("large")).path, await largest(directory)];
    await using app = await startApp();
    await withBrowser(async (browser) => {
      for (const path of given.length > 0 ? given : own) {
        const all: Round[] = [];
        for (let i = 0; i < rounds; i++) all.push(await measure(browser, app.url, path));
        const line = {
          bench: `prepare ${path.split("/").at(-1)}`,
          rounds,
          linkMs: median(all.map(({ linkMs }) => linkMs)),
          pictureMs: median(all.map(({ pictureMs }) => pictureMs)),
          longestTaskMs: median(all.map(({ longestTaskMs }) => longestTaskMs)),
        };
        printLine(line);
        if (line.longestTaskMs > MOST_MS && Deno.args.includes("--check")) Deno.exitCode = 1;
      }
    });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}
