/**
 * `deno task pictures DIR`: puts every file below a folder through the product and prints the
 * result: accepted, or refused and why; how far what a viewer would see is from what Chromium shows
 * in an `<img>` of the original; what independent readers still name in what would be sent. Exits
 * with 1 if a picture that is shown is refused, has other colors or reveals anything.
 *
 * `PICTURES_AT_ONCE` (2) is the number of browsers that work at a time.
 *
 * @module
 */
import { join, relative } from "node:path";
import { complain, tell } from "../../lib/ops/log.ts";
import { Bench, BenchSite, type Finding, sentOf } from "./bench.ts";
import { findReaders, readLeft, type SentFile } from "./readers.ts";
import { type Row, rowOf, rowText, summary } from "./table.ts";

/**
 * The readers are given this many files, and bytes, in one call: starting them takes longer than
 * reading.
 */
const BATCH = 20;
const BATCH_BYTES = 100_000_000;
/** Anything larger is a film, or something else that nobody takes for a picture. */
const MOST_BYTES = 500_000_000;

function* filesBelow(path: string): Generator<string> {
  const info = Deno.statSync(path);
  if (info.isFile) yield path;
  if (!info.isDirectory) return;
  const entries = [...Deno.readDirSync(path)].filter(({ isSymlink }) => !isSymlink);
  for (const name of entries.map(({ name }) => name).sort()) yield* filesBelow(join(path, name));
}

/** Processes files until none is left. */
async function work(
  site: BenchSite,
  { next, done }: { next: () => string | undefined; done: (rows: readonly Row[]) => void },
): Promise<void> {
  await using bench = new Bench(site);
  let rows: { row: Row; sent: SentFile | null }[] = [];
  const flush = async () => {
    const sent = rows.flatMap(({ sent }) => sent === null ? [] : [sent]);
    const left = await readLeft(sent);
    done(rows.map(({ row, sent }) => sent === null ? row : { ...row, left: left.shift() ?? [] }));
    rows = [];
  };
  for (let path = next(); path !== undefined; path = next()) {
    const finding = await lookAt(bench, path);
    const sent = sentOf(finding);
    rows.push({ row: rowOf(path, finding), sent });
    const size = rows.reduce((sum, { sent }) => sum + (sent?.bytes.length ?? 0), 0);
    if (rows.length >= BATCH || size > BATCH_BYTES) await flush();
  }
  await flush();
}

async function lookAt(bench: Bench, name: string): Promise<Finding> {
  try {
    const { size } = await Deno.stat(name);
    if (size > MOST_BYTES) return { kind: "lost", why: `${size} bytes are too many to look at` };
    return await bench.look({ name, bytes: await Deno.readFile(name) });
  } catch (error) {
    return { kind: "lost", why: error instanceof Error ? error.message : String(error) };
  }
}

if (import.meta.main) {
  const [directory] = Deno.args;
  if (directory === undefined) {
    complain("Which folder? deno task pictures DIR");
    Deno.exit(2);
  }
  const { found, missing } = await findReaders();
  tell(`Readers: ${found.join(", ") || "none"}; not installed: ${missing.join(", ") || "none"}`);
  const paths = [...filesBelow(directory)];
  const all: Row[] = [];
  let at = 0;
  const next = () => paths[at++];
  const done = (rows: readonly Row[]) => {
    for (const row of rows) tell(rowText({ ...row, name: relative(directory, row.name) }));
    all.push(...rows);
    tell(`… ${all.length} of ${paths.length}`);
  };
  await using site = await BenchSite.start();
  const atOnce = Math.max(1, Number(Deno.env.get("PICTURES_AT_ONCE") ?? "2") || 2);
  await Promise.all(Array.from({ length: atOnce }, () => work(site, { next, done })));
  const { text, good } = summary(all);
  tell(text);
  if (!good) Deno.exitCode = 1;
}
