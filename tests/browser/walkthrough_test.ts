/**
 * Both flows for somebody who neither sees the page nor has a mouse: by Tab, Enter and Space, with
 * what the accessibility tree and the live regions announce.
 *
 * @module
 */
import { assert, assertEquals } from "../support/assert.ts";
import { startApp } from "../support/app.ts";
import { type TestPage, withTwoPages } from "../support/browser.ts";
import { fixture } from "../support/fixtures.ts";
import { Sender, Viewer } from "../support/flow.ts";
import { focusOn, LISTEN, operate, readTree, spokenOn, treeFaults } from "../support/reading.ts";
import { REASON } from "../support/reasons.ts";

const ALT = "A lake between mountains";

/** Fails if the page can't be read, or focus is lost. */
async function assertReads({ page }: TestPage, state: string): Promise<void> {
  await page.bringToFront();
  assertEquals(treeFaults(await readTree(page)), [], state);
  assert(await focusOn(page) !== "nothing", `${state}: focus is lost`);
}

/**
 * Fails unless all of this was announced, in this order; other announcements may lie in between.
 */
function assertSaid(said: readonly string[], expected: readonly RegExp[]): void {
  let at = 0;
  for (const pattern of expected) {
    const found = said.findIndex((text, i) => i >= at && pattern.test(text));
    assert(found !== -1, `${pattern} was not said, or not in its turn: ${said.join(" | ")}`);
    at = found + 1;
  }
}

Deno.test("a picture is shown and seen without sight, and without a mouse", async () => {
  await using app = await startApp();
  await withTwoPages(async (senderPage, viewerPage) => {
    const sender = await Sender.open(senderPage, app.url);
    await sender.chooseFile(await fixture("small"));
    await sender.waitPhase("waiting");
    await assertReads(senderPage, "waiting");
    const link = await sender.shareLink();

    await operate(senderPage.page, "settings");
    await senderPage.page.waitForSelector("[name=alt]");
    await assertReads(senderPage, "settings");
    await senderPage.page.focus("[name=alt]");
    await senderPage.page.keyboard.type(ALT);
    await operate(senderPage.page, "settings-done");
    await assertReads(senderPage, "settings closed");

    const viewer = await Viewer.open(viewerPage, link);
    assertEquals(treeFaults(await readTree(viewerPage.page)), [], "invited");
    await operate(viewerPage.page, "join");
    await viewer.waitPhase("delivered");
    await assertReads(viewerPage, "delivered");
    await sender.waitPhase("delivered");
    await assertReads(senderPage, "delivered, at the sender’s");

    await operate(viewerPage.page, "open");
    await viewer.waitPhase("viewing");
    await viewer.waitFor("a painted canvas", () => {
      const canvas = document.querySelector<HTMLCanvasElement>("[data-viewer] canvas");
      return canvas !== null && canvas.width > 0;
    });
    await assertReads(viewerPage, "viewing");
    const canvas = (await readTree(viewerPage.page)).find(({ name }) => name === ALT);
    assert(canvas !== undefined, "the picture has its description");
    await sender.waitPhase("shown");
    await assertReads(senderPage, "shown, at the sender’s");

    await operate(viewerPage.page, "close");
    await viewer.waitPhase("closed");
    assertEquals((await readTree(viewerPage.page)).filter(({ name }) => name === ALT), []);
    assertEquals(await viewer.waitReason("ended"), REASON.done);
    assertEquals(await sender.waitReason("ended"), REASON.done);
    await assertReads(viewerPage, "ended");
    await assertReads(senderPage, "ended, at the sender’s");

    assertSaid(await spokenOn(senderPage.page), [
      /Waiting for your friend/,
      /Delivered, still locked/,
      /looking at it now/,
      /Closed by your friend/,
    ]);
    assertSaid(await spokenOn(viewerPage.page), [
      /Connecting/,
      /Your picture is ready/,
      /seconds left/,
      /You saw it/,
      /Gone/,
    ]);
  }, { before: LISTEN });
});

Deno.test("the end of the time is announced in advance, at ten seconds and at three", async () => {
  await using app = await startApp();
  await withTwoPages(async (senderPage, viewerPage) => {
    const sender = await Sender.open(senderPage, app.url);
    const viewer = await Viewer.open(
      viewerPage,
      await sender.offer(await fixture("small"), { seconds: 10 }),
    );
    await operate(viewerPage.page, "join");
    await viewer.waitPhase("delivered");
    await operate(viewerPage.page, "open");
    await viewer.waitPhase("viewing");
    await viewer.waitPhase(["closed", "ended"], { timeout: 40_000 });
    assertSaid(await spokenOn(viewerPage.page), [/\b10\b/, /\b3\b/]);
  }, { before: LISTEN });
});

Deno.test("a failure is announced, read and dismissed by keyboard", async () => {
  await using app = await startApp();
  await withTwoPages(async (_senderPage, viewerPage) => {
    const viewer = await Viewer.open(viewerPage, `${app.url}/join#1.${"A".repeat(43)}`);
    await operate(viewerPage.page, "join");
    assertEquals(await viewer.waitReason("failed"), REASON.refused);
    await assertReads(viewerPage, "refused");
    const said = await spokenOn(viewerPage.page);
    assert(said.some((text) => text.length > 20), `nothing was said: ${said.join(" | ")}`);
    await operate(viewerPage.page, "join");
  }, { before: LISTEN });
});

Deno.test("asking, answering, more time and a picture back keep the focus", async () => {
  await using app = await startApp();
  await withTwoPages(async (senderPage, viewerPage) => {
    const sender = await Sender.open(senderPage, app.url);
    await sender.keepOpen();
    const ask = await senderPage.page.waitForSelector("input[type=checkbox][name=ask]");
    await ask?.evaluate((element) => (element as HTMLInputElement).click());
    const link = await sender.offer(await fixture("small"), { seconds: 30 });
    const viewer = await Viewer.open(viewerPage, link);
    await operate(viewerPage.page, "join");
    await viewer.waitPhase("delivered");
    await operate(viewerPage.page, "open");
    await viewer.field("asking");
    await assertReads(viewerPage, "asking");
    await operate(senderPage.page, "allow");
    await viewer.waitPhase("viewing");
    await sender.waitPhase("shown");
    await assertReads(senderPage, "allowed");
    await operate(viewerPage.page, "more");
    await sender.field("wanted");
    await assertReads(viewerPage, "asked for more");
    await operate(senderPage.page, "grant");
    await sender.fieldMatching("timeline", /You gave/);
    await assertReads(senderPage, "granted");
    await operate(viewerPage.page, "close");
    await viewer.waitPhase("closed");
    await assertReads(viewerPage, "closed");

    const input = await viewerPage.page.$("input[type=file]");
    const file = await input?.toElement("input");
    await file?.uploadFile((await fixture("flat")).path);
    await sender.waitFor("a picture", () => document.querySelector("[data-action=open]") !== null);
    await assertReads(senderPage, "one came back");
    await operate(senderPage.page, "leave");
    await sender.waitPhase("ended");
    await assertReads(senderPage, "left");
  });
});
