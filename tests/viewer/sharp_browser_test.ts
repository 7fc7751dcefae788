/**
 * What is seen is exact: one canvas pixel per device pixel, and one picture pixel per canvas pixel
 * wherever there is room, in every window, browser zoom (which a page sees as another pixel ratio)
 * and pixel ratio.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { assert, assertEquals } from "../support/assert.ts";
import { serveBlank } from "../support/blank.ts";
import { type BrowserOptions, launchBrowser, type TestPage } from "../support/browser.ts";
import { findFirefox } from "../support/firefox.ts";
import type { SharpLook } from "./sharp_page.ts";

type Page = TestPage["page"];

// A box that begins in the middle of a pixel, and ends there.
const BODY = `<meta name="viewport" content="width=device-width">
<div style="position:fixed;inset:20.3px 19.9px 21.4px 20.6px"><canvas></canvas></div>
<script type="module" src="/page.js"></script>`;

/**
 * Whole pixels, halves and thirds of them, phones; and the browser's zoom at 50, 67, 80, 110 and
 * 175%.
 */
const RATIOS = {
  chromium: [1, 1.5, 2, 3, 2.625, 0.5, 2 / 3, 1.1, 1.75],
  // For a page it is the same, and it is slow to drive.
  firefox: [1, 1.5, 3, 0.5],
} as const;

async function bundle(path: string): Promise<string> {
  const entry = fileURLToPath(new URL(path, import.meta.url));
  const result = await Deno.bundle({ entrypoints: [entry], platform: "browser", write: false });
  const [file] = result.outputFiles ?? [];
  assert(file !== undefined, JSON.stringify(result.errors));
  return file.text();
}

async function withPage(
  engine: NonNullable<BrowserOptions["engine"]>,
  body: (page: Page) => Promise<void>,
): Promise<void> {
  await using site = serveBlank({
    scripts: {
      "/page.js": await bundle("./sharp_page.ts"),
      "/picture_worker.js": await bundle("../../lib/image/picture_worker.ts"),
    },
    body: BODY,
  });
  await using browser = await launchBrowser({ engine });
  const page = await browser.newPage();
  await page.page.goto(site.url);
  await page.page.waitForFunction(() => "sharp" in globalThis);
  await body(page.page);
  page.assertNoErrors();
}

function look(page: Page): Promise<SharpLook> {
  return page.evaluate(() => sharp.look());
}

/** A window of this many device pixels, as a screen or the browser's zoom makes it. */
async function setWindow(
  page: Page,
  [width, height]: readonly [number, number],
  ratio: number,
): Promise<void> {
  const css = { width: Math.round(width / ratio), height: Math.round(height / ratio) };
  await page.setViewport({ ...css, deviceScaleFactor: ratio });
  await page.waitForFunction(
    (ratio) => Math.abs(devicePixelRatio - ratio) < 0.01,
    {},
    ratio,
  );
}

function assertOnGrid({ corner }: SharpLook, what: string): void {
  for (const at of corner) {
    assert(Math.abs(at - Math.round(at)) < 0.1, `${what}: the canvas begins at ${corner}`);
  }
}

const NO_FIREFOX = await findFirefox() === null;

for (const engine of ["chromium", "firefox"] as const) {
  const ignore = engine === "firefox" && NO_FIREFOX;
  const name = ignore ? `${engine} (none is installed)` : engine;

  Deno.test({
    name: `fitted, the picture is scaled in one step, on the grid of the device: ${name}`,
    ignore,
    fn: () =>
      withPage(engine, async (page) => {
        for (const ratio of RATIOS[engine]) {
          await setWindow(page, [901, 1_203], ratio);
          // Larger than the box, so it is scaled down to the number of pixels of the box.
          await page.evaluate(() => sharp.show("photo", 2_600, 1_460));
          const inside = await page.evaluate(() =>
            Math.floor((innerWidth - 40.5) * devicePixelRatio + 1 / 32)
          );
          await page.waitForFunction(
            (width) => sharp.look().size[0] === width && sharp.difference() < 0.5,
            {},
            inside,
          );
          assertOnGrid(await look(page), `ratio ${ratio}`);
          await page.evaluate(() => sharp.wipe());
        }
      }),
  });

  Deno.test({
    name: `zoomed in, pixels are exactly those that were sent, anywhere: ${name}`,
    ignore,
    fn: () =>
      withPage(engine, async (page) => {
        for (const ratio of RATIOS[engine]) {
          await setWindow(page, [800, 600], ratio);
          for (const pattern of ["checks", "places"] as const) {
            await page.evaluate((pattern) => sharp.show(pattern, 640, 4_000), pattern);
            // Zoomed in as far as possible, then back to one picture pixel per device pixel, where
            // those are smaller than CSS's.
            await page.evaluate(() => sharp.zoomBy(1_000));
            await page.evaluate((ratio) => sharp.zoomBy(1 / Math.max(1, ratio)), ratio);
            await page.evaluate(() => sharp.panBy(37.4, 123.7));
            const width = await page.evaluate(() =>
              Math.min(640, Math.floor((innerWidth - 40.5) * devicePixelRatio + 1 / 32))
            );
            await page.waitForFunction((width) => sharp.look().size[0] === width, {}, width);
            if (pattern === "places") {
              await page.waitForFunction(() => sharp.wrong(...sharp.first()) === 0);
            } else {
              await page.waitForFunction(() =>
                Math.min(sharp.wrong(0, 0), sharp.wrong(1, 0)) === 0
              );
            }
            assertOnGrid(await look(page), `ratio ${ratio}`);
            await page.evaluate(() => sharp.wipe());
          }
        }
      }),
  });
}

Deno.test("a small picture takes one CSS pixel per pixel, and no more", () =>
  withPage("chromium", async (page) => {
    for (const ratio of [1, 2, 3]) {
      await setWindow(page, [900, 900], ratio);
      await page.evaluate(() => sharp.show("places", 40, 30));
      assertEquals((await look(page)).size, [40 * ratio, 30 * ratio]);
      if (ratio === 1) assertEquals(await page.evaluate(() => sharp.wrong(0, 0)), 0);
      await page.evaluate(() => sharp.wipe());
    }
  }));

Deno.test("the picture is repainted for a rotated phone or another screen, seamlessly", () =>
  withPage("chromium", async (page) => {
    await setWindow(page, [780, 1_688], 2);
    await page.evaluate(() => sharp.show("photo", 1_600, 900));
    // Each frame is checked, after everything that paints.
    await page.evaluate(() => {
      const seen = { blank: 0, frames: 0 };
      Object.assign(globalThis, { seen });
      const look = () => {
        seen.frames++;
        if (sharp.difference() > 20) seen.blank++;
        requestAnimationFrame(look);
      };
      requestAnimationFrame(look);
    });
    for (
      const [size, ratio] of [[[1_688, 780], 2], [[1_266, 585], 1.5], [[585, 1_266], 1.5]] as const
    ) {
      await setWindow(page, size, ratio);
      await page.waitForFunction(() => sharp.difference() < 0.5);
    }
    const seen = await page.evaluate(() => Reflect.get(globalThis, "seen"));
    assert(seen.frames > 10);
    assertEquals(seen.blank, 0);
  }));
