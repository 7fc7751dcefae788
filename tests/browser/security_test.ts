/**
 * /security in a real browser: one screen, no script, and every point on it.
 *
 * @module
 */
import { TEXTS } from "../../lib/i18n/catalogue.ts";
import { startApp } from "../support/app.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { type Screen, withBrowser } from "../support/browser.ts";

Deno.test("/security is one screen on a desktop, and no wider than any screen", async () => {
  await using app = await startApp();
  await withBrowser(async (browser) => {
    for (const screen of ["desktop", "phone"] satisfies Screen[]) {
      const { page } = await browser.newPage({ screen });
      await page.goto(`${app.url}/security`);
      const [missingWidth, missingHeight, scripts, points] = await page.evaluate(() => {
        const { scrollWidth, scrollHeight, clientWidth, clientHeight } = document.documentElement;
        return [
          scrollWidth - clientWidth,
          scrollHeight - clientHeight,
          document.scripts.length,
          document.querySelectorAll("main li").length,
        ];
      });
      assertEquals(missingWidth, 0, screen);
      assert(screen === "phone" || missingHeight === 0, `${missingHeight} px too high`);
      assertEquals(scripts, 0);
      assertEquals(points, TEXTS.en.pages.security.sections.flatMap(({ points }) => points).length);
    }
  });
});
