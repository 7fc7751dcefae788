import { codeCost } from "../../bench/handshake.ts";
import { PAGES } from "../../bench/page.ts";
import { startApp } from "../support/app.ts";
import { assert, assertEquals } from "../support/assert.ts";

Deno.test("a spoken code costs a page that does not use it nothing", async () => {
  await using app = await startApp();
  for (const page of PAGES) {
    const { firstLoad, whenUsed } = await codeCost(app.url, page);
    assertEquals(firstLoad, 0);
    // What is looked for is there.
    assert(whenUsed > 10_000, `${whenUsed} bytes on ${page}`);
  }
});
