/**
 * HEIC in browsers without support for it. The files were made by heif-enc 1.15 of Debian from
 * source.png and what ImageMagick made of it (`-q 80`, `-b 10`, half transparent, two in one file,
 * with EXIF, with a Display P3 profile, with both profile and transparency); turned.heic is
 * plain.heic with an `irot` in place of its `pixi`.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { assert, assertEquals } from "../support/assert.ts";
import { serveBlank } from "../support/blank.ts";
import { launchBrowser } from "../support/browser.ts";
import { findFirefox } from "../support/firefox.ts";
import type { Page } from "../support/puppeteer.ts";
import type {} from "./heic_page.ts";

const ENGINES = await findFirefox() === null
  ? ["chromium"] as const
  : ["chromium", "firefox"] as const;

async function bundle(path: string): Promise<string> {
  const entry = fileURLToPath(new URL(path, import.meta.url));
  const format = path.endsWith("_worker.ts") ? "iife" : "esm";
  const result = await Deno.bundle({
    entrypoints: [entry],
    platform: "browser",
    format,
    write: false,
  });
  return result.outputFiles?.[0]?.text() ?? "";
}

async function withPage(
  engine: typeof ENGINES[number],
  body: (page: Page) => Promise<void>,
): Promise<void> {
  const [script, picture, heic] = await Promise.all([
    bundle("./heic_page.ts"),
    bundle("../../lib/image/picture_worker.ts"),
    bundle("../../lib/image/heic_worker.ts"),
  ]);
  await using site = serveBlank({
    scripts: { "/page.js": script, "/picture_worker.js": picture, "/heic_worker.js": heic },
    body: `<script type="module" src="/page.js"></script>`,
  });
  await using browser = await launchBrowser({ engine });
  const { page } = await browser.newPage();
  await page.goto(site.url);
  await page.waitForFunction(() => "heic" in globalThis);
  await body(page);
}

function base64(name: string): string {
  return Deno.readFileSync(new URL(`./heic/${name}`, import.meta.url)).toBase64();
}

for (const engine of ENGINES) {
  Deno.test(`${engine}: a HEIC becomes an upright picture of the same colors, no metadata`, () =>
    withPage(engine, async (page) => {
      const look = (name: string, turns = 0, source = "source.png") =>
        page.evaluate(
          (...args) => globalThis.heic.compare(...args),
          base64(name),
          base64(source),
          turns,
        );
      for (
        const [name, turns, source, removed] of [
          ["plain.heic", 0, "source.png", []],
          ["ten.heic", 0, "source.png", []],
          ["two.heic", 0, "source.png", []],
          ["turned.heic", 1, "source.png", []],
          ["noted.heic", 0, "source.png", ["location", "author"]],
          ["p3.heic", 0, "p3.png", []],
          ["alpha.heic", 0, "alpha.png", []],
          ["alpha_p3.heic", 0, "alpha_p3.png", []],
        ] as const
      ) {
        const made = await look(name, turns, source);
        if (typeof made === "string") throw new Error(`${engine}, ${name}: ${made}`);
        assert(made.difference <= 3, `${engine}, ${name}: ${made.difference}`);
        assertEquals([name, ...made.removed], [name, ...removed]);
        assertEquals([name, ...made.size], [name, ...turns === 1 ? [96, 128] : [128, 96]]);
        assert(!made.bytes.includes("PLANTED"), name);
        if (!name.startsWith("alpha")) assertEquals(made.type, "image/jpeg");
      }
    }));

  Deno.test(`${engine}: a damaged HEIC is refused, and the next one is accepted`, () =>
    withPage(engine, async (page) => {
      const whole = Deno.readFileSync(new URL("./heic/plain.heic", import.meta.url));
      const compare = (bytes: Uint8Array) =>
        page.evaluate(
          (...args) => globalThis.heic.compare(...args),
          bytes.toBase64(),
          base64("source.png"),
        );
      for (const length of [30, 200, 400]) {
        const made = await compare(whole.slice(0, length));
        assertEquals(made, "heic", `${length}`);
      }
      assert(typeof await compare(whole) !== "string");
    }));
}
