/**
 * Reading a link's QR code with the camera, which is Chromium's fake one, before a film of a code
 * that moves.
 *
 * @module
 */
import { startApp, type TestApp } from "../support/app.ts";
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { type TestBrowser, type TestPage, withBrowser } from "../support/browser.ts";
import { filmOf } from "../support/film.ts";
import { fixture } from "../support/fixtures.ts";
import { Sender, Viewer } from "../support/flow.ts";

/** Keeps every stream that the page got. */
const WATCH = `{
  const streams = [];
  Object.defineProperty(globalThis, "__streams", { value: streams });
  const { getUserMedia } = MediaDevices.prototype;
  MediaDevices.prototype.getUserMedia = async function (...args) {
    const stream = await getUserMedia.apply(this, args);
    streams.push(stream);
    return stream;
  };
}`;

/** States of the tracks of all streams that the page got. */
async function tracks({ page }: TestPage): Promise<string> {
  return String(
    await page.evaluate(
      "__streams.flatMap((stream) => stream.getTracks()).map((track) => track.readyState).join()",
    ),
  );
}

/** Waits until every camera that the page got is off. */
async function allOff(person: Sender | Viewer): Promise<void> {
  await person.waitFor("a camera that is off", () => {
    const streams: readonly MediaStream[] = Reflect.get(globalThis, "__streams");
    return streams.length > 0 && streams.every(({ active }) => !active);
  });
}

/** Calls `body` with a browser whose camera sees a code with `text`. */
async function withCamera(
  text: string,
  body: (browser: TestBrowser) => Promise<void>,
): Promise<void> {
  const film = await Deno.makeTempFile({ prefix: "film-", suffix: ".y4m" });
  try {
    await Deno.writeFile(film, filmOf(text));
    await withBrowser(body, {
      args: [
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        `--use-file-for-fake-video-capture=${film}`,
      ],
    });
  } finally {
    await Deno.remove(film);
  }
}

/** Calls `body` with a sender who waits with a picture. */
async function withSender(
  body: (app: TestApp, sender: Sender, link: string) => Promise<void>,
): Promise<void> {
  await using app = await startApp();
  await withBrowser(async (browser) => {
    const sender = await Sender.open(await browser.newPage(), app.url);
    await body(app, sender, await sender.offer(await fixture("flat"), { seconds: 60 }));
  });
}

for (const path of ["/join", "/"] as const) {
  Deno.test(`a link that the camera sees at ${path} is taken, and it goes off`, async () => {
    await withSender(async (app, sender, link) => {
      await withCamera(link, async (browser) => {
        const page = await browser.newPage({ before: WATCH });
        const before = path === "/"
          ? await Sender.open(page, app.url)
          : await Viewer.open(page, `${app.url}/join`);
        const scripts = () =>
          page.page.evaluate(() =>
            performance.getEntriesByType("resource").filter(({ name }) =>
              /jsqr|Scanner/i.test(name)
            )
              .length
          );
        assertEquals(await scripts(), 0);
        await before.press("scan");
        if (path === "/join") await allOff(before);
        const viewer = Viewer.at(page);
        await viewer.waitFor(
          "the button for a link",
          () =>
            document.querySelector("#code") === null && location.pathname === "/join" &&
            document.querySelector("[data-action=join]:not(:disabled)") !== null,
        );
        await viewer.waitPhase("idle");
        // Nothing is connected before somebody presses, and nothing is left in sight.
        assertEquals(page.page.url(), `${app.url}/join`);
        assertEquals(await sender.phase(), "waiting");
        await viewer.receive();
        await sender.waitPhase("delivered");
      });
    });
  });
}

Deno.test("a code that is no link of this site is named, and the camera goes on", async () => {
  await using app = await startApp();
  await withCamera("https://example.org/join#1.abc", async (browser) => {
    const page = await browser.newPage({ before: WATCH });
    const viewer = await Viewer.open(page, `${app.url}/join`);
    await viewer.press("scan");
    await viewer.fieldMatching("scan-problem", /not a link of this site/);
    assertEquals(await tracks(page), "live");
    await viewer.press("scan-cancel");
    await viewer.waitFor("no scanner", () => document.querySelector("dialog.scanner") === null);
    await allOff(viewer);
    assertEquals([await viewer.phase(), page.page.url()], ["idle", `${app.url}/join`]);
  });
});

Deno.test("a camera that stops is named, and can be started again", async () => {
  await using app = await startApp();
  await withCamera("nothing", async (browser) => {
    const page = await browser.newPage({ before: WATCH });
    const viewer = await Viewer.open(page, `${app.url}/join`);
    await viewer.press("scan");
    await viewer.fieldMatching("scan-problem", /not a link/);
    await page.page.evaluate("__streams[0].getTracks()[0].stop()");
    await viewer.fieldMatching("scan-problem", /camera was stopped/);
    await viewer.press("scan-again");
    await viewer.fieldMatching("scan-problem", /not a link/);
    assertEquals(await tracks(page), "ended,live");
    // A page that is out of sight sees nothing.
    await page.page.evaluate(() => {
      Object.defineProperty(document, "visibilityState", { value: "hidden" });
      document.dispatchEvent(new Event("visibilitychange"));
    });
    await viewer.waitFor("no scanner", () => document.querySelector("dialog.scanner") === null);
    await allOff(viewer);
  });
});

for (
  const [what, before, text] of [
    ["no camera", "", /has no camera/],
    [
      "no way to a camera",
      'Object.defineProperty(navigator, "mediaDevices", { value: undefined });',
      /does not let pages use the camera/,
    ],
    [
      "a camera that is not allowed",
      `MediaDevices.prototype.getUserMedia = () =>
        Promise.reject(new DOMException("no", "NotAllowedError"));`,
      /not allowed here/,
    ],
    [
      "a camera in use",
      `MediaDevices.prototype.getUserMedia = () =>
        Promise.reject(new DOMException("no", "NotReadableError"));`,
      /could not be started/,
    ],
  ] as const
) {
  Deno.test(`${what}: the page says so, and closing it leaves the field`, async () => {
    await using app = await startApp();
    await withBrowser(async (browser) => {
      const page = await browser.newPage({ before });
      const viewer = await Viewer.open(page, `${app.url}/join`);
      await viewer.press("scan");
      await viewer.fieldMatching("scan-problem", text);
      await viewer.press("scan-cancel");
      await viewer.waitFor("the field", () => document.querySelector("#code") !== null);
    }, { own: true });
  });
}

Deno.test("where the browser reads codes itself, it does, and no decoder is loaded", async () => {
  await withSender(async (app, _sender, link) => {
    await withCamera("nothing that counts", async (browser) => {
      const before = `globalThis.BarcodeDetector = class {
        static getSupportedFormats() { return Promise.resolve(["qr_code"]); }
        detect(video) {
          return Promise.resolve(video.videoWidth > 0 ? [{ rawValue: ${
        JSON.stringify(link)
      } }] : []);
        }
      };`;
      const page = await browser.newPage({ before });
      const viewer = await Viewer.open(page, `${app.url}/join`);
      await viewer.press("scan");
      await viewer.waitFor("the link", () => document.querySelector("#code") === null);
      const decoders = await page.page.evaluate(async () => {
        const scripts = performance.getEntriesByType("resource").map(({ name }) => name)
          .filter((name) => name.endsWith(".js"));
        const texts = await Promise.all(scripts.map(async (url) => (await fetch(url)).text()));
        // A name of the decoder's results, which no bundler shortens.
        return scripts.filter((_, i) => texts[i]?.includes("bottomLeftFinderPattern"));
      });
      assertEquals(decoders, []);
      assertMatch(await viewer.text(), /Continue/);
      assert(page.page.url().endsWith("/join"));
    });
  });
});
