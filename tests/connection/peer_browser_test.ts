/**
 * lib/connection on a real RTCPeerConnection: checks what the fakes of peer_test.ts assume.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { assert, assertEquals } from "../support/assert.ts";
import { serveBlank } from "../support/blank.ts";
import { withBrowser } from "../support/browser.ts";
import type { Cheat } from "./peer_page.ts";

async function bundle(path: string): Promise<string> {
  const entry = fileURLToPath(new URL(path, import.meta.url));
  const result = await Deno.bundle({ entrypoints: [entry], platform: "browser", write: false });
  const [file] = result.outputFiles ?? [];
  assert(file !== undefined, JSON.stringify(result.errors));
  return file.text();
}

Deno.test("peers in real browsers: bound, fast, in order, right certificate only", async () => {
  await using site = serveBlank({
    scripts: { "/page.js": await bundle("./peer_page.ts") },
    body: `<script type="module" src="/page.js"></script>`,
  });
  await withBrowser(async (browser) => {
    const { page } = await browser.newPage();
    await page.goto(site.url);
    await page.waitForFunction(() => "peers" in globalThis);
    const meet = (cheat: Cheat) => page.evaluate((cheat) => peers.meet(cheat), cheat);

    // A foreign certificate that the SDP names is refused before anything connects.
    assertEquals(await meet("other certificate"), {
      bound: [false, false],
      failures: [],
      refused: 1,
    });
    // One that the SDP hides is refused by DTLS.
    const hidden = await meet("other certificate, honest SDP");
    assertEquals([hidden.bound, hidden.failures, hidden.refused], [[false, false], ["network"], 0]);
    const changed = await meet("changed answer");
    assertEquals([changed.bound, changed.refused > 0], [[false, false], true]);

    assertEquals(await meet("none"), { bound: [true, true], failures: [], refused: 0 });
    const transfer = await page.evaluate(() => peers.transfer(200, 65_536));
    const { mostBuffered, ...rest } = transfer;
    assertEquals(rest, { received: 200, inOrder: true, controlBefore: 1, ends: [] });
    assert(mostBuffered < 3 * 65_536, `${mostBuffered} bytes were queued`);
    assertEquals(await page.evaluate(() => peers.leave()), { why: "away", heard: 1 });
  });
});
