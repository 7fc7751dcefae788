/**
 * Whole sessions with WebKit, Safari's engine, at one end or at both. This WebKit has no WebRTC, so
 * they go over the encrypted relay: what needs DataChannels in Safari is not tested here.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { startApp, type TestApp } from "../support/app.ts";
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { launchBrowser, type TestBrowser, TestPage } from "../support/browser.ts";
import { findFirefox } from "../support/firefox.ts";
import { type Fixture, fixture } from "../support/fixtures.ts";
import { assertLooksLike, looksOf, Sender, Viewer } from "../support/flow.ts";
import { MOVING } from "../support/moving.ts";
import { REASON } from "../support/reasons.ts";
import { findWebKit, launchWebKit, type WebKitPage } from "../support/webkit.ts";

type Engine = "chromium" | "firefox" | "webkit";

const NO_WEBKIT = await findWebKit() === null;
const NO_FIREFOX = await findFirefox() === null;

/** The browsers that all tests share. WebKit has one for each page. */
interface Ground {
  readonly app: TestApp;
  readonly chromium: TestBrowser;
  readonly firefox: TestBrowser | null;
}

let ground: Ground | undefined;

Deno.test.beforeAll(async () => {
  if (NO_WEBKIT) return;
  const [app, chromium, firefox] = await Promise.all([
    startApp({ env: { RELAY: "on" } }),
    launchBrowser(),
    NO_FIREFOX ? null : launchBrowser({ engine: "firefox" }),
  ]);
  ground = { app, chromium, firefox };
});
Deno.test.afterAll(async () => {
  await ground?.firefox?.close();
  await ground?.chromium.close();
  await ground?.app.stop();
});

type AnyPage = TestPage | WebKitPage;

async function newPage({ chromium, firefox }: Ground, engine: Engine): Promise<AnyPage> {
  switch (engine) {
    case "webkit":
      return await launchWebKit();
    case "chromium":
      return await chromium.newPage();
    case "firefox":
      assert(firefox !== null);
      return await firefox.newPage();
    default:
      return engine satisfies never;
  }
}

/** Runs `body` with a page in each of `engines`; none of them may report an error. */
function test<const Engines extends readonly Engine[]>(
  name: string,
  engines: Engines,
  body: (pages: { readonly [I in keyof Engines]: AnyPage }, ground: Ground) => Promise<void>,
): void {
  const needsFirefox = engines.includes("firefox") || null;
  const lacks = NO_WEBKIT ? "WebKit" : needsFirefox && NO_FIREFOX ? "Firefox" : null;
  Deno.test({
    name: `${name}, ${engines.join(" to ")}${lacks === null ? "" : ` (no ${lacks} is installed)`}`,
    ignore: lacks !== null,
    // Browsers and server were started before the test.
    sanitizeOps: false,
    sanitizeResources: false,
    async fn() {
      assert(ground !== undefined);
      const shared = ground;
      const started = await Promise.allSettled(engines.map((engine) => newPage(shared, engine)));
      const pages = started.flatMap((page) => page.status === "fulfilled" ? [page.value] : []);
      try {
        for (const page of started) if (page.status === "rejected") throw page.reason;
        await body(pages as { readonly [I in keyof Engines]: AnyPage }, shared);
        for (const page of pages) await page.assertNoErrors();
      } finally {
        for (const page of pages) await page.close();
      }
    },
  });
}

interface Scene {
  readonly sender: Sender<AnyPage>;
  /** Opens `/join` with a link or, without one, types the sender's code. */
  join(link: string | null): Promise<Viewer<AnyPage>>;
  /** Fails unless the viewer sees the picture. */
  assertSees(viewer: Viewer<AnyPage>, picture: Fixture): Promise<void>;
}

/** A session of two people, of which nothing of a picture is left at the end. */
function session(
  name: string,
  { from, to }: { readonly from: Engine; readonly to: Engine },
  body: (scene: Scene) => Promise<void>,
): void {
  test(name, [from, to], async ([here, there], { app, chromium }) => {
    const sender = await Sender.open(here, app.url);
    const join = async (link: string | null) => {
      if (link !== null) return await Viewer.open(there, link);
      const viewer = await Viewer.openByCode(there, app.url);
      await viewer.typeCode(await sender.shareCode());
      return viewer;
    };
    const assertSees = async (viewer: Viewer<AnyPage>, picture: Fixture) => {
      assertLooksLike(await looksOf(chromium, await viewer.canvas()), picture);
      // It was measured in another window of Chromium, and a page without the focus covers.
      if (there instanceof TestPage) await there.page.bringToFront();
    };
    await body({ sender, join, assertSees });
    for (const page of [here, there]) {
      const left = await page.evaluate(() =>
        [...document.querySelectorAll("canvas")].filter((each) => each.width * each.height > 0)
          .length
      );
      assertEquals(left, 0, "something of a picture is left");
    }
  });
}

/** WebKit computes slowly, above all where several browsers share a processor. */
const SLOW = { timeout: 60_000 };

async function assertDone(...people: readonly (Sender<AnyPage> | Viewer<AnyPage>)[]) {
  for (const person of people) assertEquals(await person.waitReason("ended", SLOW), REASON.done);
}

const HEIC: Fixture = {
  path: fileURLToPath(new URL("../image/heic/plain.heic", import.meta.url)),
  bytes: 885,
  width: 128,
  height: 96,
  corners: {
    topLeft: [0x20, 0xa0, 0x40],
    topRight: [0xd0, 0x40, 0x20],
    bottomLeft: [0x20, 0x60, 0xc0],
    bottomRight: [0xf0, 0xe0, 0x10],
  },
};

/** Runs in the page: the class of what has the focus, and the ring around it. */
function focused(): readonly string[] {
  const { activeElement } = document;
  return activeElement === null
    ? []
    : [activeElement.className, getComputedStyle(activeElement).outlineStyle];
}

/** What is shown to each engine: all formats to one, to the others what they decode themselves. */
const SHOWN = {
  webkit: ["exif", "flat", "webp", "avif", "gif", HEIC],
  chromium: ["exif", "avif"],
  firefox: ["webp", HEIC],
} as const;

for (const to of ["webkit", "chromium", "firefox"] as const) {
  const kinds = SHOWN[to].map((each) => typeof each === "string" ? each : "heic").join(", ");
  session(`pictures are seen by link (${kinds})`, { from: "webkit", to }, async (
    { sender, join, assertSees },
  ) => {
    const pictures = await Promise.all(
      SHOWN[to].map((each) => typeof each === "string" ? fixture(each) : each),
    );
    await sender.setSeconds(0);
    await sender.chooseFiles(pictures);
    await sender.waitPhase("waiting", SLOW);
    const viewer = await join(await sender.shareLink());
    await viewer.receive(SLOW);
    assertEquals(await viewer.verification(), await sender.verification());
    await viewer.fieldMatching("way", /^Through this server/);
    for (const picture of pictures) {
      await viewer.look(SLOW);
      await assertSees(viewer, picture);
      assertEquals(await viewer.testPage.evaluate(focused), ["stage", "none"]);
      await viewer.closePicture();
    }
    await assertDone(viewer, sender);
  });
}

for (const from of ["chromium", "firefox"] as const) {
  session("a picture is seen, by a spoken code", { from, to: "webkit" }, async (
    { sender, join, assertSees },
  ) => {
    const picture = await fixture("exif");
    await sender.offer(picture, { seconds: 3 });
    const viewer = await join(null);
    await viewer.receive(SLOW);
    assertEquals((await viewer.verification()).by, "code");
    await viewer.look(SLOW);
    await assertSees(viewer, picture);
    await viewer.waitPhase("closed", SLOW);
    await assertDone(viewer, sender);
  });
}

/** Name of an area, and the per cent of the picture where it begins and ends. */
const PLACE = /^(.+): (\d+) ?% from the left, (\d+) ?% from the top, (\d+) ?% wide, (\d+) ?% high/;

for (const engine of ["chromium", "firefox", "webkit"] as const) {
  test("an area of the editor is where it was drawn, and a click chooses it", [engine], async (
    [page],
    { app },
  ) => {
    const sender = await Sender.open(page, app.url);
    await sender.offer(await fixture("square"), { seconds: 60 });
    await sender.press("edit");
    await sender.waitFor("the picture", () => document.querySelector("dialog canvas") !== null);
    const box = () =>
      page.evaluate(() => {
        const canvas = document.querySelector("dialog canvas");
        const { x, y, width, height } = canvas?.getBoundingClientRect() ?? new DOMRect();
        return { x, y, width, height };
      });
    const place = async () => {
      const said = await page.evaluate(() =>
        document.querySelector("dialog [role=status]")?.textContent ?? ""
      );
      const [, name, ...numbers] = PLACE.exec(said) ?? [said];
      return [name, ...numbers.map(Number)];
    };
    const { x, y, width, height } = await box();
    for (const [number, from, to] of [[1, 10, 50], [2, 60, 90]] as const) {
      const at = (percent: number) => ({
        x: x + width * percent / 100,
        y: y + height * percent / 100,
      });
      await page.drag([at(from), at((from + to) / 2), at(to)]);
      assertEquals(await box(), { x, y, width, height }, "the picture moved under the finger");
      const [name, ...numbers] = await place();
      assertEquals(name, `Black box ${number}`);
      for (const [i, wanted] of [from, from, to - from, to - from].entries()) {
        const off = Math.abs(Number(numbers[i]) - wanted);
        assert(off <= 1, `${numbers} instead of from ${from} to ${to} %`);
      }
    }
    // Not the mouse: a click gives no focus to a button in Safari, but it does in this WebKit.
    await page.evaluate(() => document.querySelector<HTMLElement>("[data-action=area]")?.click());
    await sender.waitFor(
      "the first area",
      () => /^Black box 1/.test(document.querySelector("dialog [role=status]")?.textContent ?? ""),
    );
    const [, left] = await place();
    await page.press("ArrowRight");
    assertEquals((await place())[1], Number(left) + 2);
  });
}

for (const engine of ["chromium", "firefox", "webkit"] as const) {
  test("a ring is around what keys reach, and not around what is clicked", [engine], async (
    [page],
    { app },
  ) => {
    await Sender.open(page, app.url);
    const tabs = async () => {
      await page.press("Tab");
      return (await page.evaluate(focused))[1];
    };
    assertEquals(await tabs(), "solid");
    await page.click("h1");
    assertEquals(await tabs(), "solid");
  });
}

test("what is edited is as small as elsewhere, and transparency is kept", ["webkit"], async (
  [page],
  { app },
) => {
  for (const [name, most] of [["webp", 150_000], ["transparent", Infinity]] as const) {
    const sender = await Sender.open(page, app.url);
    await sender.offer(await fixture(name));
    await sender.press("edit");
    await sender.press("turn-left");
    await sender.press("turn-left");
    await sender.press("edit-done");
    const size = parseInt(await sender.fieldMatching("size", /^\d+ kB$/)) * 1_000;
    assert(size < most, `${size} bytes`);
    const opacity = await page.evaluate(() => {
      const canvas = document.querySelector<HTMLCanvasElement>(".thumbnail canvas");
      if (canvas === null) return null;
      const { width, height } = canvas;
      return canvas.getContext("2d")?.getImageData(width >> 1, height >> 1, 1, 1).data[3];
    });
    assertEquals(opacity, name === "webp" ? 255 : 0);
    await sender.leave();
    await sender.waitPhase("ended");
  }
});

test("the page speaks another language when it is chosen", ["webkit"], async ([page], { app }) => {
  const sender = await Sender.open(page, app.url);
  await page.evaluate(() => {
    const select = document.querySelector<HTMLSelectElement>("form[data-language] select");
    if (select === null) throw new Error("Cannot choose a language: no form");
    select.value = "de";
    select.dispatchEvent(new Event("change", { bubbles: true }));
  });
  await sender.waitFor("German", () => document.documentElement.lang === "de");
  await sender.waitFor(
    "its texts",
    () => /Bild/.test(document.querySelector("h1")?.innerText ?? ""),
  );
});

test("the code is selected as a whole by one press", ["webkit"], async ([page], { app }) => {
  const sender = await Sender.open(page, app.url);
  await sender.offer(await fixture("flat"));
  const code = await sender.shareCode();
  await page.click("[data-field=share-code]");
  assertEquals(await page.evaluate(() => getSelection()?.toString().trim()), code);
});

for (const side of ["sender", "viewer"] as const) {
  session(`the ${side} reloads, and the session goes on to its end`, {
    from: "webkit",
    to: "webkit",
  }, async ({ sender, join, assertSees }) => {
    const picture = await fixture("exif");
    const link = await sender.offer(picture, { seconds: 0, ...SLOW });
    const viewer = await join(link);
    await viewer.receive(SLOW);
    await sender.waitPhase("delivered", SLOW);
    await { sender, viewer }[side].reload();
    if (side === "sender") {
      // What nobody had opened is lost with the page, and is chosen once more.
      await sender.field("forgot", SLOW);
      await sender.chooseFile(picture);
    }
    await viewer.waitPhase("delivered", SLOW);
    await viewer.look(SLOW);
    await assertSees(viewer, picture);
    await sender.waitPhase("shown", SLOW);
    await viewer.closePicture();
    await assertDone(viewer, sender);
  });
}

session("an animated picture shows its first frame, and is burned", {
  from: "webkit",
  to: "webkit",
}, async (
  { sender, join },
) => {
  const [moving] = MOVING;
  assert(moving !== undefined);
  const path = await Deno.makeTempFile({ suffix: ".gif" });
  await Deno.writeFile(path, moving.bytes);
  await sender.setSeconds(0);
  await sender.chooseFiles([{ path }]);
  await sender.waitPhase("waiting", SLOW);
  const viewer = await join(await sender.shareLink());
  await viewer.receive(SLOW);
  await viewer.look(SLOW);
  // This WebKit has no ImageDecoder.
  assertMatch(await viewer.field("still"), /first frame/);
  await sender.waitPhase("shown", SLOW);
  assertMatch(await sender.timeline(), /only its first frame/);
  await sender.press("burn");
  for (const person of [viewer, sender]) {
    assertEquals(await person.waitReason("ended", SLOW), REASON.burned);
  }
  await Deno.remove(path);
});
