/**
 * Screenshots: one state, in every size and color scheme, without a reload in between.
 *
 * @module
 */
import type { Page } from "../support/puppeteer.ts";

/**
 * The widths at which every state is captured, in CSS pixels, and the height of a screen of that
 * width; a phone in both orientations.
 */
const SIZES = [
  { name: "390", width: 390, height: 844 },
  { name: "844", width: 844, height: 390 },
  { name: "820", width: 820, height: 1_180 },
  { name: "1440", width: 1_440, height: 900 },
] as const;

const SCHEMES = ["light", "dark"] as const;

/** Longest edge that is kept of a long page, in CSS pixels. */
const MAX_HEIGHT = 2_000;

/** Captures states into a folder, and remembers which there are. */
export class Gallery {
  readonly #folder: string;
  readonly #names: string[] = [];

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Names of the states so far, in order. */
  get names(): readonly string[] {
    return this.#names;
  }

  /** Captures `name` in each size and scheme; reports what is wider than its screen. */
  async take(page: Page, name: string): Promise<string[]> {
    const before = page.viewport();
    const tooWide: string[] = [];
    for (const size of SIZES) {
      await page.setViewport({ width: size.width, height: size.height, deviceScaleFactor: 1 });
      for (const scheme of SCHEMES) {
        await page.emulateMediaFeatures([
          { name: "prefers-color-scheme", value: scheme },
          { name: "prefers-reduced-motion", value: "reduce" },
        ]);
        // Layout, canvases and colors follow with the next frames.
        await page.evaluate(() =>
          new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 60)))
        );
        const { width, height } = await page.evaluate(() => ({
          width: document.documentElement.scrollWidth,
          height: document.documentElement.scrollHeight,
        }));
        if (width > size.width) tooWide.push(`${name} at ${size.name}: ${width}`);
        await page.screenshot({
          path: `${this.#folder}/${name}-${size.name}-${scheme}.png`,
          clip: {
            x: 0,
            y: 0,
            width: size.width,
            height: Math.max(size.height, Math.min(height, MAX_HEIGHT)),
          },
          captureBeyondViewport: true,
        });
      }
    }
    if (before !== null) await page.setViewport(before);
    this.#names.push(name);
    return tooWide;
  }

  /** Puts all screenshots of each state onto one sheet, drawn by a browser: `<name>.png`. */
  async sheets(page: Page): Promise<void> {
    for (const name of this.#names) {
      const cells = SCHEMES.flatMap((scheme) =>
        SIZES.map(({ name: size }) => `${name}-${size}-${scheme}.png`)
      );
      const images = await Promise.all(
        cells.map(async (src) => (await Deno.readFile(`${this.#folder}/${src}`)).toBase64()),
      );
      await page.setViewport({ width: 2_000, height: 1_400, deviceScaleFactor: 1 });
      await page.setContent(
        `<body style="margin:0;padding:8px;background:#888;display:grid;gap:8px;` +
          `grid-template-columns:1fr 1.6fr 1.6fr 2.6fr;grid-template-rows:repeat(2,686px)">${
            images.map((image) =>
              `<img style="max-width:100%;max-height:100%" src="data:image/png;base64,${image}">`
            ).join("")
          }`,
      );
      await page.screenshot({ path: `${this.#folder}/${name}.png` });
    }
  }
}
