/**
 * What people read when something went wrong, and the diagnostics that they can hand on to get
 * help, in a real browser.
 *
 * @module
 */
import { startApp } from "../support/app.ts";
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { type TestPage, withBrowser } from "../support/browser.ts";
import { fixture } from "../support/fixtures.ts";
import { blockScripts, finishAnimations, Sender, Viewer } from "../support/flow.ts";
import { deriveRoom, parseFragment } from "../../lib/e2e/link.ts";
import { toBase64Url } from "../../lib/protocol/bytes.ts";

const CLIPBOARD = `globalThis.__noted = [];
Object.defineProperty(navigator, "clipboard", {
  value: { writeText: async (text) => void globalThis.__noted.push(text) },
});`;

/** Records every address that the browser finds for itself, and the settings of its connections. */
const ADDRESSES = `globalThis.__sdp = [];
const set = RTCPeerConnection.prototype.setLocalDescription;
RTCPeerConnection.prototype.setLocalDescription = function (description) {
  this.addEventListener("icecandidate", ({ candidate }) => {
    if (candidate !== null) globalThis.__sdp.push(candidate.address, String(candidate.port));
  });
  globalThis.__sdp.push(...(description?.sdp ?? "").match(/(?<=ice-(ufrag|pwd):).*/g) ?? []);
  return set.call(this, description);
};`;

async function list(page: TestPage, name: string): Promise<string[]> {
  const json: unknown = await page.page.evaluate(`JSON.stringify(globalThis.${name})`);
  const items: unknown = JSON.parse(String(json));
  assert(Array.isArray(items));
  return items.filter((item) => typeof item === "string" && item.length > 3);
}

/** Presses the button. Returns what is on the clipboard afterwards. */
async function diagnostics(person: Sender | Viewer): Promise<string> {
  // A page in the background has no clipboard.
  await person.page.bringToFront();
  await person.press("diagnostics");
  await person.waitFor("a copy", () => Reflect.get(globalThis, "__noted").length > 0);
  const [text = ""] = await list(person.testPage, "__noted");
  return text;
}

Deno.test("diagnostics of a failed session name its last step and no secret", async () => {
  await using app = await startApp();
  await withBrowser(async (browser) => {
    const picture = await fixture("small");
    const before = `${CLIPBOARD}\n${ADDRESSES}`;
    const sender = await Sender.open(await browser.newPage({ before }), app.url);
    const link = await sender.offer(picture);
    const code = await sender.shareCode();
    const viewer = await Viewer.open(await browser.newPage({ before }), link);
    await viewer.receive();
    await sender.waitPhase("delivered");
    const { pictures, digits } = await sender.verification();
    await viewer.unfoldVerification();
    await viewer.press("different");
    await viewer.waitPhase("ended");
    await sender.waitPhase("ended");

    assertMatch(await sender.field("seen"), /Nothing was seen/);
    assertMatch(await viewer.field("seen"), /nothing of it was seen/);
    const secret = parseFragment(new URL(link).hash);
    assert(secret !== null);
    const { rid, jtok } = await deriveRoom(secret);
    const texts = [await diagnostics(sender), await diagnostics(viewer)];
    const [own = ""] = texts;
    assertMatch(own, /^page: send$/m);
    assertMatch(own, /^phases: idle > .*waiting > .*delivered > ended$/m);
    assertMatch(own, /^reason: mismatch$/m);
    assertMatch(own, /^own candidates: .*host \d/m);
    assertMatch(own, /^other's candidates: host \d/m);
    assertMatch(own, /^last ICE state: (connected|completed)$/m);
    assertMatch(own, /^way: direct$/m);
    assertMatch(own, /^TURN relay used over: none$/m);
    assertMatch(own, /^browser: .*Chrome/m);
    assertMatch(own, /^app: [0-9a-f]{64}$/m);
    assertMatch(texts[1] ?? "", /^page: join$/m);

    const secrets = [
      link,
      new URL(link).hash.slice(3),
      toBase64Url(rid),
      toBase64Url(jtok),
      code,
      digits,
      new URL(app.url).host,
      picture.path.split("/").at(-1) ?? "",
      ...await list(sender.testPage, "__sdp"),
      ...await list(viewer.testPage, "__sdp"),
    ];
    assert(secrets.length > 10, "no addresses to look for");
    const words = [code.split("-"), pictures.map((name) => name.replace(/[^a-z ]/gi, "").trim())];
    for (const text of texts) {
      assertEquals(secrets.filter((item) => text.toLowerCase().includes(item.toLowerCase())), []);
      for (const few of words) {
        // A word of the code may appear by chance: "direct" is both a code word and part of these
        // texts.
        const told = few.filter((word) => new RegExp(`\\b${word}\\b`, "i").test(text));
        assert(told.length < 2, `${told.join(", ")} in ${text}`);
      }
    }
  });
});

Deno.test("a missing server: nothing was seen, what to do, and diagnostics", async () => {
  await using app = await startApp();
  await withBrowser(async (browser) => {
    const allowErrors = [/ERR_CONNECTION_REFUSED/, /WebSocket/];
    const page = await browser.newPage({ before: CLIPBOARD, allowErrors });
    const sender = await Sender.open(page, app.url);
    await sender.waitFor(
      "what comes after the page",
      () => performance.getEntriesByType("resource").some(({ name }) => /start|chunk/.test(name)),
    );
    await page.page.waitForNetworkIdle();
    await app.stop();
    await sender.chooseFile(await fixture("small"));
    assertEquals(await sender.waitReason("failed"), "unreachable");
    assertMatch(await sender.field("seen"), /Nothing was seen\. Your picture has not left/);
    assertMatch(await sender.field("todo"), /try again/);
    assertMatch(await diagnostics(sender), /^reason: unreachable$/m);
  });
});

Deno.test("a truncated link: what happened, that nothing was seen, and what to do", async () => {
  await using app = await startApp();
  await withBrowser(async (browser) => {
    const page = await browser.newPage({ before: CLIPBOARD });
    const viewer = await Viewer.open(page, `${app.url}/join#1.abc`);
    assertEquals(await viewer.waitReason("failed"), "bad_link");
    assertMatch(await viewer.field("happened"), /lost on the way/);
    assertMatch(await viewer.field("seen"), /Nothing was seen/);
    assertMatch(await viewer.field("todo"), /Copy all of it/);
    await viewer.waitFor(
      "its diagnostics",
      () => document.querySelector("[data-action=diagnostics]") !== null,
    );
    const text = await diagnostics(viewer);
    assert(!text.includes("abc"), text);
  });
});

Deno.test("a busy server's delay is counted down, and the button waits for it", async () => {
  await using app = await startApp({ env: { LIMIT_UPGRADES_PER_MINUTE_PER_IP: "1" } });
  await withBrowser(async (browser) => {
    const allowErrors = [/429|WebSocket/];
    const first = await Sender.open(await browser.newPage(), app.url);
    await first.offer(await fixture("small"));
    const sender = await Sender.open(await browser.newPage({ allowErrors }), app.url);
    await sender.chooseFile(await fixture("small"));
    assertEquals(await sender.waitReason("failed"), "busy");
    const button = () =>
      sender.page.$eval("[data-action=retry]", (found) => ({
        waits: (found as HTMLButtonElement).disabled,
        text: found.textContent ?? "",
      }));
    const { waits, text } = await button();
    assert(waits);
    assertMatch(text, /in \d+ seconds?$/);
    const before = Number(/\d+/.exec(text));
    await sender.waitFor(
      "a second less",
      new Function(
        `const retry = document.querySelector("[data-action=retry]");
       return Number(/\\d+/.exec(retry.textContent)) < ${before}`,
      ) as () => boolean,
    );
  });
});

Deno.test("a viewer who waits long for a sender is told possible reasons", async () => {
  await using app = await startApp();
  await withBrowser(async (browser) => {
    const allowErrors = [/Back-Forward Cache/];
    const sender = await Sender.open(await browser.newPage({ allowErrors }), app.url);
    const link = await sender.offer(await fixture("small"));
    // Shortens that one timer from twenty seconds to one.
    const before = `const wait = globalThis.setTimeout;
    globalThis.setTimeout = (run, ms, ...rest) =>
      wait(run, ms === 20_000 ? 1_000 : ms, ...rest);`;
    const viewer = await Viewer.open(await browser.newPage({ before }), link);
    // As a phone does with a page in the background.
    const session = await sender.page.createCDPSession();
    await session.send("Page.setWebLifecycleState", { state: "frozen" });
    await viewer.join();
    assertMatch(await viewer.field("nobody"), /may be asleep/);
    assertEquals(await viewer.phase(), "connecting");
  });
});

Deno.test("a page whose scripts fail to load says so after ten seconds, else never", async () => {
  await using app = await startApp();
  await withBrowser(async (browser) => {
    const { page } = await browser.newPage({ allowErrors: [/ERR_FAILED/] });
    await blockScripts(page);
    for (const path of ["/", "/join"]) {
      await page.goto(`${app.url}${path}`);
      const look = () =>
        page.evaluate(() => {
          const late = document.querySelector<HTMLElement>("[data-field=late]");
          const [animation] = late?.getAnimations() ?? [];
          const visible = late?.checkVisibility({ visibilityProperty: true }) ?? null;
          return {
            visible,
            delay: animation?.effect?.getTiming().delay,
            height: late?.clientHeight,
          };
        });
      assertEquals(await look(), { visible: false, delay: 10_000, height: 0 });
      await finishAnimations(page);
      const { visible, height = 0 } = await look();
      assert(visible === true && height > 10, `${path}: ${visible}, ${height} pixels high`);
    }
    const sender = await Sender.open(await browser.newPage(), app.url);
    const there = () => document.querySelector("[data-field=late]") !== null;
    assertEquals(await sender.page.evaluate(there), false);
  });
});
