/**
 * The access key, and what people read when they hit a limit: the real app, its cookies and a real
 * browser.
 *
 * @module
 */
import { SUBPROTOCOL } from "../../lib/protocol/limits.ts";
import { CLOSE } from "../../lib/protocol/close_codes.ts";
import { Client, createMessage, newAccess } from "../rooms/room_server.ts";
import { startApp, type TestApp } from "../support/app.ts";
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { withBrowser } from "../support/browser.ts";
import { fixture } from "../support/fixtures.ts";
import { Sender, Viewer } from "../support/flow.ts";

const KEY = "correct horse battery";

function post(app: TestApp, key: string, headers: HeadersInit = {}): Promise<Response> {
  const body = new URLSearchParams({ key });
  return fetch(`${app.url}/access`, { method: "POST", body, headers, redirect: "manual" });
}

/** The result of a `create` over a socket with these headers: `created`, or a close code. */
async function create(app: TestApp, headers: Record<string, string> = {}): Promise<unknown> {
  const access = newAccess();
  // Deno's WebSocket takes headers; the DOM's type, which the project is checked with, lacks them.
  const socket: WebSocket = Reflect.construct(WebSocket, [
    `${app.url.replace("http", "ws")}/ws/${access.room}`,
    { protocols: [SUBPROTOCOL], headers: { origin: app.url, ...headers } },
  ]);
  const { promise, resolve } = Promise.withResolvers<unknown>();
  socket.onopen = () => socket.send(JSON.stringify(createMessage(access)));
  socket.onmessage = ({ data }) => resolve(JSON.parse(data).t);
  socket.onclose = ({ code }) => resolve(code);
  const result = await promise;
  socket.onclose = null;
  const closed = new Promise((done) => socket.addEventListener("close", done));
  if (socket.readyState !== WebSocket.CLOSED) {
    socket.close();
    await closed;
  }
  return result;
}

Deno.test("the access key is required to create a room, never to join one", async () => {
  await using app = await startApp({ env: { ACCESS_KEY: KEY, LOG_LEVEL: "debug" } });

  const page = await (await fetch(app.url)).text();
  assertMatch(page, /<form[^>]+method="post"[^>]+action="\/access"/);
  assert(!page.includes('type="file"') && !page.includes("Send.js"));
  assertEquals(await create(app), CLOSE.access);

  const wrong = await post(app, "wrong horse");
  assertEquals([wrong.status, wrong.headers.get("set-cookie")], [401, null]);
  assertMatch(await wrong.text(), /That is not the key/);

  const right = await post(app, KEY);
  await right.body?.cancel();
  assertEquals([right.status, right.headers.get("location")], [303, "/"]);
  const cookie = right.headers.get("set-cookie")?.split(";")[0] ?? "";
  assertMatch(await (await fetch(app.url, { headers: { cookie } })).text(), /type="file"/);
  assertEquals(await create(app, { cookie }), "created");
  const later = cookie.replace(/\d+/, (seconds) => String(Number(seconds) + 1));
  assertEquals(await create(app, { cookie: later }), CLOSE.access);

  const join = await fetch(`${app.url}/join`);
  assertMatch(await join.text(), /data-action="join"/);
  const viewer = await Client.connect({ host: app.url.slice(7), port: app.port }, newAccess().room);
  viewer.send({ t: "join", tok: newAccess().jtok });
  assertEquals((await viewer.closed).code, CLOSE.refused, "asked for a room, not for a key");

  for (const secret of [KEY, "wrong horse", "horse", cookie, cookie.slice(7)]) {
    assert(!app.output.includes(secret), `the log has ${secret}`);
  }
});

Deno.test("after too many wrong keys an address gets 429, even with the right one", async () => {
  await using app = await startApp({ env: { ACCESS_KEY: KEY } });
  const statuses = [];
  for (let i = 0; i < 11; i++) {
    const { status, body } = await post(app, `wrong ${i}`);
    statuses.push(status);
    await body?.cancel();
  }
  assertEquals(statuses, [...new Array(10).fill(401), 429]);
  const late = await post(app, KEY, { "x-forwarded-for": "203.0.113.9" });
  assertEquals([late.status, late.headers.get("set-cookie")], [429, null]);
  assertEquals(Number(late.headers.get("retry-after")) > 30, true);
  assertMatch(await late.text(), /Too many wrong keys. Try again in \d+ seconds/);
});

Deno.test("the key is entered once, without scripts; the friend needs none", async () => {
  await using app = await startApp({ env: { ACCESS_KEY: KEY } });
  await withBrowser(async (browser) => {
    const mine = await browser.newPage({ allowErrors: [/401/] });
    const { page } = mine;
    await page.setJavaScriptEnabled(false);
    await page.goto(app.url);
    for (const key of ["wrong horse", KEY]) {
      await page.type("[data-field=access-key]", key);
      await Promise.all([page.waitForNavigation(), page.click("[data-action=enter]")]);
      assert(!page.url().includes("horse"), page.url());
    }
    assertEquals(page.url(), `${app.url}/`);
    await page.setJavaScriptEnabled(true);

    const sender = await Sender.open(mine, app.url);
    const link = await sender.offer(await fixture("flat"), { seconds: 60 });
    const viewer = await Viewer.open(await browser.newPage(), link);
    await viewer.join();
    await viewer.waitPhase("delivered");
    const cookies = await page.evaluate(() => document.cookie);
    assertEquals(cookies, "");

    // The key was changed, or the twelve hours are over: the page that is still open reports it.
    await mine.context.deleteCookie(...await mine.context.cookies());
    await sender.burn();
    await sender.press("reset");
    await sender.chooseFile(await fixture("flat"));
    assertEquals(await sender.waitReason("failed"), "access");
    await sender.assertReadable();
  });
});

Deno.test("a person over the network's limit reads how long to wait", async () => {
  await using app = await startApp({
    env: { LIMIT_CREATIONS_PER_MINUTE_PER_IP: "1", LIMIT_UPGRADES_PER_MINUTE_PER_IP: "3" },
  });
  await withBrowser(async (browser) => {
    const page = await browser.newPage({ allowErrors: [/429|426|WebSocket connection/] });
    const sender = await Sender.open(page, app.url);
    await sender.offer(await fixture("flat"));
    await sender.leave();
    await sender.waitPhase("ended");
    // The second room exceeds the limit. So does the fourth socket, which the server does not open
    // at all.
    for (const limit of ["creations", "creations", "upgrades", "upgrades"]) {
      await sender.press("reset");
      await sender.chooseFile(await fixture("flat"));
      assertEquals([limit, await sender.waitReason("failed")], [limit, "busy"]);
      assertMatch(await sender.text(), /Try again in \d+ seconds?\./);
    }
  });
});
