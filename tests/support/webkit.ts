/**
 * WebKit, the engine of Safari, if it is installed: Debian's `webkit2gtk-driver` drives WebKitGTK's
 * MiniBrowser over WebDriver. Puppeteer can't: this WebKit speaks no BiDi. Debian builds it without
 * WebRTC, so its sessions go over the encrypted relay.
 *
 * @module
 */
import { freePort } from "./app.ts";
import type { DrivenPage, Key, Place } from "./driven.ts";

/** The programs, if all of them are installed. */
export interface WebKit {
  readonly driver: string;
  readonly browser: string;
  readonly screen: string;
}

/** Where Debian and others put MiniBrowser, which is not on PATH. */
const BROWSER = /^webkit2gtk-4\.\d$/;

/** Paths of an installed WebKit, or `null`. */
export async function findWebKit(): Promise<WebKit | null> {
  const driver = await onPath("WebKitWebDriver");
  const screen = await onPath("Xvfb");
  const browser = await miniBrowser();
  return driver && screen && browser ? { driver, screen, browser } : null;
}

async function onPath(name: string): Promise<string | null> {
  for (const folder of (Deno.env.get("PATH") ?? "").split(":")) {
    if (folder !== "" && await isFile(`${folder}/${name}`)) return `${folder}/${name}`;
  }
  return null;
}

async function miniBrowser(): Promise<string | null> {
  for (const folder of ["/usr/lib", `/usr/lib/${Deno.build.arch}-linux-gnu`, "/usr/libexec"]) {
    try {
      for await (const { name } of Deno.readDir(folder)) {
        const path = `${folder}/${name}/MiniBrowser`;
        if (BROWSER.test(name) && await isFile(path)) return path;
      }
    } catch {
      // No such folder.
    }
  }
  return null;
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch {
    return false;
  }
}

/** How a WebKit is started. */
export interface WebKitOptions {
  /** Size of the page in CSS pixels. Default: 1440 × 900. */
  readonly size?: { readonly width: number; readonly height: number };
  /** Default: `light`. */
  readonly scheme?: "light" | "dark";
}

/** How long one command may take, and how long the driver may take to start, in milliseconds. */
const COMMAND_MS = 60_000;
const START_MS = 60_000;
/** How long a page may take to load, in milliseconds. */
const LOAD_MS = 60_000;
/** How long a script may take that does not wait for anything, in milliseconds. */
const SCRIPT_MS = 5_000;
/** How long a process may take to exit by itself before it is killed, in milliseconds. */
const STOP_MS = 5_000;
const POLL_MS = 20;

/**
 * Shrinks everything of the window but the page: a tool bar is at least 447 pixels wide, which no
 * phone is.
 */
const NO_TOOLBAR = "* { font-size: 1px; min-width: 0; min-height: 0; padding: 0; margin: 0; }";

/**
 * Runs in every document as soon as WebDriver can: writes down what goes wrong. Behind the
 * document's own inline scripts, because this WebDriver has no scripts that run before.
 */
const LISTEN = `
  const said = [];
  Object.defineProperty(globalThis, "__said", { value: said });
  for (const kind of ["debug", "log", "info", "warn", "error"]) {
    const own = console[kind];
    console[kind] = (...args) => {
      said.push([kind, args.map(String).join(" ")]);
      own.apply(console, args);
    };
  }
  addEventListener("error", (event) => {
    const what = event.message ?? "not loaded: " + (event.target.src ?? event.target.href);
    said.push(["error", "uncaught: " + what]);
  }, true);
  addEventListener("unhandledrejection", ({ reason }) => {
    said.push(["error", "uncaught: " + (reason?.stack ? reason + " " + reason.stack : reason)]);
  });
  document.addEventListener("securitypolicyviolation", (event) => {
    const { effectiveDirective, blockedURI, sample } = event;
    said.push(["error", ["refused by CSP", effectiveDirective, blockedURI, sample].join(" ")]);
  });`;

/** Key of an element's id in WebDriver's answers: W3C WebDriver, §12.1. */
const ELEMENT = "element-6066-11e4-a52e-4f735466cecf";

/** Characters that stand for keys: W3C WebDriver, §17.4.2. */
const KEYS: Readonly<Record<Key, string>> = {
  ArrowRight: "\uE014",
  Escape: "\uE00C",
  Tab: "\uE004",
};

/** Starts a WebKit of its own. {@linkcode WebKitPage.close} ends all of its processes. */
export async function launchWebKit(options: WebKitOptions = {}): Promise<WebKitPage> {
  const webkit = await findWebKit();
  if (webkit === null) throw new Error("Cannot start WebKit: none is installed");
  const processes = new Processes();
  try {
    const config = await processes.folder();
    await Deno.mkdir(`${config}/gtk-3.0`);
    await Deno.writeTextFile(`${config}/gtk-3.0/gtk.css`, NO_TOOLBAR);
    // A screen for each browser: without a window manager the newest window has the focus, and a
    // viewer's page without the focus covers its picture.
    const display = await processes.screen(webkit.screen);
    const driver = `http://127.0.0.1:${
      processes.driver(webkit.driver, {
        DISPLAY: display,
        XDG_CONFIG_HOME: config,
        GTK_THEME: options.scheme === "dark" ? "Adwaita:dark" : "Adwaita",
        LC_ALL: "C.UTF-8",
      })
    }`;
    const session = await WebDriverSession.start(driver, webkit.browser);
    const page = new WebKitPage(session, processes);
    await page.resize(options.size ?? { width: 1440, height: 900 });
    return page;
  } catch (error) {
    await processes.end();
    throw error;
  }
}

/** What belongs to one browser, ended together. */
class Processes {
  readonly #started: Deno.ChildProcess[] = [];
  readonly #folders: string[] = [];

  async folder(): Promise<string> {
    const folder = await Deno.makeTempDir({ prefix: "ephemeral-webkit-" });
    this.#folders.push(folder);
    return folder;
  }

  /** Starts an X server and returns its display. */
  async screen(command: string): Promise<string> {
    const child = new Deno.Command(command, {
      args: ["-displayfd", "1", "-screen", "0", "1600x1600x24", "-nolisten", "tcp"],
      stdin: "null",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    this.#started.push(child);
    const timer = setTimeout(() => kill(child, "SIGKILL"), START_MS);
    // To the end of the line: it is written in two parts, and a pipe that is closed in between
    // kills the screen.
    let number = "";
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      number += text;
      if (number.endsWith("\n")) break;
    }
    clearTimeout(timer);
    number = number.trim();
    if (number === "") throw new Error("Cannot start Xvfb: it names no display");
    return `:${number}`;
  }

  /** Starts a WebDriver and returns its port. */
  driver(command: string, env: Readonly<Record<string, string>>): number {
    const port = freePort();
    const child = new Deno.Command(command, {
      args: ["--host=127.0.0.1", "-p", String(port)],
      env,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    this.#started.push(child);
    return port;
  }

  async end(): Promise<void> {
    // The screen last: a browser whose screen is gone ends as well.
    for (const child of this.#started.splice(0).reverse()) {
      kill(child, "SIGTERM");
      const killer = setTimeout(() => kill(child, "SIGKILL"), STOP_MS);
      await child.status;
      clearTimeout(killer);
    }
    for (const folder of this.#folders.splice(0)) await Deno.remove(folder, { recursive: true });
  }
}

function kill(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch {
    // It exited by itself.
  }
}

/** One session of W3C WebDriver: commands to one window. */
export class WebDriverSession {
  readonly #url: string;

  private constructor(url: string) {
    this.#url = url;
  }

  /** Waits for the driver and lets it start `browser`. */
  static async start(driver: string, browser: string): Promise<WebDriverSession> {
    const deadline = performance.now() + START_MS;
    for (;;) {
      try {
        await command("GET", `${driver}/status`);
        break;
      } catch (error) {
        if (performance.now() > deadline) throw error;
      }
      await pause();
    }
    const created = await command("POST", `${driver}/session`, {
      capabilities: {
        alwaysMatch: {
          // Our scripts want to be early in a document.
          pageLoadStrategy: "none",
          // As a person who does leave.
          unhandledPromptBehavior: "accept",
          "webkitgtk:browserOptions": { binary: browser, args: ["--automation"] },
        },
      },
    });
    return new WebDriverSession(`${driver}/session/${fieldOf(created, "sessionId")}`);
  }

  /** Sends a command and returns its value. */
  send(method: "GET" | "POST" | "DELETE", path: string, body?: unknown): Promise<unknown> {
    return command(method, this.#url + path, body);
  }

  /**
   * Runs the body of a function in the page. A promise that it returns is awaited. `within`: in
   * milliseconds.
   */
  run(
    script: string,
    args: readonly unknown[] = [],
    { within = COMMAND_MS } = {},
  ): Promise<unknown> {
    return command("POST", `${this.#url}/execute/sync`, { script, args }, within);
  }

  /** The id of the first element that matches, or `null`. */
  async find(selector: string): Promise<string | null> {
    const found = await this.send("POST", "/elements", {
      using: "css selector",
      value: selector,
    });
    const [first]: unknown[] = Array.isArray(found) ? found : [];
    return first === undefined ? null : fieldOf(first, ELEMENT);
  }
}

async function command(
  method: string,
  url: string,
  body?: unknown,
  within = COMMAND_MS,
): Promise<unknown> {
  const response = await fetch(url, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(within),
  }).catch((cause) => {
    const what = JSON.stringify(body)?.slice(0, 200) ?? "";
    throw new Error(`WebKit does not answer: ${method} ${url} ${what}`, { cause });
  });
  const answer: unknown = await response.json();
  const value = isRecord(answer) ? answer.value : undefined;
  if (response.ok) return value;
  const { error, message } = isRecord(value) ? value : {};
  throw new Error(`${error}: ${message}`);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function fieldOf(value: unknown, name: string): string {
  const field = isRecord(value) ? value[name] : undefined;
  if (typeof field !== "string") throw new Error(`WebDriver's answer has no ${name}`);
  return field;
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, POLL_MS));
}

/** The page of one person, in a browser of their own. */
export class WebKitPage implements DrivenPage {
  readonly page: WebDriverSession;
  readonly console: string[] = [];
  /** Uncaught errors, console errors, CSP violations. */
  readonly errors: string[] = [];
  readonly #processes: Processes;
  readonly #scripts: string[] = [];
  /** Number of this page's documents: tells a new one from the one that is left. */
  #documents = 0;

  constructor(page: WebDriverSession, processes: Processes) {
    this.page = page;
    this.#processes = processes;
  }

  /** Gives the page exactly this size, in CSS pixels. */
  async resize({ width, height }: { width: number; height: number }): Promise<void> {
    const deadline = performance.now() + START_MS;
    for (;;) {
      const [wide = 0, high = 0] = await this.evaluate(() => [innerWidth, innerHeight]);
      if (wide === width && high === height) return;
      if (performance.now() > deadline) {
        throw new Error(`Cannot resize to ${width}×${height}: it is ${wide}×${high}`);
      }
      // The window has a border of the tool bar's height.
      const window = await this.page.send("GET", "/window/rect");
      const [outerWidth, outerHeight] = [numberOf(window, "width"), numberOf(window, "height")];
      await this.page.send("POST", "/window/rect", {
        width: outerWidth + width - wide,
        height: outerHeight + height - high,
      });
      await pause();
    }
  }

  async evaluate<Params extends unknown[], Result>(
    code: string | ((...params: Params) => Result),
    ...params: Params
  ): Promise<Awaited<Result>> {
    const script = typeof code === "string"
      ? `return (${code})`
      : `return (${code}).apply(null, arguments)`;
    return await this.page.run(script, params) as Awaited<Result>;
  }

  addScript(script: string): Promise<() => Promise<void>> {
    this.#scripts.push(script);
    return Promise.resolve(() => {
      this.#scripts.splice(this.#scripts.indexOf(script), 1);
      return Promise.resolve();
    });
  }

  async goto(url: string): Promise<void> {
    await this.#read();
    await this.page.send("POST", "/url", { url });
    await this.#begin();
  }

  async reload(): Promise<void> {
    await this.#read();
    await this.page.send("POST", "/refresh", {});
    await this.#begin();
  }

  /** Waits for the next document, and runs the scripts in it. */
  async #begin(): Promise<void> {
    const number = ++this.#documents;
    const script = `
      if (globalThis.__document === ${number}) return document.readyState === "complete";
      if ("__document" in globalThis || location.href === "about:blank") return false;
      Object.defineProperty(globalThis, "__document", { value: ${number} });
      ${LISTEN}
      ${this.#scripts.join(";\n")}
      return false;`;
    const deadline = performance.now() + LOAD_MS;
    // A script is not answered if its process is replaced meanwhile, as it is with the first page.
    const begin = () => this.page.run(script, [], { within: SCRIPT_MS }).catch(() => false);
    while (!await begin()) {
      if (performance.now() > deadline) throw new Error(`No page was loaded in ${LOAD_MS} ms`);
      await new Promise((resolve) => setTimeout(resolve));
    }
  }

  async sees(selector: string): Promise<boolean> {
    return await this.evaluate((selector) => {
      const element = document.querySelector(selector);
      return element !== null && element.checkVisibility({ visibilityProperty: true });
    }, selector);
  }

  async click(selector: string): Promise<boolean> {
    if (!await this.sees(selector)) return false;
    const element = await this.page.find(selector);
    if (element === null) return false;
    try {
      await this.page.run(
        `globalThis.__hit = false;
        const hit = () => { globalThis.__hit = true; };
        arguments[0].addEventListener("click", hit, { once: true, capture: true });`,
        [{ [ELEMENT]: element }],
      );
      await this.page.send("POST", `/element/${element}/click`, {});
      // A page that is gone was left by the click.
      return await this.page.run("return globalThis.__hit ?? true") === true;
    } catch {
      // Rendered anew between finding and clicking, or covered by something else.
      return false;
    }
  }

  async chooseFiles(selector: string, paths: readonly string[]): Promise<void> {
    const input = await this.page.find(selector);
    if (input === null) throw new Error(`Cannot choose files: no ${selector}`);
    await this.page.send("POST", `/element/${input}/value`, { text: paths.join("\n") });
  }

  type(text: string): Promise<void> {
    return this.#strike([...text]);
  }

  press(key: Key): Promise<void> {
    return this.#strike([KEYS[key]]);
  }

  async #strike(keys: readonly string[]): Promise<void> {
    const actions = keys.flatMap((value) => [
      { type: "keyDown", value },
      { type: "keyUp", value },
    ]);
    await this.page.send("POST", "/actions", {
      actions: [{ type: "key", id: "keyboard", actions }],
    });
  }

  async drag(points: readonly Place[]): Promise<void> {
    const moves = points.map(({ x, y }) => ({
      type: "pointerMove",
      duration: 20,
      x: Math.round(x),
      y: Math.round(y),
    }));
    const actions = [
      ...moves.slice(0, 1),
      { type: "pointerDown", button: 0 },
      ...moves.slice(1),
      { type: "pointerUp", button: 0 },
    ];
    await this.page.send("POST", "/actions", {
      actions: [{ type: "pointer", id: "mouse", parameters: { pointerType: "mouse" }, actions }],
    });
  }

  async capture(selector: string): Promise<string> {
    const element = await this.page.find(selector);
    if (element === null) throw new Error(`Cannot capture: no ${selector}`);
    return String(await this.page.send("GET", `/element/${element}/screenshot`));
  }

  /** Writes a PNG of what the screen shows. */
  async screenshot(path: string): Promise<void> {
    const base64 = String(await this.page.send("GET", "/screenshot"));
    await Deno.writeFile(path, Uint8Array.from(atob(base64), (c) => c.charCodeAt(0)));
  }

  /** @throws {Error} if the page reported an error */
  async assertNoErrors(): Promise<void> {
    await this.#read();
    if (this.errors.length === 0) return;
    throw new Error(`A page in WebKit reported errors:\n  ${this.errors.join("\n  ")}`);
  }

  /** Takes what the page wrote since the last time. */
  async #read(): Promise<void> {
    const said = await this.page.run("return globalThis.__said?.splice(0) ?? []");
    for (const line of Array.isArray(said) ? said : []) {
      const [kind, text] = Array.isArray(line) ? line.map(String) : [];
      this.console.push(`${kind}: ${text}`);
      if (kind === "error") this.errors.push(`${text}`);
    }
  }

  /** Ends the browser's processes. Can be called twice. */
  async close(): Promise<void> {
    // Ends the browser. A driver that does not answer is ended below.
    await this.page.send("DELETE", "").catch(() => {});
    await this.#processes.end();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function numberOf(value: unknown, name: string): number {
  const field = isRecord(value) ? value[name] : undefined;
  if (typeof field !== "number") throw new Error(`WebDriver's answer has no ${name}`);
  return field;
}
