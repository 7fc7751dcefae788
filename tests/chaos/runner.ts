/**
 * Runs many sessions in bad conditions in parallel, because each of them is mostly waiting. A pair
 * of pages is reused for later sessions until one of them is closed, so that leaks accumulate and
 * are found.
 *
 * @module
 */
import { buildApp } from "../support/app.ts";
import { launchBrowser, type TestBrowser } from "../support/browser.ts";
import { flatPng, pngOfSize } from "../support/image_bytes.ts";
import { noRedis } from "../support/redis.ts";
import { PROXY_ARGS, UdpProxy } from "../support/udp_proxy.ts";
import { type Kind, kindOf, plan } from "./plan.ts";
import { type Pair, type Picture, play, type Result, type Stage } from "./session.ts";
import { type Remains, Tab } from "./tab.ts";
import { World } from "./world.ts";

/** How long closing all sockets may take after a session, in milliseconds. */
const CLOSING_MS = 15_000;

/**
 * How long servers keep rooms that nobody left properly: the grace period, and the extra lifetime
 * of Redis keys.
 */
const FORGETTING_MS = 120_000 + 45_000;

/**
 * Limits for objects of finished sessions. A page keeps what it shows of the last session, so there
 * may be objects of one session together with some of the next one.
 */
const MOST_PEERS = 6;
const MOST_SOCKETS = 12;

/** What a page held after a session. */
export interface Sample extends Remains {
  readonly who: "sender" | "viewer";
  /** Number of sessions in this document. */
  readonly sessions: number;
}

/** Results of all sessions. */
export interface Report {
  readonly results: readonly Result[];
  readonly samples: readonly Sample[];
  /** Problems besides those of the sessions: what servers kept. */
  readonly leaks: readonly string[];
  readonly ms: number;
}

/** What to run. */
export interface RunnerOptions {
  readonly seeds: readonly number[];
  /** Number of sessions in parallel. */
  readonly atOnce: number;
  /** Called after each session. */
  readonly onResult?: (result: Result) => void;
}

/** Plays the plans of all seeds. */
export async function runAll({ seeds, atOnce, onResult }: RunnerOptions): Promise<Report> {
  const began = performance.now();
  await buildApp();
  const pictures = await makePictures();
  const results: Result[] = [];
  const samples: Sample[] = [];
  const leaks: string[] = [];
  const waiting = [...seeds];
  /** The next seed, preferably one with the same environment. */
  const take = (kind: Kind | null): number | undefined => {
    const same = waiting.findIndex((seed) =>
      kind !== null && sameKind(kindOf(seed, !noRedis), kind)
    );
    return waiting.splice(Math.max(0, same), 1)[0];
  };
  await using browser = await launchBrowser({ args: PROXY_ARGS, shell: true });
  try {
    await Promise.all(Array.from({ length: Math.min(atOnce, seeds.length) }, async () => {
      await using place = new Place(browser, { samples, leaks });
      for (let seed = take(null); seed !== undefined; seed = take(place.kind)) {
        const stage = await place.prepare(kindOf(seed, !noRedis), pictures);
        const result = await play(stage, plan(seed, stage.kind));
        const left = await place.tidy(result).catch((error) => place.giveUp(error));
        const whole = { ...result, problems: [...result.problems, ...left] };
        results.push(whole);
        onResult?.(whole);
      }
    }));
  } finally {
    await Deno.remove(pictures.directory, { recursive: true });
  }
  return { results, samples, leaks, ms: performance.now() - began };
}

/** Plays sessions one after the other. */
class Place implements AsyncDisposable {
  readonly #browser: TestBrowser;
  readonly #found: { readonly samples: Sample[]; readonly leaks: string[] };
  #kind: Kind | null = null;
  #world: World | null = null;
  #pair: Pair | null = null;
  /** For each page: its number of documents, and the number of sessions in the current one. */
  readonly #sessions = { sender: { loads: 0, count: 0 }, viewer: { loads: 0, count: 0 } };
  #seeds: number[] = [];

  constructor(browser: TestBrowser, found: { samples: Sample[]; leaks: string[] }) {
    this.#browser = browser;
    this.#found = found;
  }

  get kind(): Kind | null {
    return this.#kind;
  }

  /** Provides an environment, with two idle pages. */
  async prepare(
    kind: Kind,
    { list }: { readonly list: readonly Picture[] },
  ): Promise<Stage & { readonly kind: Kind }> {
    if (this.#kind === null || !sameKind(this.#kind, kind)) await this.#leave();
    this.#kind = kind;
    const world = this.#world ??= await World.open(kind);
    const pair = this.#pair ??= await this.#open(world);
    return { pair, world, pictures: list, kind };
  }

  /**
   * Checks what a session left behind, and prepares the pages for the next one. Returns problems.
   */
  async tidy({ plan: { seed }, problems }: Result): Promise<string[]> {
    const pair = this.#pair;
    const world = this.#world;
    if (pair === null || world === null) return [];
    this.#seeds.push(seed);
    const left: string[] = [];
    if (problems.length > 0 || pair.sender.gone || pair.viewer.gone) {
      await this.#close();
      return left;
    }
    for (const tab of [pair.sender, pair.viewer]) {
      const remains = await settled(tab);
      const sessions = this.#sessions[tab.who];
      if (sessions.loads !== tab.loads) Object.assign(sessions, { loads: tab.loads, count: 0 });
      this.#found.samples.push({ ...remains, who: tab.who, sessions: ++sessions.count });
      if (!isTidy(remains)) left.push(`the ${tab.who}'s page keeps ${JSON.stringify(remains)}`);
    }
    const end = performance.now() + CLOSING_MS;
    let held = await world.held();
    while (held.sockets > 0 && performance.now() < end) {
      await pause(100);
      held = await world.held();
    }
    if (held.sockets > 0) left.push(`the servers keep ${held.sockets} sockets`);
    const { sender } = pair;
    if (sender.phase !== "idle" && !await sender.press("reset")) {
      await sender.visit(`${sender.line.url}/`, performance.now() + CLOSING_MS);
    }
    return left;
  }

  /** Pages that can't be inspected are not reused. */
  async giveUp(error: unknown): Promise<string[]> {
    await this.#close();
    return [`nobody knows what is left: ${error instanceof Error ? error.message : error}`];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#leave();
  }

  async #open(world: World): Promise<Pair> {
    const udp = await UdpProxy.open();
    const [sender, viewer] = [await this.#browser.newPage(), await this.#browser.newPage()];
    const pair = {
      udp,
      sender: await Tab.open("sender", sender, world.lines.sender, udp),
      viewer: await Tab.open("viewer", viewer, world.lines.viewer, udp),
    };
    await pair.sender.visit(`${pair.sender.line.url}/`, performance.now() + CLOSING_MS);
    return pair;
  }

  async #close(): Promise<void> {
    const pair = this.#pair;
    this.#pair = null;
    if (pair === null) return;
    for (const { testPage } of [pair.sender, pair.viewer]) await testPage.close();
    await pair.udp[Symbol.asyncDispose]();
    for (const sessions of Object.values(this.#sessions)) sessions.loads = 0;
  }

  /** Closes the world, after everybody has left and it had time to release their rooms. */
  async #leave(): Promise<void> {
    const world = this.#world;
    this.#world = null;
    await this.#close();
    if (world === null) return;
    await using _ = world;
    const end = performance.now() + FORGETTING_MS;
    let kept = await whatIsKept(world);
    while (kept !== "" && performance.now() < end) {
      await pause(500);
      kept = await whatIsKept(world);
    }
    if (kept !== "") this.#found.leaks.push(`after ${this.#seeds.join(", ")}: ${kept}`);
    this.#seeds = [];
  }
}

async function whatIsKept(world: World): Promise<string> {
  const { rooms, sockets } = await world.held();
  const keys = await world.keys();
  if (rooms === 0 && sockets === 0 && keys.length === 0) return "";
  return `${rooms} rooms, ${sockets} sockets, keys: ${keys.join(" ") || "none"}`;
}

/** What is left in a page after it had time to release it. */
async function settled(tab: Tab): Promise<Remains> {
  const end = performance.now() + CLOSING_MS;
  let remains = await tab.remains();
  while (!isTidy(remains) && performance.now() < end) {
    await pause(500);
    remains = await tab.remains();
  }
  return remains;
}

function isTidy({ openPeers, openSockets, bitmaps, peers, sockets }: Remains): boolean {
  // The sender's page shows a thumbnail of what it sent, which is one bitmap.
  return openPeers === 0 && openSockets === 0 && bitmaps <= 1 && peers <= MOST_PEERS &&
    sockets <= MOST_SOCKETS;
}

function sameKind(a: Kind, b: Kind): boolean {
  return a.redis === b.redis && a.relay === b.relay;
}

/** Pictures of different sizes, so that the size identifies the displayed picture. */
async function makePictures(): Promise<{ directory: string; list: readonly Picture[] }> {
  const directory = await Deno.makeTempDir({ prefix: "chaos-" });
  const list: Picture[] = [];
  const add = async (
    { bytes, width, height }: { bytes: Uint8Array; width: number; height: number },
    large: boolean,
  ) => {
    const path = `${directory}/${list.length}.png`;
    await Deno.writeFile(path, bytes);
    list.push({ path, name: `${width}×${height}`, large });
  };
  for (let i = 0; i < 8; i++) {
    const [width, height] = [320 + 8 * i, 240];
    await add({ bytes: flatPng(width, height), width, height }, false);
    await add(pngOfSize((1.5 + i / 4) * 1024 * 1024), true);
  }
  return { directory, list };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
