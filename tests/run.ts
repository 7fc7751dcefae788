/**
 * The whole suite, three files at a time: `deno task test`. The types of the whole project are
 * checked first. A file needs a processor for a half of its time, and waits for the rest: four at
 * a time keep two processors busy all the time, and take longer. Two lanes take files that keep
 * pages busy; the third takes files that mostly wait, and files that need no browser. A lane that
 * has run out of its own kind helps with the other one. Each lane
 * lends its files one browser, and the app is built once, because starting a browser and a server
 * takes longer than most tests.
 *
 * Arguments are passed to one `deno test`, e.g. `deno task test tests/connection --filter=repair`.
 * It checks the types of these files alone, and the app is built only if one of them starts it.
 *
 * @module
 */
import { tell } from "../lib/ops/log.ts";
import { APP_IS_BUILT, buildApp } from "./support/app.ts";
import { launchBrowser, LENT_BROWSER, type TestBrowser } from "./support/browser.ts";
import { sourceFiles } from "./support/imports.ts";
import { PROJECT } from "./support/project.ts";

/** Imports of files that keep pages busy. A missing one costs only time. */
const BUSY = /\/(?:app|bench|browser|peer_stage|scene)\.ts"/;

/** Imports of files that wait for networks, servers, grace periods and attackers. */
const WAITS = /\/(?:attack|firefox|forward|lab|redis|runner|udp_proxy)\.ts"/;

/** This many of the other files share one process. */
const PACK = 12;

/** Test results, in the words of the last line of `deno test`. */
const OUTCOMES = ["passed", "failed", "ignored"] as const;

type Totals = Record<typeof OUTCOMES[number], number>;

/** Groups of files that one `deno test` runs: those that keep pages busy, and the others. */
function jobs(): { busy: string[][]; others: string[][] } {
  const busy: string[][] = [];
  const others: string[][] = [];
  const quick: string[] = [];
  for (const file of sourceFiles("tests").filter((file) => file.endsWith("_test.ts"))) {
    const text = Deno.readTextFileSync(PROJECT + file);
    if (WAITS.test(text)) others.push([file]);
    else if (BUSY.test(text)) busy.push([file]);
    else quick.push(file);
  }
  for (let i = 0; i < quick.length; i += PACK) others.push(quick.slice(i, i + PACK));
  return { busy, others };
}

/** Arguments of every `deno` command here. */
const LOCK = ["--frozen", "--lock=tests/deno.lock"];

/** How many of the slowest files are named at the end. */
const SLOWEST = 20;

/** The result of one job, for the table at the end. */
interface Timed {
  readonly name: string;
  readonly seconds: number;
}

/** What failed tests threw, a few lines each: often only the end of the output is at hand. */
function reasons(text: string): string[] {
  return Array.from(
    text.matchAll(/^error: (.*(?:\n(?! {4}at ).*){0,2})/gm),
    ([, error = ""]) => error.slice(0, 400),
  );
}

/**
 * Runs one job, shows its output, and adds to `totals` and `times`. Returns a few lines about each
 * failure.
 */
async function runJob(
  files: readonly string[],
  browser: TestBrowser,
  { totals, times }: { totals: Totals; times: Timed[] },
): Promise<string[]> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", ...LOCK, "--no-check", ...files],
    cwd: PROJECT,
    // Colors would hide the summary.
    env: { [LENT_BROWSER]: browser.browser.wsEndpoint(), NO_COLOR: "1", [APP_IS_BUILT]: "1" },
    stdin: "null",
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
  wrong.push(...reasons(text));
  const [first = ""] = files;
  const name = files.length === 1 ? first : `${files.length} files from ${first}`;
  times.push({ name, seconds });
  tell(`${text.replace(`${summary}\n`, "").trim()}\n${complaints}(${name}: ${seconds} s)\n`);
  // A process that crashed reports no number of tests.
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

/** Runs everything. Returns whether all succeeded. */
async function runAll(): Promise<boolean> {
  const started = performance.now();
  if (await deno(["check", ...LOCK]) !== 0) return false;
  await buildApp();
  const times: Timed[] = [];
  const totals: Totals = { passed: 0, failed: 0, ignored: 0 };
  const broken: string[] = [];
  const { busy, others } = jobs();
  const run = async (own: string[][], foreign: string[][]) => {
    await using browser = await launchBrowser({ shell: true });
    while (true) {
      const files = own.shift() ?? foreign.shift();
      if (files === undefined) return;
      broken.push(...await runJob(files, browser, { totals, times }));
    }
  };
  await Promise.all([run(busy, others), run(busy, others), run(others, busy)]);
  times.sort((a, b) => b.seconds - a.seconds);
  const slowest = times.slice(0, SLOWEST).map(({ name, seconds }) => `${seconds} s  ${name}`);
  tell(`\nSlowest:\n  ${slowest.join("\n  ")}`);
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

/** Runs one `deno` command in the project, with this process's output. Returns its exit code. */
async function deno(args: readonly string[]): Promise<number> {
  const command = new Deno.Command(Deno.execPath(), { args: [...args], cwd: PROJECT });
  return (await command.spawn().status).code;
}

if (Deno.args.length > 0) Deno.exit(await deno(["test", "-A", ...LOCK, ...Deno.args]));
if (!await runAll()) Deno.exit(1);
