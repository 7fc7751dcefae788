/**
 * `deno run -A bench/lighthouse.ts`: runs Lighthouse in a real Chromium on both pages, three times
 * each. Prints medians, one JSON line per page. Fails below 98. Lighthouse has hundreds of
 * dependencies, so it is in none of our lock files.
 *
 * @module
 */
import { startApp } from "../tests/support/app.ts";
import { findChromium } from "../tests/support/browser.ts";
import { median } from "./statistics.ts";

const LIGHTHOUSE = "npm:lighthouse@13.5.0";
const PAGES = ["/", "/join"];
const CATEGORIES = ["performance", "accessibility", "best-practices"];
const ROUNDS = 3;
const TRIES = 3;
const LEAST = 98;

/** The part of a report that is used. */
interface Report {
  readonly categories: Record<string, { readonly score: number | null }>;
  readonly audits: Record<
    string,
    {
      readonly title: string;
      readonly score: number | null;
      readonly numericValue?: number;
      readonly scoreDisplayMode: string;
    }
  >;
}

/**
 * Returns one report. On a busy machine the trace of a page load is sometimes lost (NO_NAVSTART),
 * and Lighthouse asks for another run.
 */
async function measure(url: string): Promise<Report> {
  for (let left = TRIES - 1;; left--) {
    try {
      return await run(url);
    } catch (error) {
      if (left === 0) throw error;
    }
  }
}

async function run(url: string): Promise<Report> {
  const chromium = await findChromium();
  const flags = ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", ...chromium.args];
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-lock",
      "--no-config",
      LIGHTHOUSE,
      url,
      "--output=json",
      "--quiet",
      `--chrome-flags=${flags.join(" ")}`,
      `--only-categories=${CATEGORIES.join(",")}`,
    ],
    env: { CHROME_PATH: chromium.executablePath, ...chromium.env },
  }).output();
  if (!success) throw new Error(`Cannot run Lighthouse: ${new TextDecoder().decode(stderr)}`);
  return JSON.parse(new TextDecoder().decode(stdout));
}

if (import.meta.main) {
  await using app = await startApp();
  for (const page of PAGES) {
    const reports: Report[] = [];
    for (let round = 0; round < ROUNDS; round++) reports.push(await measure(app.url + page));
    const value = (read: (report: Report) => number) => median(reports.map(read));
    const scores = Object.fromEntries(
      CATEGORIES.map((name) => [
        name,
        Math.round(100 * value(({ categories }) => categories[name]?.score ?? 0)),
      ]),
    );
    const lost = Object.entries(reports[0]?.audits ?? {})
      .filter(([, { score, scoreDisplayMode }]) =>
        score !== null && score < 0.9 && scoreDisplayMode !== "informative"
      )
      .map(([id]) => id);
    const line = {
      page,
      ...scores,
      cumulativeLayoutShift: value(({ audits }) =>
        audits["cumulative-layout-shift"]?.numericValue ?? NaN
      ),
      lost,
    };
    Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(line)}\n`));
    if (Object.values(scores).some((score) => score < LEAST)) Deno.exitCode = 1;
  }
}
