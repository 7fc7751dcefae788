/**
 * Whole sessions with Firefox at one end or at both: what two engines have to agree on, from SDP to
 * the key encapsulation.
 *
 * @module
 */
import { startApp, type TestApp } from "../support/app.ts";
import { assert, assertEquals } from "../support/assert.ts";
import {
  type BrowserOptions,
  launchBrowser,
  type PageOptions,
  type TestBrowser,
  type TestPage,
} from "../support/browser.ts";
import { findFirefox } from "../support/firefox.ts";
import { fixture } from "../support/fixtures.ts";
import { assertLooksLike, looksOf, Sender, Viewer } from "../support/flow.ts";
import { REASON } from "../support/reasons.ts";

type Engine = NonNullable<BrowserOptions["engine"]>;

const NO_FIREFOX = await findFirefox() === null;
const SKIPPED = NO_FIREFOX ? " (no Firefox is installed)" : "";

interface Ground {
  readonly app: TestApp;
  readonly browsers: Readonly<Record<Engine, TestBrowser>>;
}

let ground: Ground | undefined;

// Firefox takes five seconds to start, so all tests share one.
Deno.test.beforeAll(async () => {
  if (NO_FIREFOX) return;
  const [app, chromium, firefox] = await Promise.all([
    startApp({ env: { RELAY: "on" } }),
    launchBrowser(),
    launchBrowser({ engine: "firefox" }),
  ]);
  ground = { app, browsers: { chromium, firefox } };
});
Deno.test.afterAll(async () => {
  await ground?.browsers.firefox.close();
  await ground?.browsers.chromium.close();
  await ground?.app.stop();
});

interface Scene {
  readonly app: TestApp;
  readonly pages: readonly TestPage[];
  readonly sender: Sender;
  readonly viewer: Viewer;
  /** Fails unless the viewer sees the picture. */
  assertPicture(): Promise<void>;
}

interface Setting extends Pick<PageOptions, "before"> {
  readonly from: Engine;
  readonly to: Engine;
  readonly by?: "link" | "code";
}

/**
 * Both pages, connected and with a delivered picture; neither page may report an error until the
 * end.
 */
function test(name: string, setting: Setting, body: (scene: Scene) => Promise<void>): void {
  const { from, to, by = "link", before } = setting;
  Deno.test({
    name: `${name}, ${from} to ${to}${SKIPPED}`,
    ignore: NO_FIREFOX,
    // Browsers and server were started before the test.
    sanitizeOps: false,
    sanitizeResources: false,
    async fn() {
      assert(ground !== undefined);
      const { app, browsers } = ground;
      // A JPEG by link, with an orientation to keep; a PNG by code.
      const picture = await fixture(by === "link" ? "exif" : "flat");
      const options = before === undefined ? {} : { before };
      const pages = [await browsers[from].newPage(options), await browsers[to].newPage(options)];
      const sender = await Sender.open(pages[0]!, app.url);
      const link = await sender.offer(picture, { seconds: 60 });
      const viewer = by === "link"
        ? await Viewer.open(pages[1]!, link)
        : await Viewer.openByCode(pages[1]!, app.url);
      if (by === "code") await viewer.typeCode(await sender.shareCode());
      await viewer.receive();
      await sender.waitPhase("delivered");
      const [here, there] = [await sender.verification(), await viewer.verification()];
      assertEquals([here.by, here.pictures.length], [by, 7]);
      assertEquals(here, there);
      const assertPicture = async () =>
        assertLooksLike(await looksOf(browsers.chromium, await viewer.canvas()), picture);
      await body({ app, pages, sender, viewer, assertPicture });
      assertEquals(await viewer.wiped(), true);
      for (const page of pages) {
        page.assertNoErrors();
        await page.close();
      }
    },
  });
}

async function seenAndClosed({ sender, viewer, assertPicture }: Scene): Promise<void> {
  await viewer.look();
  await assertPicture();
  await sender.waitPhase("shown");
  await viewer.closePicture();
  assertEquals(await viewer.waitReason("ended"), REASON.done);
  assertEquals(await sender.waitReason("ended"), REASON.done);
}

const PAIRS = [
  { from: "chromium", to: "firefox" },
  { from: "firefox", to: "chromium" },
  { from: "firefox", to: "firefox" },
] as const;

for (const pair of PAIRS) test("a picture is seen by link", pair, seenAndClosed);

for (const pair of PAIRS.slice(0, 2)) {
  test("a picture is seen by a spoken code", { ...pair, by: "code" }, seenAndClosed);
  // The engine's own ML-KEM is removed, so that at least one side has to use JavaScript.
  test("a picture is seen without native ML-KEM", {
    ...pair,
    before: `for (const verb of ["encapsulate", "decapsulate"]) {
      for (const what of ["Bits", "Key"]) delete globalThis.SubtleCrypto?.prototype[verb + what];
    }`,
  }, seenAndClosed);
  test("a picture goes through the server, where WebRTC is switched off", {
    ...pair,
    before: "delete globalThis.RTCPeerConnection;",
  }, async (scene) => {
    await scene.viewer.fieldMatching("way", /^Through this server/);
    await seenAndClosed(scene);
  });
  test("what is burned while it is seen disappears", pair, async ({ sender, viewer }) => {
    await viewer.look();
    await sender.waitPhase("shown");
    await sender.testPage.page.bringToFront();
    await sender.press("burn");
    assertEquals(await viewer.waitReason("ended"), REASON.burned);
    assertEquals(await sender.waitReason("ended"), REASON.burned);
  });
}
