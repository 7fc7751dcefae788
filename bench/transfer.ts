/**
 * Measures how fast a picture is transferred from one browser to the other, compared with a bare
 * RTCDataChannel that transfers the same bytes.
 *
 *     deno run -A bench/transfer.ts [--check] [--quick] [--bytes 3000000,12000000]
 *                                   [--rtt 0,20,100,300] [--loss 0,1,5]
 *
 * Uses two contexts of one browser and a new connection for each transfer. All implementations
 * alternate within one round, each round in another order, so that other load on the machine
 * affects all of them equally. The time ends when the receiver's confirmation of the last byte
 * arrives. Prints one JSON line per case; `ratio` is the best bare median divided by this median: 1
 * is as fast as bare, and `--check` fails below {@linkcode TARGETS}. `--quick` does one round of
 * the small size.
 *
 * `--rtt` (milliseconds) and `--loss` (percent, in each direction) put the UDP proxy of the tests
 * between the two pages, and measure all combinations; the bare channel is then one connection
 * through the same proxy.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { serveBlank } from "../tests/support/blank.ts";
import { launchBrowser, type TestPage } from "../tests/support/browser.ts";
import { PROXY_ARGS, UdpProxy } from "../tests/support/udp_proxy.ts";
import { median, printLine, rounded } from "./statistics.ts";
// Only its types: the module itself runs in the pages.
import type {} from "./transfer_page.ts";

/** Speed to reach, as a multiple of the best bare speed, by round trip in milliseconds. */
const TARGETS: Readonly<Record<number, number>> = { 0: 0.95, 100: 2 };

/** Sizes and rounds: a photo, and about the largest picture. */
const NEAR = [
  { bytes: 3_000_000, rounds: 7 },
  { bytes: 64_000_000, rounds: 5 },
] as const;

/** Sizes and rounds over a distance: there are fewer, because each takes ten times as long. */
const FAR = [
  { bytes: 3_000_000, rounds: 5 },
  { bytes: 12_000_000, rounds: 5 },
] as const;

/** Timeout of a transfer, and interval of checks for its end, in milliseconds. */
const LONGEST_MS = 300_000;
const LOOK_MS = 500;

/** The simulated network between the two pages; `null` for none. */
type Way = { readonly rttMs: number; readonly loss: number } | null;

/** The numbers after a flag, or `null` if the flag is missing. */
function numbers(flag: string): readonly number[] | null {
  const at = Deno.args.indexOf(flag);
  return at === -1 ? null : (Deno.args[at + 1] ?? "").split(",").map(Number);
}

function ways(): readonly Way[] {
  const [rtts, losses] = [numbers("--rtt"), numbers("--loss")];
  if (rtts === null && losses === null) return [null];
  return (rtts ?? [0]).flatMap((rttMs) =>
    (losses ?? [0]).map((percent) => ({ rttMs, loss: percent / 100 }))
  );
}

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

/** Lets two pages exchange signaling through the driver, in order in each direction. */
async function wire(from: TestPage, to: TestPage): Promise<void> {
  let last: Promise<unknown> = Promise.resolve();
  await from.page.exposeFunction("benchSignal", (message: string) => {
    last = last.then(() => to.page.evaluate((text) => bench.signal(text), message));
    return last;
  });
}

/**
 * Sends, and returns the milliseconds. Polls for the end, because no call into a page may take
 * longer than a minute.
 */
async function carried({ page }: TestPage): Promise<number> {
  await page.evaluate(() => bench.start());
  for (let looked = 0; looked < LONGEST_MS; looked += LOOK_MS) {
    const ms = await page.evaluate(() => bench.took());
    if (ms !== null) return ms;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  throw new Error(`Not within ${LONGEST_MS / 60_000} minutes`);
}

/** Milliseconds of one transfer over a new connection. */
async function transfer(
  sender: TestPage,
  receiver: TestPage,
  name: string,
  size: number,
): Promise<number> {
  const connect = (page: TestPage, role: "sender" | "receiver") =>
    page.page.evaluate((n, r, s) => bench.connect(n, r, s), name, role, size);
  await Promise.all([connect(receiver, "receiver"), connect(sender, "sender")]);
  const ms = await carried(sender).catch((cause) => {
    throw new Error(`${name} did not carry ${size} bytes`, { cause });
  });
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
  await using site = serveBlank({ scripts: { "/bench.js": await bundlePage() } });
  let reached = true;
  for (const way of ways()) {
    await using proxy = way === null ? null : await UdpProxy.open(way);
    await using browser = await launchBrowser({ args: proxy === null ? [] : PROXY_ARGS });
    const [sender, receiver] = [await browser.newPage(), await browser.newPage()];
    for (const page of [sender, receiver]) {
      await proxy?.attach(page);
      await page.page.goto(site.url);
      await page.page.addScriptTag({ url: "/bench.js" });
    }
    await wire(sender, receiver);
    await wire(receiver, sender);
    reached = await compare({ sender, receiver, way }) && reached;
    for (const page of browser.pages) page.assertNoErrors();
  }
  return reached;
}

function once({ bytes }: { readonly bytes: number }) {
  return { bytes, rounds: 1 };
}

/** Measures all implementations, at each size. */
async function compare(
  { sender, receiver, way }: { sender: TestPage; receiver: TestPage; way: Way },
): Promise<boolean> {
  const quick = Deno.args.includes("--quick");
  const near = way === null || (way.rttMs === 0 && way.loss === 0);
  const chosen = numbers("--bytes")?.map((bytes) => ({ bytes, rounds: 3 }));
  const cases = chosen ?? (near ? NEAR : FAR);
  const names = await sender.page.evaluate(() => bench.names());
  let reached = true;
  for (const { bytes, rounds } of quick ? cases.slice(0, 1).map(once) : cases) {
    await sender.page.evaluate((size) => bench.prepare(size), bytes);
    // A warm-up, which compiles hot code and loads what is loaded once.
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
      const target = TARGETS[way?.rttMs ?? 0] ?? 0;
      if (!name.startsWith("bare") && ratio < target) reached = false;
      printLine({
        bench: "transfer",
        name,
        bytes,
        ...(way === null ? {} : way),
        rounds,
        medianMs: rounded(median(ms)),
        minMs: rounded(Math.min(...ms)),
        maxMs: rounded(Math.max(...ms)),
        mbPerSecond: rounded(bytes / median(ms) / 1_000, 2),
        ratio: rounded(ratio, 3),
      });
    }
  }
  return reached;
}

if (import.meta.main) {
  const reached = await measure();
  if (!reached && Deno.args.includes("--check")) Deno.exitCode = 1;
}
