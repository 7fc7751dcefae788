/**
 * Lazily loaded scripts that fail at first are requested again, in every engine. By HTML's module
 * map an engine may keep the failure for as long as the page lives, as Chromium does up to version
 * 153 at least.
 *
 * @module
 */
import { startApp } from "../support/app.ts";
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { withBrowser } from "../support/browser.ts";
import { findFirefox } from "../support/firefox.ts";
import { fixture } from "../support/fixtures.ts";
import { Sender } from "../support/flow.ts";
import { REASON } from "../support/reasons.ts";

/** Detecting a missing server takes several attempts. */
const PATIENT = { timeout: 90_000 };

/** Browsers report failed loads in the console by themselves. */
const DID_NOT_COME = [/Failed to load|ERR_FAILED|ERR_CONNECTION|WebSocket connection/];

/** How long a press may take to have an effect before it is repeated. */
const WAIT_MS = 4_000;

const SCRIPTS = /\/(?:_fresh\/js|workers)\//;

Deno.test("each script that failed to load is requested again, alone or with others", async () => {
  await using app = await startApp();
  await withBrowser(async (browser) => {
    const testPage = await browser.newPage({ allowErrors: DID_NOT_COME });
    const { page } = testPage;
    const failed = new Set<string>();
    let failing = /\/workers\//;
    await page.setRequestInterception(true);
    page.on("request", (request) => {
      const { pathname } = new URL(request.url());
      if (!failing.test(pathname) || failed.has(pathname)) return void request.continue();
      failed.add(pathname);
      void request.abort();
    });
    const worker = page.waitForRequest((request) => request.url().includes("/workers/"));
    const sender = await Sender.open(testPage, app.url);
    // The page requests it a moment after it was shown.
    await worker;
    failing = SCRIPTS;
    await sender.chooseFile(await fixture("small"));
    assertEquals(await sender.waitReason("failed"), REASON.server);
    await sender.press("retry");
    await sender.waitPhase("waiting");
    await sender.shareLink();
    await page.waitForSelector("svg.qr");

    // What was opened without success is closed again, and can be opened again.
    const pressFor = async (action: string, selector: string) => {
      for (let press = 0; press < 5 && await page.$(selector) === null; press++) {
        await sender.press(action);
        await page.waitForSelector(selector, { timeout: WAIT_MS }).catch(() => null);
      }
      assert(await page.$(selector) !== null, `${selector} came in the end`);
    };
    await pressFor("settings", "[data-action=settings-done]");
    await sender.press("settings-done");
    await pressFor("edit", "[data-action=edit-done]");
    assertEquals([...failed].filter((path) => path.startsWith("/workers/")).length, 1);
  });
});

Deno.test("a failed load of the script that prepares pictures is named as reason", async () => {
  await using app = await startApp();
  await withBrowser(async (browser) => {
    const testPage = await browser.newPage({ allowErrors: DID_NOT_COME });
    const { page } = testPage;
    let down = true;
    await page.setRequestInterception(true);
    page.on("request", (request) => {
      const lost = down && new URL(request.url()).pathname.startsWith("/workers/");
      void (lost ? request.abort() : request.continue());
    });
    const sender = await Sender.open(testPage, app.url);
    await sender.chooseFile(await fixture("flat"));
    await sender.waitFor(
      "the reason",
      () => document.querySelector("main")?.dataset.reason === "unloaded",
    );
    assertMatch(await sender.text(), /The server does not answer/);
    down = false;
    await sender.offer(await fixture("flat"));
  });
});

const NO_FIREFOX = await findFirefox() === null;

Deno.test({
  name: `a server that was down is found again${NO_FIREFOX ? " (no Firefox is installed)" : ""}`,
  ignore: NO_FIREFOX,
  async fn() {
    await using app = await startApp();
    await withBrowser(async (browser) => {
      const page = await browser.newPage({ allowErrors: [/./] });
      const sender = await Sender.open(page, app.url);
      await app.stop();
      await sender.chooseFile(await fixture("flat"));
      assertEquals(await sender.waitReason("failed", PATIENT), REASON.server);
      await app.start();
      await sender.press("retry");
      await sender.waitPhase("waiting", PATIENT);
    }, { engine: "firefox" });
  },
});
