/**
 * Whole sessions in real browsers: one person shows another a picture, once. Each test has its own
 * server, browser and people, so nothing that one leaves behind can affect the next.
 *
 * @module
 */
import { startApp, type TestApp } from "../support/app.ts";
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import {
  type PageOptions,
  type TestBrowser,
  withBrowser,
  withTwoBrowsers,
} from "../support/browser.ts";
import { fixture, type FixtureName } from "../support/fixtures.ts";
import { assertLooksLike, deliver, looksOf, Sender, Viewer } from "../support/flow.ts";
import { REASON } from "../support/reasons.ts";

/** 64 MiB take several seconds on two cores. */
const LARGE_MS = 120_000;
/** A lost connection has a grace period of 60 s before the other side gives it up. */
const GRACE_MS = 90_000;

/** What each test gets. */
interface Stage {
  readonly app: TestApp;
  readonly browser: TestBrowser;
  /** Opens `/` as a new person. */
  sender(options?: PageOptions): Promise<Sender>;
  /** Opens a link as a new person. */
  viewer(link: string, options?: PageOptions): Promise<Viewer>;
  /** A delivered picture and both people. */
  delivered(
    name: FixtureName,
    options?: { readonly seconds?: number; readonly timeout?: number },
  ): Promise<{ sender: Sender; viewer: Viewer; link: string }>;
}

function test(name: string, body: (stage: Stage) => Promise<void>): void {
  Deno.test(name, async () => {
    await using app = await startApp();
    await withBrowser(async (browser) => {
      await body({
        app,
        browser,
        sender: async (options) => await Sender.open(await browser.newPage(options), app.url),
        viewer: async (link, options) => await Viewer.open(await browser.newPage(options), link),
        delivered: async (fixtureName, options) => {
          const pages = { sender: await browser.newPage(), viewer: await browser.newPage() };
          return await deliver(pages, app.url, await fixture(fixtureName), options);
        },
      });
    });
  });
}

/** Fails unless a further visitor is refused with a clear message. */
async function assertRefused(stage: Stage, link: string): Promise<void> {
  const late = await stage.viewer(link);
  await late.join();
  assertEquals(await late.waitReason("failed"), REASON.refused);
  await late.assertReadable();
  assertEquals(await late.wiped(), true);
}

// The main job

test("a picture is sent, opened, seen for its time, closed; both sides end", async (stage) => {
  const picture = await fixture("flat");
  const sender = await stage.sender();
  const link = await sender.offer(picture, { seconds: 3 });
  assert(link.startsWith(`${stage.app.url}/join#1.`), link);

  const viewer = await stage.viewer(link);
  await viewer.receive();
  await sender.waitPhase("delivered");
  assertEquals(await viewer.wiped(), true, "nothing is painted before it was opened");

  await viewer.look();
  const looks = await looksOf(stage.browser, await viewer.canvas());
  assertLooksLike(looks, picture);
  assert(looks.marked > 0.002, `the watermark covers only ${looks.marked} of the picture`);
  assertMatch(await viewer.countdown(), /\d/);
  await sender.waitPhase("shown");

  await viewer.waitPhase("closed");
  assertEquals(await viewer.wiped(), true);
  assertEquals(await viewer.waitReason("ended"), REASON.done);
  await sender.waitPhase("closed");
  assertEquals(await sender.waitReason("ended"), REASON.done);
  assertMatch(await sender.timeline(), /3/);
  await assertRefused(stage, link);
});

Deno.test("two browser processes show a picture to each other", async () => {
  const picture = await fixture("large");
  await using app = await startApp();
  await withTwoBrowsers(async (senderPage, viewerPage) => {
    const pages = { sender: senderPage, viewer: viewerPage };
    const { sender, viewer } = await deliver(pages, app.url, picture, { seconds: 3 });
    await viewer.look();
    await viewer.waitPhase("ended");
    await sender.waitPhase("ended");
    assertEquals(await viewer.wiped(), true);
  });
});

for (
  const name of [
    "large",
    "exif",
    "transparent",
    "webp",
    "avif",
    "gif",
  ] as const satisfies readonly FixtureName[]
) {
  test(`the viewer sees the ${name} fixture whole and upright`, async (stage) => {
    const picture = await fixture(name);
    const { viewer } = await stage.delivered(name, { seconds: 30 });
    await viewer.look();
    const looks = await looksOf(stage.browser, await viewer.canvas());
    assertLooksLike(looks, picture);
    const distortion = (looks.width / looks.height) / (picture.width / picture.height);
    assert(Math.abs(distortion - 1) < 0.02, `${looks.width} × ${looks.height}`);
  });
}

test("a phone shows the picture sharply, within its screen", async (stage) => {
  const sender = await stage.sender({ screen: "phone" });
  const link = await sender.offer(await fixture("large"), { seconds: 30 });
  const viewer = await stage.viewer(link, { screen: "phone", scheme: "dark" });
  await viewer.receive();
  await viewer.look();
  const box = await viewer.page.evaluate(() => {
    const canvas = document.querySelector<HTMLCanvasElement>("[data-viewer] canvas");
    const { left, top, right, bottom, width } = canvas!.getBoundingClientRect();
    const inside = left >= 0 && top >= 0 && right <= innerWidth && bottom <= innerHeight;
    return { inside, density: canvas!.width / width, wide: document.body.scrollWidth - innerWidth };
  });
  assertEquals(box.inside, true);
  assert(box.density > 1.9, `${box.density} canvas pixels a CSS pixel on a screen that has 2`);
  assert(box.wide <= 0, `the page is ${box.wide} px wider than the screen`);
});

test("64 MiB arrive and are shown", async (stage) => {
  const picture = await fixture("png64m");
  const { viewer } = await stage.delivered("png64m", { seconds: 30, timeout: LARGE_MS });
  await viewer.look({ timeout: LARGE_MS });
  assertLooksLike(await looksOf(stage.browser, await viewer.canvas()), picture);
});

// Taking it back

test("burn while waiting ends the session, and the link with it", async (stage) => {
  const sender = await stage.sender();
  const link = await sender.offer(await fixture("small"));
  await sender.burn();
  assertEquals(await sender.waitReason("ended"), REASON.burned);
  await assertRefused(stage, link);
});

test("burn while delivered removes the picture before it was opened", async (stage) => {
  const { sender, viewer, link } = await stage.delivered("small");
  await sender.burn();
  assertEquals(await viewer.waitReason("ended"), REASON.burned);
  assertEquals(await viewer.offers("open"), false);
  await viewer.assertReadable();
  assertEquals(await sender.waitReason("ended"), REASON.burned);
  await assertRefused(stage, link);
});

test("burn while shown removes the picture from the viewer's screen", async (stage) => {
  const { sender, viewer, link } = await stage.delivered("small", { seconds: 60 });
  await viewer.look();
  await sender.waitPhase("shown");
  await sender.burn();
  await viewer.waitPhase("closed");
  assertEquals(await viewer.wiped(), true);
  assertEquals(await viewer.waitReason("ended"), REASON.burned);
  assertEquals(await sender.waitReason("ended"), REASON.burned);
  await assertRefused(stage, link);
});

// Leaving

test("the viewer closes early, and the sender learns after how long", async (stage) => {
  const { sender, viewer } = await stage.delivered("small", { seconds: 60 });
  await viewer.look();
  await viewer.closePicture();
  await viewer.waitPhase("closed");
  assertEquals(await viewer.wiped(), true);
  await sender.waitPhase("closed");
  await sender.waitPhase("ended");
  assertMatch(await sender.timeline(), /\d/);
});

test("a picture without a time limit stays until it is closed", async (stage) => {
  const { sender, viewer } = await stage.delivered("small", { seconds: 0 });
  await viewer.look();
  await sender.waitPhase("shown");
  assertEquals(await viewer.wiped(), false);
  await viewer.closePicture();
  await viewer.waitPhase("ended");
  await sender.waitPhase("ended");
});

test("the viewer leaves before opening, and the sender is told", async (stage) => {
  const { sender, viewer } = await stage.delivered("small");
  await viewer.leave();
  assertEquals(await viewer.waitReason("ended"), REASON.left);
  assertEquals(await sender.waitReason("ended"), REASON.peerLeft);
  await sender.assertReadable();
});

test("the viewer's tab is closed: the sender reads unconfirmed, or closed", async (stage) => {
  const { sender, viewer } = await stage.delivered("small", { seconds: 60 });
  await viewer.look();
  await sender.waitPhase("shown");
  await viewer.vanish();
  await sender.waitPhase(["closed", "ended"], { timeout: GRACE_MS });
  await sender.waitReason("ended", { timeout: GRACE_MS });
  assertMatch(await sender.timeline(), /unconfirmed|closed/i);
});

test("a page left before the first frame reports unseen, as does the sender", async (stage) => {
  const sender = await stage.sender();
  const link = await sender.offer(await fixture("flat"), { seconds: 60 });
  // Nothing is ever decoded in this browser.
  const viewer = await stage.viewer(link, { before: "Worker.prototype.postMessage = () => {};" });
  await viewer.receive();
  await viewer.openPicture();
  await sender.waitPhase("opened");
  await viewer.page.evaluate(() => dispatchEvent(new PageTransitionEvent("pagehide")));
  await viewer.waitPhase("closed");
  assertMatch(await viewer.text(), /closed before you saw anything/);
  assertMatch(await sender.timeline(), /Nothing was seen\. Closed/);
});

test("the sender leaves, and the viewer is told", async (stage) => {
  const { sender, viewer, link } = await stage.delivered("small");
  await sender.leave();
  assertEquals(await sender.waitReason("ended"), REASON.left);
  assertEquals(await viewer.waitReason("ended"), REASON.peerLeft);
  await viewer.assertReadable();
  await assertRefused(stage, link);
});

test("the sender's tab is closed, and the picture goes off the screen", async (stage) => {
  const { sender, viewer } = await stage.delivered("small", { seconds: 60 });
  await viewer.look();
  await sender.vanish();
  await viewer.waitPhase(["closed", "ended"], { timeout: GRACE_MS });
  assertEquals(await viewer.wiped(), true);
});

test("the sender navigates away: the shown picture goes, and so does the room", async (stage) => {
  const { sender, viewer, link } = await stage.delivered("small", { seconds: 60 });
  await viewer.look();
  await sender.waitPhase("shown");
  await sender.page.goto(`${stage.app.url}/security`);
  await viewer.waitPhase(["closed", "ended"]);
  assertEquals(await viewer.wiped(), true);
  await assertRefused(stage, link);
});

// By keyboard

test("opening the picture by keyboard focuses it, and Escape closes it", async (stage) => {
  const { sender, viewer } = await stage.delivered("small", { seconds: 60 });
  const { page } = viewer;
  await page.focus("[data-action=open]");
  await page.keyboard.press("Enter");
  await viewer.waitPhase("viewing");
  const focused = () =>
    page.evaluate(() => {
      const { activeElement } = document;
      if (activeElement === document.body) return "outside of the page";
      return activeElement?.closest("[data-viewer]") === null ? "behind the picture" : "inside";
    });
  assertEquals(await focused(), "inside");
  for (let i = 0; i < 4; i++) {
    await page.keyboard.press("Tab");
    assert(await focused() !== "behind the picture", "the page behind is out of reach");
  }
  await page.keyboard.press("Escape");
  await viewer.waitPhase("closed");
  assertEquals(await viewer.wiped(), true);
  await sender.waitPhase("closed");
  assertMatch(await sender.timeline(), /Closed by your friend/);
});

test("skipping to the content keeps the invitation", async (stage) => {
  const sender = await stage.sender();
  const viewer = await stage.viewer(await sender.offer(await fixture("small")));
  await viewer.page.keyboard.press("Tab");
  await viewer.page.keyboard.press("Enter");
  await viewer.waitFor("the fragment", () => location.hash === "#content");
  assertEquals(await viewer.phase(), "idle");
  await viewer.receive();
});

test("going back after skipping to the content does not reload the page", async (stage) => {
  const sender = await stage.sender();
  const link = await sender.offer(await fixture("small"));
  await sender.page.evaluate(() => Reflect.set(globalThis, "__same", true));
  await sender.page.focus("a.skip");
  await sender.page.keyboard.press("Enter");
  await sender.waitFor("the fragment", () => location.hash === "#content");
  await sender.page.evaluate(() => history.back());
  await sender.waitFor("the way back", () => location.hash === "");
  const viewer = await stage.viewer(link);
  await viewer.receive();
  assertEquals(await sender.page.evaluate(() => Reflect.get(globalThis, "__same")), true);
});

test("an early skip to the content keeps the invitation, and hides the link", async (stage) => {
  const sender = await stage.sender();
  const link = await sender.offer(await fixture("small"));
  const testPage = await stage.browser.newPage();
  const { page } = testPage;
  const { promise: skipped, resolve: skip } = Promise.withResolvers<void>();
  await page.setRequestInterception(true);
  page.on("request", async (request) => {
    if (request.resourceType() === "script") await skipped;
    await request.continue();
  });
  const opening = Viewer.open(testPage, link);
  await page.waitForSelector("a.skip");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.waitForSelector("main:target");
  skip();
  const viewer = await opening;
  await viewer.receive();
  const client = await page.createCDPSession();
  const { entries } = await client.send("Page.getNavigationHistory");
  assertEquals(entries.filter(({ url }) => url.includes("#1.")), []);
  assertEquals(await page.evaluate(() => location.hash), "#content");
});

// An unresponsive other side

test("the viewer can cancel while the sender's page does not release the key", async (stage) => {
  const { sender, viewer } = await stage.delivered("small", { seconds: 60 });
  const client = await sender.page.createCDPSession();
  await client.send("Debugger.enable");
  await client.send("Debugger.pause");
  await viewer.openPicture();
  await viewer.press("close");
  await viewer.waitPhase("closed");
  assertEquals(await viewer.wiped(), true);
  await client.send("Debugger.disable");
});

test("the sender takes a picture back while viewing one that was sent back", async (stage) => {
  const sender = await stage.sender();
  await sender.keepOpen();
  const viewer = await stage.viewer(await sender.offer(await fixture("small"), { seconds: 60 }));
  await viewer.receive();
  const input = await (await viewer.page.$("input[type=file]"))?.toElement("input");
  assert(input !== undefined, "the viewer may send a picture back");
  await input.uploadFile((await fixture("flat")).path);
  await sender.press("open");
  await sender.press("burn");
  assertEquals(await viewer.waitReason("ended"), REASON.burned);
  assertEquals(await sender.waitReason("ended"), REASON.burned);
});

// More than one picture

test("several pictures are shown in turn; the last one ends the session", async (stage) => {
  const { sender, viewer } = await stage.delivered("flat", { seconds: 60 });
  await sender.chooseFile(await fixture("exif"));
  for (const name of ["flat", "exif"] as const) {
    await viewer.look();
    assertLooksLike(await looksOf(stage.browser, await viewer.canvas()), await fixture(name));
    await sender.waitPhase("shown");
    await viewer.closePicture();
    await viewer.waitPhase("closed");
    await sender.waitPhase("closed");
  }
  assertEquals(await viewer.waitReason("ended"), REASON.done);
  assertEquals(await sender.waitReason("ended"), REASON.done);
});

test("a session that is kept open goes on, and the viewer sends a picture back", async (stage) => {
  const sender = await stage.sender();
  await sender.keepOpen();
  const link = await sender.offer(await fixture("small"), { seconds: 60 });
  const viewer = await stage.viewer(link);
  await viewer.receive();
  await viewer.look();
  await viewer.closePicture();
  await sender.waitPhase("closed");
  assertEquals(await viewer.reason(), null);

  const input = await (await viewer.page.$("input[type=file]"))?.toElement("input");
  assert(input !== undefined, "the viewer may send a picture back");
  await input.uploadFile((await fixture("flat")).path);
  await sender.press("open");
  await sender.waitFor("the viewer's picture", () => {
    const canvas = document.querySelector<HTMLCanvasElement>("[data-viewer] canvas");
    return canvas !== null && canvas.width > 0;
  });
  await sender.press("close");
  await viewer.leave();
  await viewer.waitPhase("ended");
  await sender.waitPhase("ended");
});

// Links

test("looking at a link does not use it up; the address has no secret", async (stage) => {
  const sender = await stage.sender();
  const link = await sender.offer(await fixture("small"));
  // The link scanner of a chat app.
  await (await fetch(link)).body?.cancel();
  const curious = await stage.viewer(link);
  await curious.waitPhase("idle");
  assertEquals(await curious.page.evaluate(() => location.hash), "");
  await curious.vanish();
  const viewer = await stage.viewer(link);
  await viewer.receive();
  await sender.waitPhase("delivered");
});

test("a used link is refused to the next visitor, and the two go on", async (stage) => {
  const { sender, viewer, link } = await stage.delivered("small", { seconds: 60 });
  await assertRefused(stage, link);
  await viewer.look();
  await assertRefused(stage, link);
  await viewer.closePicture();
  await sender.waitPhase("closed");
  assertEquals(await viewer.waitReason("ended"), REASON.done);
});

for (
  const [what, change, reason] of [
    ["cut off", (link: string) => link.slice(0, -9), REASON.link],
    ["of another version", (link: string) => link.replace("#1.", "#2."), REASON.foreignLink],
    ["with a strange character", (link: string) => `${link.slice(0, -1)}*`, REASON.link],
  ] as const
) {
  test(`a link ${what} is reported, and the right one still works`, async (stage) => {
    const sender = await stage.sender();
    const link = await sender.offer(await fixture("small"));
    const confused = await stage.viewer(change(link));
    assertEquals(await confused.waitReason("failed"), reason);
    await confused.assertReadable();
    const viewer = await stage.viewer(link);
    await viewer.receive();
  });
}

test("a well-formed link to a room that never existed is refused", async (stage) => {
  await assertRefused(stage, `${stage.app.url}/join#1.${"A".repeat(43)}`);
});

// Files

for (
  const [name, reason] of [
    ["text", "not_an_image"],
    ["svg", "svg"],
    ["bomb", "too_many_pixels"],
    ["stub", "truncated"],
    ["empty", "empty"],
  ] as const satisfies readonly (readonly [FixtureName, string])[]
) {
  test(`the ${name} fixture is refused as ${reason}; a good one can be chosen`, async (stage) => {
    const sender = await stage.sender();
    await sender.chooseFile(await fixture(name));
    assertEquals(await sender.waitReason("failed"), reason);
    await sender.assertReadable();
    await sender.offer(await fixture("small"));
    assertEquals(await sender.page.evaluate(() => "svgRan" in globalThis), false);
  });
}

test("of a truncated picture, what can be seen is sent, and the page says so", async (stage) => {
  const { sender, viewer } = await stage.delivered("truncated", { seconds: 60 });
  assertMatch(await sender.field("repainted"), /damaged/);
  await viewer.look();
  await sender.waitPhase("shown");
});

// The server

test("the server is restarted while the sender waits, and the link still works", async (stage) => {
  const sender = await stage.sender();
  // The socket breaks; the browser reports that in the console by itself.
  sender.testPage.allowErrors(/WebSocket connection|ERR_CONNECTION/);
  const link = await sender.offer(await fixture("small"));
  await stage.app.restart();
  await sender.waitFor("contact with the server", () => {
    return !document.querySelector(".status")?.textContent?.includes("No contact");
  });
  const viewer = await stage.viewer(link);
  await viewer.receive();
  await sender.waitPhase("delivered");
});

test("once connected, the two do not need the server any more", async (stage) => {
  const { sender, viewer } = await stage.delivered("small", { seconds: 60 });
  for (const { testPage } of [sender, viewer]) {
    testPage.allowErrors(/WebSocket connection|ERR_CONNECTION/);
  }
  await stage.app.stop();
  await viewer.look();
  await sender.waitPhase("shown");
  await viewer.closePicture();
  await sender.waitPhase("closed");
});

test("a server that is down is named as the reason, and the picture is kept", async (stage) => {
  const sender = await stage.sender();
  sender.testPage.allowErrors(/WebSocket connection|ERR_CONNECTION|Failed to load/);
  await stage.app.stop();
  await sender.chooseFile(await fixture("small"));
  assertEquals(await sender.waitReason("failed", { timeout: GRACE_MS }), REASON.server);
  await sender.assertReadable();
  await stage.app.start();
  await sender.press("retry");
  await sender.waitPhase("waiting");
  await sender.shareLink();
});

const TAKEN_AWAY = {
  "without WebRTC": {
    before: "delete globalThis.RTCPeerConnection; delete globalThis.webkitRTCPeerConnection;",
    reason: REASON.webrtc,
  },
  "without crypto.subtle, as on a page without HTTPS": {
    before: `Object.defineProperty(Crypto.prototype, "subtle", { value: undefined });
      Object.defineProperty(globalThis, "isSecureContext", { value: false });`,
    reason: REASON.insecure,
  },
} as const;

for (const [what, { before, reason }] of Object.entries(TAKEN_AWAY)) {
  test(`a sender ${what} reads why it can't work`, async (stage) => {
    const sender = await stage.sender({ before });
    assertEquals(await sender.waitReason("failed"), reason);
    await sender.assertReadable();
  });

  test(`a viewer ${what} reads why it can't work, and the link is not used up`, async (stage) => {
    const sender = await stage.sender();
    const link = await sender.offer(await fixture("small"));
    const poor = await stage.viewer(link, { before });
    assertEquals(await poor.waitReason("failed"), reason);
    await poor.assertReadable();
    const viewer = await stage.viewer(link);
    await viewer.receive();
  });
}

// What remains

/** Counts object URLs, which would allow saving a picture. Runs before the page's scripts. */
const WATCH_OBJECT_URLS = `{
  const made = [];
  Object.defineProperty(globalThis, "__objectUrls", { value: made });
  const original = URL.createObjectURL;
  URL.createObjectURL = (object) => {
    // The code of a worker is no picture.
    if (!(object instanceof Blob) || !/javascript/.test(object.type)) {
      made.push(object.type ?? "other");
    }
    return original.call(URL, object);
  };
}`;

/** Everything that a page could leave behind. Runs in the browser. */
async function remains() {
  const databases = await indexedDB.databases();
  return {
    canvases: [...document.querySelectorAll("canvas")].filter((c) => c.width * c.height > 0).length,
    images: document.querySelectorAll("img[src^=blob], img[src^=data], picture, video").length,
    local: localStorage.length,
    session: sessionStorage.length,
    databases: databases.length,
    caches: "caches" in globalThis ? (await caches.keys()).length : 0,
    workers: (await navigator.serviceWorker?.getRegistrations() ?? []).length,
    cookies: document.cookie.length,
    hash: location.hash,
  };
}

const NOTHING: Awaited<ReturnType<typeof remains>> = {
  canvases: 0,
  images: 0,
  local: 0,
  session: 0,
  databases: 0,
  caches: 0,
  workers: 0,
  cookies: 0,
  hash: "",
};

test("nothing remains on the viewer's side after closing, nor by Back", async (stage) => {
  const sender = await stage.sender({ before: WATCH_OBJECT_URLS });
  const link = await sender.offer(await fixture("flat"), { seconds: 60 });
  const viewer = await stage.viewer(link, { before: WATCH_OBJECT_URLS });
  await viewer.receive();
  await viewer.look();
  await viewer.closePicture();
  await viewer.waitPhase("ended");
  await sender.waitPhase("ended");

  assertEquals(await viewer.page.evaluate(remains), NOTHING);
  assertEquals(await viewer.page.evaluate("globalThis.__objectUrls.length"), 0);
  await sender.page.evaluate(async () => {
    await navigator.serviceWorker.ready;
  });
  const kept = await sender.page.evaluate(remains);
  // The app: its service worker, the offline page, the number of the build; and the preferred
  // number of seconds.
  assertEquals({ ...kept, canvases: 0 }, { ...NOTHING, workers: 1, caches: 1, local: 2 });

  await viewer.page.goto(`${stage.app.url}/security`);
  await viewer.page.goBack();
  assertEquals(await viewer.page.evaluate(remains), NOTHING);
  assertEquals(await viewer.offers("open"), false);
});

test("leaving the page while the picture is shown leaves nothing to go back to", async (stage) => {
  const { viewer } = await stage.delivered("flat", { seconds: 60 });
  await viewer.look();
  await viewer.page.goto(`${stage.app.url}/security`);
  await viewer.page.goBack();
  const left = await viewer.page.evaluate(remains);
  assertEquals({ ...left, session: 0 }, NOTHING);
  assertEquals(await viewer.offers("close"), false);
});
