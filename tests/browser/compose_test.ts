/**
 * What a sender does with pictures before sending, and what they are asked while pictures are seen:
 * in real browsers, by mouse and by keyboard alone.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { startApp, type TestApp } from "../support/app.ts";
import { type TestBrowser, withBrowser } from "../support/browser.ts";
import { fixture } from "../support/fixtures.ts";
import { looksOf, Sender, Viewer } from "../support/flow.ts";

interface Stage {
  readonly app: TestApp;
  readonly browser: TestBrowser;
  readonly sender: Sender;
  viewer(link: string): Promise<Viewer>;
}

function test(name: string, body: (stage: Stage) => Promise<void>): void {
  Deno.test(name, async () => {
    await using app = await startApp();
    await withBrowser(async (browser) => {
      const sender = await Sender.open(await browser.newPage(), app.url);
      const viewer = async (link: string) => await Viewer.open(await browser.newPage(), link);
      await body({ app, browser, sender, viewer });
    });
  });
}

async function check(sender: Sender, name: string): Promise<void> {
  await sender.page.evaluate((name) => {
    const box = document.querySelector<HTMLInputElement>(`input[type=checkbox][name=${name}]`);
    box?.click();
  }, name);
}

test("a black box is added by keyboard alone, and is in what the friend sees", async (stage) => {
  const { sender, browser } = stage;
  const link = await sender.offer(await fixture("flat"), { seconds: 60 });
  const { keyboard } = sender.page;
  await sender.page.waitForSelector("[data-action=edit]");
  await sender.page.focus("[data-action=edit]");
  await keyboard.press("Enter");
  await sender.waitFor("the editor", () => document.querySelector("dialog.editor[open]") !== null);
  await sender.page.focus("[data-action=black]");
  await keyboard.press("Enter");
  await sender.page.focus("[data-action=area]");
  // From the middle to the top left corner, covering all of it.
  for (let i = 0; i < 20; i++) {
    await keyboard.press("ArrowLeft");
    await keyboard.press("ArrowUp");
  }
  const place = await sender.page.evaluate(() =>
    document.querySelector("dialog.editor [role=status]")?.textContent ?? ""
  );
  assertMatch(place, /^Black box 1: 0% from the left, 0% from the top/);
  await sender.page.focus("[data-action=edit-done]");
  await keyboard.press("Enter");
  await sender.waitFor("the new picture", () =>
    document.querySelector("dialog.editor") === null &&
    document.querySelector("[data-action=edit]") !== null);

  const viewer = await stage.viewer(link);
  await viewer.receive();
  await viewer.page.bringToFront();
  await viewer.look();
  const { corners } = await looksOf(browser, await viewer.canvas());
  assert(Math.max(...corners.topLeft) < 90, `top left is ${corners.topLeft}`);
  assert(Math.max(...corners.bottomRight) > 90, `bottom right is ${corners.bottomRight}`);
});

test("Escape leaves the picture unchanged, and it can be sent", async ({ sender, viewer }) => {
  const link = await sender.offer(await fixture("flat"), { seconds: 60 });
  await sender.press("edit");
  await sender.waitFor("the editor", () => document.querySelector("dialog.editor[open]") !== null);
  await sender.press("turn-right");
  await sender.page.keyboard.press("Escape");
  await sender.waitFor("no editor", () => document.querySelector("dialog.editor") === null);
  const friend = await viewer(link);
  await friend.receive();
});

test("a picture is not sent while it is being edited", async ({ sender, viewer }) => {
  const link = await sender.offer(await fixture("flat"), { seconds: 60 });
  await sender.press("edit");
  await sender.waitFor("the editor", () => document.querySelector("dialog.editor[open]") !== null);
  const friend = await viewer(link);
  await friend.join();
  await friend.waitPhase("connected");
  await sender.waitPhase("connected");
  await sender.page.bringToFront();
  await sender.press("edit-done");
  await friend.waitPhase("delivered");
});

test("caption, description and file name are sent only if wanted", async ({ sender, viewer }) => {
  const link = await sender.offer(await fixture("flat"), { seconds: 60 });
  await sender.press("settings");
  await sender.page.waitForSelector("dialog.sheet [name=caption]");
  await sender.page.type("[name=caption]", "By the lake");
  await sender.page.type("[name=alt]", "A boat at a jetty");
  await sender.press("settings-done");
  const friend = await viewer(link);
  await friend.receive();
  await friend.page.bringToFront();
  await friend.look();
  const seen = await friend.page.evaluate(() => ({
    text: document.querySelector("[data-viewer]")?.textContent ?? "",
    alt: document.querySelector("[data-viewer] canvas")?.getAttribute("aria-label"),
  }));
  assertMatch(seen.text, /By the lake/);
  assert(!seen.text.includes("flat.png"));
  assertEquals(seen.alt, "A boat at a jetty");
});

test("with “ask me”, a picture is locked until the sender agrees", async ({ sender, viewer }) => {
  await check(sender, "ask");
  const link = await sender.offer(await fixture("flat"), { seconds: 60 });
  const friend = await viewer(link);
  await friend.receive();
  await friend.openPicture();
  await friend.field("asking");
  await sender.field("asked");
  assertEquals(await sender.phase(), "delivered");
  assertEquals(await friend.page.evaluate(() => document.querySelector("[data-viewer]")), null);
  await sender.page.bringToFront();
  await sender.press("allow");
  await friend.page.bringToFront();
  await friend.waitPhase("viewing");
  await sender.waitPhase("shown");
});

test("a viewer who is refused sees nothing; both sides are told", async ({ sender, viewer }) => {
  await check(sender, "ask");
  const link = await sender.offer(await fixture("flat"), { seconds: 60 });
  const friend = await viewer(link);
  await friend.receive();
  await friend.openPicture();
  await sender.field("asked");
  await sender.page.bringToFront();
  await sender.press("refuse");
  await friend.waitPhase("ended");
  await sender.waitPhase("ended");
  assertEquals(await friend.wiped(), true);
  assertMatch(await friend.text(), /took it back/);
});

test("more time is requested and granted; the countdown goes up", async ({ sender, viewer }) => {
  const link = await sender.offer(await fixture("flat"), { seconds: 10 });
  const friend = await viewer(link);
  await friend.receive();
  await friend.page.bringToFront();
  await friend.look();
  await friend.press("more");
  await sender.field("wanted");
  await sender.page.bringToFront();
  await sender.press("grant");
  await friend.page.bringToFront();
  await friend.waitFor("more than ten seconds", () => {
    const text = document.querySelector("[data-field=countdown] text")?.textContent ?? "0";
    return Number(text) > 10;
  });
  assertMatch(await sender.timeline(), /You gave 10 seconds more/);
});

test("a hold-to-see picture is visible only while held", async ({ sender, viewer, browser }) => {
  await check(sender, "hold");
  const link = await sender.offer(await fixture("flat"), { seconds: 60 });
  const friend = await viewer(link);
  await friend.receive();
  await friend.page.bringToFront();
  await friend.openPicture();
  await friend.waitFor("a canvas", () => (document.querySelector("canvas")?.width ?? 0) > 1);
  const colours = async () => {
    const { corners } = await looksOf(browser, await friend.canvas());
    await friend.page.bringToFront();
    return new Set(Object.values(corners).map(String)).size;
  };
  assertEquals(await colours(), 1);
  await friend.page.mouse.move(400, 300);
  await friend.page.mouse.down();
  await friend.waitPhase("viewing");
  await sender.waitPhase("shown");
  await friend.page.mouse.up();
  assertEquals(await colours(), 1);
});

test("pictures are reordered and removed before they are sent", async ({ sender, viewer }) => {
  const link = await sender.offer(await fixture("flat"), { seconds: 60 });
  await sender.chooseFile(await fixture("small"));
  await sender.chooseFile(await fixture("transparent"));
  await sender.waitFor("three", () => document.querySelectorAll(".picture").length === 3);
  await sender.press("later");
  await sender.waitFor("the other order", () => {
    const captions = document.querySelectorAll<HTMLCanvasElement>(".picture canvas");
    // The flat picture is the smallest of the three files, and keeps its aspect ratio of 4:3.
    return captions.length === 3;
  });
  await sender.press("remove");
  await sender.waitFor("two", () => document.querySelectorAll(".picture").length === 2);
  const friend = await viewer(link);
  for (const last of [false, true]) {
    if (!last) await friend.receive();
    else await friend.waitPhase("delivered");
    await friend.page.bringToFront();
    await friend.look();
    await friend.closePicture();
    await friend.waitPhase("closed");
  }
  await sender.waitPhase("ended");
});

test("metadata of a photograph is removed, and the page says so", async ({ sender }) => {
  await sender.offer(await fixture("exif"), { seconds: 60 });
  assertMatch(await sender.field("removed"), /location.*device/);
});
