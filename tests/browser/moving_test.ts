/**
 * Pictures that move, end to end: the sender's card plays them, the viewer sees them move under the
 * watermark, and both are told where a browser can't play them.
 *
 * @module
 */
import { join } from "node:path";
import { startApp, type TestApp } from "../support/app.ts";
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { type PageOptions, type TestBrowser, withBrowser } from "../support/browser.ts";
import { Sender, Viewer } from "../support/flow.ts";
import { MOVING, type MovingPicture } from "../support/moving.ts";
import type { Page } from "../support/puppeteer.ts";
import { REASON } from "../support/reasons.ts";

function test(name: string, body: (app: TestApp, browser: TestBrowser) => Promise<void>): void {
  Deno.test(name, async () => {
    await using app = await startApp();
    await withBrowser((browser) => body(app, browser));
  });
}

async function withFile(
  { name, bytes }: MovingPicture,
  body: (path: string) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "ephemeral-moving-" });
  try {
    const path = join(directory, name);
    await Deno.writeFile(path, bytes);
    await body(path);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Waits until a canvas has shown this many of the four colors. */
async function seesColours(page: Page, selector: string, count: number): Promise<void> {
  await page.waitForFunction(
    (selector, count) => {
      const seen: Set<string> = Reflect.get(globalThis, "__colours") ?? new Set();
      Reflect.set(globalThis, "__colours", seen);
      const canvas = document.querySelector<HTMLCanvasElement>(selector);
      if (canvas === null || canvas.width === 0) return false;
      const { width, height } = canvas;
      const context = canvas.getContext("2d");
      const data = context?.getImageData(width >> 1, height >> 1, 1, 1).data;
      seen.add([...data ?? []].slice(0, 3).map((value) => value > 110 ? 1 : 0).join(""));
      return ["100", "010", "001", "110"].filter((key) => seen.has(key)).length >= count;
    },
    { polling: "raf" },
    selector,
    count,
  );
}

interface Pair {
  readonly sender: Sender;
  readonly viewer: Viewer;
}

async function seen(
  { app, browser, path }: { app: TestApp; browser: TestBrowser; path: string },
  options: PageOptions,
  body: (pair: Pair) => Promise<void>,
): Promise<void> {
  const sender = await Sender.open(await browser.newPage(), app.url);
  await sender.setSeconds(0);
  await sender.chooseFiles([{ path }]);
  const link = await sender.shareLink();
  await seesColours(sender.testPage.page, ".thumbnail canvas", 3);
  const viewer = await Viewer.open(await browser.newPage(options), link);
  await viewer.receive();
  await viewer.look();
  await sender.waitPhase("shown");
  await body({ sender, viewer });
  await viewer.closePicture();
  assertEquals(await viewer.wiped(), true);
  assertEquals(await viewer.waitReason("ended"), REASON.done);
}

test("a picture that moves plays on both pages, in each format", async (app, browser) => {
  for (const picture of MOVING) {
    await withFile(picture, async (path) => {
      await seen({ app, browser, path }, {}, async ({ sender, viewer }) => {
        const { page } = viewer.testPage;
        if (picture.plays === Infinity) await seesColours(page, "[data-viewer] canvas", 4);
        else {
          // Its two loops may be over: it can be played once more.
          await page.waitForFunction(() => document.querySelector("[data-action=play]") !== null);
        }
        assertEquals(/first frame/.test(await sender.timeline()), false, picture.name);
      });
    });
  }
});

test("with reduced motion, a picture stands still until Play is pressed", async (app, browser) => {
  const [gif] = MOVING;
  assert(gif !== undefined);
  await withFile(gif, async (path) => {
    await seen({ app, browser, path }, { reducedMotion: true }, async ({ viewer }) => {
      const { page } = viewer.testPage;
      const label = () => page.$eval("[data-action=play]", (button) => button.textContent);
      assertEquals(await label(), "Play");
      await viewer.press("play");
      await seesColours(page, "[data-viewer] canvas", 3);
    });
  });
});

test(
  "where a browser can't play a picture, both are told that only its first frame is seen",
  async (app, browser) => {
    const [, , webp] = MOVING;
    assert(webp !== undefined);
    await withFile(webp, async (path) => {
      const before = "delete globalThis.ImageDecoder;";
      await seen({ app, browser, path }, { before }, async ({ sender, viewer }) => {
        assertMatch(await viewer.field("still"), /first frame/);
        assertEquals(await viewer.offers("play"), false);
        assertMatch(await sender.timeline(), /only its first frame/);
      });
    });
  },
);
