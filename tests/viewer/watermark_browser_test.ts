import { fileURLToPath } from "node:url";
import { assert } from "../support/assert.ts";
import { serveBlank } from "../support/blank.ts";
import { withBrowser } from "../support/browser.ts";
import type {} from "./watermark_page.ts";

/** Minimum contrast of letters with what is beneath them (WCAG requires 3 for large text). */
const LEAST = 1.8;
/** Share of the picture that letters may cover at most. */
const MOST = 0.25;

Deno.test("the watermark stands out from any picture, and leaves most of it alone", async () => {
  const entry = fileURLToPath(new URL("./watermark_page.ts", import.meta.url));
  const result = await Deno.bundle({ entrypoints: [entry], platform: "browser", write: false });
  const [file] = result.outputFiles ?? [];
  assert(file !== undefined, JSON.stringify(result.errors));
  await using site = serveBlank({
    scripts: { "/page.js": file.text() },
    body: `<script type="module" src="/page.js"></script>`,
  });
  await withBrowser(async (browser) => {
    const { page } = await browser.newPage();
    await page.goto(site.url);
    await page.waitForFunction(() => "contrasts" in globalThis);
    for (const background of ["#fff", "#000", "#777", "#d2b48c", "busy"]) {
      const { strongest, covered } = await page.evaluate((tone) => contrasts(tone), background);
      assert(strongest >= LEAST, `${background}: contrast ${strongest.toFixed(2)}`);
      assert(covered <= MOST, `${background}: ${covered.toFixed(2)} of it is covered`);
    }
  });
});
