import { fileURLToPath } from "node:url";
import { assert, assertEquals } from "../support/assert.ts";
import { serveBlank } from "../support/blank.ts";
import { withBrowser } from "../support/browser.ts";
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

Deno.test("a picture on screen is reported once, counted down, covered, and wiped for every reason that there is", async () => {
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
    // Inside the events: nothing is painted in between.
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

    await show(0);
    assertEquals((await look()).seconds, null);
    await page.evaluate(() => dispatchEvent(new Event("pagehide")));
    await assertWiped("hidden");

    await show(1);
    await page.waitForFunction(() => viewing.look().closed.length > 0);
    await assertWiped("timer");
  });
});
