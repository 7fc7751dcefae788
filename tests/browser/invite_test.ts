/**
 * Inviting somebody and waiting for them, in a real browser.
 *
 * @module
 */
import { startApp, type TestApp } from "../support/app.ts";
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { LOOKS, type PageOptions, type TestBrowser, withBrowser } from "../support/browser.ts";
import { fixture } from "../support/fixtures.ts";
import { Sender, Viewer } from "../support/flow.ts";
import { readQr } from "../support/qr.ts";

/** What each test gets. */
interface Stage {
  readonly app: TestApp;
  readonly browser: TestBrowser;
  /** A sender who waits, and their link. */
  waiting(options?: PageOptions): Promise<{ sender: Sender; link: string }>;
}

function test(name: string, body: (stage: Stage) => Promise<void>): void {
  Deno.test(name, async () => {
    await using app = await startApp();
    await withBrowser(async (browser) => {
      await body({
        app,
        browser,
        async waiting(options) {
          const sender = await Sender.open(await browser.newPage(options), app.url);
          return { sender, link: await sender.offer(await fixture("small")) };
        },
      });
    });
  });
}

/** What `before` recorded in `globalThis.__noted`. */
async function noted(person: Sender | Viewer): Promise<unknown[]> {
  const json: unknown = await person.page.evaluate("JSON.stringify(globalThis.__noted ?? [])");
  const list: unknown = JSON.parse(String(json));
  assert(Array.isArray(list));
  return list;
}

/**
 * A page that is in the background when `globalThis.__away` is set: two pages of one headless
 * browser both believe to be in front.
 */
const CAN_LOOK_AWAY = `globalThis.__away = false;
Object.defineProperty(Document.prototype, "visibilityState", {
  get: () => globalThis.__away ? "hidden" : "visible",
});
Document.prototype.hasFocus = () => !globalThis.__away;`;

async function lookAway(person: Sender, away: boolean): Promise<void> {
  await person.page.evaluate(
    `globalThis.__away = ${away}; document.dispatchEvent(new Event("visibilitychange"))`,
  );
}

const CLIPBOARD = `globalThis.__noted = [];
Object.defineProperty(navigator, "clipboard", {
  value: { writeText: async (text) => void globalThis.__noted.push(text) },
});`;

const SHEET = `globalThis.__noted = [];
navigator.canShare = () => true;
navigator.share = async (data) => void globalThis.__noted.push(data);`;

for (const look of LOOKS) {
  test(`the QR code on a ${look.scheme} ${look.screen} scans as the link`, async (stage) => {
    const { sender, link } = await stage.waiting(look);
    // What is said about the picture once it is prepared moves what is below it.
    await sender.page.waitForSelector(".picture canvas");
    await sender.waitFor("the QR code", () => document.querySelector("svg.qr path") !== null);
    // It appears later, and moves what is below it.
    await sender.field("share-code");
    const clip = await sender.page.evaluate(async () => {
      // Another font moves what is below.
      await document.fonts.ready;
      document.querySelector("svg.qr")?.scrollIntoView({ block: "center" });
      const { x, y, width, height } = document.querySelector("svg.qr")!.getBoundingClientRect();
      return { x: x + scrollX, y: y + scrollY, width, height };
    });
    assert(clip.width >= 180, `${clip.width} pixels are too few for a camera at arm's length`);
    const png = await sender.page.screenshot({ clip, encoding: "base64" });
    // Cropped at its edge: the quiet zone has to be part of it.
    const read = await readQr(stage.browser, png);
    assertEquals(read?.text, link);
    assert((read?.quiet ?? 0) > 3.5, `${read?.quiet} light modules around it`);
  });
}

test("a browser with a share sheet offers it first, and copying second", async (stage) => {
  const { sender, link } = await stage.waiting({ screen: "phone", before: SHEET });
  await sender.press("share");
  const [data] = await noted(sender);
  assert(typeof data === "object" && data !== null);
  assertEquals(Reflect.get(data, "url"), link);
  assert(!JSON.stringify({ ...data, url: "" }).includes("lake"), "a file's name is in the message");
  const primary = await sender.page.$$eval(
    ".share .primary",
    (buttons) => buttons.map((button) => button.getAttribute("data-action")),
  );
  assertEquals(primary, ["share"]);
});

test("a browser without one offers to copy, and announces that it did", async (stage) => {
  const before = `${CLIPBOARD}\nnavigator.canShare = undefined; navigator.share = undefined;`;
  const { sender, link } = await stage.waiting({ before });
  assert(!await sender.offers("share"));
  await sender.press("copy");
  await sender.waitFor(
    "a confirmation in a live region",
    () => document.querySelector("[data-action=copy] [aria-live=polite]")?.textContent === "Copied",
  );
  assertEquals(await noted(sender), [link]);
});

test("one sentence says what the friend will do, with the buttons' labels", async (stage) => {
  const { sender, link } = await stage.waiting();
  const text = await sender.text();
  const viewer = await Viewer.open(await stage.browser.newPage(), link);
  const connect = await viewer.page.$eval("[data-action=join]", (button) => button.textContent);
  await viewer.receive();
  const show = await viewer.page.$eval("[data-action=open]", (button) => button.textContent);
  assertMatch(text, new RegExp(`press “${connect}”, then “${show?.replace(/ \(.*/, "")}”`));
});

test("title and icon signal to a sender in another tab, without a secret", async (stage) => {
  const { sender, link } = await stage.waiting({ before: CAN_LOOK_AWAY });
  const iconOf = () =>
    sender.page.$eval("link[rel=icon]", (icon) => new URL((icon as HTMLLinkElement).href).pathname);
  const calm = { title: await sender.page.title(), icon: await iconOf() };
  await lookAway(sender, true);
  const code = await sender.shareCode();
  const viewer = await Viewer.open(await stage.browser.newPage(), link);
  await viewer.receive();
  await sender.waitFor("a title that calls", () => document.title.startsWith("Delivered"));
  const title = await sender.page.title();
  for (const part of [...link.split(/[#.]/).slice(-1), ...code.split("-"), "lake"]) {
    assert(!title.includes(part), `the title has a secret: ${title}`);
  }
  assertMatch(await iconOf(), /favicon_here/);
  const icon = await sender.page.evaluate(
    async (url) => (await fetch(url)).headers.get("content-type"),
    await iconOf(),
  );
  assertMatch(String(icon), /svg/);
  await lookAway(sender, false);
  await sender.waitFor("a quiet title", () => !document.title.startsWith("Delivered"));
  assertEquals({ title: await sender.page.title(), icon: await iconOf() }, calm);
});

test("the title does not change for somebody who looks at the page", async (stage) => {
  const { sender, link } = await stage.waiting({ before: CAN_LOOK_AWAY });
  const calm = await sender.page.title();
  const viewer = await Viewer.open(await stage.browser.newPage(), link);
  await viewer.receive();
  await sender.waitPhase("delivered");
  assertEquals(await sender.page.title(), calm);
});

const WAKE_LOCK = `globalThis.__noted = [];
Object.defineProperty(navigator, "wakeLock", { value: { async request(type) {
  globalThis.__noted.push(type);
  const lock = { released: false, async release() {
    lock.released = true;
    globalThis.__noted.push("released");
  } };
  return lock;
} } });`;

test("the screen stays awake from the link on, and may sleep after the end", async (stage) => {
  const { sender } = await stage.waiting({ before: WAKE_LOCK });
  await sender.waitFor("a wake lock", () => Reflect.get(globalThis, "__noted").length > 0);
  assertEquals(await noted(sender), ["screen"]);
  await sender.leave();
  await sender.waitFor("its release", () => Reflect.get(globalThis, "__noted").length > 1);
  assertEquals(await noted(sender), ["screen", "released"]);
});

const NOTIFICATIONS = `globalThis.__noted = [];
globalThis.Notification = class {
  static async requestPermission() {
    globalThis.__noted.push("asked");
    return "granted";
  }
  constructor(text) { globalThis.__noted.push(text); }
  close() {}
};
globalThis.AudioContext = class extends AudioContext {
  constructor() {
    super();
    globalThis.__noted.push("sound");
  }
};`;

test("notifications ask for permission only after the switch, as does a tone", async (stage) => {
  const { sender, link } = await stage.waiting({ before: `${CAN_LOOK_AWAY}\n${NOTIFICATIONS}` });
  await sender.page.click(".alerts summary");
  assertEquals(await noted(sender), []);
  // What is above it has its size by then.
  await sender.page.waitForSelector("svg.qr");
  await sender.page.waitForSelector("[data-field=share-code]");
  await sender.page.click("[name=notify]");
  await sender.waitFor("the question", () => Reflect.get(globalThis, "__noted").length > 0);
  await lookAway(sender, true);
  const viewer = await Viewer.open(await stage.browser.newPage(), link);
  await viewer.receive();
  await sender.waitFor("a notification", () => Reflect.get(globalThis, "__noted").length > 1);
  const [asked, ...texts] = await noted(sender);
  assertEquals(asked, "asked");
  assert(!texts.includes("sound"));
  assert(!texts.some((text) => String(text).includes("http")));
});

test("the tone plays when it is switched on, and the preference is kept", async (stage) => {
  const { sender } = await stage.waiting({ before: NOTIFICATIONS });
  await sender.page.click(".alerts summary");
  await sender.page.click("[name=sound]");
  await sender.waitFor("the tone", () => Reflect.get(globalThis, "__noted").length > 0);
  assertEquals(await noted(sender), ["sound"]);
  assertEquals(await sender.page.evaluate(() => ({ ...localStorage }).sound), "on");
});

const INSTAGRAM = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4_1 like Mac OS X) " +
  "AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/21E236 Instagram 325.0.3.34.90";

test("in an in-app browser the page says so, and offers the link to copy", async (stage) => {
  const { link } = await stage.waiting();
  const testPage = await stage.browser.newPage({ screen: "phone", before: CLIPBOARD });
  await testPage.page.setUserAgent({ userAgent: INSTAGRAM });
  const viewer = await Viewer.open(testPage, link);
  assertMatch(await viewer.field("in-app"), /inside \u2068Instagram\u2069.*Safari/s);
  // No link that a system or an app would have to read: the secret is only in what is copied.
  const html = await viewer.page.content();
  assert(!html.includes(link.slice(-43)), "the secret is in the page");
  await viewer.press("copy-page");
  await viewer.waitFor("a copy", () => Reflect.get(globalThis, "__noted").length > 0);
  assertEquals(await noted(viewer), [link]);
});

test("a normal browser shows no such notice", async (stage) => {
  const { sender } = await stage.waiting();
  await sender.waitFor(
    "what comes after the page",
    () => document.querySelector(".alerts") !== null,
  );
  assertEquals(await sender.page.$("[data-field=in-app]"), null);
});
