/**
 * Colors and orientation from the chosen file to the viewer's canvas: colors beyond sRGB are kept,
 * and every picture is upright, with a color profile and without.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { type Edits, UNTOUCHED } from "../../lib/image/edits.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { serveBlank } from "../support/blank.ts";
import { type BrowserOptions, withBrowser } from "../support/browser.ts";
import { findFirefox } from "../support/firefox.ts";
import { withExif } from "../support/image_bytes.ts";
import { pngChunk } from "../support/notes.ts";
import type { Page } from "../support/puppeteer.ts";
import type {} from "./colors_page.ts";

const BODY = `<div style="position:fixed;inset:0"><canvas></canvas></div>
<script type="module" src="/page.js"></script>`;

type Rgb = readonly [number, number, number];
type Quarters = readonly [Rgb, Rgb, Rgb, Rgb];

const [RED, GREEN, BLUE, YELLOW]: Quarters = [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 0]];

/** Tolerance for JPEG and a conversion; the red of sRGB is (234, 51, 35) in Display P3. */
const TOLERANCE = 8;

async function bundle(path: string): Promise<string> {
  const entry = fileURLToPath(new URL(path, import.meta.url));
  const result = await Deno.bundle({ entrypoints: [entry], platform: "browser", write: false });
  const [file] = result.outputFiles ?? [];
  assert(file !== undefined, JSON.stringify(result.errors));
  return file.text();
}

async function withPage(
  body: (page: Page) => Promise<void>,
  options: BrowserOptions = {},
): Promise<void> {
  await using site = serveBlank({
    scripts: {
      "/page.js": await bundle("./colors_page.ts"),
      "/picture_worker.js": await bundle("../../lib/image/picture_worker.ts"),
    },
    body: BODY,
  });
  await withBrowser(async (browser) => {
    const { page } = await browser.newPage();
    await page.goto(site.url);
    await page.waitForFunction(() => "colors" in globalThis);
    await body(page);
  }, options);
}

function assertCorners(found: readonly (readonly number[])[], wanted: Quarters, what: string) {
  const off = wanted.flatMap((rgb, i) =>
    rgb.map((value, channel) => Math.abs(value - (found[i]?.[channel] ?? 999)))
  );
  assert(Math.max(...off) <= TOLERANCE, `${what}: ${JSON.stringify(found)}`);
}

const EDITS: Edits = {
  turns: 1,
  crop: { x: 0.05, y: 0.05, width: 0.9, height: 0.9 },
  covers: [{ kind: "black", rect: { x: 0.4, y: 0.4, width: 0.2, height: 0.2 } }],
};

Deno.test("colors beyond sRGB are kept: sent unchanged, scaled down, edited, zoomed in", () =>
  withPage(async (page) => {
    const make = (...args: Parameters<typeof colors.make>) =>
      page.evaluate((...args) => colors.make(...args), ...args);
    const show = (file: string, edits: Edits) =>
      page.evaluate((file, edits) => colors.show(file, "display-p3", edits), file, edits);
    for (const type of ["image/jpeg", "image/png", "image/webp"]) {
      const small = await make([400, 300], type, "display-p3");
      const asIs = await show(small, UNTOUCHED);
      assertEquals([asIs.size, asIs.reduced], [[400, 300], false], type);
      assertCorners(asIs.corners, [RED, GREEN, BLUE, YELLOW], `${type} as it is`);
      const zoomed = await page.evaluate(() => colors.zoom("display-p3")) ?? [];
      assertCorners([zoomed, GREEN, BLUE, YELLOW], [RED, GREEN, BLUE, YELLOW], `${type} zoomed in`);
      const edited = await show(small, EDITS);
      assertEquals(edited.size, [270, 360], type);
      assertCorners(edited.corners, [YELLOW, RED, GREEN, BLUE], `${type} edited`);
      // More pixels than are ever sent.
      const large = await make([4_800, 3_600], type, "display-p3");
      const reduced = await show(large, UNTOUCHED);
      assert(reduced.reduced, type);
      assertCorners(reduced.corners, [RED, GREEN, BLUE, YELLOW], `${type} scaled down`);
      const both = await show(large, EDITS);
      assert(both.reduced, type);
      assertCorners(both.corners, [YELLOW, RED, GREEN, BLUE], `${type} scaled down and edited`);
    }
  }));

/** The chunks of a PNG, including length, type and CRC. */
function chunksOf(png: Uint8Array): Uint8Array[] {
  const view = new DataView(png.buffer, png.byteOffset, png.length);
  const chunks: Uint8Array[] = [];
  for (let at = 8; at < png.length;) {
    const end = at + 12 + view.getUint32(at);
    chunks.push(png.subarray(at, end));
    at = end;
  }
  return chunks;
}

/** Two frames of the same picture. */
function toAnimated(png: Uint8Array): Uint8Array {
  const name = (chunk: Uint8Array) => new TextDecoder("latin1").decode(chunk.subarray(4, 8));
  const chunks = chunksOf(png);
  const data = chunks.filter((chunk) => name(chunk) === "IDAT");
  const head = chunks.slice(0, chunks.findIndex((chunk) => name(chunk) === "IDAT"));
  const size = [...chunks[0]?.subarray(8, 16) ?? []];
  // Sequence number, size, offset, 100 ms, and the default disposal and blending.
  const control = (number: number) =>
    pngChunk("fcTL", [0, 0, 0, number, ...size, 0, 0, 0, 0, 0, 0, 0, 0, 0, 100, 3, 232, 0, 0]);
  const again = data.map((chunk, i) => {
    return pngChunk("fdAT", [0, 0, 0, 2 + i, ...chunk.subarray(8, -4)]);
  });
  const parts = [
    png.subarray(0, 8),
    ...head,
    pngChunk("acTL", [0, 0, 0, 2, 0, 0, 0, 0]),
    control(0),
    ...data,
    control(1),
    ...again,
    pngChunk("IEND", []),
  ];
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

Deno.test("frames of an animated picture keep colors beyond sRGB, scaled down too", () =>
  withPage(async (page) => {
    const still = await page.evaluate(() => colors.make([80, 60], "image/png", "display-p3"));
    const file = toAnimated(Uint8Array.fromBase64(still)).toBase64();
    for (const index of [0, 1]) {
      const corners = await page.evaluate((...args) => colors.frame(...args), file, index);
      assertCorners(corners, [RED, GREEN, BLUE, YELLOW], `frame ${index}`);
    }
  }));

/** The stored corners as they should be shown; EXIF 2.32, 4.6.4, tag 0x0112. */
const UPRIGHT: readonly Quarters[] = [
  [RED, GREEN, BLUE, YELLOW],
  [GREEN, RED, YELLOW, BLUE],
  [BLUE, YELLOW, RED, GREEN],
  [YELLOW, BLUE, GREEN, RED],
  [RED, YELLOW, BLUE, GREEN],
  [YELLOW, RED, GREEN, BLUE],
  [BLUE, GREEN, RED, YELLOW],
  [GREEN, BLUE, YELLOW, RED],
];

/** Removes the color profile of a JPEG: APP2. */
function withoutProfile(jpeg: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [jpeg.subarray(0, 2)];
  for (let at = 2; at < jpeg.length;) {
    const marker = jpeg[at + 1];
    // The scan, after which there is no profile.
    const end = marker === 0xda
      ? jpeg.length
      : at + 2 + ((jpeg[at + 2] ?? 0) << 8 | (jpeg[at + 3] ?? 0));
    if (marker !== 0xe2) parts.push(jpeg.subarray(at, end));
    at = end;
  }
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function hasProfile(bytes: Uint8Array): boolean {
  return new TextDecoder("latin1").decode(bytes).includes("ICC_PROFILE");
}

const NO_FIREFOX = await findFirefox() === null;

for (const engine of ["chromium", "firefox"] as const) {
  const missing = engine === "firefox" && NO_FIREFOX;
  const end = missing ? " (none is installed)" : "";
  Deno.test({
    name: `${engine}${end}: orientations 1–8 are upright, with a profile and without, edited too`,
    ignore: missing,
    async fn() {
      const files: [string, Uint8Array][] = [];
      // Chromium writes the profile.
      await withPage(async (page) => {
        const make = () => page.evaluate(() => colors.make([96, 64], "image/jpeg", "display-p3"));
        const jpeg = Uint8Array.fromBase64(await make());
        assert(hasProfile(jpeg) && !hasProfile(withoutProfile(jpeg)));
        files.push(["with a profile", jpeg], ["without", withoutProfile(jpeg)]);
      });
      await withPage(async (page) => {
        // Read as sRGB, in which the most saturated colors of both are the same.
        const show = (file: string, edits: Edits) =>
          page.evaluate((file, edits) => colors.show(file, "srgb", edits), file, edits);
        for (const [name, jpeg] of files) {
          for (const [i, wanted] of UPRIGHT.entries()) {
            const orientation = i + 1;
            const what = `${name}, orientation ${orientation}`;
            const file = withExif(jpeg, { orientation, latitude: 1, longitude: 2 }).toBase64();

            const seen = await show(file, UNTOUCHED);
            assertEquals(seen.size, orientation < 5 ? [96, 64] : [64, 96], what);
            assertCorners(seen.corners, wanted, what);
            const turned = await show(file, { ...UNTOUCHED, turns: 1 });
            assertEquals(turned.size, orientation < 5 ? [64, 96] : [96, 64], what);
            const [topLeft, topRight, bottomRight, bottomLeft] = wanted;
            const clockwise = [bottomLeft, topLeft, topRight, bottomRight] as const;
            assertCorners(turned.corners, clockwise, `${what}, turned`);
          }
        }
      }, engine === "firefox" ? { engine } : {});
    },
  });
}
