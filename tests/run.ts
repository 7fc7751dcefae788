/**
 * The whole suite, two files at a time: `deno task test`. A test of pages waits for half of its time, and starting a browser
 * and a server takes longer than most of them: each lane lends its files one browser, and the app is built once.
 *
 * What is given goes to one `deno test` as it is, e.g. `deno task test tests/net --filter=repair`.
 *
 * @module
 */
import { tell } from "../lib/server/log.ts";
import { APP_IS_BUILT, buildApp } from "./support/app.ts";
import { launchBrowser, LENT_BROWSER, type TestBrowser } from "./support/browser.ts";
import { sourceFiles } from "./support/imports.ts";
import { PROJECT } from "./support/project.ts";

/** Two are enough for a machine with two cores, and pages that have to answer in time still do. */
const LANES = 2;

/** What a file imports that starts a browser or a server. To miss one costs time and nothing else. */
const SLOW = /\/(?:app|browser|lab|peer_stage|runner|scene)\.ts"/;

/** So many of the other files share one process. */
const PACK = 12;

/** What became of tests, in the words of the last line of `deno test`. */
const OUTCOMES = ["passed", "failed", "ignored"] as const;

type Totals = Record<typeof OUTCOMES[number], number>;

/** Files that are run by one `deno test`: first the slow ones, each alone, so that no lane is left with them at the end. */
function jobs(): string[][] {
  const files = sourceFiles("tests").filter((file) => file.endsWith("_test.ts"));
  const slow = new Map<string, number>();
  for (const file of files) {
    const text = Deno.readTextFileSync(PROJECT + file);
    if (SLOW.test(text)) slow.set(file, text.length);
  }
  const quick = files.filter((file) => !slow.has(file));
  return [
    ...[...slow].sort(([, a], [, b]) => b - a).map(([file]) => [file]),
    ...Array.from(
      { length: Math.ceil(quick.length / PACK) },
      (_, i) => quick.slice(i * PACK, (i + 1) * PACK),
    ),
  ];
}

/** The command; types were checked before. */
function denoTest(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Deno.CommandOptions {
  return {
    args: ["test", "-A", "--frozen", "--lock=tests/deno.lock", "--no-check", ...args],
    cwd: PROJECT,
    env: { ...env, [APP_IS_BUILT]: "1" },
    stdin: "null",
  };
}

/** Runs one job, shows what it wrote, and adds to `totals`. Says what was not well, in a few lines. */
async function runJob(
  files: readonly string[],
  browser: TestBrowser,
  totals: Totals,
): Promise<string[]> {
  // Colours would hide the summary.
  const env = { [LENT_BROWSER]: browser.browser.wsEndpoint(), NO_COLOR: "1" };
  const command = new Deno.Command(Deno.execPath(), {
    ...denoTest(files, env),
    stdout: "piped",
    stderr: "piped",
  });
  const started = performance.now();
  const { success, stdout, stderr } = await command.output();
  const seconds = Math.round((performance.now() - started) / 1000);
  const decoder = new TextDecoder();
  const text = decoder.decode(stdout);
  const summary = text.split("\n").findLast((line) => /^(?:ok|FAILED) \| \d+ passed/.test(line));
  const complaints = success ? "" : decoder.decode(stderr);
  const wrong = text.split("\n").filter((line) => / \.\.\. FAILED \(/.test(line));
  const name = files.length === 1 ? files[0] : `${files.length} files from ${files[0]}`;
  tell(`${text.replace(`${summary}\n`, "").trim()}\n${complaints}(${name}: ${seconds} s)\n`);
  // A process that broke off has said nothing of how many tests that cost.
  if (summary === undefined) {
    totals.failed++;
    const line = complaints.split("\n").find((line) => line.startsWith("error")) ?? "no word why";
    wrong.push(`broke off behind "${text.trim().split("\n").at(-1)}": ${line}`);
  }
  for (const outcome of OUTCOMES) {
    totals[outcome] += Number(new RegExp(`(\\d+) ${outcome}`).exec(summary ?? "")?.[1] ?? 0);
  }
  if (!success && wrong.length === 0) wrong.push("something besides its tests");
  return wrong.map((line) => `${name}: ${line}`);
}

/** Runs everything. Says whether all was well. */
async function runAll(): Promise<boolean> {
  const started = performance.now();
  await buildApp();
  const queue = jobs();
  const totals: Totals = { passed: 0, failed: 0, ignored: 0 };
  const broken: string[] = [];
  const lane = async () => {
    await using browser = await launchBrowser({ shell: true });
    for (let files = queue.shift(); files !== undefined; files = queue.shift()) {
      broken.push(...await runJob(files, browser, totals));
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  if (broken.length > 0) tell(`\nNot all is well in:\n  ${broken.join("\n  ")}`);
  const { passed, failed, ignored } = totals;
  const seconds = Math.round((performance.now() - started) / 1000);
  const time = `${Math.floor(seconds / 60)}m${seconds % 60}s`;
  tell(
    `\n${broken.length === 0 ? "ok" : "FAILED"} | ${passed} passed | ${failed} failed` +
      `${ignored === 0 ? "" : ` | ${ignored} ignored`} (${time})`,
  );
  return broken.length === 0;
}

if (Deno.args.length === 0) {
  if (!await runAll()) Deno.exit(1);
} else {
  await buildApp();
  const { code } = await new Deno.Command(Deno.execPath(), denoTest(Deno.args)).spawn().status;
  Deno.exit(code);
}
