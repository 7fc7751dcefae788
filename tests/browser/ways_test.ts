/**
 * Real browsers without WebRTC: the server relays records that it can't read.
 *
 * @module
 */
import { startApp } from "../support/app.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { type TestPage, withBrowser } from "../support/browser.ts";
import { fixture } from "../support/fixtures.ts";
import { assertLooksLike, looksOf, Sender, Viewer } from "../support/flow.ts";
import { REASON } from "../support/reasons.ts";

/** Lockdown Mode, an extension, a policy: pages find no WebRTC at all. */
const NO_WEBRTC = "delete globalThis.RTCPeerConnection;";

async function wayOf({ page }: TestPage): Promise<string | null> {
  const text = await page.evaluate(
    `document.querySelector("[data-field=way]")?.textContent ?? null`,
  );
  return text === null ? null : String(text);
}

const METRICS_TOKEN = "metrics-token-of-the-tests";

async function metric(url: string, name: string): Promise<number> {
  const headers = { authorization: `Bearer ${METRICS_TOKEN}` };
  const text = await (await fetch(url, { headers })).text();
  return Number(text.split("\n").find((line) => line.startsWith(name))?.split(" ").at(-1));
}

const ENV = { RELAY: "on", METRICS_TOKEN, LOG_LEVEL: "debug" };

for (const who of [["sender"], ["viewer"], ["sender", "viewer"]]) {
  Deno.test(`without WebRTC (${who.join(" and ")}) a picture goes through the server`, async () => {
    const picture = await fixture("large");
    await using app = await startApp({ env: ENV });
    await withBrowser(async (browser) => {
      const open = (name: string) =>
        browser.newPage(who.includes(name) ? { before: NO_WEBRTC } : {});
      const pages = [await open("sender"), await open("viewer")] as const;
      const sender = await Sender.open(pages[0], app.url);
      const viewer = await Viewer.open(pages[1], await sender.offer(picture, { seconds: 60 }));
      await viewer.receive();
      await sender.waitPhase("delivered");
      assertEquals((await sender.verification()).digits, (await viewer.verification()).digits);
      for (const page of pages) {
        assertEquals(await wayOf(page), "Through this server, still encrypted");
      }
      await viewer.look();
      assertLooksLike(await looksOf(browser, await viewer.canvas()), picture);
      await viewer.closePicture();
      assertEquals(await viewer.waitReason("ended"), REASON.done);
      assertEquals(await sender.waitReason("ended"), REASON.done);
      const bytes = await metric(app.metricsUrl, 'ephemeral_relay_bytes_total{to="peer"}');
      assert(bytes > picture.bytes, `${bytes} characters went through`);
      assertEquals(await metric(app.metricsUrl, 'ephemeral_outcomes_total{way="server"}'), 2);
    });
  });
}

Deno.test("without WebRTC and a relay, the page says so before anything is chosen", async () => {
  await using app = await startApp({ env: { METRICS_TOKEN } });
  await withBrowser(async (browser) => {
    const sender = await Sender.open(await browser.newPage({ before: NO_WEBRTC }), app.url);
    assertEquals(await sender.waitReason("failed"), "no_webrtc");
  });
});
