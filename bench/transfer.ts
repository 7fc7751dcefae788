/**
 * How fast a picture goes from one browser to the other, compared with a bare RTCDataChannel that carries the same bytes.
 *
 *     deno run -A bench/transfer.ts [--check] [--quick]
 *
 * Two contexts of one browser, a fresh connection for each transfer, all implementations in turn within one round, and each
 * round in another order, so that whatever the machine does meanwhile hits all alike. Time runs from the first send to the
 * receiver's word that it holds the last byte. One JSON line a case; `ratio` is the best bare median divided by this median: 1 is
 * as fast as bare, and `--check` fails below {@linkcode TARGET}. `--quick` does one round of the small size.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { serveBlank } from "../tests/support/blank.ts";
import { launchBrowser, type TestPage } from "../tests/support/browser.ts";
import { median, printLine, rounded } from "./statistics.ts";
// Its types alone: the module itself runs in the pages.
import type {} from "./transfer_page.ts";

/** What ours has to reach, as a share of the best bare speed. */
const TARGET = 0.95;

/** Sizes and rounds. A photograph, and about the largest picture. */
const CASES = [
  { bytes: 3_000_000, rounds: 7 },
  { bytes: 64_000_000, rounds: 5 },
] as const;

/** A page's script, bundled from TypeScript. */
async function bundlePage(): Promise<string> {
  const { success, errors, outputFiles } = await Deno.bundle({
    entrypoints: [fileURLToPath(new URL("transfer_page.ts", import.meta.url))],
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

/** Lets two pages exchange signaling through the driver, each direction in order. */
async function wire(from: TestPage, to: TestPage): Promise<void> {
  let last: Promise<unknown> = Promise.resolve();
  await from.page.exposeFunction("benchSignal", (message: string) => {
    last = last.then(() => to.page.evaluate((text) => bench.signal(text), message));
    return last;
  });
}

/** One transfer over a fresh connection, in milliseconds. */
async function transfer(
  sender: TestPage,
  receiver: TestPage,
  name: string,
  size: number,
): Promise<number> {
  const connect = (page: TestPage, role: "sender" | "receiver") =>
    page.page.evaluate((n, r, s) => bench.connect(n, r, s), name, role, size);
  await Promise.all([connect(receiver, "receiver"), connect(sender, "sender")]);
  const ms = await sender.page.evaluate(() => bench.send());
  const bytes = await receiver.page.evaluate(() => bench.finish());
  await sender.page.evaluate(() => bench.finish());
  if (bytes !== size) throw new Error(`${name} carried ${bytes} of ${size} bytes`);
  return ms;
}

/** Results of one implementation at one size. */
interface Row {
  readonly name: string;
  readonly ms: number[];
}

async function measure(): Promise<boolean> {
  const quick = Deno.args.includes("--quick");
  await using site = serveBlank({ scripts: { "/bench.js": await bundlePage() } });
  await using browser = await launchBrowser();
  const [sender, receiver] = [await browser.newPage(), await browser.newPage()];
  for (const { page } of [sender, receiver]) {
    await page.goto(site.url);
    await page.addScriptTag({ url: "/bench.js" });
  }
  await wire(sender, receiver);
  await wire(receiver, sender);
  const names = await sender.page.evaluate(() => bench.names());
  let reached = true;
  for (const { bytes, rounds } of quick ? [{ ...CASES[0], rounds: 1 }] : CASES) {
    await sender.page.evaluate((size) => bench.prepare(size), bytes);
    // Compiles what is hot, and opens what is opened once.
    for (const name of names) await transfer(sender, receiver, name, bytes);
    const rows: Row[] = names.map((name) => ({ name, ms: [] }));
    for (let round = 0; round < rounds; round++) {
      for (let i = 0; i < rows.length; i++) {
        const row = rows[(i + round) % rows.length]!;
        row.ms.push(await transfer(sender, receiver, row.name, bytes));
      }
    }
    const bare = rows.filter(({ name }) => name.startsWith("bare"));
    const best = Math.min(...bare.map(({ ms }) => median(ms)));
    for (const { name, ms } of rows) {
      const ratio = best / median(ms);
      if (!name.startsWith("bare") && ratio < TARGET) reached = false;
      printLine({
        bench: "transfer",
        name,
        bytes,
        rounds,
        medianMs: rounded(median(ms)),
        minMs: rounded(Math.min(...ms)),
        maxMs: rounded(Math.max(...ms)),
        mbPerSecond: rounded(bytes / median(ms) / 1_000, 2),
        ratio: rounded(ratio, 3),
      });
    }
  }
  for (const page of browser.pages) page.assertNoErrors();
  return reached;
}

if (import.meta.main) {
  const reached = await measure();
  if (!reached && Deno.args.includes("--check")) Deno.exitCode = 1;
}
