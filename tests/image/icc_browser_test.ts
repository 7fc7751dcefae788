/**
 * A profile without names gives the same colors in each engine: the same pixels of the same
 * picture, before and after.
 *
 * @module
 */
import { deflateSync } from "node:zlib";
import { neutralProfile } from "../../lib/image/icc.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { serveBlank } from "../support/blank.ts";
import { launchBrowser } from "../support/browser.ts";
import { findFirefox } from "../support/firefox.ts";
import { flatPng } from "../support/image_bytes.ts";
import { pngChunk } from "../support/notes.ts";
import { PROFILES } from "../support/profiles.ts";
import type { Page } from "../support/puppeteer.ts";

/** A picture with this profile, or with none. */
function withProfile(png: Uint8Array, profile: Uint8Array | null): string {
  if (profile === null) return png.toBase64();
  const body = [...new TextEncoder().encode("p"), 0, 0, ...deflateSync(profile)];
  const chunk = pngChunk("iCCP", body);
  return Uint8Array.from([...png.subarray(0, 33), ...chunk, ...png.subarray(33)]).toBase64();
}

/** Every 97th pixel, as shown. */
function shown(page: Page, png: string): Promise<number[]> {
  return page.evaluate(async (png) => {
    const image = new Image();
    image.src = `data:image/png;base64,${png}`;
    await image.decode();
    const context = new OffscreenCanvas(image.naturalWidth, image.naturalHeight).getContext("2d");
    if (context === null) throw new Error("No 2D canvas");
    context.drawImage(image, 0, 0);
    const { data } = context.getImageData(0, 0, image.naturalWidth, image.naturalHeight);
    return [...data].filter((_, i) => i % 388 < 4);
  }, png);
}

const NO_FIREFOX = await findFirefox() === null;

for (const engine of ["chromium", "firefox"] as const) {
  const ignore = engine === "firefox" && NO_FIREFOX;
  Deno.test({
    name: `${engine}: a profile without names gives the same colors`,
    ignore,
    fn: async () => {
      await using site = serveBlank();
      await using browser = await launchBrowser({ engine });
      const { page } = await browser.newPage();
      await page.goto(site.url);
      const png = flatPng(64, 48);
      const plain = await shown(page, withProfile(png, null));
      let changed = 0;
      for (const [name, profile] of Object.entries(PROFILES)) {
        const neutral = neutralProfile(profile);
        assert(neutral !== null, name);
        const before = await shown(page, withProfile(png, profile));
        assertEquals(await shown(page, withProfile(png, neutral)), before, name);
        if (before.join() !== plain.join()) changed++;
      }
      // Gray and CMYK profiles are for other pictures.
      assert(changed >= 4, `${changed} profiles had any effect`);
    },
  });
}
