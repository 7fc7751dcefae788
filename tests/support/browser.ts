/**
 * Real browsers for tests: starts them, opens one context per person, and makes every error that a
 * page reports fail the test.
 *
 * @module
 */
import { PREFIX } from "../../lib/pages/debug_trace.ts";
import puppeteer, {
  type Browser,
  type BrowserContext,
  type EvaluateFunc,
  type Page,
} from "./puppeteer.ts";
import { type Chromium, findChromium, findShell } from "./chromium.ts";
import type { DrivenPage, Key, Place } from "./driven.ts";
import { findFirefox } from "./firefox.ts";
import { slowCryptoScript } from "./slow_crypto.ts";

export { findChromium } from "./chromium.ts";

/** Screen sizes that pages are tested on. */
export const SCREENS = {
  phone: { width: 390, height: 844, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
  desktop: { width: 1440, height: 900, deviceScaleFactor: 1 },
} as const;

/** Name of a screen in {@linkcode SCREENS}. */
export type Screen = keyof typeof SCREENS;

/** How a browser is started. */
export interface BrowserOptions {
  /** Default: `chromium`. Firefox is available only if {@linkcode findFirefox} finds it. */
  readonly engine?: "chromium" | "firefox";
  /** Further command-line flags. */
  readonly args?: readonly string[];
  /** True if a build without windows is enough; it is used if there is one. */
  readonly shell?: true;
  /** How long one command to the browser may take, in milliseconds. Default: a minute. */
  readonly protocolTimeout?: number;
  /** True for a browser process that is not shared. Any other option implies it. */
  readonly own?: true;
}

/** How a page is opened. */
export interface PageOptions {
  /** Default: `desktop`. */
  readonly screen?: Screen;
  /** Default: `light`. */
  readonly scheme?: "light" | "dark";
  /** Default: the machine's setting. */
  readonly reducedMotion?: boolean;
  /** No trace in the console (lib/pages/debug_trace.ts), as people have it. */
  readonly traced?: false;
  /** Errors that this page may report; all others fail the test. */
  readonly allowErrors?: readonly RegExp[];
  /** JavaScript that runs in every document before its own scripts, e.g. to remove an API. */
  readonly before?: string;
  /** Milliseconds that each call of `crypto.subtle` takes longer on this page. Default: 0. */
  readonly slowCrypto?: number;
}

/**
 * Flags for every browser: no network traffic of its own, and the same behavior for hidden and
 * shown pages.
 */
const FLAGS = [
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-default-apps",
  // Each person has a context of their own, for which Chromium would start a spare process: an
  // eighth to a fifth of the processor time of a short test.
  "--disable-features=SpareRendererForSitePerProcess",
  // /dev/shm of containers is 64 MB by default, less than one decoded photograph.
  "--disable-dev-shm-usage",
  // Both people share one browser here: the page in the background must not be slowed down.
  "--disable-background-timer-throttling",
  "--disable-renderer-backgrounding",
  "--disable-backgrounding-occluded-windows",
];

/** Chromium's sandbox refuses to run as root, and CI machines often have no user namespaces. */
function sandboxFlags(): readonly string[] {
  const root = Deno.build.os !== "windows" && Deno.uid() === 0;
  return root || Deno.env.has("CI") ? ["--no-sandbox"] : [];
}

/** Starts a headless browser. {@linkcode TestBrowser.close} ends its process. */
export async function launchBrowser(options: BrowserOptions = {}): Promise<TestBrowser> {
  if (options.engine === "firefox") return new TestBrowser(await launchFirefox(options), null);
  const chromium = await (options.shell ? findShell() : findChromium());
  const browser = await puppeteer.launch({
    executablePath: chromium.executablePath,
    headless: chromium.headless,
    env: { ...Deno.env.toObject(), ...chromium.env },
    args: [...FLAGS, ...sandboxFlags(), ...chromium.args, ...options.args ?? []],
    // A single slow command means that the page hangs: fail the test long before the run's own
    // timeout.
    protocolTimeout: options.protocolTimeout ?? 60_000,
  });
  return new TestBrowser(browser, chromium);
}

/**
 * Firefox is driven over WebDriver BiDi, with a temporary profile that puppeteer creates and
 * removes.
 */
async function launchFirefox(options: BrowserOptions): Promise<Browser> {
  const executablePath = await findFirefox();
  if (executablePath === null) throw new Error("Cannot start Firefox: none is installed");
  return await puppeteer.launch({
    browser: "firefox",
    executablePath,
    headless: true,
    // Light and with motion, whatever the machine's settings are.
    extraPrefsFirefox: { "ui.systemUsesDarkTheme": 0, "ui.prefersReducedMotion": 0 },
    args: [...options.args ?? []],
    protocolTimeout: 60_000,
  });
}

/** Environment variable with the endpoint of the browser that tests/run.ts lends to its tests. */
export const LENT_BROWSER = "TEST_LENT_BROWSER";

/**
 * The browser that was lent to this process, or a new one. {@linkcode TestBrowser.close} closes
 * only what was opened in it.
 */
export async function borrowBrowser(options: BrowserOptions = {}): Promise<TestBrowser> {
  const browserWSEndpoint = Deno.env.get(LENT_BROWSER);
  if (browserWSEndpoint === undefined || Object.keys(options).length > 0) {
    return await launchBrowser(options);
  }
  const browser = await puppeteer.connect({ browserWSEndpoint, protocolTimeout: 60_000 });
  return new LentBrowser(browser, null);
}

/** A browser process of its own. */
export class TestBrowser implements AsyncDisposable {
  readonly browser: Browser;
  /** `null` for Firefox. */
  readonly chromium: Chromium | null;
  readonly #pages: TestPage[] = [];

  constructor(browser: Browser, chromium: Chromium | null) {
    this.browser = browser;
    this.chromium = chromium;
  }

  /** Every page opened here, for reports. */
  get pages(): readonly TestPage[] {
    return this.#pages;
  }

  /**
   * Opens a blank page in a context of its own: another person, who shares no storage with others.
   */
  async newPage(options: PageOptions = {}): Promise<TestPage> {
    const context = await this.browser.createBrowserContext();
    const page = await TestPage.create(context, options);
    this.#pages.push(page);
    return page;
  }

  /** Ends the browser's processes. Can be called twice. */
  async close(): Promise<void> {
    if (this.browser.connected) await this.browser.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/**
 * A browser that other tests use later: `close` closes only the contexts that were opened here,
 * with their storage.
 */
class LentBrowser extends TestBrowser {
  override async close(): Promise<void> {
    if (!this.browser.connected) return;
    const open = this.browser.browserContexts();
    const ours = this.pages.map(({ context }) => context).filter((each) => open.includes(each));
    await Promise.all(ours.map((context) => context.close()));
    await this.browser.disconnect();
  }
}

/** One person's page, with the errors that it reported. */
export class TestPage implements DrivenPage {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Everything that the page wrote to its console, newest last. */
  readonly console: string[] = [];
  /** Uncaught errors, console errors, CSP violations, requests to other hosts. */
  readonly errors: string[] = [];
  /** The answer when the browser asks whether to leave a page, and how often it asked. */
  leaving: "go" | "stay" = "go";
  leaveQuestions = 0;
  readonly #allowed: RegExp[];

  private constructor(context: BrowserContext, page: Page, allowed: readonly RegExp[]) {
    this.context = context;
    this.page = page;
    this.#allowed = [...allowed];
  }

  /** Opens a blank page in `context` and listens to it. */
  static async create(context: BrowserContext, options: PageOptions = {}): Promise<TestPage> {
    const page = await context.newPage();
    const testPage = new TestPage(context, page, options.allowErrors ?? []);
    testPage.#listen();
    await page.setViewport(SCREENS[options.screen ?? "desktop"]);
    await testPage.emulate(options);
    // A test that fails shows what each page went through.
    if (options.traced !== false) {
      await page.evaluateOnNewDocument("globalThis.debugTrace = true");
    }
    if (options.before !== undefined) await page.evaluateOnNewDocument(options.before);
    if (options.slowCrypto) await page.evaluateOnNewDocument(slowCryptoScript(options.slowCrypto));
    return testPage;
  }

  /** Sets color scheme and motion, as the person's system would. */
  async emulate(options: Pick<PageOptions, "scheme" | "reducedMotion">): Promise<void> {
    if (await isFirefox(this.page)) {
      // Puppeteer supports this only for Chromium. In Firefox the profile sets one scheme for all
      // pages.
      if (options.scheme === "dark" || options.reducedMotion) {
        throw new Error("Cannot emulate: Firefox is always light, with motion");
      }
      return;
    }
    await this.page.emulateMediaFeatures([
      { name: "prefers-color-scheme", value: options.scheme ?? "light" },
      ...(options.reducedMotion ? [{ name: "prefers-reduced-motion", value: "reduce" }] : []),
    ]);
  }

  /** What the page wrote of its own changes (lib/pages/debug_trace.ts), oldest first. */
  get trace(): readonly string[] {
    return this.console.flatMap((text) => {
      const at = text.indexOf(PREFIX);
      // Without the script that wrote it.
      return at === -1 ? [] : [text.slice(at + PREFIX.length + 1).replace(/ \(https?:\S+\)$/, "")];
    });
  }

  /** Errors that match are expected from now on. */
  allowErrors(...patterns: RegExp[]): void {
    this.#allowed.push(...patterns);
  }

  /** Errors that no test expected. */
  unexpectedErrors(): string[] {
    return this.errors.filter((text) => !this.#allowed.some((pattern) => pattern.test(text)));
  }

  /** @throws {Error} if the page reported an unexpected error */
  assertNoErrors(): void {
    const errors = this.unexpectedErrors();
    if (errors.length > 0) {
      throw new Error(`Page ${this.page.url()} reported errors:\n  ${errors.join("\n  ")}`);
    }
  }

  async evaluate<Params extends unknown[], Result>(
    code: string | ((...params: Params) => Result),
    ...params: Params
  ): Promise<Awaited<Result>> {
    // Puppeteer's type has handles of elements in it, which are not passed here.
    const result: unknown = await this.page.evaluate(code as EvaluateFunc<Params>, ...params);
    return result as Awaited<Result>;
  }

  async addScript(script: string): Promise<() => Promise<void>> {
    const { identifier } = await this.page.evaluateOnNewDocument(script);
    return () => this.page.removeScriptToEvaluateOnNewDocument(identifier);
  }

  goto(url: string): Promise<unknown> {
    return this.page.goto(url);
  }

  reload(): Promise<unknown> {
    return this.page.reload();
  }

  async sees(selector: string): Promise<boolean> {
    const element = await this.page.$(selector);
    return element !== null && await element.isVisible();
  }

  async click(selector: string): Promise<boolean> {
    const element = await this.page.$(selector);
    if (element === null || !await element.isVisible()) return false;
    try {
      const seen = await element.evaluateHandle((target) => {
        const seen = { hit: false };
        target.addEventListener("click", () => void (seen.hit = true), {
          once: true,
          capture: true,
        });
        return seen;
      });
      await element.click();
      // If the page moved the element in between, the click missed it. A page that is gone was
      // left by the click.
      return await seen.evaluate(({ hit }) => hit).catch(() => true);
    } catch {
      // Rendered anew between finding and clicking.
      return false;
    } finally {
      await element.dispose();
    }
  }

  async chooseFiles(selector: string, paths: readonly string[]): Promise<void> {
    const input = await this.page.$(selector);
    if (input === null) throw new Error(`Cannot choose files: no ${selector}`);
    await (await input.toElement("input")).uploadFile(...paths);
  }

  type(text: string): Promise<void> {
    return this.page.keyboard.type(text);
  }

  press(key: Key): Promise<void> {
    return this.page.keyboard.press(key);
  }

  async drag([start, ...rest]: readonly Place[]): Promise<void> {
    if (start === undefined) return;
    const { mouse } = this.page;
    await mouse.move(start.x, start.y);
    await mouse.down();
    for (const { x, y } of rest) await mouse.move(x, y);
    await mouse.up();
  }

  async capture(selector: string): Promise<string> {
    const clip = await this.page.evaluate((selector) => {
      const box = document.querySelector(selector)?.getBoundingClientRect();
      return box && { x: box.x, y: box.y, width: box.width, height: box.height };
    }, selector);
    if (clip === undefined) throw new Error(`Cannot capture: no ${selector}`);
    return await this.page.screenshot({
      clip,
      encoding: "base64",
      captureBeyondViewport: false,
    });
  }

  /** Writes a PNG of the whole page, as this screen shows it. */
  async screenshot(path: string): Promise<void> {
    await this.page.screenshot({ path: pngPath(path), fullPage: true });
  }

  /** Closes the page and deletes its storage. */
  async close(): Promise<void> {
    await this.context.close();
  }

  #listen(): void {
    this.page.on("pageerror", (error) => {
      const text = error instanceof Error ? error.stack ?? error.message : String(error);
      this.errors.push(`uncaught: ${text}`);
    });
    this.page.on("dialog", (dialog) => {
      if (dialog.type() !== "beforeunload") return;
      this.leaveQuestions++;
      const answered = this.leaving === "go" ? dialog.accept() : dialog.dismiss();
      // The page may have closed meanwhile.
      answered.catch(() => {});
    });
    this.page.on("console", (message) => {
      const { url } = message.location();
      const text = `${message.type()}: ${message.text()}${url === undefined ? "" : ` (${url})`}`;
      this.console.push(text);
      if (message.type() === "error") this.errors.push(text);
    });
    this.page.on("request", (request) => {
      const url = new URL(request.url());
      if (url.protocol === "data:" || url.protocol === "blob:") return;
      const host = new URL(request.frame()?.url() || this.page.url()).host;
      // A navigation determines the host (a new frame has no address yet); before the first one
      // there is none.
      if (request.isNavigationRequest() || host === "" || url.host === host) return;
      this.errors.push(`request to another host: ${url.origin}${url.pathname}`);
    });
  }
}

async function isFirefox(page: Page): Promise<boolean> {
  return /firefox/i.test(await page.browser().version());
}

function pngPath(path: string): `${string}.png` {
  return path.endsWith(".png") ? path as `${string}.png` : `${path}.png`;
}

/**
 * Calls `body` with a browser in which nothing is open, closes afterwards what was opened, and
 * fails if a page reported an unexpected error. Each page has a context of its own, so no test sees
 * data of another one.
 */
export async function withBrowser(
  body: (browser: TestBrowser) => Promise<void>,
  options: BrowserOptions = {},
): Promise<void> {
  const browser = await borrowBrowser(options);
  try {
    try {
      await body(browser);
    } catch (error) {
      throw withPageErrors(error, browser.pages);
    }
    for (const page of browser.pages) page.assertNoErrors();
  } finally {
    await browser.close();
  }
}

/**
 * Like {@linkcode withBrowser}, with two pages in separate contexts: the sender's and the viewer's.
 */
export function withTwoPages(
  body: (sender: TestPage, viewer: TestPage) => Promise<void>,
  options: PageOptions = {},
): Promise<void> {
  return withBrowser(async (browser) => {
    await body(await browser.newPage(options), await browser.newPage(options));
  });
}

/** Like {@linkcode withTwoPages}, in two browser processes that share nothing at all. */
export function withTwoBrowsers(
  body: (sender: TestPage, viewer: TestPage) => Promise<void>,
): Promise<void> {
  return withBrowser(
    (first) =>
      withBrowser(async (second) => {
        await body(await first.newPage(), await second.newPage());
      }, { own: true }),
    { own: true },
  );
}

/** The last lines of each page's trace. */
const TRACED_LINES = 40;

/**
 * Adds to an error what the pages complained about, which is often its reason, and what each page
 * went through.
 */
function withPageErrors(error: unknown, pages: readonly TestPage[]): unknown {
  if (!(error instanceof Error) || error.message.includes("\nPages reported:")) return error;
  const reports = pages.flatMap((page, i) => [
    ...page.unexpectedErrors(),
    ...page.trace.slice(-TRACED_LINES).map((line) => `page ${i + 1} ${line}`),
  ]);
  if (reports.length > 0) error.message += `\nPages reported:\n  ${reports.join("\n  ")}`;
  return error;
}

/** The four variants in which a page is tested: phone and desktop, light and dark. */
export const LOOKS = [
  { screen: "phone", scheme: "light" },
  { screen: "phone", scheme: "dark" },
  { screen: "desktop", scheme: "light" },
  { screen: "desktop", scheme: "dark" },
] as const satisfies readonly PageOptions[];

/**
 * Writes `<directory>/<name>-<screen>-<scheme>.png` of `url` in all {@linkcode LOOKS}, after
 * `ready` has resolved.
 */
export async function screenshots(
  browser: TestBrowser,
  url: string,
  options: {
    readonly directory: string;
    readonly name: string;
    readonly ready?: (page: TestPage) => Promise<void>;
  },
): Promise<string[]> {
  await Deno.mkdir(options.directory, { recursive: true });
  const paths: string[] = [];
  for (const look of LOOKS) {
    const page = await browser.newPage(look);
    await page.page.goto(url);
    await options.ready?.(page);
    const path = `${options.directory}/${options.name}-${look.screen}-${look.scheme}.png`;
    await page.screenshot(path);
    await page.close();
    paths.push(path);
  }
  return paths;
}
