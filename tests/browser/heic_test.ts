/**
 * A HEIC picture from the sender's file dialog to the viewer's screen, in the real app under its
 * real policies.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { startApp } from "../support/app.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { withBrowser } from "../support/browser.ts";
import type { Fixture } from "../support/fixtures.ts";
import { deliver, looksOf } from "../support/flow.ts";

/** Made by heif-enc; tests/image/heic_browser_test.ts has the command. */
const PICTURE: Fixture = {
  path: fileURLToPath(new URL("../image/heic/plain.heic", import.meta.url)),
  bytes: 885,
  width: 128,
  height: 96,
  corners: {
    topLeft: [0x20, 0xa0, 0x40],
    topRight: [0xd0, 0x40, 0x20],
    bottomLeft: [0x20, 0x60, 0xc0],
    bottomRight: [0xf0, 0xe0, 0x10],
  },
};

Deno.test("a HEIC picture is chosen and seen; its decoder is loaded only then", async () => {
  await using app = await startApp();
  await withBrowser(async (browser) => {
    const pages = { sender: await browser.newPage(), viewer: await browser.newPage() };
    const asked: string[] = [];
    pages.sender.page.on("request", (request) => asked.push(request.url()));
    await pages.sender.page.goto(`${app.url}/`);
    assert(!asked.some((url) => /heic/.test(url)), "asked for before anything was chosen");
    const { sender, viewer } = await deliver(pages, app.url, PICTURE, { seconds: 30 });
    const accept = await sender.page.$eval("input[type=file]", (input) => input.accept);
    assert(accept.includes("image/heic") && accept.includes(".heic"), accept);
    await viewer.look();
    const looks = await looksOf(browser, await viewer.canvas());
    for (const [corner, colour] of Object.entries(PICTURE.corners)) {
      const seen = looks.corners[corner as keyof typeof looks.corners];
      const far = Math.max(...colour.map((value, i) => Math.abs(value - (seen[i] ?? 999))));
      assert(far < 90, `${corner}: ${seen}`);
    }
    assertEquals(Math.round(100 * looks.width / looks.height), 133);
    const path = Deno.env.get("HEIC_SCREENSHOT");
    if (path !== undefined) await sender.page.screenshot({ path });
  });
});
