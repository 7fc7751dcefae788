/**
 * What happens to a picture before it is sent: while it is prepared, while its settings are open,
 * when it is removed, and when somebody is about to leave the page that has it.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { startApp, type TestApp } from "../support/app.ts";
import { type PageOptions, type TestBrowser, withBrowser } from "../support/browser.ts";
import { fixture } from "../support/fixtures.ts";
import { Sender, Viewer } from "../support/flow.ts";

interface Stage {
  readonly app: TestApp;
  readonly browser: TestBrowser;
  readonly sender: Sender;
}

/** Nothing is prepared until `letGo()` is called. */
const HELD_BACK = `{
  const { postMessage } = Worker.prototype;
  const held = [];
  let free = false;
  Worker.prototype.postMessage = function (message, ...rest) {
    const post = () => postMessage.call(this, message, ...rest);
    if (message?.kind === "prepare" && !free) held.push(post);
    else post();
  };
  globalThis.letGo = () => {
    free = true;
    for (const post of held) post();
  };
}`;

function test(
  name: string,
  body: (stage: Stage) => Promise<void>,
  options: PageOptions = {},
): void {
  Deno.test(name, async () => {
    await using app = await startApp();
    await withBrowser(async (browser) => {
      const sender = await Sender.open(await browser.newPage(options), app.url);
      await body({ app, browser, sender });
    });
  });
}

/** Presses the first picture's button, wherever it has moved to. */
async function pressNow(sender: Sender, action: string): Promise<void> {
  await sender.page.evaluate((action) => {
    document.querySelector<HTMLElement>(`[data-action=${action}]`)?.click();
  }, action);
}

test(
  "the link does not wait for the picture, and a friend may join meanwhile",
  async ({ browser, sender }) => {
    const link = await sender.offer(await fixture("flat"), { seconds: 60 });
    assertMatch(await sender.field("preparing"), /Preparing…/);
    assert(!await sender.offers("edit"), "what is not there yet can't be edited");
    const viewer = await Viewer.open(await browser.newPage(), link);
    await viewer.join();
    await viewer.waitPhase("connected");
    await sender.waitPhase("connected");
    await sender.page.evaluate("letGo()");
    await viewer.waitPhase("delivered");
    await sender.waitPhase("delivered");
  },
  { before: HELD_BACK },
);

for (const name of ["exif", "wide", "band", "icon"] as const) {
  test(
    `on a phone nothing moves under a finger once the ${name} picture is prepared`,
    async ({ sender }) => {
      await sender.offer(await fixture(name), { seconds: 60 });
      const top = () =>
        sender.page.$eval("[data-action=copy]", (button) => button.getBoundingClientRect().top);
      const before = await top();
      await sender.page.evaluate("letGo()");
      await sender.waitFor("it to be prepared", () => {
        return document.querySelector(".thumbnail") !== null;
      });
      assertEquals(await top(), before);
    },
    { screen: "phone", before: HELD_BACK },
  );
}

test("an unusable picture is removed with its link; the page says both", async ({ sender }) => {
  await sender.chooseFile(await fixture("stub"));
  assertEquals(await sender.waitReason("failed"), "truncated");
  assertMatch(await sender.text(), /stub\.jpg/);
  assertMatch(await sender.field("link-gone"), /no longer works/);
});

test("a picture is not sent while its settings are open", async ({ browser, sender }) => {
  const link = await sender.offer(await fixture("flat"), { seconds: 0 });
  await sender.press("settings");
  await sender.waitFor("its settings", () => document.querySelector("dialog.sheet") !== null);
  await sender.page.type("[name=caption]", "Half a capt");
  const viewer = await Viewer.open(await browser.newPage(), link);
  await viewer.join();
  await viewer.waitPhase("connected");
  await sender.waitPhase("connected");
  await sender.page.bringToFront();
  await sender.page.type("[name=caption]", "ion no more");
  assertEquals([await sender.phase(), await viewer.phase()], ["connected", "connected"]);
  await sender.press("settings-done");
  await viewer.waitPhase("delivered");
  await viewer.page.bringToFront();
  await viewer.look();
  const caption = await viewer.page.evaluate(() =>
    document.querySelector(".viewer-caption")?.textContent ?? ""
  );
  assertMatch(caption, /Half a caption no more/);
});

test("removing the only picture asks first; undo keeps the link", async ({ browser, sender }) => {
  const link = await sender.offer(await fixture("flat"), { seconds: 60 });
  await sender.press("remove");
  await sender.press("no");
  await sender.waitFor("no question", () => document.querySelector("dialog") === null);
  const focused = await sender.page.evaluate(() =>
    document.activeElement?.getAttribute("data-action")
  );
  assertEquals(focused, "remove");
  assertEquals(await sender.page.$$eval(".picture", (all) => all.length), 1);
  await sender.press("remove");
  await sender.press("yes");
  assertMatch(await sender.field("removed-picture"), /flat\.png.*no picture here now/s);
  await sender.press("undo-remove");
  await sender.waitFor("the picture", () => document.querySelectorAll(".picture").length === 1);
  assertEquals(await sender.shareLink(), link);
  const viewer = await Viewer.open(await browser.newPage(), link);
  await viewer.receive();
});

test("leaving a page with a waiting picture asks, others do not", async ({ app, sender }) => {
  const { testPage, page } = sender;
  await page.click("a.brand");
  await sender.waitPhase("idle");
  assertEquals(testPage.leaveQuestions, 0);
  await sender.offer(await fixture("flat"), { seconds: 60 });
  await page.click("a.brand");
  await sender.field("question");
  await sender.press("no");
  assertEquals(await sender.phase(), "waiting");
  // The browser asks only on pages that somebody has interacted with.
  testPage.leaving = "stay";
  await page.evaluate(() => location.reload());
  for (let i = 0; i < 100 && testPage.leaveQuestions === 0; i++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assertEquals([testPage.leaveQuestions, await sender.phase()], [1, "waiting"]);
  await page.click("footer.site a");
  await sender.field("question");
  const gone = page.waitForNavigation();
  await pressNow(sender, "yes");
  await gone;
  assertEquals([testPage.leaveQuestions, new URL(page.url()).pathname], [1, "/security"]);
  assert(page.url().startsWith(app.url));
});

/** Its last letters are reversed by an override character: it would read "photoexe.jpg". */
const TRICK = "photo\u202egpj.exe";

for (const language of ["en", "ar"]) {
  test(`a name with an override is shown literally, in ${language}`, async ({ app, browser }) => {
    const folder = await Deno.makeTempDir({ prefix: "ephemeral-names-" });
    try {
      const wrong = `${folder}/${TRICK}`;
      await Deno.writeTextFile(wrong, "no picture");
      const right = `${folder}/a${TRICK}.png`;
      await Deno.copyFile((await fixture("flat")).path, right);
      const page = await browser.newPage();
      await page.page.setExtraHTTPHeaders({ "accept-language": language });
      const sender = await Sender.open(page, app.url);
      await sender.chooseFiles([{ path: right }, { path: wrong }]);
      await sender.waitFor("a notice", () => document.querySelector(".notice") !== null);
      await sender.press("settings");
      await sender.waitFor("its name", () => document.querySelector("[name=named]") !== null);
      for (const selector of [".notice", "dialog.sheet"]) {
        // The position of each letter of the name on the screen.
        const [text, places] = await sender.page.evaluate((selector) => {
          const walker = document.createTreeWalker(
            document.querySelector(selector) ?? document.body,
            NodeFilter.SHOW_TEXT,
          );
          while (walker.nextNode()) {
            const text = walker.currentNode.textContent ?? "";
            const from = text.indexOf("photo");
            if (from === -1) continue;
            const places = [...text.slice(from, from + 12)].map((_, i) => {
              const range = document.createRange();
              range.setStart(walker.currentNode, from + i);
              range.setEnd(walker.currentNode, from + i + 1);
              return range.getBoundingClientRect().left;
            });
            return [text, places] as const;
          }
          return ["", []] as const;
        }, selector);
        assertMatch(text, /\u2068a?photogpj\.exe(\.png)?\u2069/);
        assert(!text.includes("\u202e"), "the override is still there");
        const sorted = [...places].sort((a, b) => a - b);
        assertEquals(places, sorted, `${selector}: letters are not in their order`);
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

test("pasting into a field pastes text; elsewhere, a picture", async ({ app, browser, sender }) => {
  const { page } = sender;
  const { context } = sender.testPage;
  await context.overridePermissions(app.url, [
    "clipboard-read",
    "clipboard-write",
    "clipboard-sanitized-write",
  ]);
  await sender.offer(await fixture("flat"), { seconds: 60 });
  await page.bringToFront();
  const copy = async (texts: boolean) => {
    await page.evaluate(async (texts) => {
      const canvas = new OffscreenCanvas(40, 30);
      canvas.getContext("2d")?.fillRect(0, 0, 20, 20);
      const text = (type: string, content: string) => ({ [type]: new Blob([content], { type }) });
      await navigator.clipboard.write([
        new ClipboardItem({
          // As spreadsheets do: the cells as text, as a table, and as a picture.
          ...(texts
            ? { ...text("text/plain", "a\tb"), ...text("text/html", "<table><td>a<td>b</table>") }
            : {}),
          "image/png": await canvas.convertToBlob(),
        }),
      ]);
    }, texts);
  };
  const paste = async () => {
    await page.keyboard.down("Control");
    await page.keyboard.press("KeyV", { commands: ["Paste"] });
    await page.keyboard.up("Control");
  };
  const pictures = () => page.$$eval(".picture", (all) => all.length);
  await copy(true);
  await sender.press("settings");
  await sender.waitFor("its settings", () => document.querySelector("dialog.sheet") !== null);
  await page.focus("[name=caption]");
  await paste();
  await sender.waitFor(
    "the text in the field",
    () => document.querySelector<HTMLInputElement>("[name=caption]")?.value === "a\tb",
  );
  assertEquals(await pictures(), 1);
  await sender.press("settings-done");
  await page.evaluate(() => document.querySelector<HTMLElement>("main")?.focus());
  await copy(false);
  await paste();
  await sender.waitFor("a second one", () => document.querySelectorAll(".picture").length === 2);
  // Text and a picture, where no text can go: the picture is taken.
  await copy(true);
  await paste();
  await sender.waitFor("a third one", () => document.querySelectorAll(".picture").length === 3);
  assertEquals(browser.pages.length, 1);
});
