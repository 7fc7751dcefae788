/**
 * The exported site on a real nginx with deploy/static.conf and on the simplest file server, with
 * the rooms of another server: whole sessions, between two engines where there are two.
 *
 * @module
 */
import { freePort, startApp, type TestApp } from "../support/app.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { launchBrowser, type TestBrowser, withBrowser } from "../support/browser.ts";
import { findFirefox } from "../support/firefox.ts";
import { fixture } from "../support/fixtures.ts";
import { Sender, Viewer } from "../support/flow.ts";
import { NO_NGINX, startStaticSite } from "../support/nginx.ts";
import { runExport, serveFolder } from "../support/static_site.ts";

interface Scene {
  readonly folder: string;
  readonly port: number;
  readonly origin: string;
  readonly rooms: TestApp;
}

/** Rooms on one server, and the files of a static site for a port. */
async function withSite(body: (scene: Scene) => Promise<void>): Promise<void> {
  const port = freePort();
  const origin = `http://127.0.0.1:${port}`;
  const folder = await Deno.makeTempDir({ prefix: "site_" });
  // nginx' workers don't run as root.
  await Deno.chmod(folder, 0o755);
  try {
    await using rooms = await startApp({ env: { ALLOWED_ORIGINS: origin } });
    const { success, output } = await runExport(folder, { SIGNALING_ORIGIN: rooms.url });
    assert(success, output);
    await body({ folder, port, origin, rooms });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function toRooms(rooms: TestApp): RegExp {
  return new RegExp(`request to another host: ${rooms.url.replaceAll(".", "\\.")}/ws/`);
}

/** One whole session: from the picture to the end on both pages. */
async function meet(
  { origin, rooms }: Scene,
  browsers: { readonly sender: TestBrowser; readonly viewer: TestBrowser },
): Promise<void> {
  const allowErrors = [toRooms(rooms)];
  const sender = await Sender.open(await browsers.sender.newPage({ allowErrors }), `${origin}/`);
  const link = await sender.offer(await fixture("flat"), { seconds: 3 });
  assert(link.startsWith(`${origin}/join#`), "the link leads to the static site");
  const viewer = await Viewer.open(await browsers.viewer.newPage({ allowErrors }), link);
  await viewer.receive();
  await sender.waitPhase("delivered");
  await viewer.press("open");
  await viewer.waitPhase("closed");
  await sender.waitPhase("closed");
  assertEquals(await sender.waitReason("ended"), "done");
}

Deno.test({
  name: `a session on a static nginx, Chromium to Firefox if there is one${
    NO_NGINX === null ? "" : ` (${NO_NGINX})`
  }`,
  ignore: NO_NGINX !== null,
  async fn() {
    await withSite(async (scene) => {
      await using _site = await startStaticSite(scene.folder, scene.port);
      await assertSameHeaders(scene);
      await withBrowser(async (chromium) => {
        if (await findFirefox() === null) {
          return await meet(scene, { sender: chromium, viewer: chromium });
        }
        await using firefox = await launchBrowser({ engine: "firefox" });
        await meet(scene, { sender: chromium, viewer: firefox });
        for (const page of firefox.pages) page.assertNoErrors();
      });
    });
  },
});

/** The headers of nginx are those of `_headers`: each of its lines, for a path that it is for. */
async function assertSameHeaders({ folder, origin }: Scene): Promise<void> {
  const rules = (await Deno.readTextFile(`${folder}/_headers`)).trim().split(/\n\n/);
  assert(rules.length > 4);
  for (const rule of rules) {
    const [pattern = "", ...lines] = rule.split("\n");
    const path = pattern === "/*"
      ? "/join"
      : pattern === "/_fresh/js/*"
      ? scriptOf(await Deno.readTextFile(`${folder}/join/index.html`))
      : pattern;
    const answer = await fetch(origin + path);
    await answer.body?.cancel();
    assertEquals(answer.status, 200, path);
    for (const line of lines) {
      const [, name = "", value = ""] = /^ {2}([\w-]+): (.*)$/.exec(line) ?? [];
      assertEquals(answer.headers.get(name), value, `${path}: ${name}`);
    }
  }
}

function scriptOf(page: string): string {
  return /href="(\/_fresh\/js\/[^"]+)"/.exec(page)?.[1] ?? "";
}

Deno.test("a session on a file server that sets no header and redirects to folders", async () => {
  await withSite(async (scene) => {
    await using _server = serveFolder(scene.folder, scene.port);
    await withBrowser((browser) => meet(scene, { sender: browser, viewer: browser }));
  });
});

Deno.test("a static page has the visitor's language, and changes it by a link", async () => {
  await withSite(async ({ folder, port, origin }) => {
    await using _server = serveFolder(folder, port);
    await withBrowser(async (browser) => {
      const german = 'Object.defineProperty(navigator, "languages", { value: ["xx", "de-AT"] });';
      const { page } = await browser.newPage({ before: german });
      const isIn = (tag: string) =>
        page.waitForFunction((lang) => document.documentElement.lang === lang, {}, tag);
      await page.goto(`${origin}/join`);
      await isIn("de");
      await page.$eval("nav[data-language] a[hreflang=ar]", (link) => link.click());
      await isIn("ar");
      assertEquals(await page.evaluate(() => document.documentElement.dir), "rtl");
      // Remembered, without an address of its own; a page of another language stays in that one.
      await page.goto(`${origin}/`);
      await isIn("ar");
      await page.goto(`${origin}/fr/join/`);
      await page.waitForSelector("[data-action=join]:not([disabled])");
      assertEquals(await page.evaluate(() => document.documentElement.lang), "fr");
    });
  });
});

Deno.test("a static page without headers does not start in somebody else's frame", async () => {
  await withSite(async ({ folder, port, origin }) => {
    await using _server = serveFolder(folder, port);
    await using other = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      () =>
        new Response(`<iframe src="${origin}/join/"></iframe>`, {
          headers: { "content-type": "text/html" },
        }),
    );
    await withBrowser(async (browser) => {
      const allowErrors = [/this page is in a frame/, /request to another host/, /404/];
      const { page } = await browser.newPage({ allowErrors });
      const stopped = new Promise<string>((resolve) => {
        page.on("pageerror", (error) => resolve(String(error)));
      });
      await page.goto(`http://127.0.0.1:${other.addr.port}/`);
      const frame = page.frames().find((each) => each.url().startsWith(origin));
      assert(frame !== undefined);
      const started = frame.waitForSelector("[data-action=join]:not([disabled])")
        .then(() => "the button works", () => "it is still a frame without a working button");
      const first = await Promise.race([stopped, started]);
      assert(first.includes("this page is in a frame"), first);
      assert(await frame.$("[data-action=join][disabled]"), "the button does nothing");
    });
  });
});
