/**
 * Two people with a long round trip between them: a picture goes over several connections at once, and arrives whole, also
 * where one of them dies in the middle.
 *
 * @module
 */
import { startApp } from "../support/app.ts";
import { assertEquals } from "../support/assert.ts";
import { type TestPage, withBrowser } from "../support/browser.ts";
import { fixture } from "../support/fixtures.ts";
import { assertLooksLike, looksOf, Sender, Viewer } from "../support/flow.ts";
import { REASON } from "../support/reasons.ts";
import { hasUdpProxy, PROXY_ARGS, UdpProxy } from "../support/udp_proxy.ts";
import { STRIPES } from "../../lib/protocol/stripe.ts";

/** Keeps every connection that the page makes. */
const KEEP = `{
  const made = globalThis.__connections = [];
  globalThis.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...settings) {
      super(...settings);
      made.push(this);
    }
  };
}`;

/** Bytes that each connection of a page sent, in the order in which they were made; those that are gone count as none. */
async function sentOver({ page }: TestPage): Promise<number[]> {
  const counts: unknown = await page.evaluate(`Promise.all(__connections.map(async (pc) => {
    let bytes = 0;
    for (const entry of (await pc.getStats()).values()) {
      if (entry.type === "data-channel" && entry.label === "files") bytes += entry.bytesSent;
    }
    return bytes;
  }))`);
  return Array.isArray(counts) ? counts.map(Number) : [];
}

interface Scene {
  readonly pages: readonly [sender: TestPage, viewer: TestPage];
  readonly sender: Sender;
  readonly viewer: Viewer;
}

function test(
  name: string,
  rttMs: number,
  meanwhile: (scene: Scene) => Promise<void>,
): void {
  Deno.test({
    name,
    ignore: !hasUdpProxy,
    async fn() {
      const picture = await fixture("png8m");
      await using app = await startApp();
      await using proxy = await UdpProxy.open({ rttMs });
      await withBrowser(async (browser) => {
        const pages = [
          await browser.newPage({ before: KEEP }),
          await browser.newPage({ before: KEEP }),
        ] as const;
        for (const page of pages) await proxy.attach(page);
        const sender = await Sender.open(pages[0], app.url);
        await sender.sendFullSize();
        const viewer = await Viewer.open(pages[1], await sender.offer(picture, { seconds: 60 }));
        await Promise.all([
          viewer.receive({ timeout: 90_000 }),
          sender.waitPhase("sending").then(() => meanwhile({ pages, sender, viewer })),
        ]);
        await viewer.look();
        assertLooksLike(await looksOf(browser, await viewer.canvas()), picture);
        await viewer.closePicture();
        assertEquals(await viewer.waitReason("ended"), REASON.done);
        assertEquals(await sender.waitReason("ended"), REASON.done);
      }, { args: PROXY_ARGS });
    },
  });
}

/** Waits until every connection that there is to be was made, or the picture was there before. */
async function untilStriped(sender: Sender): Promise<void> {
  for (let i = 0; i < 1_000; i++) {
    if ((await sentOver(sender.testPage)).length === 1 + STRIPES) return;
    if (await sender.phase() !== "sending") return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test(
  "100 ms away a picture of 8 MB is whole, over all connections that came in time",
  100,
  ({ sender }) => {
    return untilStriped(sender);
  },
);

test(
  "100 ms away one of the connections dies in the middle, and the picture is whole",
  100,
  async ({ sender, pages: [, viewer] }) => {
    await untilStriped(sender);
    await viewer.page.evaluate("__connections[2]?.close()");
  },
);

test("next door one connection has to do", 0, async ({ sender, pages }) => {
  await sender.waitPhase("delivered", { timeout: 90_000 });
  assertEquals((await sentOver(pages[0])).length, 1);
});
