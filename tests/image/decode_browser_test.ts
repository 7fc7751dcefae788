import { fileURLToPath } from "node:url";
import { assertEquals } from "../support/assert.ts";
import { serveBlank } from "../support/blank.ts";
import { withBrowser } from "../support/browser.ts";
import type {} from "./decode_page.ts";

Deno.test("a file that is read piece by piece is decoded as well as its bytes", async () => {
  const entry = fileURLToPath(new URL("./decode_page.ts", import.meta.url));
  const result = await Deno.bundle({ entrypoints: [entry], platform: "browser", write: false });
  const [file] = result.outputFiles ?? [];
  await using site = serveBlank({
    scripts: { "/page.js": file?.text() ?? "" },
    body: `<script type="module" src="/page.js"></script>`,
  });
  await withBrowser(async (browser) => {
    const { page } = await browser.newPage();
    await page.goto(site.url);
    await page.waitForFunction(() => "arriving" in globalThis);
    for (const type of ["image/jpeg", "image/png", "image/webp"] as const) {
      assertEquals([type, await page.evaluate((type) => arriving(type), type)], [type, 0]);
    }
  });
});
