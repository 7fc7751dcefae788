/**
 * Compares a running server with the build of this source: `deno task verify https://pic.example`.
 * Every page in every language, and every file, is fetched as several browsers would, several
 * times, because a dishonest server may serve other code to a few.
 *
 * @module
 */
import { walkSync } from "@std/fs/walk";
import { LANGUAGE_COOKIE, LANGUAGES } from "../i18n/languages.ts";
import { complain, tell } from "../ops/log.ts";
import { filePolicy, pagePolicy } from "../server/headers.ts";
import { exportSite } from "./export.ts";
import {
  ADMITTED,
  LOCKED,
  type PageFile,
  PAGES,
  type Plain,
  type Shown,
  takeOut,
} from "./pages.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** What a server with this build serves. */
export interface Expected {
  /** The number of the build. */
  readonly build: string;
  /** Files by the path and query of a request. */
  readonly files: ReadonlyMap<string, Bytes>;
  /** True for a static site: its documents have their policy inside, its host may set none. */
  readonly isStatic: boolean;
  /** Pages that a server renders; none for a static site, whose pages are files. */
  readonly pages: readonly ExpectedPage[];
}

/** A page in one language. */
export interface ExpectedPage {
  readonly page: PageFile;
  readonly language: string;
  /** Its HTML as in `_fresh/pages`: more than one if the page depends on the access key. */
  readonly html: readonly string[];
}

/** Settings of {@linkcode verify}. */
export interface VerifyOptions {
  readonly origin: string;
  readonly expected: Expected;
  /** How often each combination of path, language and browser is requested. */
  readonly rounds?: number;
  /** Sent with every request, e.g. the cookie of somebody who entered the access key. */
  readonly cookie?: string;
}

/** One answer that is not what it should be. */
export interface Difference {
  readonly path: string;
  /** `null` for files. */
  readonly language: string | null;
  readonly browser: string;
  readonly what: string;
}

/** Result of {@linkcode verify}. */
export interface Comparison {
  readonly requests: number;
  readonly differences: readonly Difference[];
  /** Settings that pages showed; more than one entry if they did not always agree. */
  readonly shown: readonly Shown[];
  /** True if `/` asked for the access key, so that what is behind it was not seen. */
  readonly locked: boolean;
}

/** As these browsers introduce themselves. */
const BROWSERS: Readonly<Record<string, string>> = {
  Chrome: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) " +
    "Chrome/149.0.0.0 Safari/537.36",
  Firefox: "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0",
  Safari: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 " +
    "(KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",
};

const ROUNDS = 3;

/** Requests at the same time: what one browser would have. */
const AT_ONCE = 6;

/** A server may ask for patience this often for one request, each time for so long, in seconds. */
const MAX_WAITS = 8;
const MAX_WAIT_S = 60;

/** Milliseconds for one answer. */
const TIMEOUT_MS = 30_000;

/** Where a difference is shown: characters on each side of its first one. */
const CONTEXT = 24;

interface Task {
  readonly path: string;
  readonly browser: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly page: ExpectedPage | null;
  readonly file: Bytes | null;
}

/** Compares `origin` with what is expected. Never throws because of the server. */
export async function verify(options: VerifyOptions): Promise<Comparison> {
  const tasks = shuffled([...tasksOf(options)]);
  const requests = tasks.length;
  const differences: Difference[] = [];
  const shown = new Map<string, Shown>();
  let locked = false;
  const work = async () => {
    for (let task = tasks.pop(); task !== undefined; task = tasks.pop()) {
      const { path, browser, page } = task;
      const language = page?.language ?? null;
      const report = (what: string) => differences.push({ path, language, browser, what });
      try {
        const answer = await request(options.origin + path, task.headers);
        const problem = task.page === null
          ? await compareFile(task, answer, options.expected)
          : await comparePage(task.page, answer, options, (plain) => {
            // The offline page shows no settings.
            if (plain.build !== null) shown.set(JSON.stringify(plain.shown), plain.shown);
            locked ||= plain.html === task.page?.html[1];
          });
        if (problem !== null) report(problem);
      } catch (error) {
        report(`no answer (${error instanceof Error ? error.message : "unknown"})`);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return { requests, differences, shown: [...shown.values()], locked };
}

function* tasksOf({ expected, rounds = ROUNDS, cookie = "" }: VerifyOptions): Generator<Task> {
  for (let round = 0; round < rounds; round++) {
    for (const [browser, agent] of Object.entries(BROWSERS)) {
      const headers = { "user-agent": agent, cookie };
      for (const [path, file] of expected.files) yield { path, browser, headers, page: null, file };
      for (const page of expected.pages) {
        const { language } = page;
        // The two ways in which a server learns of a language take turns.
        const chosen = `${LANGUAGE_COOKIE}=${language}${cookie === "" ? "" : `; ${cookie}`}`;
        const wish = round % 2 === 0
          ? { "accept-language": `${language};q=0.9`, cookie }
          : { cookie: chosen };
        yield {
          path: page.page.path,
          browser,
          headers: { ...headers, ...wish },
          page,
          file: null,
        };
      }
    }
  }
}

/** A server must not be able to tell from the order what comes next. */
function shuffled<T>(items: T[]): T[] {
  for (let i = items.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [items[i], items[j]] = [items[j] as T, items[i] as T];
  }
  return items;
}

/** One request. Waits as long as the server asks for, within limits. */
async function request(url: string, headers: Readonly<Record<string, string>>): Promise<Response> {
  for (let waits = 0;; waits++) {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const answer = await fetch(url, { headers, redirect: "manual", signal });
    const busy = answer.status === 429 || answer.status === 503;
    if (!busy || waits === MAX_WAITS) return answer;
    await answer.body?.cancel();
    const seconds = Number(answer.headers.get("retry-after"));
    const wait = seconds > 0 && seconds <= MAX_WAIT_S ? seconds : 1;
    await new Promise((resolve) => setTimeout(resolve, wait * 1_000));
  }
}

async function compareFile(
  { path, file }: Task,
  answer: Response,
  { isStatic }: Expected,
): Promise<string | null> {
  const body = new Uint8Array(await answer.arrayBuffer());
  if (answer.status !== 200) return `status ${answer.status}`;
  if (file === null || !isSame(body, file)) return `${body.length} bytes, not those of the build`;
  if (isStatic) return null;
  const policy = answer.headers.get("content-security-policy");
  const right = filePolicy(new URL(path, "http://localhost").pathname);
  return policy === right ? null : `another Content-Security-Policy: ${policy}`;
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

async function comparePage(
  { page, html }: ExpectedPage,
  answer: Response,
  { origin, expected }: VerifyOptions,
  onPlain: (plain: Plain) => void,
): Promise<string | null> {
  const text = await answer.text();
  if (answer.status !== page.status) return `status ${answer.status}`;
  const plain = takeOut(text);
  if (!html.includes(plain.html)) return describe(plain.html, html[0] ?? "");
  if (plain.build !== null && plain.build !== expected.build) {
    return `the page names the build ${plain.build}`;
  }
  onPlain(plain);
  if (answer.headers.has("refresh")) return "a Refresh header, which leads elsewhere";
  return comparePolicy(text, answer.headers.get("content-security-policy") ?? "", {
    origin,
    signaling: plain.shown.signaling,
  });
}

/** A page's policy: its nonce is the page's, and it may connect to no third server. */
function comparePolicy(
  page: string,
  policy: string,
  { origin, signaling }: { readonly origin: string; readonly signaling: string },
): string | null {
  const nonce = / nonce="([^"]*)"/.exec(page)?.[1];
  const sources = nonce === undefined ? [] : [`'nonce-${nonce}'`];
  const connect = /(?<=connect-src )[^;]+/;
  const allowed = [
    "'self'",
    ...[origin, signaling].filter((url) => url !== "").flatMap((url) => [
      url.replace(/^http/, "ws"),
      ...(url === signaling ? [url] : []),
    ]),
  ];
  const strangers = (connect.exec(policy)?.[0] ?? "").split(" ")
    .filter((source) => !allowed.includes(source));
  if (strangers.length > 0) return `a policy that lets it connect to ${strangers.join(" ")}`;
  const [given, right] = [policy, pagePolicy(sources, [])].map((text) =>
    text.replace(connect, "'self'")
  );
  // Without an inline script there may be a nonce that nothing uses.
  const unused = nonce === undefined ? given?.replace(/ 'nonce-[\w+/=-]+'/, "") : given;
  return unused === right ? null : `another Content-Security-Policy: ${policy}`;
}

/** Where two texts differ first. */
function describe(given: string, right: string): string {
  let at = 0;
  while (at < given.length && given[at] === right[at]) at++;
  const cut = (text: string) => text.slice(Math.max(0, at - CONTEXT), at + CONTEXT);
  return `other HTML, at ${at}: ${JSON.stringify(cut(given))} for ${JSON.stringify(cut(right))}`;
}

/** What a server with the build in `_fresh` serves. */
export async function expectedOfServer(): Promise<Expected> {
  const files = new Map<string, Bytes>();
  for (const root of ["static", "_fresh/static"]) {
    for (const { path } of walkSync(root, { includeDirs: false, includeSymlinks: false })) {
      if (/\.(?:br|gz)$/.test(path)) continue;
      files.set(path.slice(root.length), await Deno.readFile(path));
    }
  }
  const pages: ExpectedPage[] = [];
  for (const { tag } of LANGUAGES) {
    const read = (name: string) => Deno.readTextFile(`_fresh/pages/${tag}/${name}.html`);
    for (const page of PAGES) {
      const html = [await read(page.name)];
      if (page.path === LOCKED.path) {
        html.push(await read(LOCKED.name), await read(ADMITTED.name));
      }
      pages.push({ page, language: tag, html });
    }
  }
  // Browsers ask for most files with the id of the build, and a server sees that.
  const [, id = ""] = /\?__frsh_c=([0-9a-f]+)/.exec(pages[0]?.html[0] ?? "") ?? [];
  for (const [path, bytes] of [...files]) {
    if (!path.startsWith("/_fresh/")) files.set(`${path}?__frsh_c=${id}`, bytes);
  }
  return { build: await readBuild(), isStatic: false, files, pages };
}

/** What a static site of the build in `_fresh` serves, with the settings that its pages show. */
export async function expectedOfSite(origin: string): Promise<Expected> {
  const { shown } = takeOut(await (await request(`${origin}/`, {})).text());
  const files = new Map<string, Bytes>();
  for (const [path, bytes] of await exportSite(shown)) {
    // Read by the host, and by no browser.
    if (path !== "_headers") files.set(`/${path}`.replace(/\/index\.html$/, "/"), bytes);
  }
  return { build: await readBuild(), isStatic: true, files, pages: [] };
}

async function readBuild(): Promise<string> {
  return (await Deno.readTextFile("_fresh/build.sha256")).trim();
}

/** The differences in words: one line for each path and kind, with who saw it and how often. */
export function summarize(differences: readonly Difference[]): string[] {
  const lines = new Map<string, { count: number; languages: Set<string>; browsers: Set<string> }>();
  for (const { path, language, browser, what } of differences) {
    const key = `${path}: ${what}`;
    const line = lines.get(key) ?? { count: 0, languages: new Set(), browsers: new Set() };
    line.count++;
    if (language !== null) line.languages.add(language);
    line.browsers.add(browser);
    lines.set(key, line);
  }
  return [...lines].sort(([a], [b]) => a < b ? -1 : 1).map(([key, { count, ...who }]) => {
    const seen = [...who.browsers, ...who.languages].join(", ");
    return `differs: ${key} (${count} times: ${seen})`;
  });
}

/** Enters the access key. Returns the cookie; throws if the server does not accept it. */
async function enter(origin: string, key: string): Promise<string> {
  const body = new URLSearchParams({ key });
  const answer = await fetch(`${origin}/access`, { method: "POST", body, redirect: "manual" });
  await answer.body?.cancel();
  const cookie = answer.headers.get("set-cookie")?.split(";")[0];
  if (cookie === undefined) throw new Error("Cannot verify: the server refuses ACCESS_KEY");
  return cookie;
}

const USAGE = "deno task verify https://pic.example [--static] [--rounds=3]";

async function main(args: readonly string[]): Promise<number> {
  const [address = ""] = args.filter((arg) => !arg.startsWith("--"));
  const rounds = Number(args.find((arg) => arg.startsWith("--rounds="))?.slice(9) ?? ROUNDS);
  if (!URL.canParse(address) || !(rounds >= 1)) throw new Error(`Cannot verify: ${USAGE}`);
  const { origin } = new URL(address);
  const isStatic = args.includes("--static");
  const expected = isStatic ? await expectedOfSite(origin) : await expectedOfServer();
  const key = Deno.env.get("ACCESS_KEY") ?? "";
  const cookie = key === "" || isStatic ? "" : await enter(origin, key);
  tell(`The number of this source is ${expected.build}`);
  const { requests, differences, shown, locked } = await verify({
    origin,
    expected,
    rounds,
    cookie,
  });
  for (const { relay, signaling } of shown) {
    const rooms = signaling === "" ? "its own rooms" : `the rooms of ${signaling}`;
    tell(`${origin} uses ${rooms}${relay ? ", with the encrypted relay" : ""}`);
  }
  if (locked) tell(`${origin} asks for its access key; set ACCESS_KEY to see what is behind it`);
  for (const line of summarize(differences)) tell(line);
  tell(
    differences.length === 0
      ? `${origin} served this source, in each of ${requests} answers`
      : `${origin} differs from this source in ${differences.length} of ${requests} answers`,
  );
  return differences.length === 0 ? 0 : 1;
}

if (import.meta.main) {
  try {
    Deno.exit(await main(Deno.args));
  } catch (error) {
    complain(error instanceof Error ? error.message : String(error));
    Deno.exit(2);
  }
}
