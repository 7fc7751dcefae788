/**
 * Two people with a long round trip between them: a picture is sent over several connections at
 * once and arrives whole, even if one of them breaks midway.
 *
 * @module
 */
import { startApp } from "../support/app.ts";
import { assertEquals } from "../support/assert.ts";
import { type TestPage, withBrowser } from "../support/browser.ts";
import { fixture } from "../support/fixtures.ts";
import { assertLooksLike, looksOf, Sender, Viewer } from "../support/flow.ts";
import { REASON } from "../support/reasons.ts";
import { type Conditions, hasUdpProxy, PROXY_ARGS, UdpProxy } from "../support/udp_proxy.ts";
import { STRIPES } from "../../lib/protocol/stripe.ts";

/** Records every connection that the page makes. */
const KEEP = `{
  const made = globalThis.__connections = [];
  globalThis.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...settings) {
      super(...settings);
      made.push(this);
    }
  };
}`;

/**
 * Makes the page measure a short round trip between two nearby people, however busy this machine is
 * and however much is queued between them.
 */
const NEAR = `{
  const { getStats } = RTCPeerConnection.prototype;
  RTCPeerConnection.prototype.getStats = async function () {
    const near = (entry) =>
      entry.type === "candidate-pair" ? { ...entry, currentRoundTripTime: 0.002 } : entry;
    return new Map([...await getStats.call(this)].map(([id, entry]) => [id, near(entry)]));
  };
}`;

/**
 * Bytes that each connection of a page sent, in the order of creation; those that are gone count as
 * none.
 */
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

/** So far away, and with so much loss, that one connection carries 150 KB a second. */
const FAR: Conditions = { rttMs: 100, loss: 0.01 };

/** Nearby, and slower than the rate that would be enough for one connection further away. */
const NARROW: Conditions = { bytesPerMs: 1_200 };

/** How long a whole picture may take there. */
const WHOLE = { timeout: 120_000 };

interface Scene {
  readonly pages: readonly [sender: TestPage, viewer: TestPage];
  readonly sender: Sender;
  readonly viewer: Viewer;
  readonly proxy: UdpProxy;
}

function test(
  name: string,
  conditions: Conditions,
  meanwhile: (scene: Scene) => Promise<void>,
  before = KEEP,
): void {
  Deno.test({
    name,
    ignore: !hasUdpProxy,
    async fn() {
      const picture = await fixture("png8m");
      await using app = await startApp();
      await using proxy = await UdpProxy.open(conditions);
      await withBrowser(async (browser) => {
        const pages = [
          await browser.newPage({ before }),
          await browser.newPage({ before }),
        ] as const;
        for (const page of pages) await proxy.attach(page);
        const sender = await Sender.open(pages[0], app.url);
        await sender.sendFullSize();
        const viewer = await Viewer.open(pages[1], await sender.offer(picture, { seconds: 60 }));
        await Promise.all([
          viewer.receive(WHOLE),
          sender.waitPhase("sending").then(() => meanwhile({ pages, sender, viewer, proxy })),
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

/** Waits until every expected connection carries some of the picture. */
async function untilStriped(sender: Sender): Promise<void> {
  for (let i = 0; i < 1_500; i++) {
    const sent = await sentOver(sender.testPage);
    if (sent.length === 1 + STRIPES && sent.every((bytes) => bytes > 0)) return;
    assertEquals(await sender.phase(), "sending");
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
  throw new Error(`sent over each: ${await sentOver(sender.testPage)}`);
}

test(
  "100 ms away, with packet loss, a picture uses four connections and is whole",
  FAR,
  ({ sender }) => untilStriped(sender),
);

test(
  "one of the connections breaks midway, and the picture is whole",
  FAR,
  async ({ sender, pages: [, viewer], proxy }) => {
    await untilStriped(sender);
    await viewer.page.evaluate("__connections[2]?.close()");
    // What the first connection takes over from now on does not matter.
    await proxy.set({ loss: 0 });
  },
);

test(
  "nearby, one connection has to do, however slow it is",
  NARROW,
  async ({ sender, pages }) => {
    await sender.waitPhase("delivered", WHOLE);
    assertEquals((await sentOver(pages[0])).length, 1);
  },
  KEEP + NEAR,
);
