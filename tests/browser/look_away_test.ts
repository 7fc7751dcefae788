/**
 * A picture that is opened on a page that nobody looks at: what the two pages say about its time is
 * true, and neither gives it up before the other one said so.
 *
 * @module
 */
import { startApp } from "../support/app.ts";
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { withBrowser } from "../support/browser.ts";
import { fixture } from "../support/fixtures.ts";
import { deliver, type Sender, type Viewer } from "../support/flow.ts";

/** The time for looking is 25 s, and the machine may be busy. */
const CLOSED_MS = 60_000;

/**
 * A window without focus when `globalThis.__away` is set: two pages of one headless browser both
 * believe to have it.
 */
const CAN_LOOK_AWAY = `globalThis.__away = false;
Document.prototype.hasFocus = () => !globalThis.__away;`;

async function lookAway({ page }: Viewer, away: boolean): Promise<void> {
  await page.evaluate(
    `globalThis.__away = ${away}; dispatchEvent(new Event("${away ? "blur" : "focus"}"))`,
  );
}

function veil({ page }: Viewer): Promise<string> {
  return page.evaluate(() => document.querySelector("[data-viewer] .veil")?.textContent ?? "");
}

/** A picture whose viewer pressed “Show it” and looked elsewhere at once. */
function test(name: string, body: (pages: { sender: Sender; viewer: Viewer }) => Promise<void>) {
  Deno.test(name, async () => {
    await using app = await startApp();
    await withBrowser(async (browser) => {
      const pages = { sender: await browser.newPage(), viewer: await browser.newPage() };
      await pages.viewer.page.evaluateOnNewDocument(CAN_LOOK_AWAY);
      const picture = await fixture("small");
      const { sender, viewer } = await deliver(pages, app.url, picture, { seconds: 30 });
      await lookAway(viewer, true);
      await viewer.press("open");
      await sender.waitPhase("opened");
      await viewer.waitFor("the covered picture", () => {
        const text = document.querySelector("[data-viewer] .veil")?.textContent ?? "";
        return text.startsWith("Hidden");
      });
      await body({ sender, viewer });
    });
  });
}

test("the time begins with the look, and the page says so; then it goes on", async (pages) => {
  const { sender, viewer } = pages;
  const before = await veil(viewer);
  assertMatch(before, /The clock starts when it is shown\./);
  assertMatch(before, /If it stays hidden, it closes after 25 seconds\./);
  assert(!/keeps running/.test(before), before);
  assert(!/seconds left/.test(await viewer.text()), "no countdown runs yet");
  assertEquals(await viewer.phase(), "delivered");
  await lookAway(viewer, false);
  await viewer.waitPhase("viewing");
  await sender.waitPhase("shown");
  assertMatch(await viewer.countdown(), /\d/);
  await lookAway(viewer, true);
  await viewer.waitFor("the cover", () => document.querySelector("[data-viewer] .veil") !== null);
  const after = await veil(viewer);
  assertMatch(after, /The clock keeps running\./);
  assert(!/starts|closes after/.test(after), after);
});

test("unseen it closes when the page said, and both pages say why", async ({ sender, viewer }) => {
  await viewer.waitPhase("closed", { timeout: CLOSED_MS });
  assertMatch(await viewer.text(), /It was closed before you saw anything/);
  assertEquals(await viewer.wiped(), true);
  await sender.waitPhase("closed", { timeout: CLOSED_MS });
  assertMatch(await sender.timeline(), /Nothing was seen\. Closed when time ran out/);
  assert(!/unconfirmed/i.test(await sender.timeline()));
});
