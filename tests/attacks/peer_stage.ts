/**
 * A hostile peer against a real page of the app. All tests of a file share one server, one browser,
 * and the attacker's pages; each attack loads new documents on both sides.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { startApp, type TestApp } from "../support/app.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { type BlankSite, serveBlank } from "../support/blank.ts";
import { borrowBrowser, type TestBrowser, type TestPage } from "../support/browser.ts";
import { type Fixture, fixture } from "../support/fixtures.ts";
import { Sender, Viewer } from "../support/flow.ts";
import type { Binding } from "./peer_page.ts";

/** What the victim's page did, recorded by a script that runs before its own. */
export interface Traces {
  /** How often a picture was painted in the viewer. */
  readonly painted: number;
  /** The longest side of anything painted there, in pixels of the bitmap. */
  readonly largest: number;
  /**
   * How many of the canvases painted on still have content, even if the page no longer shows them.
   */
  readonly left: number;
  /** How many messages with bytes were sent to workers: files to decode. */
  readonly decoded: number;
  /** Most bytes that were ever queued in a channel. */
  readonly buffered: number;
  /** Chunks encrypted, and records passed to a channel. */
  readonly sealed: number;
  readonly sent: number;
  /** Properties added to the prototype of all objects. */
  readonly polluted: readonly string[];
}

declare global {
  /** Defined in the victim's page by {@linkcode TRACE}. */
  var traces: Omit<Traces, "polluted" | "left"> & { readonly canvases: Set<HTMLCanvasElement> };
}

/** about:blank is not a secure context and lacks the traced APIs. */
const TRACE = `if (isSecureContext) {
  const traces = globalThis.traces =
    { canvases: new Set(), painted: 0, largest: 0, decoded: 0, buffered: 0, sealed: 0, sent: 0 };
  const wrap = (prototype, name, note) => {
    const original = prototype[name];
    prototype[name] = function (...args) {
      const result = Reflect.apply(original, this, args);
      note(this, args);
      return result;
    };
  };
  wrap(CanvasRenderingContext2D.prototype, "drawImage", ({ canvas }, [source]) => {
    if (canvas.closest("[data-viewer]") === null) return;
    traces.painted++;
    traces.canvases.add(canvas);
    traces.largest = Math.max(traces.largest, source.width, source.height);
  });
  // Only messages with bytes count: workers receive other messages, too.
  const isBytes = (value) => value instanceof Blob || ArrayBuffer.isView(value);
  wrap(Worker.prototype, "postMessage", (worker, [message]) => {
    if (Object.values(message).some(isBytes)) traces.decoded++;
  });
  wrap(RTCDataChannel.prototype, "send", (channel) => {
    traces.sent++;
    traces.buffered = Math.max(traces.buffered, channel.bufferedAmount);
  });
  wrap(SubtleCrypto.prototype, "encrypt", () => traces.sealed++);
}`;

/** Set-up of the victim, a sender. */
export interface OfferOptions {
  readonly seconds?: number;
  readonly keep?: boolean;
  readonly picture?: Fixture;
  readonly binding?: Binding;
  /**
   * The picture's queue never has room, as on a stalled network: nothing of the picture is sent.
   */
  readonly stuck?: boolean;
  /** The attacker's page, if it is not one of the stage's own. */
  readonly attacker?: TestPage;
}

/** A valid picture of the attacker in base64: 800 × 600. */
export async function honestPicture(): Promise<string> {
  return toBase64(await Deno.readFile((await fixture("flat")).path));
}

/** Encodes bytes for passing them to a page. */
export function toBase64(bytes: Uint8Array): string {
  return Array.from({ length: Math.ceil(bytes.length / 6_000) }, (_, i) =>
    // A multiple of three bytes, so that the parts can be joined.
    btoa(String.fromCharCode(...bytes.subarray(i * 6_000, (i + 1) * 6_000)))).join("");
}

/**
 * One attack: attacker and victim. Disposing of it makes their pages available for the next one.
 */
export interface Attack<Victim> extends Disposable {
  readonly attacker: TestPage["page"];
  readonly victim: Victim;
}

interface Pair {
  readonly attacker: TestPage;
  readonly victim: TestPage;
}

/** Everything that attacks share. */
export class PeerStage implements AsyncDisposable {
  readonly app: TestApp;
  readonly browser: TestBrowser;
  readonly #site: BlankSite;
  /**
   * Pages that no attack is using: starting a process for each attack would take most of the time.
   */
  readonly #idle: Pair[] = [];

  private constructor(app: TestApp, browser: TestBrowser, site: BlankSite) {
    this.app = app;
    this.browser = browser;
    this.#site = site;
  }

  /** Starts server and browser. */
  static async open(): Promise<PeerStage> {
    const entry = fileURLToPath(new URL("./peer_page.ts", import.meta.url));
    const bundled = await Deno.bundle({
      entrypoints: [entry],
      platform: "browser",
      write: false,
    });
    const [file] = bundled.outputFiles ?? [];
    assert(file !== undefined, JSON.stringify(bundled.errors));
    const site = serveBlank({
      scripts: { "/page.js": file.text() },
      body: `<script type="module" src="/page.js"></script>`,
    });
    const env = { ALLOWED_ORIGINS: new URL(site.url).origin };
    const [app, browser] = await Promise.all([startApp({ env }), borrowBrowser()]);
    return new PeerStage(app, browser, site);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.browser.close();
    await this.app.stop();
    await this.#site[Symbol.asyncDispose]();
  }

  /** A viewer who joined the attacker's room; bound, unless the binding is a lie. */
  async viewer(binding: Binding = "right"): Promise<Attack<Viewer>> {
    const pair = await this.#pair();
    const attacker = pair.attacker.page;
    const link = await attacker.evaluate(
      (server, binding) => evil.host(server, binding),
      this.#server(),
      binding,
    );
    const victim = await Viewer.open(pair.victim, link);
    await victim.join();
    await attacker.evaluate(() => evil.bound);
    if (binding === "right") await victim.waitPhase("connected");
    return this.#attack(pair, victim);
  }

  /** A sender whose link the attacker has; bound, unless the binding is a lie. */
  async sender(options: OfferOptions = {}): Promise<Attack<Sender>> {
    const { seconds = 60, keep = false, binding = "right", stuck = false } = options;
    const pair = await this.#pair(options.attacker);
    const victim = await Sender.open(pair.victim, this.app.url);
    if (stuck) await fillQueue(pair.victim);
    if (keep) await victim.keepOpen();
    const picture = options.picture ?? await fixture("flat");
    const link = await victim.offer(picture, { seconds });
    await pair.attacker.page.evaluate(
      async (link, server, binding) => {
        await evil.join(link, server, binding);
        await evil.bound;
      },
      link,
      this.#server(),
      binding,
    );
    return this.#attack(pair, victim);
  }

  #server(): string {
    return this.app.url.replace(/^http/, "ws");
  }

  /** A page of the attacker in another browser. */
  async attacker(browser: TestBrowser): Promise<TestPage> {
    // Errors of the attacker's page are no defect of the app.
    return await browser.newPage({ allowErrors: [/./] });
  }

  async #pair(guest?: TestPage): Promise<Pair> {
    const pair = (guest === undefined ? this.#idle.pop() : undefined) ?? {
      attacker: guest ?? await this.attacker(this.browser),
      victim: await this.browser.newPage({ before: TRACE }),
    };
    // A new document, so that nothing of the previous attack is left.
    await pair.victim.page.goto("about:blank");
    await pair.attacker.page.goto(this.#site.url);
    await pair.attacker.page.waitForFunction(() => "evil" in globalThis);
    return pair;
  }

  #attack<Victim>(pair: Pair, victim: Victim): Attack<Victim> {
    return {
      attacker: pair.attacker.page,
      victim,
      [Symbol.dispose]: () => {
        if (this.browser.pages.includes(pair.attacker)) this.#idle.push(pair);
      },
    };
  }
}

/** Makes all channels for pictures, existing and future, report a full queue. */
async function fillQueue({ page }: TestPage): Promise<void> {
  await page.evaluate(() => {
    const { get } = Object.getOwnPropertyDescriptor(RTCDataChannel.prototype, "bufferedAmount")!;
    Object.defineProperty(RTCDataChannel.prototype, "bufferedAmount", {
      get(this: RTCDataChannel) {
        return this.label === "files" ? 16 * 1024 * 1024 : get!.call(this);
      },
    });
  });
}

let stage: Promise<PeerStage> | undefined;

/** A test on the stage that all tests of the file share. */
export function attackTest(name: string, body: (stage: PeerStage) => Promise<void>): void {
  Deno.test({
    name,
    // Server and browser outlive the test that needed them first.
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => await body(await (stage ??= PeerStage.open())),
  });
}

/** Closes what the tests of the file shared. */
export async function closeStage(): Promise<void> {
  await (await stage)?.[Symbol.asyncDispose]();
  stage = undefined;
}

/** Calls `body` with each item, three at a time, because attacks are mostly waiting. */
export async function inLanes<T>(
  items: readonly T[],
  body: (item: T) => Promise<void>,
): Promise<void> {
  const queue = [...items.entries()];
  const failures: string[] = [];
  const lane = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      try {
        await body(next[1]);
      } catch (error) {
        const text = error instanceof Error ? error.stack ?? error.message : String(error);
        failures.push(`${JSON.stringify(next[1])?.slice(0, 200)}: ${text}`);
      }
    }
  };
  await Promise.all([lane(), lane(), lane()]);
  assert(failures.length === 0, failures.join("\n\n"));
}

/** What the victim's page has done so far. */
export function tracesOf({ page }: Pick<Sender | Viewer, "page">): Promise<Traces> {
  return page.evaluate(() => {
    const polluted: string[] = [];
    // Inherited properties are enumerated too.
    for (const name in {}) polluted.push(name);
    const { canvases, ...rest } = globalThis.traces;
    const left = [...canvases].filter(({ width, height }) => width > 0 && height > 0).length;
    return { ...rest, left, polluted };
  });
}

/** Fails if the viewer's page ever painted anything, or says so. */
export async function assertNothingSeen({ attacker, victim }: Attack<Viewer>): Promise<void> {
  assertEquals((await tracesOf(victim)).painted, 0, "nothing is ever painted");
  assertEquals(await victim.wiped(), true);
  assertEquals((await victim.phases()).includes("viewing"), false);
  const said = await attacker.evaluate(() => evil.heard.map(({ t }) => t));
  assertEquals(said.includes("shown"), false, "nobody says that it was seen");
}

/** Fails if anything of a picture that was on screen is left in the viewer's page. */
export async function assertGone(victim: Viewer): Promise<void> {
  assertEquals(await victim.wiped(), true);
  const { painted, left } = await tracesOf(victim);
  assertEquals([painted > 0, left], [true, 0], "it was painted, and every canvas is empty");
}

/** Fails unless the page ended the session because of what the other side sent, and says so. */
export async function assertStopped(person: Sender | Viewer): Promise<void> {
  assertEquals(await person.waitReason("ended"), "protocol");
  await assertCalm(person);
}

/** Fails unless the person can read what happened, and the page reported no errors. */
export async function assertCalm(person: Sender | Viewer): Promise<void> {
  await person.assertReadable();
  await assertUnharmed(person);
}

/** Fails if the page reported errors, or if object prototypes were polluted. */
export async function assertUnharmed(person: Sender | Viewer): Promise<void> {
  person.testPage.assertNoErrors();
  assertEquals((await tracesOf(person)).polluted, []);
}
