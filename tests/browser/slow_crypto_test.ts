/**
 * Whole sessions whose cryptography takes longer, at either end or at both: the order in which
 * things are ready must never decide what the two people read.
 *
 * @module
 */
import { startApp } from "../support/app.ts";
import { assertEquals } from "../support/assert.ts";
import { withBrowser } from "../support/browser.ts";
import { fixture } from "../support/fixtures.ts";
import { Sender, Viewer } from "../support/flow.ts";
import { REASON } from "../support/reasons.ts";
import { SLOWNESS } from "../support/slow_crypto.ts";

/** Blocks every route but the server's relay. */
const NO_WEBRTC = "delete globalThis.RTCPeerConnection;";

const ROUTES = { direct: "", relay: NO_WEBRTC } as const;

for (const [route, before] of Object.entries(ROUTES)) {
  for (const { S: s, R: v } of SLOWNESS) {
    const how = `crypto +${s} ms at the sender, +${v} ms at the viewer`;
    Deno.test(`${route}, ${how}: both pages reload, and the session ends well`, async () => {
      await using app = await startApp({ env: { RELAY: "on" } });
      await withBrowser(async (browser) => {
        const sender = await Sender.open(
          await browser.newPage({ before, slowCrypto: s }),
          app.url,
        );
        const link = await sender.offer(await fixture("flat"), { seconds: 60 });
        const viewer = await Viewer.open(await browser.newPage({ before, slowCrypto: v }), link);
        await viewer.receive();
        await sender.waitPhase("delivered");
        await viewer.reload();
        await viewer.waitPhase("delivered");
        await sender.reload();
        await sender.waitPhase("connected");
        await viewer.waitPhase("closed");
        await sender.chooseFile(await fixture("exif"));
        await viewer.waitPhase("delivered");
        await viewer.look();
        await viewer.closePicture();
        assertEquals(await sender.waitReason("ended"), REASON.done);
        assertEquals(await viewer.waitReason("ended"), REASON.done);
      });
    });
  }
}
