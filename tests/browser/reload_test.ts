/**
 * Pages that are reloaded in the middle of a session, in real browsers: either side, in each phase.
 *
 * @module
 */
import { startApp, type TestApp } from "../support/app.ts";
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { type TestBrowser, withBrowser } from "../support/browser.ts";
import { fixture } from "../support/fixtures.ts";
import { assertLooksLike, DEAF, looksOf, Sender, Viewer } from "../support/flow.ts";
import { REASON } from "../support/reasons.ts";

interface Stage {
  readonly app: TestApp;
  readonly browser: TestBrowser;
  readonly sender: Sender;
  readonly viewer: (link: string) => Promise<Viewer>;
}

function test(
  name: string,
  body: (stage: Stage) => Promise<void>,
  env: Record<string, string> = {},
) {
  Deno.test(name, async () => {
    await using app = await startApp({ env });
    await withBrowser(async (browser) => {
      await body({
        app,
        browser,
        sender: await Sender.open(await browser.newPage(), app.url),
        viewer: async (link) => await Viewer.open(await browser.newPage(), link),
      });
    });
  });
}

/** A picture on the viewer's screen. */
async function shown(stage: Stage): Promise<{ sender: Sender; viewer: Viewer }> {
  const { sender } = stage;
  const viewer = await stage.viewer(await sender.offer(await fixture("flat"), { seconds: 60 }));
  await viewer.receive();
  await viewer.look();
  await sender.waitPhase("shown");
  return { sender, viewer };
}

test("a waiting sender reloads: link and code stay the same and still work", async (stage) => {
  const { sender } = stage;
  const link = await sender.offer(await fixture("small"), { seconds: 60 });
  const code = await sender.shareCode();
  await sender.reload();
  await sender.waitPhase("waiting");
  assertEquals(await sender.shareLink(), link);
  assertEquals(await sender.shareCode(), code);
  assertMatch(await sender.text(), /choose it again/);
  const picture = await fixture("flat");
  await sender.chooseFile(picture);
  const viewer = await stage.viewer(link);
  await viewer.receive();
  await viewer.look();
  assertLooksLike(await looksOf(stage.browser, await viewer.canvas()), picture);
  await viewer.closePicture();
  assertEquals(await viewer.waitReason("ended"), REASON.done);
  assertEquals(await sender.waitReason("ended"), REASON.done);
});

test("a viewer who is too late, and had opened a picture, is not told otherwise", async (stage) => {
  const { app, sender } = stage;
  const link = await sender.offer(await fixture("flat"), { seconds: 60 });
  const viewer = await stage.viewer(link);
  await viewer.receive();
  await viewer.look();
  await viewer.page.goto("about:blank");
  await sender.press("leave");
  await sender.waitPhase("ended");
  await viewer.page.goto(`${app.url}/join`);
  await viewer.waitFor(
    "a page that came too late",
    () => document.querySelector("main")?.innerText.includes("This session is over") === true,
  );
  const text = await viewer.text();
  assert(!text.includes("Nothing was seen"), text);
  // Another link has nothing to do with what was opened before.
  await viewer.page.evaluate((link) => void (location.href = link), link);
  await viewer.press("join");
  await viewer.waitFor(
    "a link that leads nowhere",
    () => document.querySelector("main")?.innerText.includes("Nothing was seen") === true,
  );
});

test("a viewer reloads after delivery: the picture is sent again, locked", async (stage) => {
  const { sender } = stage;
  const picture = await fixture("flat");
  const link = await sender.offer(picture, { seconds: 60 });
  const viewer = await stage.viewer(link);
  await viewer.receive();
  await sender.waitPhase("delivered");
  const before = (await sender.verification()).digits;
  await viewer.reload();
  await viewer.waitPhase("delivered");
  assertEquals(await viewer.wiped(), true);
  await sender.waitPhase("delivered");
  const { digits } = await sender.verification();
  // Others would be another try for somebody in between.
  assertEquals(digits, before, "the session keeps its numbers to compare");
  assertEquals((await viewer.verification()).digits, digits);
  await viewer.look();
  assertLooksLike(await looksOf(stage.browser, await viewer.canvas()), picture);
  await sender.waitPhase("shown");
  await viewer.closePicture();
  assertEquals(await viewer.waitReason("ended"), REASON.done);
  assertEquals(await sender.waitReason("ended"), REASON.done);
  assertMatch(await sender.timeline(), /Your friend’s page was closed or is reloading/);
});

test("a viewer reloads while a picture is shown: closed; the next can be opened", async (stage) => {
  const { sender } = stage;
  const link = await sender.offer(await fixture("flat"), { seconds: 60 });
  await sender.chooseFile(await fixture("exif"));
  const viewer = await stage.viewer(link);
  await viewer.receive();
  await viewer.look();
  await sender.waitPhase("shown");
  await viewer.reload();
  await sender.waitPhase("delivered");
  assertMatch(await sender.timeline(), /1\. Seen for .*Closed when the page was left/);
  await viewer.waitPhase("delivered");
  await viewer.look();
  assertLooksLike(await looksOf(stage.browser, await viewer.canvas()), await fixture("exif"));
  await viewer.closePicture();
  assertEquals(await sender.waitReason("ended"), REASON.done);
  assertEquals(await viewer.waitReason("ended"), REASON.done);
});

test("a sender reloads while a picture is shown: it goes, and its time is known", async (stage) => {
  const { sender, viewer } = await shown(stage);
  await sender.reload();
  await viewer.waitPhase(["closed", "ended"]);
  assertEquals(await viewer.wiped(), true);
  assertEquals(await sender.waitReason("ended"), REASON.done);
  assertMatch(await sender.text(), /Seen for .*Closed /);
  assertEquals(await viewer.waitReason("ended"), REASON.done);
});

test("a sender reloads after the last picture was closed: the session ends", async (stage) => {
  const { sender, viewer } = await shown(stage);
  // That moment lasts 1.5 s; here, until the page is reloaded.
  await sender.page.evaluate(() => {
    const wait = globalThis.setTimeout;
    Object.assign(globalThis, {
      setTimeout: (run: () => void, ms?: number) => ms === 1_500 ? 0 : wait(run, ms),
    });
  });
  await viewer.closePicture();
  await sender.waitPhase("closed");
  await sender.reload();
  assertEquals(await sender.waitReason("ended"), REASON.done);
  assertMatch(await sender.text(), /Seen for .*Closed /);
  assertEquals(await viewer.waitReason("ended"), REASON.done);
});

test("a sender reloads before the picture was opened: it can't be opened", async (stage) => {
  const { sender } = stage;
  const viewer = await stage.viewer(await sender.offer(await fixture("flat"), { seconds: 60 }));
  await viewer.receive();
  await sender.waitPhase("delivered");
  await sender.reload();
  await sender.waitPhase("connected");
  await viewer.waitPhase("closed");
  assertMatch(await viewer.text(), /reloaded/);
  assertEquals(await viewer.offers("open"), false);
  const picture = await fixture("exif");
  await sender.chooseFile(picture);
  await viewer.waitPhase("delivered");
  await viewer.look();
  assertLooksLike(await looksOf(stage.browser, await viewer.canvas()), picture);
  await viewer.closePicture();
  assertEquals(await sender.waitReason("ended"), REASON.done);
  assertEquals(await viewer.waitReason("ended"), REASON.done);
});

for (const who of ["sender", "viewer"] as const) {
  test(`the ${who}'s tab is discarded with a picture shown: closed is reported`, async (stage) => {
    const { sender, viewer } = await shown(stage);
    const thrown = { sender, viewer }[who];
    thrown.testPage.allowErrors(/crashed/);
    // As a tab is discarded: its process ends, and no code of the page can run.
    const devtools = await thrown.page.createCDPSession();
    const gone = new Promise((resolve) => thrown.page.once("error", resolve));
    devtools.send("Page.crash").catch(() => {});
    await gone;
    await thrown.reload();
    assertEquals(await sender.waitReason("ended"), REASON.done);
    assertMatch(await sender.text(), /Seen for .*Closed /);
    assertEquals(await viewer.wiped(), true);
  });
}

test("both pages reload, and one of them twice", async (stage) => {
  const { sender } = stage;
  const viewer = await stage.viewer(await sender.offer(await fixture("flat"), { seconds: 60 }));
  await viewer.receive();
  await Promise.all([sender.reload(), viewer.reload()]);
  await sender.waitPhase("connected");
  await sender.chooseFile(await fixture("exif"));
  await viewer.waitPhase("delivered");
  await viewer.reload();
  await viewer.waitPhase("delivered");
  await viewer.look();
  await viewer.closePicture();
  assertEquals(await sender.waitReason("ended"), REASON.done);
});

/** Reloads the page, and reloads again before it could finish starting. */
async function hurry(...people: readonly (Sender | Viewer)[]): Promise<void> {
  await Promise.all(people.map(async (person) => {
    for (const ms of [0, 15, 40, 60]) {
      await person.page.reload({ waitUntil: "domcontentloaded" });
      await new Promise((resolve) => setTimeout(resolve, ms));
    }
    await person.reload();
  }));
}

for (const who of ["viewer's page", "sender's page", "both pages"] as const) {
  test(`${who}: reloads over and over while rejoining; the session ends well`, async (stage) => {
    const { sender, viewer } = await shown(stage);
    await hurry(
      ...(who === "sender's page" ? [] : [viewer]),
      ...(who === "viewer's page" ? [] : [sender]),
    );
    assertEquals(await sender.waitReason("ended"), REASON.done);
    assertMatch(await sender.text(), /Seen for .*Closed /);
    assertEquals(await viewer.waitReason("ended"), REASON.done);
    assertMatch(await viewer.text(), /You saw it for/);
    assertEquals(await viewer.wiped(), true);
  });
}

test("a reloaded page whose server does not answer can be left at once", async (stage) => {
  const { sender } = stage;
  const viewer = await stage.viewer(await sender.offer(await fixture("flat"), { seconds: 60 }));
  await viewer.receive();
  for (const person of [sender, viewer]) {
    await person.page.evaluateOnNewDocument(DEAF);
    await person.page.reload();
    await person.press("leave");
    await person.waitFor(
      "a page that begins anew",
      () => document.querySelector("[data-action=choose], [data-field=code]") !== null,
    );
    // Nothing of it remains for the next document either.
    assertEquals(await person.page.evaluate(() => sessionStorage.length), 0);
  }
});

test("a viewer who joined by a code comes back as well", async (stage) => {
  const { sender } = stage;
  await sender.offer(await fixture("flat"), { seconds: 60 });
  const code = await sender.shareCode();
  const viewer = await Viewer.openByCode(await stage.browser.newPage(), stage.app.url);
  await viewer.typeCode(code);
  await viewer.join();
  await viewer.waitPhase("delivered");
  await viewer.reload();
  await viewer.waitPhase("delivered");
  assertEquals((await viewer.verification()).by, "code");
  await viewer.look();
  await viewer.closePicture();
  assertEquals(await sender.waitReason("ended"), REASON.done);
});
