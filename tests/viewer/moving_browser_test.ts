import { Buffer } from "node:buffer";
import { fileURLToPath } from "node:url";
import { deflateSync } from "node:zlib";
import { assert, assertEquals } from "../support/assert.ts";
import { serveBlank } from "../support/blank.ts";
import { type BrowserOptions, type PageOptions, withBrowser } from "../support/browser.ts";
import { findFirefox } from "../support/firefox.ts";
import { encodeMoving } from "../support/encoders.ts";
import { flatGif, FRAME_COLOURS, MOVING, type MovingPicture } from "../support/moving.ts";
import { pngChunk } from "../support/notes.ts";
import type { Page } from "../support/puppeteer.ts";
import type { MovingLook } from "./moving_page.ts";

const BODY = `<div style="position:fixed;inset:20px"><canvas></canvas></div>
<script type="module" src="/page.js"></script>`;

const NO_FIREFOX = await findFirefox() === null;
const ENGINES = ["chromium", "firefox"] as const;

async function bundle(path: string): Promise<string> {
  const entry = fileURLToPath(new URL(path, import.meta.url));
  const result = await Deno.bundle({ entrypoints: [entry], platform: "browser", write: false });
  const [file] = result.outputFiles ?? [];
  assert(file !== undefined, JSON.stringify(result.errors));
  return file.text();
}

async function withPage(
  body: (page: Page) => Promise<void>,
  { engine, ...options }: BrowserOptions & PageOptions = {},
): Promise<void> {
  await using site = serveBlank({
    scripts: {
      "/page.js": await bundle("./moving_page.ts"),
      "/animation_worker.js": await bundle("../../lib/image/animation_worker.ts"),
    },
    body: BODY,
  });
  await withBrowser(async (browser) => {
    const { page } = await browser.newPage(options);
    await page.goto(site.url);
    await page.waitForFunction(() => "moving" in globalThis);
    await body(page);
  }, engine === "firefox" ? { engine } : {});
}

function test(
  name: string,
  body: (page: Page) => Promise<void>,
  options: BrowserOptions & PageOptions = {},
): void {
  const missing = options.engine === "firefox" && NO_FIREFOX;
  Deno.test({
    name: missing ? `${name} (no Firefox is installed)` : name,
    ignore: missing,
    fn: () => withPage(body, options),
  });
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64");
}

function look(page: Page): Promise<MovingLook> {
  return page.evaluate(() => moving.look());
}

function show(page: Page, { bytes, type }: Pick<MovingPicture, "bytes" | "type">, hold = false) {
  return page.evaluate(
    (...[bytes, type, hold]) => moving.show(bytes, type, { hold }),
    base64(bytes),
    type,
    hold,
  );
}

/** Waits until this many colors were seen. */
async function seen(page: Page, count: number): Promise<readonly string[]> {
  await page.waitForFunction((count) => moving.look().seen.length >= count, {}, count);
  return (await look(page)).seen;
}

/** The colors in their order, this many times. */
function rounds(plays: number): string[] {
  return Array.from({ length: plays }, () => FRAME_COLOURS).flat();
}

for (const engine of ENGINES) {
  test(
    `${engine} plays each format: every frame, in order, as often as the file says`,
    async (page) => {
      for (const picture of MOVING) {
        const { name, plays } = picture;
        assertEquals((await show(page, picture)).frames, 4, name);
        if (plays === Infinity) {
          const colours = await seen(page, 9);
          assertEquals(colours.slice(0, 8), rounds(2), name);
        } else {
          // It is paused before it begins as well.
          await page.waitForFunction(
            (frames) => {
              const { motion, seen } = moving.look();
              return motion === "paused" && seen.length >= frames;
            },
            {},
            rounds(plays).length,
          );
          assertEquals((await look(page)).seen, rounds(plays), name);
          // Once more, from the beginning.
          await page.evaluate(() => moving.togglePlay());
          assertEquals((await seen(page, 9)).slice(0, 9), [...rounds(2), "red"], name);
        }
        await page.evaluate(() => moving.close());
        const { size, frames, closed } = await look(page);
        assertEquals([size, closed], [[0, 0], frames], name);
      }
    },
    { engine },
  );
}

test("files from this machine's encoders play as well", async (page) => {
  for (const { name, type, bytes } of await encodeMoving(FRAME_COLOURS)) {
    await show(page, { type, bytes });
    assertEquals((await seen(page, 4)).slice(0, 4), rounds(1), name);
    await page.evaluate(() => moving.close());
  }
});

test("it pauses while it is covered, and shows no frame then", async (page) => {
  const [, , , avif] = MOVING;
  assert(avif !== undefined);
  await show(page, avif);
  await seen(page, 3);
  await page.evaluate(() => void dispatchEvent(new Event("blur")));
  const rests = async () => {
    await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 300)));
    const { seen, frames } = await look(page);
    await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 300)));
    const later = await look(page);
    assertEquals([later.frames, later.seen.length], [frames, seen.length]);
    return later;
  };
  assertEquals((await rests()).seen.at(-1), "covered");
  await page.evaluate(() => void dispatchEvent(new Event("focus")));
  const before = (await look(page)).seen.length;
  await seen(page, before + 3);
  // Pausing is also for looking at a single frame.
  await page.evaluate(() => moving.togglePlay());
  assertEquals((await rests()).motion, "paused");
  await page.evaluate(() => moving.togglePlay());
  await seen(page, (await look(page)).seen.length + 2);
  await page.evaluate(() => moving.close());
});

/** An APNG of columns that are as wide as a pixel, bright and dark in the color of its frame. */
function stripedApng(side: number, colours: readonly (readonly number[])[]): Uint8Array {
  const rows = (colour: readonly number[]) => {
    const dark = colour.map((value) => Math.floor(value / 5));
    const row = [0, ...Array.from({ length: side }, (_, x) => x % 2 === 0 ? colour : dark)];
    return [...deflateSync(Uint8Array.from(Array.from({ length: side }, () => row.flat()).flat()))];
  };
  const u32 = (value: number) => [value >>> 24, value >>> 16 & 255, value >>> 8 & 255, value & 255];
  const control = (number: number) =>
    pngChunk("fcTL", [
      ...[number, side, side, 0, 0].flatMap(u32),
      // 100 of 1,000 seconds; the frame replaces the one before.
      ...[0, 100, 3, 232, 0, 0],
    ]);
  return Uint8Array.from([
    ...[0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a],
    ...pngChunk("IHDR", [...u32(side), ...u32(side), 8, 2, 0, 0, 0]),
    ...pngChunk("acTL", [...u32(colours.length), ...u32(0)]),
    ...colours.flatMap((colour, i) => [
      ...control(i === 0 ? 0 : 2 * i - 1),
      ...i === 0
        ? pngChunk("IDAT", rows(colour))
        : pngChunk("fdAT", [...u32(2 * i), ...rows(colour)]),
    ]),
    ...pngChunk("IEND", []),
  ]);
}

for (const engine of ENGINES) {
  test(`zoomed in, ${engine} shows each frame's own pixels, playing and paused`, async (page) => {
    const bytes = stripedApng(1_600, [[255, 0, 0], [0, 255, 0], [0, 0, 255]]);
    await show(page, { bytes: Uint8Array.from(bytes), type: "image/png" });
    await seen(page, 3);
    assert((await look(page)).stripes < 0.2, "fitted, its columns are blended");
    await page.evaluate(() => moving.zoom(8));
    // Whatever frame it is looked at, once the first one after zooming was shown.
    await page.waitForFunction(() => moving.look().stripes > 0.15);
    const before = await look(page);
    for (let i = 0; i < 20; i++) {
      await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 25)));
      const { stripes } = await look(page);
      assert(stripes > 0.15, `look ${i}: ${stripes}`);
    }
    await page.waitForFunction((frames) => moving.look().frames > frames, {}, before.frames);
    await page.evaluate(() => moving.togglePlay());
    // Out and in again: the paused frame is rendered anew.
    await page.evaluate(() => moving.zoom(1 / 20));
    await page.waitForFunction(() => moving.look().stripes < 0.1);
    await page.evaluate(() => moving.zoom(8));
    await page.waitForFunction(() => moving.look().stripes > 0.15);
    await page.evaluate(() => moving.close());
    const { frames, closed } = await look(page);
    assertEquals(closed, frames);
  }, { engine });
}

test("a hold-to-see picture moves only while it is held", async (page) => {
  const [, , , avif] = MOVING;
  assert(avif !== undefined);
  await show(page, avif, true);
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 200)));
  assertEquals((await look(page)).frames, 1);
  await page.evaluate(() => moving.setHeld(true));
  await page.waitForFunction(() => moving.look().frames > 4);
  await page.evaluate(() => moving.setHeld(false));
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 200)));
  const { frames, closed } = await look(page);
  // One is in memory.
  assertEquals(closed, frames - 1);
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 200)));
  assertEquals((await look(page)).frames, frames);
  await page.evaluate(() => moving.close());
});

test("with reduced motion the first frame is shown, and can be played", async (page) => {
  const [gif] = MOVING;
  assert(gif !== undefined);
  await show(page, gif);
  await seen(page, 1);
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 300)));
  const { seen: still, motion } = await look(page);
  assertEquals([still, motion], [["red"], "paused"]);
  await page.evaluate(() => moving.togglePlay());
  assertEquals((await seen(page, 4)).slice(0, 4), rounds(1));
  await page.evaluate(() => moving.close());
}, { reducedMotion: true });

for (const engine of ENGINES) {
  test(
    `bombs are bounded in ${engine}: the page goes on, with one frame at most`,
    async (page) => {
      const bombs = [
        { width: 1, height: 1, frames: 5_000, ms: 0 },
        { width: 4_000, height: 4_000, frames: 200, ms: 0 },
        { width: 640, height: 480, frames: 5_000, ms: 10 },
      ];
      for (const bomb of bombs) {
        const name = JSON.stringify(bomb);
        await show(page, { bytes: flatGif(bomb), type: "image/gif" });
        await page.waitForFunction(() => moving.look().frames >= 3);
        const before = await look(page);
        await page.waitForFunction((ticks) => moving.look().ticks > ticks + 20, {}, before.ticks);
        const after = await look(page);
        // No more is decoded than the page paints.
        assert(after.frames - before.frames <= 21, name);
        assert(after.closed >= after.frames - 2, name);
        await page.evaluate(() => moving.close());
        const { frames, closed } = await look(page);
        assertEquals(closed, frames, name);
      }
    },
    { engine },
  );
}

test("hostile bytes lead to an answer, and the page and its worker go on", async (page) => {
  for (const { bytes, type, name } of MOVING) {
    const cut = bytes.slice(0, Math.floor(bytes.length * 0.6));
    const turned = bytes.slice();
    for (let at = 40; at < turned.length; at += 37) turned[at] = 255 - (turned[at] ?? 0);
    for (const changed of [cut, turned, bytes.slice(0, 30), new Uint8Array()]) {
      const said = await page.evaluate(
        (...[bytes, type]) => moving.decode(bytes, type),
        base64(changed),
        type,
      );
      assert(/^[a-z_]+$/.test(said), `${name}: ${said}`);
    }
    assertEquals(
      await page.evaluate((...[b, type]) => moving.decode(b, type), base64(bytes), type),
      "ok",
    );
  }
  // A still picture has no player.
  const one = flatGif({ width: 8, height: 8, frames: 1, ms: 0 });
  assertEquals(
    await page.evaluate((bytes) => moving.decode(bytes, "image/gif"), base64(one)),
    "undecodable",
  );
});
