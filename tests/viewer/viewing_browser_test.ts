import { fileURLToPath } from "node:url";
import { assert, assertEquals } from "../support/assert.ts";
import { serveBlank } from "../support/blank.ts";
import { type TestPage, withBrowser } from "../support/browser.ts";
import type { ViewingLook } from "./viewing_page.ts";

const BODY = `<div style="position:fixed;inset:20px"><canvas></canvas></div>
<script type="module" src="/page.js"></script>`;

async function bundle(path: string): Promise<string> {
  const entry = fileURLToPath(new URL(path, import.meta.url));
  const result = await Deno.bundle({ entrypoints: [entry], platform: "browser", write: false });
  const [file] = result.outputFiles ?? [];
  assert(file !== undefined, JSON.stringify(result.errors));
  return file.text();
}

Deno.test("a shown picture is reported once, counted down, covered, and wiped", async () => {
  await using site = serveBlank({
    scripts: { "/page.js": await bundle("./viewing_page.ts") },
    body: BODY,
  });
  await withBrowser(async (browser) => {
    const { page } = await browser.newPage();
    await page.goto(site.url);
    await page.waitForFunction(() => "viewing" in globalThis);
    const look = (): Promise<ViewingLook> => page.evaluate(() => viewing.look());
    const show = async (seconds: number) => {
      await page.evaluate((seconds) => viewing.show(seconds), seconds);
      await page.waitForFunction(() => viewing.look().painted > 0);
    };
    const assertWiped = async (why: string) => {
      const { painted, closed, size, bitmapClosed } = await look();
      assertEquals({ painted, closed, size, bitmapClosed }, {
        painted: 1,
        closed: [[why, true]],
        size: [0, 0],
        bitmapClosed: true,
      });
    };

    await show(60);
    const shown = await look();
    assertEquals([shown.size, shown.seconds, shown.closed], [[80, 60], 60, []]);
    // Within the events: nothing is painted in between.
    const covered = await page.evaluate(() => {
      const after = (kind: string) => {
        dispatchEvent(new Event(kind));
        return viewing.look().covered;
      };
      return [after("blur"), after("focus"), after("beforeprint"), after("afterprint")];
    });
    assertEquals(covered, [true, false, true, false]);
    await page.evaluate(() => {
      viewing.close();
      viewing.close();
      dispatchEvent(new Event("pagehide"));
    });
    await assertWiped("user");

    // Closed before its first frame: nobody has seen it.
    await page.evaluate(async () => {
      await viewing.show(60);
      viewing.close();
    });
    const early = await look();
    assertEquals([early.painted, early.closed], [0, [["user", false]]]);
    // Closed between its first frame and the report of it: somebody may have seen it.
    await page.evaluate(async () => {
      await viewing.show(60);
      await new Promise((resolve) => requestAnimationFrame(resolve));
      viewing.close();
    });
    await assertWiped("user");

    await show(0);
    assertEquals((await look()).seconds, null);
    await page.evaluate(() => dispatchEvent(new Event("pagehide")));
    await assertWiped("hidden");

    await show(1);
    await page.waitForFunction(() => viewing.look().closed.length > 0);
    await assertWiped("timer");
  });
});

async function withViewing(
  body: (page: TestPage["page"], look: () => Promise<ViewingLook>) => Promise<void>,
): Promise<void> {
  await using site = serveBlank({
    scripts: { "/page.js": await bundle("./viewing_page.ts") },
    body: BODY,
  });
  await withBrowser(async (browser) => {
    const { page } = await browser.newPage();
    await page.goto(site.url);
    await page.waitForFunction(() => "viewing" in globalThis);
    await body(page, () => page.evaluate(() => viewing.look()));
  });
}

/** Reads the canvas within each event, after every handler: before anything else can be painted. */
function watch(page: TestPage["page"], kinds: readonly string[]): Promise<void> {
  return page.evaluate((kinds) => {
    const seen: number[] = [];
    Object.assign(globalThis, { seen });
    for (const kind of kinds) addEventListener(kind, () => seen.push(viewing.look().colours));
  }, kinds);
}

function seen(page: TestPage["page"]): Promise<unknown> {
  return page.evaluate(() => Reflect.get(globalThis, "seen"));
}

Deno.test("a hold-to-see picture is in no pixel before, and gone within the release", () =>
  withViewing(async (page, look) => {
    await page.evaluate(() => viewing.show(60, { hold: true, size: 8 }));
    await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 300)));
    const before = await look();
    assertEquals([before.colours, before.painted, before.hold], [1, 0, "released"]);

    await watch(page, ["pointerup", "keyup"]);
    const box = { x: 400, y: 300 };
    await page.mouse.move(box.x, box.y);
    await page.mouse.down();
    await page.waitForFunction(() => viewing.look().painted === 1);
    assert((await look()).colours > 1);
    await page.mouse.up();
    assertEquals(await seen(page), [1]);
    const released = await look();
    // The clock runs on, and `shown` was sent once.
    assertEquals([released.colours, released.hold, released.painted], [1, "released", 1]);

    for (const key of ["Space", "Enter"] as const) {
      await page.keyboard.down(key);
      assert((await look()).colours > 1, key);
      await page.keyboard.up(key);
      assertEquals((await look()).colours, 1);
    }
    assertEquals(await seen(page), [1, 1, 1]);
    const touch = await page.touchscreen.touchStart(box.x, box.y);
    assert((await look()).colours > 1);
    await touch.end();
    assertEquals((await look()).colours, 1);
    assertEquals((await look()).painted, 1);
  }));

Deno.test("anything else that ends holding covers at once, and does not resume it", () =>
  withViewing(async (page, look) => {
    await page.evaluate(() => viewing.show(60, { hold: true, size: 8 }));
    await page.mouse.move(400, 300);
    for (const kind of ["blur", "beforeprint"]) {
      await page.mouse.down();
      assert((await look()).colours > 1, kind);
      const covered = await page.evaluate((kind) => {
        dispatchEvent(new Event(kind));
        return viewing.look().colours;
      }, kind);
      assertEquals(covered, 1, kind);
      await page.evaluate(() => {
        dispatchEvent(new Event("focus"));
        dispatchEvent(new Event("afterprint"));
      });
      assertEquals([(await look()).colours, (await look()).hold], [1, "released"], kind);
      await page.mouse.up();
    }
    // The other button while the first one holds.
    await page.mouse.down();
    await page.mouse.down({ button: "right" });
    assertEquals((await look()).colours, 1);
    await page.mouse.up({ button: "right" });
    await page.mouse.up();

    const seen = await page.evaluate(() => {
      const see = (held: boolean) => {
        viewing.setHeld(held);
        return viewing.look().colours > 1;
      };
      return [see(true), see(false), see(true)];
    });
    assertEquals(seen, [true, false, true]);
    await page.evaluate(() => viewing.close());
    const { size, colours, bitmapClosed } = await look();
    assertEquals({ size, colours, bitmapClosed }, { size: [0, 0], colours: 0, bitmapClosed: true });
  }));

Deno.test("wheel and keys zoom to the whole box with watermark; panning ends at edges", () =>
  withViewing(async (page, look) => {
    await page.evaluate(() => viewing.show(60, { size: 2 }));
    await page.waitForFunction(() => viewing.look().painted === 1);
    assertEquals((await look()).size, [160, 120]);
    await page.mouse.move(400, 300);
    await page.keyboard.press("+");
    await page.waitForFunction(() => viewing.look().size[0] === 200);
    await page.mouse.wheel({ deltaY: -5_000 });
    await page.waitForFunction(() => viewing.look().size[0] === 960);
    // More than the two halves: the watermark covers the zoomed part.
    assert((await look()).colours > 10);
    for (let i = 0; i < 40; i++) await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("0");
    await page.waitForFunction(() => viewing.look().size[0] === 160);
  }));

Deno.test("the time is announced at ten and at three seconds, not at the start", () =>
  withViewing(async (page, look) => {
    await page.evaluate(() => viewing.show(11));
    await page.waitForFunction(() => viewing.look().painted === 1);
    assertEquals((await look()).spoken, null);
    await page.waitForFunction(() => viewing.look().spoken === 10);
    await page.evaluate(() => viewing.close());
    await page.evaluate(() => viewing.show(4));
    await page.waitForFunction(() => viewing.look().painted === 1);
    assertEquals((await look()).spoken, null);
    await page.waitForFunction(() => viewing.look().spoken === 3);
  }));
