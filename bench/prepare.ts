/**
 * How long the page stands still while a photograph of 12 megapixels is prepared: its longest task, from choosing to the link.
 * Medians of five, one JSON line. Fails above 50 ms, from where on people notice.
 *
 *     deno run -A bench/prepare.ts [picture.jpg]
 *
 * @module
 */
import { startApp } from "../tests/support/app.ts";
import { withBrowser } from "../tests/support/browser.ts";
import { fixture } from "../tests/support/fixtures.ts";
import { Sender } from "../tests/support/flow.ts";
import { median } from "./statistics.ts";

const ROUNDS = 5;
const MOST_MS = 50;

/** Counts tasks from when it is loaded; Chromium tells of those above 50 ms only. */
const WATCH = `globalThis.__tasks = [];
new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) globalThis.__tasks.push(duration);
}).observe({ type: "longtask", buffered: true });`;

if (import.meta.main) {
  const [path] = Deno.args;
  const large = await fixture("large");
  const picture = path === undefined ? large : { ...large, path };
  await using app = await startApp();
  await withBrowser(async (browser) => {
    const longest: number[] = [];
    const took: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const page = await browser.newPage({ before: WATCH });
      const sender = await Sender.open(page, app.url);
      // What loading the page took is another matter.
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      await page.page.evaluate("globalThis.__tasks.length = 0");
      const start = performance.now();
      await sender.offer(picture);
      took.push(performance.now() - start);
      await new Promise((resolve) => setTimeout(resolve, 500));
      const tasks: unknown = JSON.parse(
        String(await page.page.evaluate("JSON.stringify(globalThis.__tasks)")),
      );
      longest.push(Math.max(0, ...(Array.isArray(tasks) ? tasks.map(Number) : [])));
      await page.close();
    }
    const line = {
      megapixels: Math.round(picture.width * picture.height / 1e6),
      rounds: ROUNDS,
      longestTaskMs: median(longest),
      all: longest,
      linkMs: Math.round(median(took)),
    };
    Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(line)}\n`));
    if (line.longestTaskMs > MOST_MS) Deno.exitCode = 1;
  });
}
