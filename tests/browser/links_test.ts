/**
 * Links and codes as chat apps, mail programs and people change them, in real browsers.
 *
 * @module
 */
import { startApp, type TestApp } from "../support/app.ts";
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { type TestBrowser, withBrowser } from "../support/browser.ts";
import { fixture } from "../support/fixtures.ts";
import { Sender, Viewer } from "../support/flow.ts";
import { REASON } from "../support/reasons.ts";

/** What each test gets. */
interface Stage {
  readonly app: TestApp;
  readonly browser: TestBrowser;
  /** A sender who waits with a picture. */
  waiting(): Promise<{ sender: Sender; link: string }>;
  /** Opens an address as a new person. */
  open(url: string): Promise<Viewer>;
}

function test(name: string, body: (stage: Stage) => Promise<void>): void {
  Deno.test(name, async () => {
    await using app = await startApp({ env: { LOG_LEVEL: "debug" } });
    await withBrowser(async (browser) => {
      await body({
        app,
        browser,
        waiting: async () => {
          const sender = await Sender.open(await browser.newPage(), app.url);
          return { sender, link: await sender.offer(await fixture("flat"), { seconds: 60 }) };
        },
        open: async (url) => await Viewer.open(await browser.newPage(), url),
      });
    });
  });
}

/** The secret of a link, as text. */
function secretOf(link: string): string {
  return link.split("#1.")[1] ?? "";
}

/** Puts `text` on the clipboard's way into the focused field, as a press of Ctrl+V does. */
async function paste(viewer: Viewer, text: string): Promise<void> {
  await viewer.waitFor("the field", () => document.activeElement?.id === "code");
  await viewer.page.evaluate((text) => {
    const field = document.activeElement;
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", text);
    const event = new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true });
    if (field?.dispatchEvent(event) === true) document.execCommand("insertText", false, text);
  }, text);
}

test("an encoded # brings the friend to the link, with nothing left in sight", async (stage) => {
  const { sender, link } = await stage.waiting();
  const viewer = await stage.open(`${link.replace("#", "%23")}?fbclid=IwAR0abc`);
  await viewer.waitPhase("idle");
  assertEquals(viewer.page.url(), `${stage.app.url}/join`);
  assertMatch(await viewer.field("exposed"), /this server was sent its secret part/);
  const history = await viewer.page.createCDPSession();
  const { entries } = await history.send("Page.getNavigationHistory");
  assert(entries.every(({ url }) => !url.includes(secretOf(link))), JSON.stringify(entries));
  await viewer.receive();
  await sender.waitPhase("delivered");
  assert(stage.app.output.length > 0);
  assert(!stage.app.output.includes(secretOf(link).slice(0, 12)), stage.app.output);
});

test("a link that arrived as it was sent says nothing of the kind", async (stage) => {
  const { link } = await stage.waiting();
  const viewer = await stage.open(link);
  await viewer.waitPhase("idle");
  assertEquals(await viewer.page.$("[data-field=exposed]"), null);
});

for (
  const [name, change] of [
    [
      "with a path in capitals and a tracker",
      (link: string) => link.replace("/join", "/JOIN") + "&utm_source=chat",
    ],
    ["with a dot and a bracket behind it", (link: string) => `${link}).`],
    [
      "with a soft hyphen, a zero-width space and an encoded dot",
      (link: string) =>
        link.replace("#1.", "#1%2E").slice(0, -9) + "\u00ad" + link.slice(-9) + "\u200b",
    ],
    ["with a tracker before it", (link: string) => link.replace("/join#", "/join?fbclid=abc#")],
  ] as const
) {
  test(`a link ${name} is taken`, async (stage) => {
    const { sender, link } = await stage.waiting();
    const viewer = await stage.open(change(link));
    await viewer.receive();
    await sender.waitPhase("delivered");
    assertEquals(viewer.page.url(), `${stage.app.url}/join`);
  });
}

test("a link that was cut, or that is another one's, is named as such", async (stage) => {
  const { link } = await stage.waiting();
  for (
    const [url, reason, text] of [
      [link.slice(0, -4), REASON.link, /incomplete/],
      [link.replace("#", "%23").slice(0, -4), REASON.link, /incomplete/],
      [link.replace("#1.", "#1.é"), REASON.foreignLink, /no link of this site has/],
    ] as const
  ) {
    const viewer = await stage.open(url);
    assertEquals(await viewer.waitReason("failed"), reason);
    assertMatch(await viewer.text(), text);
    assertEquals(viewer.page.url(), `${stage.app.url}/join`);
  }
});

test("a message with the link in it may be pasted in place of a code", async (stage) => {
  const { sender, link } = await stage.waiting();
  const viewer = await stage.open(`${stage.app.url}/join`);
  await paste(viewer, `I want to show you a picture.\n${link}\nSee you!`);
  await viewer.waitFor("the link", () => document.querySelector("#code") === null);
  await viewer.receive();
  await sender.waitPhase("delivered");
});

test("a message with the code in it may be pasted as well", async (stage) => {
  const { sender } = await stage.waiting();
  const code = await sender.shareCode();
  const [number = "", ...words] = code.split("-");
  const viewer = await stage.open(`${stage.app.url}/join`);
  await paste(viewer, `My code:\n${[number, ...words.map((w) => w.toUpperCase())].join("\n")}`);
  assertEquals((await viewer.field("code")).includes("\n"), false);
  await viewer.receive();
  await sender.waitPhase("delivered");
});

test("a phone corrects nothing in the field for a code", async (stage) => {
  const viewer = await stage.open(`${stage.app.url}/join`);
  await viewer.waitFor("the field", () => document.activeElement?.id === "code");
  const field = await viewer.page.evaluate(() => {
    const input = document.querySelector("#code");
    const names = ["autocomplete", "autocapitalize", "autocorrect", "spellcheck"];
    return {
      attributes: names.map((name) => `${name}=${input?.getAttribute(name)}`),
      // A boolean where the browser knows it.
      autocorrect: String(Reflect.get(input ?? {}, "autocorrect") ?? false),
      spellcheck: Reflect.get(input ?? {}, "spellcheck"),
    };
  });
  assertEquals(field, {
    attributes: ["autocomplete=off", "autocapitalize=none", "autocorrect=off", "spellcheck=false"],
    autocorrect: "false",
    spellcheck: false,
  });
});

test("a second link in a tab with a session is out of sight, and offered after", async (stage) => {
  const first = await stage.waiting();
  const second = await stage.waiting();
  const viewer = await stage.open(first.link);
  await viewer.receive();
  await viewer.page.evaluate((hash) => location.hash = hash, new URL(second.link).hash);
  assertMatch(
    await viewer.fieldMatching("other-link", /Another link/),
    /once this session is over/,
  );
  assertEquals(viewer.page.url(), `${stage.app.url}/join`);
  assertEquals(await viewer.phase(), "delivered");

  await viewer.look();
  await viewer.closePicture();
  await viewer.waitPhase("ended");
  await viewer.press("other-link");
  await viewer.waitPhase("idle");
  await viewer.receive();
  await second.sender.waitPhase("delivered");
});
