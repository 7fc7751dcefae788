/**
 * Puts pictures through the product: a real Chromium with the product's own worker, as the built
 * app serves it, and independent metadata readers.
 *
 * @module
 */
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { startApp, type TestApp } from "../support/app.ts";
import { launchBrowser, type TestBrowser } from "../support/browser.ts";
import type { Page } from "../support/puppeteer.ts";
import type { Look } from "./page.ts";
import type { SentFile } from "./readers.ts";

/** A file to look at. */
export interface Picture {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The result. */
export type Finding =
  | { readonly kind: "looked"; readonly look: Look; readonly sent: Uint8Array | null }
  /** The page did not answer in time, or its process ended. */
  | { readonly kind: "lost"; readonly why: string };

/** What would be sent, `null` where it was refused. */
export function sentOf(finding: Finding): SentFile | null {
  if (finding.kind === "lost" || finding.sent === null || !finding.look.outcome.ok) return null;
  return { type: finding.look.outcome.type, bytes: finding.sent };
}

/**
 * How long one file may keep the page busy: twice what the worker may take, and the time to
 * compare.
 */
const PATIENCE_MS = 90_000;
/** A browser is restarted after this many files, to free what it keeps of pictures. */
const PER_BROWSER = 250;

/**
 * The types that a file chooser reports for these names; for all others the browser looks at the
 * bytes.
 */
const TYPES: Readonly<Record<string, string>> = {
  ".svg": "image/svg+xml",
  ".ico": "image/x-icon",
  ".heic": "image/heic",
  ".heif": "image/heif",
  ".jxl": "image/jxl",
  ".txt": "text/plain",
  ".pdf": "application/pdf",
};

/** Processes one picture at a time. Several benches share one server. */
export class Bench implements AsyncDisposable {
  readonly #site: BenchSite;
  #browser: TestBrowser | null = null;
  #page: Page | null = null;
  #looked = 0;

  constructor(site: BenchSite) {
    this.#site = site;
  }

  /** Never rejects because of a picture: a page that hangs or crashes is replaced. */
  async look(picture: Picture): Promise<Finding> {
    const number = this.#site.lay(picture);
    let timer: ReturnType<typeof setTimeout> | undefined;
    try {
      const page = this.#page ?? await this.#open();
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error("no answer in time")), PATIENCE_MS);
      });
      const asked = page.evaluate((number) => pictures.look(number), number);
      // Whichever loses the race does not matter.
      asked.catch(() => {});
      const look = await Promise.race([asked, late]);
      return { kind: "looked", look, sent: this.#site.sent(number) };
    } catch (error) {
      await this.#close();
      return { kind: "lost", why: error instanceof Error ? error.message : String(error) };
    } finally {
      clearTimeout(timer);
      this.#site.clear(number);
      if (++this.#looked % PER_BROWSER === 0) await this.#close();
    }
  }

  async #open(): Promise<Page> {
    this.#browser = await launchBrowser({ own: true, protocolTimeout: 2 * PATIENCE_MS });
    const { page } = await this.#browser.newPage({ allowErrors: [/.*/] });
    await page.goto(this.#site.url);
    await page.waitForFunction(() => "pictures" in globalThis);
    return this.#page = page;
  }

  async #close(): Promise<void> {
    const browser = this.#browser;
    this.#browser = this.#page = null;
    await browser?.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#close();
  }
}

/**
 * Serves the bench's page and its files, and the app for everything else, so that workers have
 * their own headers.
 */
export class BenchSite implements AsyncDisposable {
  readonly url: string;
  readonly #app: TestApp;
  readonly #server: Deno.HttpServer;
  readonly #files = new Map<number, Picture>();
  readonly #sent = new Map<number, Uint8Array>();
  #next = 0;

  private constructor(app: TestApp, script: string) {
    this.#app = app;
    const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
      return this.#answer(request, script);
    });
    this.#server = server;
    this.url = `http://127.0.0.1:${server.addr.port}/bench`;
  }

  /** Builds and starts the app, and bundles the page. */
  static async start(): Promise<BenchSite> {
    const entry = fileURLToPath(new URL("./page.ts", import.meta.url));
    const result = await Deno.bundle({ entrypoints: [entry], platform: "browser", write: false });
    const script = result.outputFiles?.[0]?.text() ?? "";
    return new BenchSite(await startApp({ env: { LOG_LEVEL: "error" } }), script);
  }

  /** Stores a file, which the page can fetch under this number. */
  lay(picture: Picture): number {
    this.#files.set(++this.#next, picture);
    return this.#next;
  }

  /** What the page would have sent of it. */
  sent(number: number): Uint8Array | null {
    return this.#sent.get(number) ?? null;
  }

  /** Forgets a file. */
  clear(number: number): void {
    this.#files.delete(number);
    this.#sent.delete(number);
  }

  async #answer(request: Request, script: string): Promise<Response> {
    const { pathname } = new URL(request.url);
    const [, folder, number] = pathname.split("/");
    if (folder === "bench") {
      const html = `<!doctype html><link rel="icon" href="data:,"><body>` +
        `<script type="module" src="/bench.js"></script>`;
      return new Response(html, { headers: { "content-type": "text/html" } });
    }
    if (folder === "bench.js") {
      return new Response(script, { headers: { "content-type": "text/javascript" } });
    }
    if (folder === "file") {
      const picture = this.#files.get(Number(number));
      if (picture === undefined) return new Response(null, { status: 404 });
      const type = TYPES[extname(picture.name).toLowerCase()];
      const headers = new Headers(type === undefined ? {} : { "content-type": type });
      return new Response(picture.bytes, { headers });
    }
    if (folder === "sent") {
      this.#sent.set(Number(number), new Uint8Array(await request.arrayBuffer()));
      return new Response(null, { status: 204 });
    }
    const { body, headers, status } = await fetch(this.#app.url + pathname);
    const passed = new Headers(headers);
    // They describe the bytes before fetch() unpacked them.
    for (const name of ["content-encoding", "content-length"]) passed.delete(name);
    return new Response(body, { status, headers: passed });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
    await this.#app.stop();
  }
}
