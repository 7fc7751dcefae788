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

/**
 * Buttons and fields smaller than a fingertip (WCAG 2.5.8 requires 24 pixels, except for inline
 * links).
 */
function small(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll("button, select, summary, [role=option], a.button")]
      .filter((element) => element.checkVisibility())
      .map((element) => ({ element, box: element.getBoundingClientRect() }))
      .filter(({ box }) => box.height > 0 && Math.min(box.width, box.height) < 24)
      .map(({ element }) => `too small: ${element.outerHTML.slice(0, 120)}`)
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
