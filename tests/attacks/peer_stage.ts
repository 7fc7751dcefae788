/**
 * Where a hostile peer meets a real page of the app: one server, one browser, and the attacker's
 * page, for all tests of a file. Each attack has documents of its own, on both sides.
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

/** What the victim's page did, noted before any script of its own runs. */
export interface Traces {
  /** How often a picture was painted where pictures are looked at. */
  readonly painted: number;
  /** The longest side of anything painted there, in pixels of the bitmap. */
  readonly largest: number;
  /**
   * How many of the canvases that it was painted on still hold anything, whether the page still
   * shows them or not.
   */
  readonly left: number;
  /** How many files were given to the decoder. */
  readonly decoded: number;
  /** Most bytes that ever waited in a channel. */
  readonly buffered: number;
  /** Chunks encrypted, and records handed to a channel. */
  readonly sealed: number;
  readonly sent: number;
  /** Properties that every object suddenly has. */
  readonly polluted: readonly string[];
}

declare global {
  /** Put into the victim's page by {@linkcode TRACE}. */
  var traces: Omit<Traces, "polluted" | "left"> & { readonly canvases: Set<HTMLCanvasElement> };
}

/** about:blank, which is no secure context, has none of what is noted. */
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
  // A worker is also told that there is nothing more to come.
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

/** How the victim, a sender, is set up. */
export interface OfferOptions {
  readonly seconds?: number;
  readonly keep?: boolean;
  readonly picture?: Fixture;
  readonly binding?: Binding;
  /**
   * The queue for the picture never has room, as on a network that takes nothing: of the picture
   * nothing goes out.
   */
  readonly stuck?: boolean;
  /** Who attacks, where it is not one of the stage's own pages. */
  readonly attacker?: TestPage;
}

/** A picture of the attacker's that nothing is wrong with, in base64: 800 × 600. */
export async function honestPicture(): Promise<string> {
  return toBase64(await Deno.readFile((await fixture("flat")).path));
}

/** Bytes as a page can be given them. */
export function toBase64(bytes: Uint8Array): string {
  return Array.from({ length: Math.ceil(bytes.length / 6_000) }, (_, i) =>
    // Multiples of three, so that the parts can be put together.
    btoa(String.fromCharCode(...bytes.subarray(i * 6_000, (i + 1) * 6_000)))).join("");
}

/**
 * One attack: who attacks and who is attacked. Their pages are used again when it is disposed of.
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
   * Pages that no attack uses at the moment: to start a process for each would take most of the
   * time.
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
    const env = { PUBLIC_ORIGIN: new URL(site.url).origin };
    const [app, browser] = await Promise.all([startApp({ env }), borrowBrowser()]);
    return new PeerStage(app, browser, site);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.browser.close();
    await this.app.stop();
    await this.#site[Symbol.asyncDispose]();
  }

  /** A viewer who pressed "Connect" in the attacker's room; bound, unless the binding is a lie. */
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

  /**
   * A sender whose picture the attacker was sent the link for; bound, unless the binding is a lie.
   */
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

  /** A page of the attacker's, for a browser of its own. */
  async attacker(browser: TestBrowser): Promise<TestPage> {
    // Its own complaints are no defect of the app.
    return await browser.newPage({ allowErrors: [/./] });
  }

  async #pair(guest?: TestPage): Promise<Pair> {
    const pair = (guest === undefined ? this.#idle.pop() : undefined) ?? {
      attacker: guest ?? await this.attacker(this.browser),
      victim: await this.browser.newPage({ before: TRACE }),
    };
    // A document of its own: nothing is left of the attack before.
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

/** Makes every channel for pictures that the page will have say that its queue is full. */
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

/** Ends what the tests of the file shared. */
export async function closeStage(): Promise<void> {
  await (await stage)?.[Symbol.asyncDispose]();
  stage = undefined;
}

/** Does something with each item, three at a time: most of an attack is waiting. */
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

/** What the victim's page did so far. */
export function tracesOf({ page }: Pick<Sender | Viewer, "page">): Promise<Traces> {
  return page.evaluate(() => {
    const polluted: string[] = [];
    // Every object has what it inherits.
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

/** Fails unless the page stopped the session because of what the other side sent, and says so. */
export async function assertStopped(person: Sender | Viewer): Promise<void> {
  assertEquals(await person.waitReason("ended"), "protocol");
  await assertCalm(person);
}

/** Fails unless the person can read what happened, and the page complained about nothing. */
export async function assertCalm(person: Sender | Viewer): Promise<void> {
  await person.assertReadable();
  await assertUnharmed(person);
}

/** Fails if the page complained about anything, or if its objects were tampered with. */
export async function assertUnharmed(person: Sender | Viewer): Promise<void> {
  person.testPage.assertNoErrors();
  assertEquals((await tracesOf(person)).polluted, []);
}
