/**
 * Pages from one server, signaling from another: whole sessions, who gets to see what, and what
 * people read where the two do not fit together.
 *
 * @module
 */
import { freePort, startApp, type TestApp } from "../support/app.ts";
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { withBrowser } from "../support/browser.ts";
import { fixture } from "../support/fixtures.ts";
import { deliver, Sender } from "../support/flow.ts";

const KEY = "correct horse battery";

/** Two servers: one with the pages, one with the rooms. */
async function startBoth(env: Readonly<Record<string, string>> = {}) {
  const port = freePort();
  const allowed = `http://127.0.0.1:${port}`;
  const rooms = await startApp({ env: { ALLOWED_ORIGINS: allowed, ...env } });
  const pages = await startApp({ env: { SIGNALING_ORIGIN: rooms.url }, port });
  return { pages, rooms };
}

/** The errors that a page of another host reports about its own requests: sockets are none. */
function toTheOther(rooms: TestApp): RegExp {
  return new RegExp(`request to another host: ${rooms.url.replaceAll(".", "\\.")}/ws/`);
}

Deno.test("a session over two servers: pages of one, rooms of the other", async () => {
  const { pages, rooms } = await startBoth();
  await using _pages = pages;
  await using _rooms = rooms;
  await withBrowser(async (browser) => {
    const sender = await browser.newPage({ allowErrors: [toTheOther(rooms)] });
    const viewer = await browser.newPage({ allowErrors: [toTheOther(rooms)] });
    const met = await deliver({ sender, viewer }, pages.url, await fixture("flat"), {
      seconds: 3,
    });
    assert(met.link.startsWith(`${pages.url}/join#`), "the link leads to the pages");
    await met.viewer.press("open");
    await met.viewer.waitPhase("closed");
    await met.sender.waitPhase("closed");
    await met.sender.waitReason("ended");
  });
  // The pages' server has no rooms, and nobody asked it for one.
  const socket = await fetch(`${pages.url}/ws/${"A".repeat(22)}`);
  await socket.body?.cancel();
  assertEquals(socket.status, 404);
  for (const path of ["/healthz", "/readyz"]) {
    for (const { url } of [pages, rooms]) {
      const answer = await fetch(url + path);
      await answer.body?.cancel();
      assertEquals(answer.status, 200, `${url}${path}`);
    }
  }
});

Deno.test("a server that does not list the pages' origin seats none of their people", async () => {
  await using rooms = await startApp();
  await using pages = await startApp({ env: { SIGNALING_ORIGIN: rooms.url } });
  await withBrowser(async (browser) => {
    const refused = [/WebSocket connection to/, /blocked by CORS/, /net::ERR_FAILED/];
    const page = await browser.newPage({ allowErrors: [toTheOther(rooms), ...refused] });
    const sender = await Sender.open(page, pages.url);
    await sender.chooseFiles([await fixture("flat")]);
    assertEquals(await sender.waitReason("failed"), "unreachable");
  });
});

Deno.test("a page whose policy names one server can connect to no other", async () => {
  const { pages, rooms } = await startBoth();
  await using _pages = pages;
  await using _rooms = rooms;
  await withBrowser(async (browser) => {
    const blocked = [/Content Security Policy/, /request to another host/];
    const page = await browser.newPage({ allowErrors: blocked });
    await page.page.goto(pages.url);
    const tried = await page.page.evaluate(async () => {
      const socket = new WebSocket("ws://127.0.0.1:9/ws/other");
      return await new Promise((resolve) => {
        document.addEventListener("securitypolicyviolation", (event) => {
          resolve(event.effectiveDirective);
        });
        socket.onopen = () => resolve("open");
      });
    });
    assertEquals(tried, "connect-src");
  });
});

Deno.test("with an access key there, the page names the host where it is entered", async () => {
  const { pages, rooms } = await startBoth({ ACCESS_KEY: KEY });
  await using _pages = pages;
  await using _rooms = rooms;
  await withBrowser(async (browser) => {
    const page = await browser.newPage({ allowErrors: [toTheOther(rooms)] });
    const sender = await Sender.open(page, pages.url);
    await sender.chooseFiles([await fixture("flat")]);
    assertEquals(await sender.waitReason("failed"), "access");
    const text = await sender.page.$eval("[data-field=todo]", (field) => field.textContent);
    assertMatch(text ?? "", new RegExp(new URL(rooms.url).host));
  });
});
