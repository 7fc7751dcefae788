/**
 * Everything that a person can see, reached as a person reaches it: for screenshots, and for checks
 * that apply in every state.
 *
 * @module
 */
import type { TestApp } from "../support/app.ts";
import type { TestBrowser, TestPage } from "../support/browser.ts";
import { type Fixture, fixture } from "../support/fixtures.ts";
import { blockScripts, DEAF, finishAnimations, Sender, Viewer } from "../support/flow.ts";

/** Everything that a walk needs. */
export interface Walk {
  readonly app: TestApp;
  readonly browser: TestBrowser;
  readonly lake: Fixture;
  /** Called in each state, with the page that is in it. */
  readonly take: (person: Sender | Viewer | TestPage, name: string) => Promise<void>;
}

/** An in-app browser. */
const INSTAGRAM = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) " +
  "AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/21E236 Instagram 325.0.3.34.90";

/** No picture is ever prepared. */
const HELD_BACK = `{
  const { postMessage } = Worker.prototype;
  Worker.prototype.postMessage = function (message, ...rest) {
    if (message?.kind !== "prepare") postMessage.call(this, message, ...rest);
  };
}`;

/** A phone in a pocket: it has its seat, and answers nothing. */
const ASLEEP = `{
  const { send } = WebSocket.prototype;
  WebSocket.prototype.send = function (text) {
    if (!text.startsWith('{"t":"relay"')) send.call(this, text);
  };
}`;

/** Long timeouts pass in a moment. */
const HASTE = `{
  const wait = globalThis.setTimeout;
  globalThis.setTimeout = (body, ms, ...rest) => wait(body, ms === 20_000 ? 100 : ms, ...rest);
}`;

/** A server that is busy for three quarters of a minute. */
const BUSY = `{
  globalThis.WebSocket = class extends EventTarget {
    static OPEN = 1;
    readyState = 3;
    constructor() {
      super();
      setTimeout(() => this.onclose?.({ code: 1006 }));
    }
    close() {}
  };
  const real = globalThis.fetch;
  globalThis.fetch = (...args) =>
    String(args[0]).includes("/ws/")
      ? Promise.resolve(new Response("", { status: 429, headers: { "retry-after": "45" } }))
      : real(...args);
}`;

/** A network that lets nothing through. */
const NO_WAY = `{
  const { createAnswer } = RTCPeerConnection.prototype;
  RTCPeerConnection.prototype.createAnswer = function () {
    setTimeout(() => {
      Object.defineProperty(this, "connectionState", { get: () => "failed" });
      this.onconnectionstatechange?.();
    });
    return createAnswer.call(this);
  };
}`;

/** The walks, each with the states that it passes through. */
export const WALKS: readonly {
  readonly states: readonly string[];
  run(walk: Walk): Promise<void>;
}[] = [
  {
    states: ["send-idle", "send-options", "send-problem", "send-damaged"],
    async run({ app, browser, take }) {
      const sender = await Sender.open(await browser.newPage(), app.url);
      await take(sender, "send-idle");
      await sender.page.click("details.more summary");
      await take(sender, "send-options");
      await sender.page.click("details.more summary");
      await sender.chooseFile(await fixture("stub"));
      await sender.waitPhase("failed");
      await take(sender, "send-problem");
      await sender.chooseFile(await fixture("truncated"));
      await sender.field("repainted");
      await take(sender, "send-damaged");
    },
  },
  {
    states: [
      "send-waiting",
      "view-idle",
      "view-delivered",
      "send-delivered",
      "send-verification",
      "view-verification",
      "view-viewing",
      "send-shown",
      "view-ended",
      "send-ended",
    ],
    async run({ app, browser, lake, take }) {
      const sender = await Sender.open(await browser.newPage(), app.url);
      const link = await sender.offer(lake, { seconds: 0 });
      await sender.field("share-code");
      await take(sender, "send-waiting");
      const viewer = await Viewer.open(await browser.newPage(), link);
      await take(viewer, "view-idle");
      await viewer.receive();
      await take(viewer, "view-delivered");
      await sender.waitPhase("delivered");
      await take(sender, "send-delivered");
      await sender.unfoldVerification();
      await take(sender, "send-verification");
      await viewer.unfoldVerification();
      await take(viewer, "view-verification");
      await viewer.page.bringToFront();
      await viewer.look();
      await take(viewer, "view-viewing");
      await sender.waitPhase("shown");
      await take(sender, "send-shown");
      await viewer.page.bringToFront();
      await viewer.closePicture();
      await viewer.waitPhase("ended");
      await take(viewer, "view-ended");
      await sender.waitPhase("ended");
      await take(sender, "send-ended");
    },
  },
  {
    states: ["send-album", "view-closed-kept", "send-closed-kept", "send-burned", "view-burned"],
    async run({ app, browser, lake, take }) {
      const sender = await Sender.open(await browser.newPage(), app.url);
      await sender.keepOpen();
      const link = await sender.offer(lake, { seconds: 0 });
      await sender.chooseFile(await fixture("transparent"));
      await sender.chooseFile(await fixture("small"));
      await sender.waitFor(
        "three pictures",
        () => document.querySelectorAll(".picture").length === 3,
      );
      await take(sender, "send-album");
      const viewer = await Viewer.open(await browser.newPage(), link);
      await viewer.receive();
      await viewer.page.bringToFront();
      await viewer.look();
      await viewer.closePicture();
      await viewer.waitPhase("closed");
      await take(viewer, "view-closed-kept");
      await take(sender, "send-closed-kept");
      await sender.burn();
      await sender.waitPhase("ended");
      await take(sender, "send-burned");
      await viewer.waitPhase("ended");
      await take(viewer, "view-burned");
    },
  },
  {
    states: ["send-tall", "send-shapes", "send-editor-tall", "view-tall"],
    async run({ app, browser, take }) {
      const sender = await Sender.open(await browser.newPage(), app.url);
      await sender.keepOpen();
      const link = await sender.offer(await fixture("tall"), { seconds: 0 });
      await sender.field("share-code");
      await take(sender, "send-tall");
      for (const shape of ["wide", "square", "strip", "band", "icon"] as const) {
        await sender.chooseFile(await fixture(shape));
      }
      await sender.waitFor("all of them", () => document.querySelectorAll(".picture").length === 6);
      await take(sender, "send-shapes");
      await sender.press("edit");
      await sender.waitFor("the editor", () => document.querySelector("dialog.editor") !== null);
      await take(sender, "send-editor-tall");
      await sender.press("edit-cancel");
      const viewer = await Viewer.open(await browser.newPage(), link);
      await viewer.receive();
      await viewer.page.bringToFront();
      await viewer.look();
      await take(viewer, "view-tall");
    },
  },
  {
    states: [
      "send-preparing",
      "send-several-problems",
      "send-remove-question",
      "send-removed",
      "send-leave-question",
      "send-link-gone",
    ],
    async run({ app, browser, lake, take }) {
      const slow = await Sender.open(await browser.newPage({ before: HELD_BACK }), app.url);
      await slow.offer(lake);
      await slow.field("share-code");
      await take(slow, "send-preparing");
      const sender = await Sender.open(await browser.newPage(), app.url);
      await sender.offer(lake);
      await sender.field("share-code");
      const wrong = await Promise.all(
        (["svg", "text", "stub", "empty"] as const).map(fixture),
      );
      await sender.chooseFiles(wrong);
      await sender.waitFor("them all", () => document.querySelectorAll(".notice").length === 4);
      await take(sender, "send-several-problems");
      await sender.press("remove");
      await sender.field("question");
      await take(sender, "send-remove-question");
      await sender.press("yes");
      await sender.field("removed-picture");
      await take(sender, "send-removed");
      await sender.press("undo-remove");
      await sender.waitFor("the picture", () => document.querySelectorAll(".picture").length === 1);
      await sender.page.click("a.brand");
      await sender.field("question");
      await take(sender, "send-leave-question");
      const broken = await Sender.open(await browser.newPage(), app.url);
      await broken.chooseFile(await fixture("stub"));
      await broken.field("link-gone");
      await take(broken, "send-link-gone");
    },
  },
  {
    states: ["view-code", "view-code-problem", "view-connecting"],
    async run({ app, browser, lake, take }) {
      const viewer = await Viewer.openByCode(await browser.newPage(), app.url);
      await viewer.typeCode("4821-crystal-orb");
      await take(viewer, "view-code");
      await viewer.typeCode("4821-crystal-orbit");
      await viewer.join();
      await viewer.waitFor(
        "a problem",
        () => document.querySelector("main")?.dataset["reason"] === "incomplete_code",
      );
      await take(viewer, "view-code-problem");
      const sender = await Sender.open(await browser.newPage(), app.url);
      const link = await sender.offer(lake);
      const waiting = await Viewer.open(await browser.newPage(), link);
      // A sender whose page is gone and may come back.
      await sender.page.setOfflineMode(true);
      await sender.vanish();
      await waiting.join();
      await waiting.waitPhase(["connecting", "failed"]);
      await take(waiting, "view-connecting");
    },
  },
  {
    states: [
      "send-settings",
      "send-editor",
      "view-asking",
      "send-asked",
      "view-hold",
      "view-held",
      "send-wanted",
    ],
    async run({ app, browser, lake, take }) {
      const sender = await Sender.open(await browser.newPage(), app.url);
      for (const name of ["hold", "ask"]) {
        await sender.page.evaluate((name) => {
          document.querySelector<HTMLInputElement>(`input[name=${name}]`)?.click();
        }, name);
      }
      const link = await sender.offer(lake, { seconds: 60 });
      await sender.press("settings");
      await sender.waitFor("a sheet", () => document.querySelector("dialog.sheet") !== null);
      await sender.page.type("[name=caption]", "The lake, on our last evening");
      await take(sender, "send-settings");
      await sender.press("settings-done");
      await sender.press("edit");
      await sender.waitFor("the editor", () => document.querySelector("dialog.editor") !== null);
      for (const tool of ["pixels", "black"]) {
        await sender.page.focus(`[data-action=${tool}]`);
        await sender.page.keyboard.press("Enter");
      }
      await sender.page.focus("li:last-child [data-action=area]");
      for (let i = 0; i < 12; i++) await sender.page.keyboard.press("ArrowDown");
      await take(sender, "send-editor");
      await sender.press("edit-cancel");
      const viewer = await Viewer.open(await browser.newPage(), link);
      await viewer.receive();
      await viewer.openPicture();
      await viewer.field("asking");
      await take(viewer, "view-asking");
      await sender.field("asked");
      await take(sender, "send-asked");
      await sender.press("allow");
      await viewer.page.bringToFront();
      await viewer.waitFor("a canvas", () => (document.querySelector("canvas")?.width ?? 0) > 1);
      await take(viewer, "view-hold");
      await viewer.page.keyboard.down(" ");
      await viewer.waitPhase("viewing");
      await take(viewer, "view-held");
      await viewer.page.keyboard.up(" ");
      await viewer.press("more");
      await sender.field("wanted");
      await take(sender, "send-wanted");
    },
  },
  {
    states: ["view-bad-link", "view-refused", "view-old-browser", "send-insecure"],
    async run({ app, browser, take }) {
      const bad = await Viewer.open(await browser.newPage(), `${app.url}/join#1.abc`);
      await take(bad, "view-bad-link");
      const link = `${app.url}/join#1.${"A".repeat(43)}`;
      const refused = await Viewer.open(await browser.newPage(), link);
      await refused.join();
      await refused.waitPhase("failed");
      await take(refused, "view-refused");
      const before = "delete globalThis.RTCPeerConnection";
      await take(await Viewer.open(await browser.newPage({ before }), link), "view-old-browser");
      const plain = "Object.defineProperty(crypto, 'subtle', { value: undefined })";
      const insecure = await Sender.open(await browser.newPage({ before: plain }), app.url);
      await take(insecure, "send-insecure");
    },
  },
  {
    states: ["view-in-app", "view-nobody", "view-busy", "view-no-way", "send-editor-rtl"],
    async run({ app, browser, lake, take }) {
      const inside = await browser.newPage();
      await inside.page.setUserAgent({ userAgent: INSTAGRAM });
      const link = `${app.url}/join#1.${"A".repeat(43)}`;
      await take(await Viewer.open(inside, link), "view-in-app");

      const sender = await Sender.open(await browser.newPage({ before: ASLEEP }), app.url);
      const real = await sender.offer(lake);
      const alone = await Viewer.open(await browser.newPage({ before: HASTE }), real);
      await alone.join();
      await alone.waitFor(
        "patience",
        () => (document.querySelector("[data-field=nobody]")?.textContent ?? "") !== "",
      );
      await take(alone, "view-nobody");

      const busy = await browser.newPage({ before: BUSY, allowErrors: [/WebSocket/] });
      const refused = await Viewer.open(busy, link);
      await refused.join();
      await refused.waitPhase("failed");
      await take(refused, "view-busy");

      const other = await Sender.open(await browser.newPage(), app.url);
      const blocked = await browser.newPage({ before: NO_WAY });
      const viewer = await Viewer.open(blocked, await other.offer(lake));
      await viewer.join();
      await viewer.waitPhase("failed");
      await take(viewer, "view-no-way");

      const arabic = await browser.newPage();
      await arabic.page.setExtraHTTPHeaders({ "accept-language": "ar" });
      const editing = await Sender.open(arabic, app.url);
      await editing.offer(lake);
      await editing.press("edit");
      await editing.waitFor("the editor", () => document.querySelector("dialog.editor") !== null);
      await editing.page.focus("[data-action=black]");
      await editing.page.keyboard.press("Enter");
      await take(editing, "send-editor-rtl");
    },
  },
  {
    states: ["send-returning", "view-returning", "send-lapsed", "view-lapsed"],
    async run({ app, browser, lake, take }) {
      const allowErrors = [/WebSocket|ERR_CONNECTION/];
      const sender = await Sender.open(await browser.newPage({ allowErrors }), app.url);
      const link = await sender.offer(lake);
      const viewer = await Viewer.open(await browser.newPage({ allowErrors }), link);
      await viewer.receive();
      const deaf: (() => Promise<void>)[] = [];
      for (const [person, name] of [[sender, "send"], [viewer, "view"]] as const) {
        const { identifier } = await person.page.evaluateOnNewDocument(DEAF);
        deaf.push(() => person.page.removeScriptToEvaluateOnNewDocument(identifier));
        await person.page.reload();
        await person.waitFor(
          "a page that goes on",
          () => document.querySelector("h1")?.innerText.startsWith("Reconnecting") === true,
        );
        await take(person, `${name}-returning`);
      }
      // Nothing is left of the room.
      await app.restart();
      for (const hear of deaf) await hear();
      for (const [person, name] of [[sender, "send"], [viewer, "view"]] as const) {
        await person.page.reload();
        await person.waitFor(
          "a page that came too late",
          () => document.querySelector("main")?.innerText.includes("This session is over") === true,
        );
        await take(person, `${name}-lapsed`);
      }
    },
  },
  {
    states: ["view-closed-unseen", "send-closed-unseen"],
    async run({ app, browser, lake, take }) {
      const sender = await Sender.open(await browser.newPage(), app.url);
      // Nothing is ever decoded in this browser.
      const before = "Worker.prototype.postMessage = () => {};";
      const viewer = await Viewer.open(await browser.newPage({ before }), await sender.offer(lake));
      await viewer.receive();
      await viewer.openPicture();
      await sender.waitPhase("opened");
      await viewer.page.evaluate(() => dispatchEvent(new PageTransitionEvent("pagehide")));
      for (const [person, name] of [[viewer, "view"], [sender, "send"]] as const) {
        await person.waitPhase("ended");
        await take(person, `${name}-closed-unseen`);
      }
    },
  },
  {
    states: ["send-late", "view-late"],
    async run({ app, browser, take }) {
      for (const [path, name] of [["/", "send"], ["/join#1.A", "view"]] as const) {
        const person = await browser.newPage({ allowErrors: [/ERR_FAILED/] });
        await blockScripts(person.page);
        await person.page.goto(`${app.url}${path}`);
        // The ten seconds are over.
        await finishAnimations(person.page);
        await take(person, `${name}-late`);
      }
    },
  },
  {
    states: ["code-changed", "build", "offline", "share-missed"],
    async run({ app, browser, take }) {
      const page = await browser.newPage();
      await page.page.goto(`${app.url}/security`);
      await page.page.evaluate(() => localStorage.setItem("build", "0123456789abcdef".repeat(4)));
      const viewer = await Viewer.openByCode(page, app.url);
      await viewer.waitFor(
        "the notice",
        () => document.querySelector("[data-field=code-changed]:not([hidden])") !== null,
      );
      await take(viewer, "code-changed");
      for (
        const [name, path] of [["build", "/build"], ["offline", "/offline"], [
          "share-missed",
          "/share",
        ]] as const
      ) {
        await page.page.goto(app.url + path);
        await take(page, name);
      }
    },
  },
  {
    states: ["security", "not-found"],
    async run({ app, browser, take }) {
      for (const [name, path] of [["security", "/security"], ["not-found", "/nothing"]] as const) {
        const page = await browser.newPage({ allowErrors: [/404/] });
        await page.page.goto(app.url + path);
        await take(page, name);
      }
    },
  },
];
