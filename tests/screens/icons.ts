/**
 * Draws the icons of the installed app from the mark in static/favicon.svg:
 *
 *     deno run -A --frozen --lock=tests/deno.lock tests/screens/icons.ts
 *
 * They are committed, because a build has no browser.
 *
 * @module
 */
import { withBrowser } from "../support/browser.ts";
import { PROJECT } from "../support/project.ts";

/** Paper, as in static/styles.css. */
const GROUND = "#f5f2ec";

/** Name, side in pixels, and the share of it that the mark takes up. */
const ICONS = [
  { name: "icon-192", side: 192, mark: 0.66 },
  { name: "icon-512", side: 512, mark: 0.66 },
  // Systems crop these to a shape of their own; the mark lies in a circle of 80%.
  { name: "maskable-512", side: 512, mark: 0.52 },
  { name: "apple-touch-180", side: 180, mark: 0.6 },
] as const;

const mark = await Deno.readTextFile(`${PROJECT}static/favicon.svg`);
await Deno.mkdir(`${PROJECT}static/icons`, { recursive: true });
await withBrowser(async (browser) => {
  const { page } = await browser.newPage();
  for (const { name, side, mark: share } of ICONS) {
    await page.setViewport({ width: side, height: side, deviceScaleFactor: 1 });
    const inner = Math.round(side * share);
    await page.setContent(`<style>
      body { margin: 0; width: ${side}px; height: ${side}px; display: grid; place-items: center;
        background: ${GROUND}; }
      svg { width: ${inner}px; height: ${inner}px; }
    </style>${mark}`);
    await page.screenshot({ path: `${PROJECT}static/icons/${name}.png` });
  }
});
