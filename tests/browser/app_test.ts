/**
 * The app around the pages in real browsers: what the service worker keeps and answers, pictures
 * handed over by the system, and the notice of a new build.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { startApp, type TestApp } from "../support/app.ts";
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { serveBlank } from "../support/blank.ts";
import {
  type PageOptions,
  type TestBrowser,
  type TestPage,
  withBrowser,
} from "../support/browser.ts";
import { type Fixture, fixture } from "../support/fixtures.ts";
import { Sender, Viewer } from "../support/flow.ts";
import { PROJECT } from "../support/project.ts";
import { Recorder, understand } from "../support/recorder.ts";
import { latin1 } from "../support/search.ts";

/** See {@linkcode rest}. */
const REST_MS = 750;

interface Stage {
  readonly app: TestApp;
  readonly browser: TestBrowser;
}

/** A test with a server and a browser of its own. */
function test(name: string, body: (stage: Stage) => Promise<void>): void {
  Deno.test(name, async () => {
    await using app = await startApp();
    await withBrowser((browser) => body({ app, browser }));
  });
}

/** What the server was built to give to browsers. */
async function builtHash(): Promise<string> {
  return (await Deno.readTextFile(`${PROJECT}_fresh/build.sha256`)).trim();
}

/** Opens `/` as a sender, and waits for the service worker. */
async function openApp(
  browser: TestBrowser,
  url: string,
  options: PageOptions = {},
): Promise<Sender> {
  const sender = await Sender.open(await browser.newPage(options), url);
  await waitWorker(sender.testPage);
  return sender;
}

async function waitWorker({ page }: TestPage): Promise<void> {
  await page.evaluate(async () => {
    const { active } = await navigator.serviceWorker.ready;
    if (active === null || active.state === "activated") return;
    await new Promise((resolve) => active.addEventListener("statechange", resolve));
  });
}

/** Long enough for what a page does after loading, in tests that expect nothing to follow. */
function rest(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, REST_MS));
}

/** What is kept in this browser; runs in the page. */
async function kept() {
  const requests: string[] = [];
  for (const name of await caches.keys()) {
    for (const { url } of await (await caches.open(name)).keys()) {
      requests.push(`${name}: ${url.replace(location.origin, "")}`);
    }
  }
  return {
    requests,
    local: Object.keys(localStorage),
    session: Object.keys(sessionStorage),
    databases: (await indexedDB.databases()).length,
    workers: (await navigator.serviceWorker.getRegistrations()).length,
  };
}

/** What pages do in the window of an installed app, which a test can't open. */
const INSTALLED = `{
  const { matchMedia } = globalThis;
  globalThis.matchMedia = (query) =>
    matchMedia(query === "(display-mode: browser)" ? "not all" : query);
}`;

/** Posts a picture to `action` as the share sheet does, from the open page. */
async function share({ page }: TestPage, action: string, picture: Fixture): Promise<void> {
  const base64 = Buffer.from(await Deno.readFile(picture.path)).toString("base64");
  const done = page.waitForNavigation();
  await page.evaluate(
    (action, base64) => {
      const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
      const transfer = new DataTransfer();
      transfer.items.add(new File([bytes], "shared.jpg", { type: "image/jpeg" }));
      const form = document.createElement("form");
      form.method = "post";
      form.enctype = "multipart/form-data";
      form.action = action;
      const input = document.createElement("input");
      input.type = "file";
      input.name = "pictures";
      input.files = transfer.files;
      form.append(input);
      document.body.append(form);
      form.submit();
    },
    action,
    base64,
  );
  await done;
}

test("a session leaves only offline page, build number and seconds", async ({ app, browser }) => {
  const sender = await openApp(browser, app.url);
  await sender.reload();
  const link = await sender.offer(await fixture("exif"), { seconds: 60 });
  const viewer = await Viewer.open(await browser.newPage(), link);
  await viewer.receive();
  await viewer.look();
  await viewer.closePicture();
  await viewer.waitPhase("ended");
  await sender.waitPhase("ended");
  const nothing = { requests: [], local: [], session: [], databases: 0, workers: 0 };
  assertEquals(await sender.page.evaluate(kept), {
    ...nothing,
    requests: ["offline: /offline", "offline: /styles.css?offline"],
    // The preference for how many seconds pictures are shown.
    local: ["build", "preferences"],
    workers: 1,
  });
  assertEquals(await viewer.page.evaluate(kept), nothing);
});

test("the service worker fetches pages and touches nothing else", async ({ app, browser }) => {
  const sender = await openApp(browser, app.url);
  const answered: string[] = [];
  const all: string[] = [];
  sender.page.on("response", (response) => {
    const what = `${response.request().resourceType()} ${new URL(response.url()).pathname}`;
    all.push(what);
    if (response.fromServiceWorker()) answered.push(what);
  });
  await sender.reload();
  await sender.offer(await fixture("flat"));
  assert(all.some((what) => what.startsWith("script ")), all.join("\n"));
  assertEquals(answered, ["document /"]);
});

test("offline, “Try again” opens the link with its secret", async ({ app, browser }) => {
  const sender = await openApp(browser, app.url, {
    allowErrors: [/ERR_CONNECTION_REFUSED|ERR_FAILED/],
  });
  const { page } = sender;
  await app.stop();
  const secret = "1.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
  await page.goto(`${app.url}/join#${secret}`);
  const looks = await page.evaluate(() => ({
    text: document.querySelector("[data-field=offline]")?.textContent ?? "",
    font: getComputedStyle(document.body).fontFamily,
    hash: location.hash,
  }));
  assertMatch(looks.text, /offline/);
  assertMatch(looks.font, /system-ui/, "its style sheet is there");
  assertEquals(looks.hash, `#${secret}`);

  // Still offline: the same page again.
  await Promise.all([page.waitForNavigation(), sender.press("reload")]);
  assert(await page.$("[data-field=offline]") !== null);
  await app.start();
  await Promise.all([page.waitForNavigation(), sender.press("reload")]);
  await sender.waitFor(
    "the page of the link",
    () => document.querySelector("main[data-phase=idle] [data-action=join]") !== null,
  );
  // It does not ask for a code, so the secret was still there.
  assert(await page.$("[data-field=code]") === null);
});

test("a shared picture is chosen, and none of it reaches the server", async ({ app, browser }) => {
  using recorder = new Recorder(app.port);
  const picture = await fixture("exif");
  const sender = await openApp(browser, recorder.url, { before: INSTALLED });
  await share(sender.testPage, "/share", picture);
  assertEquals(new URL(sender.page.url()).pathname, "/");
  await sender.waitPhase("waiting");
  const { exchanges } = understand(recorder.connections);
  assert(exchanges.some(({ method, target }) => method === "GET" && target === "/"));
  assertEquals(exchanges.filter(({ target }) => target.startsWith("/share")), []);
  const bytes = await Deno.readFile(picture.path);
  const middle = latin1(bytes.subarray(bytes.length >> 1, (bytes.length >> 1) + 32));
  for (const { client } of recorder.connections) assert(!latin1(client).includes(middle));

  // They are handed over only once.
  await sender.startOver();
  await rest();
  assertEquals(await sender.phase(), "idle");
});

test("what another site posts to the share target is in no tab", async ({ app, browser }) => {
  const sender = await openApp(browser, app.url);
  await using elsewhere = serveBlank();
  await sender.page.goto(elsewhere.url);
  sender.testPage.allowErrors(/another host/);
  await share(sender.testPage, `${app.url}/share`, await fixture("flat"));
  assertEquals(sender.page.url(), `${app.url}/`);
  await rest();
  assertEquals(await sender.phase(), "idle");
});

test("pictures opened with the app are chosen on the page", async ({ app, browser }) => {
  const base64 = Buffer.from(await Deno.readFile((await fixture("flat")).path)).toString("base64");
  // As the system calls it; only an installed app has it.
  const before = `Object.defineProperty(globalThis, "launchQueue", { value: {
    setConsumer(consumer) {
      const bytes = Uint8Array.from(atob("${base64}"), (c) => c.charCodeAt(0));
      consumer({ files: [{ getFile: async () => new File([bytes], "opened.png") }] });
    },
  } });`;
  const sender = await Sender.open(await browser.newPage({ before }), app.url);
  await sender.waitPhase("waiting");
});

/** A proxy in front of the app: other bytes for the service worker, as after an upgrade. */
function serveUpgraded(app: TestApp, worker: () => string | null) {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname, search } = new URL(request.url);
    const code = pathname === "/sw.js" ? worker() : null;
    if (code !== null) {
      return new Response(code, { headers: { "content-type": "text/javascript" } });
    }
    return await fetch(`${app.url}${pathname}${search}`, { headers: request.headers });
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/**
 * A worker as an earlier version could have been: it waits for its turn, and keeps something else.
 */
const OLDER = `addEventListener("install", (event) => event.waitUntil(
    caches.open("older").then((cache) => cache.put("/", new Response("old")))));
  addEventListener("fetch", (event) => {});`;

/** A worker that removes itself for good, should ours ever have to be removed. */
const FAREWELL = `addEventListener("install", () => skipWaiting());
  addEventListener("activate", (event) => event.waitUntil(
    caches.delete("offline").then(() => registration.unregister())));`;

test("a new service worker takes over, and can be removed", async ({ app, browser }) => {
  let code: string | null = OLDER;
  await using upgraded = serveUpgraded(app, () => code);
  const sender = await openApp(browser, upgraded.url);
  const other = await sender.testPage.context.newPage();
  await other.goto(`${upgraded.url}/`);
  const state = () =>
    sender.page.evaluate(async () => {
      const [registration, ...more] = await navigator.serviceWorker.getRegistrations();
      const offline = await caches.has("offline");
      const { active, waiting, installing } = registration ?? {};
      const all = [active, waiting, installing].filter((worker) => worker).length + more.length;
      return `${all} ${active?.state ?? "none"}, ${offline ? "ours" : "another"}`;
    });
  const becomes = async (wanted: string) => {
    const deadline = performance.now() + 20_000;
    for (let seen = ""; seen !== wanted; seen = await state()) {
      assert(performance.now() < deadline, `${seen} instead of ${wanted}`);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  };
  await becomes("1 activated, another");
  code = null;
  await sender.reload();
  await becomes("1 activated, ours");
  assertMatch(
    await sender.page.evaluate(async () =>
      (await navigator.serviceWorker.ready).active?.scriptURL ?? ""
    ),
    new RegExp(`/sw\\.js\\?build=${await builtHash()}&language=en$`),
  );
  code = FAREWELL;
  await sender.reload();
  await becomes("0 none, another");
  await other.close();
});

/** The text of the notice; `null` while it is hidden. */
function readNotice({ page }: TestPage): Promise<string | null> {
  return page.evaluate(() => {
    const notice = document.querySelector<HTMLElement>("[data-field=code-changed]");
    return notice === null || notice.hidden ? null : notice.innerText;
  });
}

test("a new build is announced with both numbers until dismissed", async ({ app, browser }) => {
  const now = await builtHash();
  const sender = await openApp(browser, app.url);
  assertEquals(await sender.page.evaluate(() => localStorage.getItem("build")), now);
  await sender.reload();
  await rest();
  assertEquals(await readNotice(sender.testPage), null, "nothing changed");

  const before = "0123456789abcdef".repeat(4);
  await sender.page.evaluate((hash) => localStorage.setItem("build", hash), before);
  for (const path of ["/", "/join", "/"]) {
    await sender.page.goto(app.url + path);
    await sender.waitFor(
      "the notice",
      () => document.querySelector("[data-field=code-changed]:not([hidden])") !== null,
    );
    assertMatch(
      await readNotice(sender.testPage) ?? "",
      new RegExp(`0123-4567 → ${now.slice(0, 4)}-${now.slice(4, 8)}`),
    );
  }
  await sender.press("dismiss");
  assertEquals(await readNotice(sender.testPage), null);
  await sender.reload();
  await rest();
  assertEquals(await readNotice(sender.testPage), null);
});

test("every page names its build, and /build all of it", async ({ app, browser }) => {
  const hash = await builtHash();
  const { page } = await browser.newPage();
  for (const path of ["/", "/join", "/security", "/build"]) {
    await page.goto(app.url + path);
    const shown = await page.evaluate(() => ({
      meta: document.querySelector<HTMLMetaElement>("meta[name=build]")?.content,
      foot: document.querySelector("[data-field=build]")?.textContent ?? "",
      all: document.querySelector("[data-field=hash]")?.textContent ?? null,
    }));
    assertEquals(shown.meta, hash);
    assertMatch(shown.foot, new RegExp(`${hash.slice(0, 4)}-${hash.slice(4, 8)}`));
    assertEquals(shown.all, path === "/build" ? hash : null);
  }
});
