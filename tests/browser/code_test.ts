/**
 * Codes that were read out, and the pictures that people can compare, in real browsers.
 *
 * @module
 */
import { startApp, type TestApp } from "../support/app.ts";
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { type PageOptions, type TestBrowser, withBrowser } from "../support/browser.ts";
import { fixture } from "../support/fixtures.ts";
import { assertLooksLike, deliver, looksOf, Sender, Viewer } from "../support/flow.ts";
import { REASON } from "../support/reasons.ts";

/** What each test gets. */
interface Stage {
  readonly app: TestApp;
  readonly browser: TestBrowser;
  /** A sender who waits with a picture, and the link and code that lead to them. */
  waiting(seconds?: number): Promise<{ sender: Sender; code: string; link: string }>;
  /** Opens the page that asks for a code, as a new person. */
  viewer(options?: PageOptions): Promise<Viewer>;
  /** A delivered picture and both people, connected by link. */
  delivered(): Promise<{ sender: Sender; viewer: Viewer }>;
}

function test(name: string, body: (stage: Stage) => Promise<void>): void {
  Deno.test(name, async () => {
    await using app = await startApp();
    await withBrowser(async (browser) => {
      await body({
        app,
        browser,
        waiting: async (seconds = 60) => {
          const sender = await Sender.open(await browser.newPage(), app.url);
          const link = await sender.offer(await fixture("flat"), { seconds });
          return { sender, link, code: await sender.shareCode() };
        },
        viewer: async (options) => await Viewer.openByCode(await browser.newPage(options), app.url),
        delivered: async () => {
          const pages = { sender: await browser.newPage(), viewer: await browser.newPage() };
          return await deliver(pages, app.url, await fixture("flat"), { seconds: 60 });
        },
      });
    });
  });
}

/** The right digits with words that are in the list but wrong. */
function wrong(code: string): string {
  const last = code.endsWith("-zoo") ? "abandon" : "zoo";
  return code.replace(/[a-z]+$/, last);
}

/** Enters a wrong code and waits until the page says so. */
async function tryWrong(viewer: Viewer, code: string): Promise<void> {
  await viewer.typeCode(wrong(code));
  await viewer.join();
  assertEquals(await viewer.waitReason("failed"), REASON.wrongCode);
}

/** What a screen reader was told most recently. */
function heard(person: Sender | Viewer): Promise<string> {
  return person.page.evaluate(() =>
    document.querySelector("main > [role=status]")?.textContent ?? ""
  );
}

/**
 * Fails unless the page says what to do about pictures that differ, and offers no way to repeat the
 * same.
 */
async function assertTold(person: Sender | Viewer): Promise<void> {
  const text = await person.text();
  assertMatch(text, /see different things.*another way to send a new link, then compare again/s);
  assertMatch(await heard(person), /see different things/);
  assertEquals(await person.page.$("main .primary"), null, text);
}

// The main job

test("a picture is shown to somebody who was given the code", async (stage) => {
  const { sender, code } = await stage.waiting();
  assertMatch(await sender.text(), new RegExp(`${new URL(stage.app.url).host}/join`));
  const viewer = await stage.viewer();
  await viewer.typeCode(code);
  await viewer.receive();
  await sender.waitPhase("delivered");
  assertEquals((await viewer.verification()).by, "code");
  await viewer.look();
  assertLooksLike(await looksOf(stage.browser, await viewer.canvas()), await fixture("flat"));
  await viewer.closePicture();
  assertEquals(await viewer.waitReason("ended"), REASON.done);
  assertEquals(await sender.waitReason("ended"), REASON.done);
});

test("somebody who has a code finds the field for it from the start page", async (stage) => {
  const person = await Sender.open(await stage.browser.newPage(), stage.app.url);
  await person.page.click("main a[href='/join']");
  await person.waitFor(
    "the field, ready to type into",
    () => document.activeElement?.matches("[data-field=code]") === true,
  );
});

test("capitals, spaces and words cut to four letters are forgiven", async (stage) => {
  const { sender, code } = await stage.waiting();
  const [digits = "", ...words] = code.split("-");
  const sloppy = `  ${digits.slice(0, 2)} ${digits.slice(2)},  ${
    words.map((word) => word.slice(0, 4).toUpperCase()).join("  ")
  } `;
  const viewer = await stage.viewer();
  await viewer.typeCode(sloppy);
  await viewer.receive();
  await sender.waitPhase("delivered");
});

// Mistakes

test("both sides see a wrong code; the text stays, and the right one works", async (stage) => {
  const { sender, code } = await stage.waiting();
  const viewer = await stage.viewer();
  await tryWrong(viewer, code);
  assertMatch(await viewer.text(), /don’t match the number/);
  assertMatch(await viewer.text(), /After three wrong tries.*ask for the link/);
  assertEquals(await viewer.field("code"), wrong(code));
  await sender.fieldMatching("timeline", /wrong code and was turned away/);
  assertMatch(await heard(sender), /wrong code and was turned away/);
  assertEquals(await sender.shareCode(), code);

  await viewer.typeCode(code);
  assertEquals([await viewer.phase(), await viewer.reason()], ["idle", null]);
  await viewer.receive();
  await sender.waitPhase("delivered");
});

test("three wrong codes withdraw the code; the link still works", async (stage) => {
  const { sender, code, link } = await stage.waiting();
  const stranger = await stage.viewer();
  for (let i = 0; i < 3; i++) await tryWrong(stranger, code);
  assertMatch(await sender.field("code-withdrawn"), /no longer works; the link still does/);
  assertMatch(await sender.timeline(), /A wrong code was entered three times/);
  assertMatch(await heard(sender), /no longer works; the link still does/);

  const late = await stage.viewer();
  await late.typeCode(code);
  await late.join();
  assertEquals(await late.waitReason("failed"), REASON.refused);
  assertMatch(await late.text(), /withdrawn after wrong tries.*ask for the link/);

  const viewer = await Viewer.open(await stage.browser.newPage(), link);
  await viewer.receive();
  await sender.waitPhase("delivered");
});

for (
  const [what, typed, reason, words] of [
    ["an unknown word", "4821-cristal-orbit-lemon", REASON.unknownWord, /“\u2068cristal\u2069”/],
    ["too few words", "4821-crystal-orbit", REASON.incompleteCode, /a number and three words/],
    ["no number", "crystal orbit lemon", REASON.incompleteCode, /a number and three words/],
    ["nothing at all", "", REASON.incompleteCode, /a number and three words/],
  ] as const
) {
  test(`${what} is named next to the field, without asking the server`, async (stage) => {
    const viewer = await stage.viewer();
    const sockets: string[] = [];
    const client = await viewer.page.createCDPSession();
    await client.send("Network.enable");
    client.on("Network.webSocketCreated", ({ url }) => sockets.push(url));
    await viewer.typeCode(typed);
    await viewer.page.keyboard.press("Enter");
    await viewer.waitFor(
      "a problem",
      () => document.querySelector("main")?.dataset.reason !== undefined,
    );
    assertEquals([await viewer.phase(), await viewer.reason()], ["idle", reason]);
    const field = await viewer.page.evaluate(() => {
      const input = document.activeElement;
      if (!(input instanceof HTMLInputElement)) return null;
      const described = input.getAttribute("aria-describedby")?.split(" ") ?? [];
      return {
        value: input.value,
        invalid: input.getAttribute("aria-invalid"),
        problem: described.map((id) => document.getElementById(id)?.textContent).join(" "),
      };
    });
    assertEquals([field?.value, field?.invalid], [typed, "true"]);
    assertMatch(field?.problem ?? "", words);
    assertEquals(sockets, []);
  });
}

test("a number that leads nowhere is reported, and can be corrected", async (stage) => {
  const { code } = await stage.waiting();
  const viewer = await stage.viewer();
  const [digits = ""] = code.split("-");
  const elsewhere = String((Number(digits) + 1) % 10 ** digits.length).padStart(digits.length, "0");
  await viewer.typeCode(code.replace(digits, elsewhere));
  await viewer.join();
  assertEquals(await viewer.waitReason("failed"), REASON.refused);
  assertMatch(await viewer.text(), /This code does not work.*Check the number/s);
  await viewer.typeCode(code);
  await viewer.receive();
});

test("a whole link pasted into the field is recognized", async (stage) => {
  const { sender, link } = await stage.waiting();
  const viewer = await stage.viewer();
  await viewer.page.keyboard.sendCharacter(` ${link}\n`);
  await viewer.waitFor(
    "the link's own page",
    () => document.querySelector("[data-field=code]") === null,
  );
  assertEquals([await viewer.phase(), await viewer.reason()], ["idle", null]);
  await viewer.receive();
  await sender.waitPhase("delivered");
  assertEquals((await viewer.verification()).by, "link");
});

// Suggestions

test("suggestions work by keyboard: arrows and Enter, Tab, Escape", async (stage) => {
  const viewer = await stage.viewer();
  const { keyboard } = viewer.page;
  const active = () =>
    viewer.page.evaluate(() => {
      const id = document.activeElement?.getAttribute("aria-activedescendant") ?? null;
      return id === null ? null : document.getElementById(id)?.textContent ?? "";
    });
  await viewer.typeCode("4821-spa");
  await viewer.waitFor("suggestions", () => document.querySelector("[role=option]") !== null);
  const words = await viewer.suggestions();
  assert(words.length > 1 && words.every((word) => word.startsWith("spa")), words.join());
  assertEquals(await active(), null, "nothing is chosen unasked");
  await keyboard.press("ArrowDown");
  assertEquals(await active(), words[0]);
  await keyboard.press("ArrowUp");
  assertEquals(await active(), words.at(-1));
  await keyboard.press("Enter");
  assertEquals(await viewer.field("code"), `4821-${words.at(-1)}-`);
  assertEquals(await viewer.phase(), "idle", "Enter took the word, and sent nothing");

  await keyboard.type("crys");
  assertEquals(await viewer.suggestions(), ["crystal"]);
  await keyboard.press("Tab");
  assertEquals(await viewer.field("code"), `4821-${words.at(-1)}-crystal-`);

  await keyboard.type("lem");
  assertEquals(await viewer.suggestions(), ["lemon"]);
  await keyboard.press("Escape");
  assertEquals(await viewer.suggestions(), []);
  await keyboard.press("Tab");
  const focused = await viewer.page.evaluate(() =>
    document.activeElement?.getAttribute("data-action")
  );
  assertEquals(focused, "join", "Tab goes on where nothing is suggested");
});

test("on a phone, suggestions are large enough to tap and keep the keyboard", async (stage) => {
  const viewer = await stage.viewer({ screen: "phone" });
  await viewer.typeCode("4821-spa");
  await viewer.waitFor("suggestions", () => document.querySelector("[role=option]") !== null);
  const [first = ""] = await viewer.suggestions();
  const { height, size } = await viewer.page.evaluate(() => ({
    height: document.querySelector("[role=option]")!.getBoundingClientRect().height,
    size: parseFloat(getComputedStyle(document.querySelector("[data-field=code]")!).fontSize),
  }));
  assert(height >= 44, `${height} px high`);
  assert(size >= 16, `${size} px: iPhones zoom into fields below 16`);
  await viewer.page.tap("[role=option]");
  assertEquals(await viewer.field("code"), `4821-${first}-`);
  const focused = await viewer.page.evaluate(() =>
    document.activeElement?.getAttribute("data-field")
  );
  assertEquals(focused, "code");
});

// What the page can't do

test("where the code can't be copied it is selected, and the button says so", async (stage) => {
  const page = await stage.browser.newPage({
    before: `navigator.clipboard.writeText = () => Promise.reject(new Error("not allowed"));`,
  });
  const sender = await Sender.open(page, stage.app.url);
  await sender.offer(await fixture("flat"));
  const code = await sender.shareCode();
  await sender.press("copy-code");
  await sender.waitFor(
    "an answer",
    () =>
      /Select the code/.test(document.querySelector("[data-action=copy-code]")?.textContent ?? ""),
  );
  assertEquals(await sender.page.evaluate(() => getSelection()?.toString()), code);
});

test("without the word list the sender has a link and reads why not a code", async (stage) => {
  const page = await stage.browser.newPage({ allowErrors: [/Failed to load resource/] });
  const sender = await Sender.open(page, stage.app.url);
  await page.page.setRequestInterception(true);
  page.page.on("request", async (request) => {
    const words = request.resourceType() === "script" &&
      /abandon\W+n?ability/.test(await (await fetch(request.url())).text());
    await (words ? request.abort() : request.continue());
  });
  const link = await sender.offer(await fixture("flat"));
  assertMatch(await sender.field("code-unavailable"), /No code this time/);
  assertEquals(await sender.page.$("[data-field=code-withdrawn]"), null);
  const viewer = await Viewer.open(await stage.browser.newPage(), link);
  await viewer.receive();
  await sender.waitPhase("delivered");
});

test("offline while entering a code: each press says so and keeps the focus", async (stage) => {
  const viewer = await stage.viewer({ allowErrors: [/Failed to load resource/] });
  await viewer.page.setOfflineMode(true);
  await viewer.typeCode("4821-crystal-orbit-lemon");
  for (let i = 0; i < 2; i++) {
    await viewer.page.focus("[data-action=join]");
    await viewer.page.keyboard.press("Enter");
    await viewer.waitFor(
      "the field",
      () => document.activeElement?.matches("[data-field=code][aria-invalid=true]") === true,
    );
    assertEquals([await viewer.phase(), await viewer.reason()], ["idle", "unavailable_words"]);
    assertMatch(await viewer.text(), /Are you offline/);
  }
});

// What can be compared

test("both sides see the same seven pictures and digits; each session others", async (stage) => {
  const seen: string[] = [];
  for (let i = 0; i < 2; i++) {
    const { sender, viewer } = await stage.delivered();
    const [one, other] = [await sender.verification(), await viewer.verification()];
    assertEquals(one, other);
    assertEquals(one.by, "link");
    assertEquals(one.pictures.length, 7);
    for (const picture of one.pictures) assertMatch(picture, /\p{Emoji}.*[a-z]{3,}/u);
    assertMatch(one.digits, /^\d{4} \d{4} \d{4}$/);
    seen.push(one.pictures.join(), one.digits);
  }
  assert(seen[0] !== seen[2] && seen[1] !== seen[3], seen.join("; "));
});

test("comparing is optional, and the main button stays on a phone's screen", async (stage) => {
  const pages = {
    sender: await stage.browser.newPage({ screen: "phone" }),
    viewer: await stage.browser.newPage({ screen: "phone" }),
  };
  const { sender, viewer } = await deliver(pages, stage.app.url, await fixture("flat"), {
    seconds: 60,
  });
  for (const [person, action] of [[viewer, "open"], [sender, "burn"]] as const) {
    const bottom = await person.page.evaluate(
      (selector) => document.querySelector(selector)!.getBoundingClientRect().bottom - innerHeight,
      `[data-action=${action}]`,
    );
    assert(bottom <= 0, `"${action}" ends ${bottom} px below the screen`);
    const folded = await person.page.$("details[data-field=verification]:not([open])");
    assert(folded !== null, "it is folded");
  }
  await viewer.look();
});

test("whoever says that the pictures match reads it, on their own page only", async (stage) => {
  const { sender, viewer } = await stage.delivered();
  await viewer.unfoldVerification();
  await viewer.press("same");
  assertEquals((await viewer.verification()).by, "compared");
  assertMatch(await viewer.text(), /Compared by you two/);
  assertEquals((await sender.verification()).by, "link", "the other one has not said so");
  const focused = await viewer.page.evaluate(() => document.activeElement?.tagName);
  assertEquals(focused, "SUMMARY", "the keyboard stays there");
  await viewer.unfoldVerification();
  assertEquals([await viewer.offers("same"), await viewer.offers("different")], [false, true]);
  await viewer.look();
});

test("a mismatch reported by the viewer ends both, and nothing can be opened", async (stage) => {
  const { sender, viewer } = await stage.delivered();
  await viewer.unfoldVerification();
  await viewer.press("different");
  assertEquals(await viewer.waitReason("ended"), REASON.mismatch);
  assertEquals(await viewer.offers("open"), false);
  assertEquals(await viewer.wiped(), true);
  assertEquals(await sender.waitReason("ended"), REASON.mismatch);
  for (const person of [sender, viewer]) await assertTold(person);
});

test("a mismatch reported by the sender takes the picture off the screen", async (stage) => {
  const { sender, viewer } = await stage.delivered();
  await viewer.look();
  await sender.waitPhase("shown");
  await sender.unfoldVerification();
  await sender.press("different");
  assertEquals(await sender.waitReason("ended"), REASON.mismatch);
  await viewer.waitPhase("closed");
  assertEquals(await viewer.wiped(), true);
  assertEquals(await viewer.waitReason("ended"), REASON.mismatch);
  for (const person of [sender, viewer]) await assertTold(person);
});

// What remains

test("no part of the code is in an address, the history, storage or a form", async (stage) => {
  const { sender, code } = await stage.waiting();
  const viewer = await stage.viewer();
  const addresses: string[] = [];
  viewer.page.on("request", (request) => addresses.push(request.url()));
  viewer.page.on("framenavigated", (frame) => addresses.push(frame.url()));
  const entries = await viewer.page.evaluate(() => history.length);
  const words = code.split("-").slice(1);
  const collect = async () => {
    const kept = await viewer.page.evaluate(async () => [
      location.href,
      JSON.stringify(history.state),
      JSON.stringify({ ...localStorage }),
      JSON.stringify({ ...sessionStorage }),
      document.cookie,
      document.title,
      JSON.stringify(await indexedDB.databases()),
      String((await caches.keys()).length),
    ]);
    return [...addresses, ...kept].join("\n");
  };
  // "join" and "style" are words of the list as well.
  const before = await collect();
  const secrets = [code, ...words].filter((secret) => !before.includes(secret));
  const holds = async () => {
    const all = await collect();
    return secrets.filter((secret) => all.includes(secret));
  };
  await viewer.typeCode(wrong(code));
  await viewer.page.keyboard.press("Enter");
  assertEquals(await viewer.waitReason("failed"), REASON.wrongCode);
  assertEquals(await holds(), []);

  await viewer.reload();
  const field = await viewer.page.waitForSelector("[data-field=code]");
  const kept = await field!.evaluate((input) => {
    const { value, name, autocomplete } = input as HTMLInputElement;
    return { value, name, autocomplete };
  });
  assertEquals(kept, { value: "", name: "", autocomplete: "off" });

  await viewer.typeCode(code);
  await viewer.receive();
  await sender.waitPhase("delivered");
  assertEquals(await holds(), []);
  assertEquals(await viewer.page.evaluate(() => history.length), entries);
  assertEquals((await viewer.page.content()).includes(words.join("-")), false);
});
