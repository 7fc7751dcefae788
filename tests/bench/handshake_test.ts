import { codeCost } from "../../bench/handshake.ts";
import { PAGES } from "../../bench/page.ts";
import { startApp } from "../support/app.ts";
import { assert, assertEquals } from "../support/assert.ts";

Deno.test("a page that uses no spoken code pays nothing for it", async () => {
  await using app = await startApp();
  for (const page of PAGES) {
    const { firstLoad, whenUsed } = await codeCost(app.url, page);
    assertEquals(firstLoad, 0);
    // The markers searched for do exist.
    assert(whenUsed > 10_000, `${whenUsed} bytes on ${page}`);
  }
});
