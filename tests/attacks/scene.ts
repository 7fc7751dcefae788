/**
 * The setting of attacks: one real server and one browser per file, and for each test a dishonest
 * server and two people who load their pages from it.
 *
 * @module
 */
import { deriveRoom, parseFragment, type RoomSecrets } from "../../lib/e2e/link.ts";
import { encodeHex } from "@std/encoding/hex";
import { ascii, type Bytes, fromBase64Url } from "../../lib/protocol/bytes.ts";
import { startApp, type TestApp } from "../support/app.ts";
import { assert, assertEquals } from "../support/assert.ts";
import {
  borrowBrowser,
  type PageOptions,
  type TestBrowser,
  type TestPage,
} from "../support/browser.ts";
import { type Fixture, fixture } from "../support/fixtures.ts";
import { Sender, Viewer } from "../support/flow.ts";
import { EvilServer } from "./evil_server.ts";

/**
 * What a test works with. The sender has a link; the viewer has opened it and clicked nothing yet.
 */
export interface Scene {
  readonly evil: EvilServer;
  readonly sender: Sender;
  readonly viewer: Viewer;
  readonly link: string;
  /** The secret in the link, 32 bytes. */
  readonly secret: Bytes;
  /** What the two people share; a test decides what the attacker knows of it. */
  readonly secrets: RoomSecrets;
  /** Opens a link as another person. */
  another(link: string): Promise<Viewer>;
}

/** Settings of one test. */
export interface AttackOptions {
  /** JavaScript that runs in the viewer's page before its own, e.g. {@linkcode haste}. */
  readonly before?: string;
  /** The same in the sender's page. */
  readonly beforeSender?: string;
  /** False: the server assigns no digits to the room, so there is no code. */
  readonly digits?: boolean;
}

/** Shortens timeouts of ten seconds and more, to test what a page does when nothing arrives. */
export function haste(factor: number): string {
  return `{
    const wait = globalThis.setTimeout;
    globalThis.setTimeout = (body, ms, ...rest) =>
      wait(body, ms >= 10_000 ? ms / ${factor} : ms, ...rest);
  }`;
}

/** Slows key derivation down, to test what may happen meanwhile. */
export const SLOW = `{
  const { prototype } = SubtleCrypto;
  const { deriveBits } = prototype;
  prototype.deriveBits = async function (...args) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    return await deriveBits.apply(this, args);
  };
}`;

interface Ground {
  readonly app: TestApp;
  readonly browser: TestBrowser;
  readonly picture: Fixture;
}

let ground: Ground | undefined;
/**
 * The scene of the next test, set up while this one runs, because loading pages takes most of a
 * test.
 */
let next: Promise<Stage> | undefined;
/**
 * A stage whose test is over. Reloading its pages for another test takes half as long as opening
 * new ones.
 */
let free: Stage | undefined;

/**
 * Starts server and browser for all attacks of this file, and stops them afterwards. `env` is added
 * to the server's environment.
 */
export function shareGround(env: Readonly<Record<string, string>> = {}): void {
  Deno.test.beforeAll(async () => {
    const picture = await fixture("flat");
    ground = { app: await startApp({ env }), browser: await borrowBrowser(), picture };
  });
  Deno.test.afterAll(async () => {
    const unused = await next?.catch(() => undefined);
    await unused?.[Symbol.asyncDispose]();
    await free?.[Symbol.asyncDispose]();
    await ground?.browser.close();
    await ground?.app.stop();
  });
}

/**
 * A test with two people whose server is dishonest. At its end, nothing that passed through the
 * server may have revealed anything, and no page may have reported an unexpected error.
 */
export function attack(
  name: string,
  body: (scene: Scene) => Promise<void>,
  options: AttackOptions = {},
): void {
  // Server and browser are older than the test, so their pending work is not a leak of the test.
  Deno.test({ name, sanitizeOps: false, sanitizeResources: false }, async () => {
    const shared = Object.keys(options).length === 0;
    const stage = shared ? await (next ?? Stage.open()) : await Stage.open(options);
    if (shared) next = upcoming();
    let well = false;
    try {
      await body(stage);
      stage.assertClean();
      well = true;
    } catch (error) {
      throw withProblems(error, stage.evil.problems);
    } finally {
      // Never reuse what a failed test left behind.
      if (shared && well) free = stage;
      else await stage[Symbol.asyncDispose]();
    }
  });
}

/** A broken script often explains why a test failed: show both errors. */
function withProblems(error: unknown, problems: readonly unknown[]): unknown {
  return problems.length === 0 ? error : new AggregateError([error, ...problems], "And in hooks");
}

/**
 * Runs a session of two other people with another dishonest server, and returns the result of
 * `body`.
 */
export async function elsewhere<T>(body: (scene: Scene) => Promise<T>): Promise<T> {
  await using scene = await Stage.open();
  return await body(scene);
}

function upcoming(): Promise<Stage> {
  const stage = free;
  free = undefined;
  const promise = stage === undefined ? Stage.open() : stage.again();
  // The test that awaits the stage gets the error.
  promise.catch(() => {});
  return promise;
}

class Stage implements Scene, AsyncDisposable {
  readonly evil: EvilServer;
  readonly sender: Sender;
  readonly viewer: Viewer;
  readonly #pages: Pages;
  /** The three words of the code, with their hyphens. */
  #words: string | null = null;
  #invitation: Pick<Scene, "link" | "secret" | "secrets"> | null = null;

  private constructor(pages: Pages, parts: Pick<Scene, "evil" | "sender" | "viewer">) {
    this.#pages = pages;
    this.evil = parts.evil;
    this.sender = parts.sender;
    this.viewer = parts.viewer;
  }

  static async open(options: AttackOptions = {}): Promise<Stage> {
    assert(ground !== undefined, "shareGround() was not called");
    const { app, browser } = ground;
    const evil = new EvilServer(app.url);
    if (options.digits === false) {
      evil.onDown((message) =>
        message.t === "created" ? { t: message.t, exp: message.exp, rtok: message.rtok } : message
      );
    }
    const pages = new Pages(browser);
    const [sender, viewer] = await Promise.all([
      pages.open(options.beforeSender).then((page) => Sender.open(page, evil.url)),
      pages.open(options.before).then((page) => Viewer.open(page, `${evil.url}/join`)),
    ]);
    const stage = new Stage(pages, { evil, sender, viewer });
    await stage.#invite(options);
    return stage;
  }

  get link(): string {
    return this.#invited.link;
  }

  get secret(): Bytes {
    return this.#invited.secret;
  }

  get secrets(): RoomSecrets {
    return this.#invited.secrets;
  }

  /** Sets up everything anew, in the same two pages. */
  async again(): Promise<this> {
    await this.#pages.closeFurther();
    await Promise.all([this.sender.startOver(), this.viewer.startOver()]);
    this.evil.forget();
    await this.#invite({});
    return this;
  }

  async another(link: string): Promise<Viewer> {
    return await Viewer.open(await this.#pages.open(), link);
  }

  assertClean(): void {
    assertEquals(this.evil.problems, []);
    const words = this.#words === null ? [] : [ascii(this.#words)];
    assertLearnedNothing(this.evil, [this.secret, this.secrets.psk, ...words]);
    for (const page of this.#pages.all) page.assertNoErrors();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#pages.all.map((page) => page.close()));
    await this.evil[Symbol.asyncDispose]();
  }

  get #invited(): Pick<Scene, "link" | "secret" | "secrets"> {
    assert(this.#invitation !== null, "The stage is not set");
    return this.#invitation;
  }

  async #invite({ digits = true }: AttackOptions): Promise<void> {
    assert(ground !== undefined, "shareGround() was not called");
    const link = await this.sender.offer(ground.picture, { seconds: 3 });
    this.#words = digits ? (await this.sender.shareCode()).replace(/^\d+-/, "") : null;
    const { hash } = new URL(link);
    await this.viewer.page.evaluate((fragment) => {
      location.hash = fragment;
    }, hash);
    await this.viewer.waitFor(
      "a link that was read",
      () => location.hash === "" && document.querySelector("[data-field=code]") === null,
    );
    const secret = parseFragment(hash);
    assert(secret !== null, `Not a link: ${link}`);
    this.#invitation = { link, secret, secrets: await deriveRoom(secret) };
  }
}

class Pages {
  all: TestPage[] = [];
  readonly #browser: TestBrowser;

  constructor(browser: TestBrowser) {
    this.#browser = browser;
  }

  async open(before?: string): Promise<TestPage> {
    const page = await this.#browser.newPage(pageOptions(before));
    this.all.push(page);
    return page;
  }

  /** Closes all pages but the first two. */
  async closeFurther(): Promise<void> {
    await Promise.all(this.all.splice(2).map((page) => page.close()));
  }
}

function pageOptions(before: string | undefined): PageOptions {
  // A socket that the attacker cuts is not an error of the page.
  const allowErrors = [/WebSocket connection to .* failed/];
  return before === undefined ? { allowErrors } : { allowErrors, before };
}

/** Parts of an SDP, and of a candidate. */
const SIGNALING = ["a=fingerprint", "a=ice-ufrag", "a=ice-pwd", "candidate:", "m=application"];

/** Fails if the server could read SDP, candidates or secrets of the two people. */
function assertLearnedNothing(evil: EvilServer, secrets: readonly Bytes[]): void {
  const hex = evil.relayed.map(({ bytes }) => encodeHex(bytes)).concat(
    evil.heard.map((text) => encodeHex(new TextEncoder().encode(text))),
    evil.heard.flatMap(tokens).map((token) => encodeHex(token)),
  );
  const forbidden = SIGNALING.map((line) => encodeHex(new TextEncoder().encode(line)))
    .concat(secrets.map(encodeHex));
  for (const item of forbidden) {
    assert(!hex.some((text) => text.includes(item)), `The server has seen ${item} (hex)`);
  }
}

function tokens(text: string): Bytes[] {
  return [...text.matchAll(/[A-Za-z0-9_-]{22,}/g)].flatMap(([token]) => fromBase64Url(token) ?? []);
}

/** Phases before the link is established. */
const BEFORE_BOUND = ["idle", "preparing", "waiting", "connecting", "failed", "ended"];

/** Fails if one of them got further than `connecting`. */
export async function assertNeverConnected(...people: readonly (Sender | Viewer)[]): Promise<void> {
  for (const person of people) {
    const phases = await person.phases();
    const further = phases.filter((phase) => !BEFORE_BOUND.includes(phase));
    assertEquals(further, [], `The ${person.role} went through ${phases.join(", ")}`);
  }
}

/**
 * What a person's page says at the end of an attack: `failed` with this reason. For the sender it
 * may also be `waiting` again, because the visitor left or was dismissed, which the sender can
 * read.
 */
export async function assertOutcome(person: Sender | Viewer, outcome: string): Promise<void> {
  if (outcome === "waiting" || outcome === "turned_away") {
    assert(person instanceof Sender, "A viewer has nobody to wait for");
    await person.waitPhase("waiting");
    if (outcome === "turned_away") await person.fieldMatching("timeline", /turned away/);
  } else {
    assertEquals(await person.waitReason("failed"), outcome);
  }
  await person.assertReadable();
}

/**
 * Lets the viewer open the delivered picture, see it, and close it: the session works despite the
 * attack.
 */
export async function assertSeen(
  { sender, viewer }: Pick<Scene, "sender" | "viewer">,
): Promise<void> {
  await viewer.look();
  await viewer.closePicture();
  await viewer.waitPhase("closed");
  await sender.waitPhase("closed");
}
