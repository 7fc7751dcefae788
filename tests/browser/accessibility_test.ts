/**
 * What must hold for everybody, in every state of both pages.
 *
 * @module
 */
import { assertEquals } from "../support/assert.ts";
import { startApp } from "../support/app.ts";
import { violations } from "../support/axe.ts";
import { withBrowser } from "../support/browser.ts";
import { fixture } from "../support/fixtures.ts";
import type { Page } from "../support/puppeteer.ts";
import { type Walk, WALKS } from "../screens/walks.ts";

/** The narrowest screen; also what remains of 640 pixels at 200% zoom. */
const NARROW = { width: 320, height: 640, deviceScaleFactor: 1 };
const WIDE = { width: 1_280, height: 800, deviceScaleFactor: 1 };

/** By how much the page is wider than a narrow screen, and which elements overflow. */
function overflow(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return [];
    return [...document.querySelectorAll("body *")]
      .filter((element) => element.getBoundingClientRect().right > width + 1)
      .map((element) => `wider than the screen: ${element.outerHTML.slice(0, 120)}`);
  });
}

/** Least height of what is pressed, in CSS pixels (WCAG 2.5.5); links in a sentence excepted. */
const FINGERTIP = 44;

/** Buttons, fields and links of their own that are lower than a fingertip. */
function small(page: Page): Promise<string[]> {
  return page.evaluate(
    (least) =>
      [...document.querySelectorAll(
        "button, select, summary, label:not([for]), [role=option], a.button, .aside, footer a",
      )]
        .filter((element) => element.checkVisibility())
        .map((element) => ({ element, box: element.getBoundingClientRect() }))
        // A box that ends between pixels may be a hundredth lower.
        .filter(({ box }) => box.height > 0 && box.height < least - 0.05)
        .map(({ element, box }) => `${box.height} high: ${element.outerHTML.slice(0, 120)}`),
    FINGERTIP,
  );
}

for (const { states, run } of WALKS) {
  Deno.test(`for everybody: ${states.join(", ")}`, async () => {
    await using app = await startApp();
    await withBrowser(async (browser) => {
      const found: string[] = [];
      const seen: string[] = [];
      const take: Walk["take"] = async ({ page }, name) => {
        seen.push(name);
        await page.bringToFront();
        for (const scheme of ["light", "dark"]) {
          await page.emulateMediaFeatures([
            { name: "prefers-color-scheme", value: scheme },
            { name: "prefers-reduced-motion", value: "reduce" },
          ]);
          await page.setViewport(WIDE);
          const wrong = await violations(page);
          found.push(...wrong.map((text) => `${name}, ${scheme}: ${text}`));
        }
        await page.setViewport(NARROW);
        const narrow = [...await overflow(page), ...await small(page), ...await violations(page)];
        found.push(...narrow.map((text) => `${name}, narrow: ${text}`));
        await page.setViewport(WIDE);
      };
      await run({ app, browser, lake: await fixture("small"), take });
      assertEquals(found, []);
      assertEquals(seen, states);
    });
  });
}
