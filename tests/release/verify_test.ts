/**
 * `deno task verify` against servers that serve other code to a few: each has to be found. The real
 * app answers, and a proxy in front of it changes one byte.
 *
 * @module
 */
import {
  type Comparison,
  type Expected,
  expectedOfServer,
  summarize,
  verify,
} from "../../lib/release/verify.ts";
import { takeOut } from "../../lib/release/pages.ts";
import { startApp, type TestApp } from "../support/app.ts";
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { PROJECT } from "../support/project.ts";
import { runExport, serveFolder } from "../support/static_site.ts";

/** Changes the answer to a request; `null` leaves it as it is. */
type Change = (req: Request, text: string, headers: Headers) => string | null;

let app: TestApp;
let expected: Expected;

Deno.test.beforeAll(async () => {
  app = await startApp();
  Deno.chdir(PROJECT);
  expected = await expectedOfServer();
});

Deno.test.afterAll(async () => {
  await app.stop("SIGKILL");
});

/** A part of what is expected, so that a test takes less than a second. */
function only(paths: readonly string[], languages: readonly string[] = ["en", "de"]): Expected {
  const files = [...expected.files].filter(([path]) => paths.includes(path));
  const pages = expected.pages.filter(({ page, language }) =>
    paths.includes(page.path) && languages.includes(language)
  );
  assert(files.length + pages.length > 0);
  return { ...expected, files: new Map(files), pages };
}

/** Compares the app behind a proxy that changes answers. */
async function through(change: Change, part: Expected, rounds = 3): Promise<Comparison> {
  await using proxy = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (req) => {
    const { pathname, search } = new URL(req.url);
    const headers = new Headers(req.headers);
    headers.delete("host");
    headers.set("accept-encoding", "identity");
    const answer = await fetch(app.url + pathname + search, { headers, redirect: "manual" });
    const changed = new Headers(answer.headers);
    const bytes = new Uint8Array(await answer.arrayBuffer());
    const text = change(req, new TextDecoder("latin1").decode(bytes), changed);
    changed.delete("content-length");
    const body = text === null ? bytes : Uint8Array.from(text, (letter) => letter.charCodeAt(0));
    return new Response(body, { status: answer.status, headers: changed });
  });
  return await verify({
    origin: `http://127.0.0.1:${proxy.addr.port}`,
    expected: part,
    rounds,
  });
}

Deno.test("an honest server is found to be one: every page, language and file", async () => {
  const { requests, differences, shown } = await verify({ origin: app.url, expected, rounds: 2 });
  assertEquals(summarize(differences), []);
  assert(requests > 500, String(requests));
  assertEquals(shown, [{ relay: false, signaling: "" }]);
});

const HOSTILE: readonly (readonly [who: string, paths: readonly string[], change: Change])[] = [
  ["one browser", ["/join"], (req, text) => {
    return /Firefox/.test(req.headers.get("user-agent") ?? "")
      ? text.replace("lead", "leaf")
      : null;
  }],
  ["one language, by its header", ["/join"], (req, text) => {
    return /^de/.test(req.headers.get("accept-language") ?? "")
      ? text.replace("lead", "leaf")
      : null;
  }],
  ["one language, by its cookie", ["/"], (req, text) => {
    return /=de/.test(req.headers.get("cookie") ?? "") ? text.replace("lead", "leaf") : null;
  }],
  ["one of three, a page", ["/security"], everyThird((text) => text.replace("prose", "prosa"))],
  ["one of three, a worker", ["/workers/picture_worker.js"], everyThird((text) => `${text} `)],
  ["those who ask with the build's id", ["/styles.css", "/styles.css?__frsh_c=ID"], (req, text) => {
    return req.url.includes("__frsh_c") ? text.replace("a", "b") : null;
  }],
  ["everybody, by a policy that connects to a third server", ["/join"], (_, __, headers) => {
    const policy = headers.get("content-security-policy") ?? "";
    headers.set("content-security-policy", policy.replace("connect-src", "$& wss://evil.example"));
    return null;
  }],
  ["everybody, by a policy with inline code", ["/join"], (_, __, headers) => {
    const policy = headers.get("content-security-policy") ?? "";
    headers.set("content-security-policy", policy.replace("script-src", "$& 'unsafe-inline'"));
    return null;
  }],
  ["everybody, by a worker that may connect", ["/workers/picture_worker.js"], (_, __, headers) => {
    headers.set("content-security-policy", "default-src 'self'");
    return null;
  }],
  ["everybody, by a script where the nonce is", ["/join"], (_, text) => {
    return text.replace(/ nonce="[^"]*"/, '$& onload="x" nonce="y"');
  }],
  ["everybody, by a setting that is none", ["/join"], (_, text) => {
    const meta = '<meta name="signaling" content="https://a.example"/>';
    return text.replace("<title>", `${meta}<script src="/x.js"></script><title>`);
  }],
  ["everybody, by another number", ["/join"], (_, text) => {
    const { build } = takeOut(text);
    return build === null ? null : text.replaceAll(build, "1".repeat(64));
  }],
];

/** Changes every third answer. */
function everyThird(change: (text: string) => string): Change {
  let count = 0;
  return (_, text) => ++count % 3 === 0 ? change(text) : null;
}

for (const [who, paths, change] of HOSTILE) {
  Deno.test(`a server that serves other code to ${who} is found`, async () => {
    const [, id = ""] = /__frsh_c=([0-9a-f]+)/.exec([...expected.files.keys()].join()) ?? [];
    const part = only(paths.map((path) => path.replace("ID", id)));
    assertEquals(summarize((await through(() => null, part, 1)).differences), [], "unchanged");
    const { differences } = await through(change, part);
    assert(differences.length > 0);
    assert(differences.every(({ path }) => paths.some((wanted) => path.startsWith(wanted))));
  });
}

Deno.test("a server that answers something else, or nothing, is reported", async () => {
  const part = only(["/join", "/styles.css"], ["en"]);
  const { differences } = await verify({ origin: "http://127.0.0.1:9", expected: part, rounds: 1 });
  assertEquals(differences.length, 6);
  assertMatch(summarize(differences).join("\n"), /no answer/);
});

Deno.test("settings of an honest server are told, and are no difference", async () => {
  await using other = await startApp({
    env: { SIGNALING_ORIGIN: "https://signal.example", RELAY: "on" },
  });
  const part = only(["/", "/join"], ["en", "ar"]);
  const result = await verify({ origin: other.url, expected: part, rounds: 1 });
  assertEquals(summarize(result.differences), []);
  assertEquals(result.shown, [{ relay: true, signaling: "https://signal.example" }]);
});

Deno.test("behind an access key / is compared once the key was entered", async () => {
  const key = "correct horse battery";
  await using locked = await startApp({ env: { ACCESS_KEY: key } });
  const part = only(["/"], ["en"]);
  const result = await verify({ origin: locked.url, expected: part, rounds: 1 });
  assertEquals([summarize(result.differences), result.locked], [[], true]);
  const body = new URLSearchParams({ key });
  const entered = await fetch(`${locked.url}/access`, { method: "POST", body, redirect: "manual" });
  await entered.body?.cancel();
  const cookie = entered.headers.get("set-cookie")?.split(";")[0] ?? "";
  const inside = await verify({ origin: locked.url, expected: part, rounds: 1, cookie });
  assertEquals([summarize(inside.differences), inside.locked], [[], false]);
});

/** Runs the program of the task; its exit code and what it printed. */
async function run(args: readonly string[]): Promise<{ code: number; text: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--frozen", "lib/release/verify.ts", ...args],
    cwd: PROJECT,
    stdin: "null",
  }).output();
  return { code, text: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

Deno.test("the exit code tells: 0 the same, 1 different, 2 not compared", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const { success, output } = await runExport(folder, { SIGNALING_ORIGIN: app.url });
    assert(success, output);
    await using site = serveFolder(folder, 0);
    const address = `http://127.0.0.1:${(site.addr as Deno.NetAddr).port}`;
    const same = await run([address, "--static", "--rounds=1"]);
    assertEquals(same.code, 0, same.text);
    assertMatch(same.text, /served this source, in each of \d+ answers/);
    // One byte in one language's page.
    await Deno.writeTextFile(`${folder}/pl/join/index.html`, " ", { append: true });
    const other = await run([address, "--static", "--rounds=1"]);
    assertEquals(other.code, 1, other.text);
    assertMatch(other.text, /differs: \/pl\/join\/: \d+ bytes, not those of the build/);
    assertEquals((await run(["nowhere"])).code, 2);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
