/**
 * What to press next is on the first screen, on small phones and on phones held sideways, measured
 * in a real browser.
 *
 * @module
 */
import { assert } from "../support/assert.ts";
import { startApp } from "../support/app.ts";
import { withBrowser } from "../support/browser.ts";
import { fixture } from "../support/fixtures.ts";
import { Sender, Viewer } from "../support/flow.ts";

/** Two phones held sideways, and two small ones held upright, in CSS pixels. */
const SCREENS = [[844, 390], [667, 375], [320, 568], [360, 640]] as const;

/** Longest empty stretch between two parts of the page that belong together, in CSS pixels. */
const MAX_GAP = 100;

/** Asserts at every size that all of the button is visible without scrolling. */
async function assertOnFirstScreen(
  person: Sender | Viewer,
  action: string,
  state: string,
): Promise<void> {
  for (const [width, height] of SCREENS) {
    await person.page.setViewport({
      width,
      height,
      deviceScaleFactor: 2,
      isMobile: true,
      hasTouch: true,
    });
    const box = await person.page.evaluate(async (action) => {
      for (let i = 0; i < 3; i++) await new Promise((resolve) => requestAnimationFrame(resolve));
      scrollTo(0, 0);
      const rect = document.querySelector(`[data-action="${action}"]`)?.getBoundingClientRect();
      return rect === undefined ? null : { top: rect.top, bottom: rect.bottom };
    }, action);
    const where = `"${action}" ${state} at ${width} × ${height}`;
    assert(box !== null, `${where} is missing`);
    assert(box.top >= 0 && box.bottom <= height, `${where} ends at ${Math.round(box.bottom)}`);
  }
}

/** The longest stretch without anything visible between the heading and the last button. */
function longestGap(person: Sender): Promise<number> {
  return person.page.evaluate(() => {
    const spans = [...document.querySelectorAll(".desk p, .desk button, .desk svg, .desk summary")]
      .map((element) => element.getBoundingClientRect())
      .filter(({ height }) => height > 0)
      .sort((a, b) => a.top - b.top);
    let longest = 0;
    let end = spans[0]?.bottom ?? 0;
    for (const { top, bottom } of spans) {
      longest = Math.max(longest, top - end);
      end = Math.max(end, bottom);
    }
    return longest;
  });
}

for (const language of ["en", "de"]) {
  Deno.test(`the next button is on the first screen (${language})`, async () => {
    await using app = await startApp();
    await withBrowser(async (browser) => {
      const open = async () => {
        const page = await browser.newPage({ screen: "phone" });
        await page.page.setExtraHTTPHeaders({ "accept-language": language });
        return page;
      };
      const sender = await Sender.open(await open(), app.url);
      await assertOnFirstScreen(sender, "choose", "before choosing");
      const link = await sender.offer(await fixture("exif"));
      await sender.page.waitForSelector(".picture canvas");
      await assertOnFirstScreen(sender, "copy", "with one picture");
      await sender.page.setViewport({
        width: 390,
        height: 844,
        deviceScaleFactor: 2,
        isMobile: true,
        hasTouch: true,
      });
      const gap = await longestGap(sender);
      assert(gap <= MAX_GAP, `${Math.round(gap)} empty pixels while the link waits`);
      for (let n = 1; n < 12; n++) await sender.chooseFile(await fixture("small"));
      await sender.waitFor(
        "twelve pictures",
        () => document.querySelectorAll(".picture canvas").length === 12,
      );
      await assertOnFirstScreen(sender, "copy", "with twelve pictures");

      const viewer = await Viewer.open(await open(), link);
      await assertOnFirstScreen(viewer, "join", "with a link");
      await viewer.receive();
      await assertOnFirstScreen(viewer, "open", "with a picture");
      const byCode = await Viewer.openByCode(await open(), app.url);
      await assertOnFirstScreen(byCode, "join", "with a code");
    });
  });
}
