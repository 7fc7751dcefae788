/**
 * The two people of every browser test, driven only through the automation contract:
 * `main[data-phase]`, `data-reason`, `[data-field=…]`, `[data-action=…]`, `input[type=file]`,
 * `[name=seconds]`. Texts and classes may change, the contract may not.
 *
 * @module
 */
import type { SenderPhase, ViewerPhase } from "../../lib/pages/phases.ts";
import type { TestBrowser, TestPage } from "./browser.ts";
import type { DrivenPage } from "./driven.ts";
import type { Fixture } from "./fixtures.ts";
import type { Corners, Rgb } from "./image_bytes.ts";

/**
 * Default timeout of one step, in ms. It is generous, because it only matters when something is
 * broken.
 */
const STEP_MS = 20_000;
/** Pause between two checks of a page, in ms. */
const POLL_MS = 25;

/** Settings of one wait. */
export interface WaitOptions {
  /** Milliseconds. */
  readonly timeout?: number;
}

/**
 * Records each phase of a page, in every document before its own scripts, because `connecting` and
 * `sending` may be over before a test checks.
 */
const RECORD_PHASES = `if (!("__phases" in globalThis)) {
  const seen = [];
  Object.defineProperty(globalThis, "__phases", { value: seen });
  const note = () => {
    const main = document.querySelector("main[data-phase]");
    const phase = main?.dataset.phase;
    if (phase === undefined || seen.at(-1)?.phase === phase) return;
    seen.push({ phase, reason: main.dataset.reason ?? null });
  };
  new MutationObserver(note).observe(document, {
    subtree: true, childList: true, attributes: true, attributeFilter: ["data-phase"],
  });
}`;

/** A phase that a page was in. */
interface Seen {
  readonly phase: string;
  readonly reason: string | null;
}

/** For new documents: a server that neither accepts nor refuses a connection. */
export const DEAF = `globalThis.WebSocket = class extends EventTarget {
  static OPEN = 1;
  readyState = 0;
  close() {}
}`;

/** Clears what an earlier page left in the tab; some documents have no storage. */
const FORGET_SESSION = "try { sessionStorage.clear(); } catch {}";

/** What both sides can do. */
abstract class Person<Phase extends string, Page extends DrivenPage> {
  readonly testPage: Page;
  abstract readonly role: string;
  /** Number of recorded phases that earlier waits have consumed. */
  #used = 0;

  protected constructor(testPage: Page) {
    this.testPage = testPage;
  }

  /** The page of the browser's library, for what these drivers do not cover. */
  get page(): Page["page"] {
    return this.testPage.page;
  }

  /** Navigates to a page of the app and waits until its island is hydrated. */
  protected async visit(url: string): Promise<void> {
    await this.testPage.addScript(RECORD_PHASES);
    await this.#anew(() => this.testPage.goto(url));
  }

  /** Reloads the page, as a person would: it continues its session. */
  async reload(): Promise<void> {
    await this.testPage.reload();
    await this.#settle();
  }

  /** Loads the page as a new tab would, without a session. */
  async startOver(): Promise<void> {
    await this.#anew(() => this.testPage.reload());
  }

  async #anew(load: () => Promise<unknown>): Promise<void> {
    const remember = await this.testPage.addScript(FORGET_SESSION);
    await load();
    await remember();
    await this.#settle();
  }

  /** The current phase. */
  phase(): Promise<string | null> {
    return this.#attribute("data-phase");
  }

  /** Why the page ended or failed; `null` if it did not. */
  reason(): Promise<string | null> {
    return this.#attribute("data-reason");
  }

  /** Every phase so far, in order, without repetitions. */
  async phases(): Promise<string[]> {
    return (await this.#seen()).map(({ phase }) => phase);
  }

  /**
   * Waits until the page reaches one of `phases`, starting after the phase that the last wait
   * found, so that a short phase is not missed: `await x.waitPhase("delivered"); await
   * x.waitPhase("shown")`. Returns the phase it found.
   *
   * @throws {Error} after the timeout, and immediately if the page ends or fails instead
   */
  async waitPhase(phases: Phase | readonly Phase[], options: WaitOptions = {}): Promise<Phase> {
    const wanted: readonly Phase[] = typeof phases === "string" ? [phases] : phases;
    const what = `phase ${wanted.join(" or ")}`;
    return await this.#poll(what, async () => {
      const seen = await this.#seen();
      for (const [i, { phase }] of seen.entries()) {
        if (i < this.#used) continue;
        const match = wanted.find((name) => name === phase);
        if (match !== undefined) {
          this.#used = i + 1;
          return match;
        }
        const dead = phase === "failed" || phase === "ended";
        if (dead && i === seen.length - 1) throw new Error(`got phase ${phase}`);
      }
      return undefined;
    }, options);
  }

  /** Waits until the page ended or failed, and returns its `data-reason`. */
  async waitReason(
    phase: Phase & ("ended" | "failed"),
    options: WaitOptions = {},
  ): Promise<string> {
    await this.waitPhase(phase, options);
    return await this.#poll(
      "data-reason",
      async () => await this.reason() || undefined,
      options,
    );
  }

  /** Waits until `[data-field=name]` has a text or value, and returns it. */
  field(name: string, options: WaitOptions = {}): Promise<string> {
    return this.#poll(`field ${name}`, async () => {
      const text = await this.testPage.evaluate((selector) => {
        const element = document.querySelector(selector);
        if (element === null) return "";
        if (element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement) {
          return element.value;
        }
        return element.textContent ?? "";
      }, `[data-field="${name}"]`);
      return text.trim() || undefined;
    }, options);
  }

  /** Waits until `[data-field=name]` matches, and returns its text. */
  fieldMatching(name: string, pattern: RegExp, options: WaitOptions = {}): Promise<string> {
    return this.#poll(`field ${name} matching ${pattern}`, async () => {
      const text = await this.field(name, options);
      return pattern.test(text) ? text : undefined;
    }, options);
  }

  /** Clicks `[data-action=name]` with the mouse, once it can be clicked. */
  async press(name: string, options: WaitOptions = {}): Promise<void> {
    await this.click(`[data-action="${name}"]:not(:disabled)`, options);
  }

  /** Clicks an element with the mouse, once it can be clicked. */
  protected async click(selector: string, options: WaitOptions = {}): Promise<void> {
    const click = async () => await this.testPage.click(selector) || undefined;
    await this.#poll(`a click on ${selector}`, click, options);
  }

  /** Whether `[data-action=name]` exists and can be clicked. */
  offers(name: string): Promise<boolean> {
    return this.testPage.sees(`[data-action="${name}"]:not(:disabled)`);
  }

  /** What the two people can compare, and how the page says that it is verified. */
  async verification(options: WaitOptions = {}): Promise<Verified> {
    await this.find("[data-field=verification]", options);
    return await this.testPage.evaluate(() => {
      const panel = document.querySelector<HTMLElement>("[data-field=verification]");
      const items = panel?.querySelectorAll("[data-field=sas] li") ?? [];
      return {
        by: panel?.dataset.verified ?? "",
        pictures: [...items].map((item) => item.textContent ?? ""),
        digits: panel?.querySelector("[data-field=sas-digits]")?.textContent ?? "",
      };
    });
  }

  /** Unfolds the panel for comparing. */
  async unfoldVerification(options: WaitOptions = {}): Promise<void> {
    await this.click("[data-field=verification] summary", options);
  }

  /** Toggles "Hide my IP address", which may be folded away. */
  async hideAddress(): Promise<void> {
    await this.toggle("relay");
  }

  /** Presses "Leave". */
  leave(): Promise<void> {
    return this.press("leave");
  }

  /** Closes the page without leaving first, as a closed tab does. */
  async vanish(this: Person<Phase, TestPage>): Promise<void> {
    await this.page.close();
  }

  /** The text that a person reads. */
  text(): Promise<string> {
    return this.testPage.evaluate(() => document.body.innerText);
  }

  /** Fails unless the page explains readably why it ended: a sentence, no code, no stack trace. */
  async assertReadable(): Promise<void> {
    const text = await this.testPage.evaluate(() =>
      document.querySelector("main")?.innerText.trim() ?? ""
    );
    if (!/\p{Lu}.{10,}\.?/u.test(text) || /undefined|\bat .+:\d+:\d+|[A-Z]\w+Error\b/.test(text)) {
      throw new Error(`The ${this.role} reads nothing understandable: ${JSON.stringify(text)}`);
    }
  }

  /** Waits for an element. */
  protected async find(selector: string, options: WaitOptions = {}): Promise<void> {
    await this.#poll(`element ${selector}`, async () => {
      const count = (selector: string) => document.querySelectorAll(selector).length;
      return await this.testPage.evaluate(count, selector) > 0 ? true : undefined;
    }, options);
  }

  /** Toggles a checkbox, which may be folded away or drawn by its label; or sets it to `wanted`. */
  protected async toggle(name: string, wanted: boolean | null = null): Promise<void> {
    const selector = `input[type=checkbox][name="${name}"]`;
    await this.find(selector);
    await this.testPage.evaluate(
      (selector, wanted) => {
        const box = document.querySelector<HTMLInputElement>(selector);
        if (box?.checked !== wanted) box?.click();
      },
      selector,
      wanted,
    );
  }

  /** Waits until `condition`, evaluated in the page, is true. */
  waitFor(what: string, condition: () => boolean, options: WaitOptions = {}): Promise<true> {
    return this.#poll(
      what,
      async () => await this.testPage.evaluate(condition) ? true as const : undefined,
      options,
    );
  }

  async #settle(): Promise<void> {
    this.#used = 0;
    await this.find("main[data-phase]");
    // Fresh hydrates its islands in tasks that it queues when its script runs; this task runs after
    // them.
    await this.testPage.evaluate(() => new Promise((resolve) => setTimeout(resolve)));
  }

  async #attribute(name: string): Promise<string | null> {
    return await this.testPage.evaluate(
      (attribute) => document.querySelector("main[data-phase]")?.getAttribute(attribute) ?? null,
      name,
    );
  }

  async #seen(): Promise<Seen[]> {
    const json: unknown = await this.testPage.evaluate("JSON.stringify(globalThis.__phases ?? [])");
    const list: unknown = JSON.parse(String(json));
    const seen: Seen[] = [];
    if (!Array.isArray(list)) return seen;
    for (const { phase, reason } of list) {
      seen.push({ phase: String(phase), reason: reason === null ? null : String(reason) });
    }
    return seen;
  }

  /**
   * Polls, because an island replaces its elements, and because puppeteer's own waits evaluate
   * strings, which a strict CSP forbids.
   */
  async #poll<T>(
    what: string,
    look: () => Promise<T | undefined>,
    { timeout = STEP_MS }: WaitOptions,
  ): Promise<T> {
    const deadline = performance.now() + timeout;
    let problem = `not within ${timeout} ms`;
    for (;;) {
      try {
        const result = await look();
        if (result !== undefined) return result;
      } catch (error) {
        problem = error instanceof Error ? error.message : String(error);
        // A page can't be queried during a navigation; retry a moment later.
        if (!/context was destroyed|detached|navigat/i.test(problem)) {
          throw await this.#failure(what, problem);
        }
      }
      if (performance.now() > deadline) throw await this.#failure(what, problem);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  async #failure(what: string, problem: string): Promise<Error> {
    const lines = [`The ${this.role} waited for ${what}: ${problem}`];
    try {
      lines.push(`phases: ${(await this.phases()).join(" → ") || "none"}`);
      lines.push(`now: ${await this.phase()}, reason: ${await this.reason()}`);
      lines.push(`page: ${(await this.text()).replace(/\s+/g, " ").slice(0, 600)}`);
    } catch (error) {
      lines.push(`the page does not answer: ${error instanceof Error ? error.message : error}`);
    }
    const console = this.testPage.console.slice(-15);
    if (console.length > 0) lines.push(`console: ${console.join("\n    ")}`);
    return new Error(lines.join("\n  "));
  }
}

/** Result of {@linkcode Person.verification}. */
export interface Verified {
  /** `link`, `code` or `compared`. */
  readonly by: string;
  /** The pictures with their names, in order. */
  readonly pictures: readonly string[];
  /** Groups of digits. */
  readonly digits: string;
}

/** The person who shows a picture. */
export class Sender<Page extends DrivenPage = TestPage> extends Person<SenderPhase, Page> {
  readonly role = "sender";

  /** Opens `/` in a page. */
  static async open<Page extends DrivenPage>(testPage: Page, url: string): Promise<Sender<Page>> {
    const sender = new Sender(testPage);
    await sender.visit(`${url}/`);
    return sender;
  }

  /**
   * Chooses for how long the picture is visible: the value of an option or radio button of
   * `[name=seconds]`, 0 = until closed.
   */
  async setSeconds(seconds: number): Promise<void> {
    await this.testPage.evaluate((value) => {
      // The radio button itself may be invisible, drawn by its label.
      const selector = `input[name=seconds][value="${value}"]`;
      const radio = document.querySelector<HTMLInputElement>(selector);
      if (radio !== null) return radio.click();
      const select = document.querySelector<HTMLSelectElement>("select[name=seconds]");
      if (select === null) throw new Error("Cannot choose the time: no field");
      select.value = value;
      for (const type of ["input", "change"]) {
        select.dispatchEvent(new Event(type, { bubbles: true }));
      }
    }, String(seconds));
  }

  /** Ticks "keep the session open"; only the checkbox's name is part of the contract. */
  async keepOpen(): Promise<void> {
    await this.toggle("keep", true);
  }

  /** Ticks "send large pictures as they are". */
  async sendFullSize(): Promise<void> {
    await this.toggle("full-size");
  }

  /** Chooses a picture as the file dialog would. */
  chooseFile(picture: Fixture): Promise<void> {
    return this.chooseFiles([picture]);
  }

  /** Chooses several files at once. */
  async chooseFiles(files: readonly Pick<Fixture, "path">[]): Promise<void> {
    const selector = "input[type=file]:not(:disabled)";
    await this.find(selector);
    await this.testPage.chooseFiles(selector, files.map(({ path }) => path));
  }

  /** Waits for the link and returns it. */
  async shareLink(options: WaitOptions = {}): Promise<string> {
    const text = await this.fieldMatching("share-link", /\/join#1\.[\w-]{43}/, options);
    return /https?:\/\/\S+\/join#1\.[\w-]{43}/.exec(text)?.[0] ?? text;
  }

  /** Waits for the code and returns it: digits and three words, separated by hyphens. */
  shareCode(options: WaitOptions = {}): Promise<string> {
    return this.fieldMatching("share-code", /^\d{4,8}(-[a-z]+){3}$/, options);
  }

  /** Chooses a picture and waits for the link. */
  async offer(picture: Fixture, options: WaitOptions & { seconds?: number } = {}): Promise<string> {
    if (options.seconds !== undefined) await this.setSeconds(options.seconds);
    await this.chooseFile(picture);
    await this.waitPhase("waiting", options);
    return await this.shareLink(options);
  }

  /** Presses "Burn". */
  burn(): Promise<void> {
    return this.press("burn");
  }

  /** The timeline's text. */
  timeline(options: WaitOptions = {}): Promise<string> {
    return this.field("timeline", options);
  }
}

/** The person who is shown a picture. */
export class Viewer<Page extends DrivenPage = TestPage> extends Person<ViewerPhase, Page> {
  readonly role = "viewer";

  /** The viewer in a page that another one led to. */
  static at(testPage: TestPage): Viewer {
    return new Viewer(testPage);
  }

  /**
   * Opens a link in a page. The page does not contact the server's room before {@linkcode
   * Viewer.join}.
   */
  static async open<Page extends DrivenPage>(testPage: Page, link: string): Promise<Viewer<Page>> {
    const viewer = new Viewer(testPage);
    await viewer.visit(link);
    return viewer;
  }

  /** Opens the page that asks for a code; `url` is the app's. */
  static async openByCode<Page extends DrivenPage>(
    testPage: Page,
    url: string,
  ): Promise<Viewer<Page>> {
    const viewer = await Viewer.open(testPage, `${url}/join`);
    await viewer.find("[data-field=code]");
    return viewer;
  }

  /** Types a code, key by key, replacing the field's text. */
  async typeCode(text: string): Promise<void> {
    await this.find("[data-field=code]");
    await this.testPage.evaluate(() => {
      const field = document.querySelector<HTMLInputElement>("[data-field=code]");
      field?.focus();
      field?.select();
    });
    await this.testPage.type(text);
  }

  /** Words that are suggested for the one being typed. */
  suggestions(): Promise<string[]> {
    return this.testPage.evaluate(() =>
      [...document.querySelectorAll("[role=option]")].map((option) => option.textContent ?? "")
    );
  }

  /** Clicks "join". */
  join(): Promise<void> {
    return this.press("join");
  }

  /** Clicks "open". */
  openPicture(): Promise<void> {
    return this.press("open");
  }

  /** Joins and waits until the picture is delivered, still unreadable. */
  async receive(options: WaitOptions = {}): Promise<void> {
    await this.join();
    await this.waitPhase("delivered", options);
  }

  /** Opens the picture and waits for its first pixel. */
  async look(options: WaitOptions = {}): Promise<void> {
    await this.openPicture();
    await this.waitPhase("viewing", options);
    await this.waitFor("a painted canvas", () => {
      const canvas = document.querySelector<HTMLCanvasElement>("[data-viewer] canvas");
      return canvas !== null && canvas.width > 0 && canvas.height > 0;
    }, options);
  }

  /** Clicks "close". */
  closePicture(): Promise<void> {
    return this.press("close");
  }

  /** Text of the countdown. */
  countdown(options: WaitOptions = {}): Promise<string> {
    return this.field("countdown", options);
  }

  /** The pixels of the canvas itself, without anything that covers it. */
  async canvas(): Promise<Painted> {
    const png = await this.testPage.evaluate(async () => {
      const canvas = document.querySelector<HTMLCanvasElement>("[data-viewer] canvas");
      if (canvas === null || canvas.width === 0) return null;
      const copy = new OffscreenCanvas(canvas.width, canvas.height);
      copy.getContext("2d")?.drawImage(canvas, 0, 0);
      const bytes = new Uint8Array(await (await copy.convertToBlob()).arrayBuffer());
      let binary = "";
      for (let i = 0; i < bytes.length; i += 8_192) {
        binary += String.fromCharCode(...bytes.subarray(i, i + 8_192));
      }
      return btoa(binary);
    });
    if (png === null) throw new Error("Cannot look at the picture: no canvas");
    return { png };
  }

  /** The part of the screen where the canvas is, with anything that covers it. */
  async screen(): Promise<Painted> {
    return { png: await this.testPage.capture("[data-viewer] canvas") };
  }

  /** Whether nothing of the picture is left in the page: no canvas has pixels. */
  wiped(): Promise<boolean> {
    return this.testPage.evaluate(() =>
      [...document.querySelectorAll("canvas")].every((canvas) =>
        canvas.width === 0 || canvas.height === 0
      )
    );
  }
}

/** A picture read by {@linkcode Viewer.canvas} or {@linkcode Viewer.screen}: a PNG in base64. */
export interface Painted {
  readonly png: string;
}

/** What can be measured about a {@linkcode Painted}. */
export interface Looks {
  readonly width: number;
  readonly height: number;
  /** Mean colors of small areas near the corners. */
  readonly corners: Corners;
  /**
   * Share of pixels in the top left quarter that differ from its most frequent color: in a flat
   * picture, the watermark.
   */
  readonly marked: number;
}

/** Measures a painted picture, in a blank page of its own. */
export async function looksOf(browser: TestBrowser, painted: Painted): Promise<Looks> {
  const page = await browser.newPage();
  try {
    const { colours, ...rest } = await page.page.evaluate(measure, painted.png);
    const [topLeft, topRight, bottomLeft, bottomRight] = colours.map(rgb);
    if (!topLeft || !topRight || !bottomLeft || !bottomRight) {
      throw new Error("Four corners expected");
    }
    return { ...rest, corners: { topLeft, topRight, bottomLeft, bottomRight } };
  } finally {
    await page.close();
  }
}

/** Runs in the browser, so it must not use anything outside of it. */
async function measure(base64: string) {
  const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
  const { width, height } = bitmap;
  const surface = new OffscreenCanvas(width, height);
  const context = surface.getContext("2d");
  if (context === null) throw new Error("Cannot read the picture: no 2d context");
  context.drawImage(bitmap, 0, 0);
  const side = Math.max(4, Math.floor(Math.min(width, height) / 12));
  const mean = (u: number, v: number) => {
    const x = Math.round(u * (width - side));
    const y = Math.round(v * (height - side));
    const { data } = context.getImageData(x, y, side, side);
    const sum = [0, 0, 0];
    for (let i = 0; i < data.length; i += 4) {
      for (let c = 0; c < 3; c++) sum[c]! += data[i + c]!;
    }
    return sum.map((value) => Math.round(value / (data.length / 4)));
  };
  const colours = [mean(.05, .05), mean(.95, .05), mean(.05, .95), mean(.95, .95)];
  // Well inside the quarter, because scaling blurs its borders.
  const { data } = context.getImageData(
    Math.floor(width * .05),
    Math.floor(height * .05),
    Math.floor(width * .4),
    Math.floor(height * .4),
  );
  const counts = new Map<number, number>();
  for (let i = 0; i < data.length; i += 4) {
    // Five bits per channel, because decoders differ by one or two.
    const key = (data[i]! >> 3) << 10 | (data[i + 1]! >> 3) << 5 | data[i + 2]! >> 3;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const marked = 1 - Math.max(...counts.values()) / (data.length / 4);
  return { width, height, colours, marked };
}

function rgb(values: readonly number[]): Rgb {
  return [values[0] ?? -1, values[1] ?? -1, values[2] ?? -1];
}

/** Fails unless the corners match the fixture's; a watermark may cover a third of them. */
export function assertLooksLike(looks: Looks, picture: Fixture): void {
  for (const corner of ["topLeft", "topRight", "bottomLeft", "bottomRight"] as const) {
    const seen = looks.corners[corner];
    const wanted = picture.corners[corner];
    const far = Math.max(...wanted.map((value, i) => Math.abs(value - seen[i]!)));
    if (far > 80) {
      throw new Error(`The picture's ${corner} is rgb(${seen.join(" ")}), not ${wanted.join(" ")}`);
    }
  }
}

/**
 * Opens both pages, chooses `picture`, lets the viewer join, and waits until it is delivered on
 * both sides.
 */
export async function deliver(
  pages: { readonly sender: TestPage; readonly viewer: TestPage },
  url: string,
  picture: Fixture,
  options: WaitOptions & { readonly seconds?: number } = {},
): Promise<{ sender: Sender; viewer: Viewer; link: string }> {
  const sender = await Sender.open(pages.sender, url);
  const link = await sender.offer(picture, options);
  const viewer = await Viewer.open(pages.viewer, link);
  await viewer.receive(options);
  await sender.waitPhase("delivered", options);
  return { sender, viewer, link };
}

/** Blocks all scripts of later documents. */
export async function blockScripts(page: TestPage["page"]): Promise<void> {
  await page.setRequestInterception(true);
  page.on("request", (request) => {
    if (request.resourceType() === "script") request.abort();
    else request.continue();
  });
}

/** Finishes all animations and transitions at once. */
export async function finishAnimations(page: TestPage["page"]): Promise<void> {
  await page.evaluate(() => {
    for (const animation of document.getAnimations()) animation.finish();
  });
}
