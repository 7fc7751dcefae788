/**
 * One person's page, and everything observed on it. The page itself reports phases and displayed
 * pictures as they happen, so that none is missed between two polls, and the records survive a
 * reload.
 *
 * @module
 */
import { TEXTS } from "../../lib/i18n/catalogue.ts";
import type { TestPage } from "../support/browser.ts";
import type { Page } from "../support/puppeteer.ts";
import type { UdpProxy } from "../support/udp_proxy.ts";
import type { Line } from "./line.ts";
import type { Who } from "./plan.ts";

const en = TEXTS.en.island;

type Devtools = Awaited<ReturnType<Page["createCDPSession"]>>;

/** Name of the function with which the page reports events. */
const TELL = "chaosTell";

/**
 * Runs in every document before its own scripts. Drawing a bitmap onto the viewer's canvas counts
 * as displaying it. A wiped bitmap can't be drawn any more, so displaying a picture a second time
 * means a second bitmap.
 */
const WATCH = `{
  const tell = (what) => globalThis.${TELL}?.(JSON.stringify(what));
  if (location.protocol === "http:") {
    tell({ t: "loaded" });
    let last = null;
    const note = () => {
      const main = document.querySelector("main[data-phase]");
      if (main === null) return;
      const { phase, reason = null } = main.dataset;
      if (last === phase) return;
      last = phase;
      tell({ t: "phase", phase, reason });
    };
    new MutationObserver(note).observe(document, {
      subtree: true, childList: true, attributes: true, attributeFilter: ["data-phase"],
    });
    // Prevents scaling to the screen's size, so that a displayed picture has the size of its file.
    for (const side of ["width", "height"]) {
      Object.defineProperty(Screen.prototype, side, { get: () => 4096 });
    }
    const drawn = new WeakSet();
    const { drawImage } = CanvasRenderingContext2D.prototype;
    CanvasRenderingContext2D.prototype.drawImage = function (image, ...rest) {
      const shows = image instanceof ImageBitmap && this.canvas.closest?.("[data-viewer]");
      if (shows && !drawn.has(image)) {
        drawn.add(image);
        tell({ t: "drawn", picture: image.width + "×" + image.height });
      }
      return drawImage.call(this, image, ...rest);
    };
  }
}`;

const LOADING = { waitUntil: "domcontentloaded", timeout: 20_000 } as const;

/** What a person reads about a picture. */
export type Verdict = "seen" | "unseen" | "unconfirmed" | "forgotten";

/** Objects that a page may leave behind, counted after a garbage collection. */
export interface Remains {
  /** Bytes. */
  readonly heap: number;
  readonly nodes: number;
  /** Connections of WebRTC that are not closed, and all that are still reachable. */
  readonly openPeers: number;
  readonly peers: number;
  readonly openSockets: number;
  readonly sockets: number;
  /** Bitmaps that hold pixels. */
  readonly bitmaps: number;
}

/** A person's page. */
export class Tab {
  readonly who: Who;
  readonly testPage: TestPage;
  readonly line: Line;
  /** Number of documents so far. */
  loads = 0;
  phase: string | null = null;
  reason: string | null = null;
  /** How often each picture was displayed. */
  readonly drawn = new Map<string, number>();
  /** Pictures that the page reported as on screen. */
  readonly shown = new Set<string>();
  /** Number of the document in which the last one was. */
  shownIn = 0;
  frozen = false;
  /** Closed by the person. */
  gone = false;
  /** Called with all events, for the log. */
  onNews: (news: string) => void = () => {};
  #last = "";
  readonly #devtools: Devtools;

  private constructor(who: Who, testPage: TestPage, devtools: Devtools, line: Line) {
    this.who = who;
    this.testPage = testPage;
    this.line = line;
    this.#devtools = devtools;
  }

  /** Opens a blank page for a person. */
  static async open(who: Who, testPage: TestPage, line: Line, udp: UdpProxy): Promise<Tab> {
    await udp.attach(testPage);
    const devtools = await testPage.page.createCDPSession();
    const tab = new Tab(who, testPage, devtools, line);
    devtools.on("Runtime.bindingCalled", ({ name, payload }) => {
      if (name === TELL) tab.#hear(payload);
    });
    for (const domain of ["Runtime.enable", "Network.enable", "Performance.enable"] as const) {
      await devtools.send(domain);
    }
    await devtools.send("Runtime.addBinding", { name: TELL });
    await testPage.page.evaluateOnNewDocument(WATCH);
    return tab;
  }

  get page(): Page {
    return this.testPage.page;
  }

  /** Starts another session: clears what was observed in the previous one. */
  forget(): void {
    this.drawn.clear();
    this.shown.clear();
    this.#last = "";
  }

  /**
   * Navigates to an address. Retries while the server does not respond, as people do, until `until`
   * (performance.now()).
   */
  async visit(url: string, until: number): Promise<void> {
    await this.#load(until, () => this.page.goto(url, LOADING));
  }

  /** Reloads the page, and retries while the server does not respond. */
  async reload(until: number): Promise<void> {
    await this.#load(until, () => this.page.reload(LOADING));
  }

  async #load(until: number, go: () => Promise<unknown>): Promise<void> {
    const { loads } = this;
    while (performance.now() < until && !this.gone) {
      try {
        await go();
      } catch {
        // The server does not respond.
      }
      // A browser's own error page does not report `loaded`.
      if (this.loads > loads) return;
      await pause(500);
    }
  }

  /** Opens a link in the current document, as if it were pasted into the address bar. */
  async follow(fragment: string): Promise<void> {
    await this.page.evaluate((hash) => {
      location.hash = hash;
    }, fragment);
  }

  /** Clicks a button, if it exists and is enabled. Returns whether it did. */
  async press(action: string): Promise<boolean> {
    return await this.#ask((selector) => {
      const button = document.querySelector<HTMLElement>(selector);
      button?.click();
      return button !== null;
    }, `[data-action="${action}"]:not(:disabled)`);
  }

  /** Whether an element exists. */
  async has(selector: string): Promise<boolean> {
    return await this.#ask((wanted) => document.querySelector(wanted) !== null, selector);
  }

  /** The value of a field; empty if it does not exist. */
  async value(name: string): Promise<string> {
    try {
      return await this.page.evaluate((selector) => {
        const field = document.querySelector(selector);
        return field instanceof HTMLInputElement ? field.value : "";
      }, `[data-field="${name}"]`);
    } catch {
      return "";
    }
  }

  /**
   * Chooses a picture and for how long it is visible. Returns false if the page is not ready for
   * it.
   */
  async choose(path: string, seconds: number): Promise<boolean> {
    try {
      const input = await this.page.$("input[type=file]:not(:disabled)");
      if (input === null) return false;
      await this.page.evaluate((value) => {
        document.querySelector<HTMLInputElement>(`input[name=seconds][value="${value}"]`)?.click();
      }, String(seconds));
      await (await input.toElement("input")).uploadFile(path);
      return true;
    } catch {
      return false;
    }
  }

  /** Freezes the page, or resumes it. */
  async freeze(on: boolean): Promise<void> {
    this.frozen = on;
    await this.#devtools.send("Page.setWebLifecycleState", { state: on ? "frozen" : "active" });
    if (on) return;
    // Freezing hid the page. It would stay hidden, without rendering frames, unless its window is
    // shown again.
    const { windowId } = await this.#devtools.send("Browser.getWindowForTarget");
    for (const windowState of ["minimized", "normal"] as const) {
      await this.#devtools.send("Browser.setWindowBounds", { windowId, bounds: { windowState } });
    }
  }

  /** Disconnects the page from the network and notifies it, or reconnects it. */
  async offline(on: boolean): Promise<void> {
    this.line.block(on);
    await this.#devtools.send("Network.emulateNetworkConditions", {
      offline: on,
      latency: 0,
      downloadThroughput: -1,
      uploadThroughput: -1,
    });
  }

  /** Closes the page as a tab is closed, without leaving first. */
  async vanish(): Promise<void> {
    this.gone = true;
    this.phase = null;
    await this.page.close();
  }

  /** What the page says became of its last picture, and all of its text. */
  async read(): Promise<{ verdict: Verdict; text: string }> {
    if (this.gone) return { verdict: "forgotten", text: "(closed)" };
    const { text, entries } = await this.page.evaluate(() => ({
      text: document.querySelector("main")?.innerText.replace(/\s+/g, " ").trim() ?? "",
      // The timeline does not contain what a document before a reload displayed.
      entries: ["h1", "[data-field=seen]", "[data-field=timeline] li span"].flatMap((selector) =>
        [...document.querySelectorAll(selector)].map((entry) =>
          // If there are several pictures, each entry begins with a number.
          (entry.textContent ?? "").replace(/^\d+\. /, "")
        )
      ),
    }));
    const verdict = this.who === "sender" ? senderVerdict(entries, text) : viewerVerdict(text);
    return { verdict, text: [text, ...entries].join(" | ") };
  }

  /** What is left in the page after a garbage collection. */
  async remains(): Promise<Remains> {
    const [peers, openPeers] = await this.#count(
      "RTCPeerConnection",
      `this.filter((pc) => pc.signalingState !== "closed").length`,
    );
    const [sockets, openSockets] = await this.#count(
      "WebSocket",
      "this.filter((socket) => socket.readyState < 2).length",
    );
    const [, bitmaps] = await this.#count(
      "ImageBitmap",
      "this.filter((bitmap) => bitmap.width > 0).length",
    );
    await this.#devtools.send("HeapProfiler.collectGarbage");
    const { metrics } = await this.#devtools.send("Performance.getMetrics");
    const metric = (name: string) => metrics.find((one) => one.name === name)?.value ?? 0;
    return {
      heap: metric("JSHeapUsedSize"),
      nodes: metric("Nodes"),
      peers,
      openPeers,
      sockets,
      openSockets,
      bitmaps,
    };
  }

  /** Counts the reachable objects of a class, and evaluates `filtered` for their list. */
  async #count(name: string, filtered: string): Promise<[all: number, filtered: number]> {
    const objectGroup = "chaos";
    const { result } = await this.#devtools.send("Runtime.evaluate", {
      expression: `${name}.prototype`,
      objectGroup,
    });
    const { objects } = await this.#devtools.send("Runtime.queryObjects", {
      prototypeObjectId: result.objectId ?? "",
      objectGroup,
    });
    const { result: counts } = await this.#devtools.send("Runtime.callFunctionOn", {
      objectId: objects.objectId ?? "",
      functionDeclaration: `function () { return [this.length, ${filtered}].join(" "); }`,
    });
    await this.#devtools.send("Runtime.releaseObjectGroup", { objectGroup });
    const [all, some] = String(counts.value).split(" ").map(Number);
    return [all ?? 0, some ?? 0];
  }

  async #ask(question: (selector: string) => boolean, selector: string): Promise<boolean> {
    try {
      return await this.page.evaluate(question, selector);
    } catch {
      // The page is loading.
      return false;
    }
  }

  #hear(payload: string): void {
    const { t, phase, reason, picture } = JSON.parse(payload);
    if (t === "loaded") {
      this.loads++;
      this.phase = this.reason = null;
      this.onNews("loaded");
    } else if (t === "phase") {
      this.phase = String(phase);
      this.reason = reason === null ? null : String(reason);
      if (this.phase === "viewing") {
        this.shown.add(this.#last);
        this.shownIn = this.loads;
      }
      this.onNews(this.reason === null ? this.phase : `${this.phase} (${this.reason})`);
    } else if (t === "drawn") {
      this.#last = String(picture);
      this.drawn.set(this.#last, (this.drawn.get(this.#last) ?? 0) + 1);
      this.onNews(`drawn ${this.#last}`);
    }
  }
}

/** The text before its first placeholder. */
function stem(text: string): string {
  return text.split("{")[0] ?? text;
}

const { ended, failed, failedCode, failedSender, outcome, view, why } = en;

/** All texts that say that nothing was seen, on either page. */
const UNSEEN: readonly string[] = [
  why.nothingSeen,
  why.unopened,
  why.stayed,
  view.closedUnseen,
  view.revoked,
  view.forgotten,
  view.refused,
  view.undecodable,
  view.notUnlocked,
  failed.room_deleted.happened,
  failed.verification.happened,
  failedCode.room_deleted.happened,
  failedCode.verification.happened,
  failedSender.room_deleted.happened,
  failedSender.room_expired.happened,
];

function senderVerdict(entries: readonly string[], text: string): Verdict {
  for (const entry of entries.toReversed()) {
    if (entry.startsWith(stem(outcome.closed))) return "seen";
    if (entry === outcome.unconfirmed) return "unconfirmed";
    const unseen = entry.startsWith(stem(outcome.closedUnseen)) ||
      [outcome.burned, outcome.refusedOpened, outcome.unreadable, outcome.unseen].includes(entry) ||
      Object.values<string>(outcome.refused).includes(entry);
    if (unseen) return "unseen";
  }
  if (text.includes(ended.unconfirmed)) return "unconfirmed";
  return UNSEEN.some((claim) => text.includes(claim)) ? "unseen" : "forgotten";
}

function viewerVerdict(text: string): Verdict {
  const seen = text.includes(stem(view.closed)) || text.includes(stem(view.revokedWhile));
  if (seen) return "seen";
  return UNSEEN.some((claim) => text.includes(claim)) ? "unseen" : "forgotten";
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
