import { fileURLToPath } from "node:url";
import { assert } from "../support/assert.ts";
import { serveBlank } from "../support/blank.ts";
import { withBrowser } from "../support/browser.ts";
import type { Page } from "../support/puppeteer.ts";
import type { Part } from "./watermark_page.ts";

/** Minimum contrast of letters with what is beneath them (WCAG requires 3 for large text). */
const LEAST = 1.8;
/** The same in a crop of a quarter, where a few letters are left. */
const LEAST_IN_A_QUARTER = 1.4;
/** Share of the picture that letters may cover at most. */
const MOST = 0.25;

const WHOLE: Part = { x: 0, y: 0, width: 1, height: 1 };

async function onPage(check: (page: Page) => Promise<void>): Promise<void> {
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
    await check(page);
  });
}

function contrastsOf(page: Page, background: string, part: Part, phase = 0) {
  return page.evaluate((...all) => contrasts(...all), background, part, phase);
}

Deno.test("the watermark stands out from any picture, and leaves most of it alone", () =>
  onPage(async (page) => {
    for (const background of ["#fff", "#000", "#777", "#d2b48c", "busy"]) {
      const { strongest, covered } = await contrastsOf(page, background, WHOLE);
      assert(strongest >= LEAST, `${background}: contrast ${strongest.toFixed(2)}`);
      assert(covered <= MOST, `${background}: ${covered.toFixed(2)} of it is covered`);
    }
  }));

Deno.test("a crop of a quarter keeps legible letters, wherever it was cropped", () =>
  onPage(async (page) => {
    for (const phase of [0, 0.3, 0.7]) {
      for (const x of [0, 0.25, 0.5]) {
        for (const y of [0, 0.25, 0.5]) {
          // The middle is where nobody crops a copy: the letters are faint there by design.
          if (x === 0.25 && y === 0.25) continue;
          const part = { x, y, width: 0.5, height: 0.5 };
          for (const background of ["#fff", "#000", "#777"]) {
            const { strongest } = await contrastsOf(page, background, part, phase);
            const where = `${background}, quarter at ${x}, ${y}, phase ${phase}`;
            assert(strongest >= LEAST_IN_A_QUARTER, `${where}: contrast ${strongest.toFixed(2)}`);
          }
        }
      }
    }
  }));

Deno.test("the watermark is faint in the middle third, but never gone", () =>
  onPage(async (page) => {
    const third = 1 / 3;
    const middle = { x: third, y: third, width: third, height: third };
    for (const background of ["#fff", "#000", "#777"]) {
      let inside = 0;
      let everywhere = 0;
      for (const phase of [0, 0.2, 0.4, 0.6, 0.8]) {
        inside += (await contrastsOf(page, background, middle, phase)).mean;
        everywhere += (await contrastsOf(page, background, WHOLE, phase)).mean;
      }
      const share = inside / everywhere;
      assert(share > 0.05 && share < 0.5, `${background}: ${share.toFixed(2)} of the whole's`);
    }
  }));
