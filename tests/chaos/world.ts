/**
 * The environment of two people: the real app in processes of its own, a Redis if there are two of
 * them, and each person's connection to the app.
 *
 * @module
 */
import { startApp, type TestApp } from "../support/app.ts";
import { TestRedis } from "../support/redis.ts";
import { Line } from "./line.ts";
import type { Kind, Who } from "./plan.ts";

/** Bearer token for /metrics. */
const TOKEN = "chaos-chaos-chaos-chaos";

/** How often starting a process is tried before it counts as broken. */
const START_TRIES = 6;

/** What a server reports that it holds. */
export interface Held {
  readonly rooms: number;
  readonly sockets: number;
}

/** Servers that can be restarted. */
export class World implements AsyncDisposable {
  readonly lines: Readonly<Record<Who, Line>>;
  readonly #apps: readonly TestApp[];
  readonly #redis: TestRedis | null;
  /** Processes that are stopped at the moment, so that none is stopped twice. */
  readonly #away = new Set<TestApp | TestRedis>();

  private constructor(apps: readonly TestApp[], redis: TestRedis | null) {
    this.#apps = apps;
    this.#redis = redis;
    const ports = apps.map(({ port }) => port);
    this.lines = {
      sender: new Line(() => ports),
      // With two servers, each person uses a different one first.
      viewer: new Line(() => ports.toReversed()),
    };
  }

  static async open({ redis, relay }: Kind): Promise<World> {
    const store = redis ? await TestRedis.start() : null;
    const env = {
      METRICS_TOKEN: TOKEN,
      LOG_LEVEL: "warn",
      ...(relay ? { RELAY: "on" } : {}),
      ...(store === null ? {} : { REDIS_URL: store.url }),
    };
    const starting = Array.from(
      { length: redis ? 2 : 1 },
      () => persistently(() => startApp({ env })),
    );
    return new World(await Promise.all(starting), store);
  }

  /**
   * Stops a server, and starts it again `ms` milliseconds later. Does nothing if it is stopped
   * already.
   */
  async restart(index: number, signal: Deno.Signal, ms: number): Promise<void> {
    const app = this.#apps[index];
    if (app === undefined) throw new RangeError(`Cannot restart server ${index}: there is none`);
    await this.#without(app, ms, () => app.stop(signal));
  }

  /** The same for Redis, which is empty afterwards. */
  async restartRedis(ms: number): Promise<void> {
    const redis = this.#redis;
    if (redis !== null) await this.#without(redis, ms, () => redis.stop());
  }

  /** What all servers together hold. */
  async held(): Promise<Held> {
    const all = await Promise.all(
      this.#apps.map((app) =>
        heldAt(app.metricsUrl).catch((cause) => {
          throw new Error(`A server does not answer; it wrote: ${app.output.slice(-4_000)}`, {
            cause,
          });
        })
      ),
    );
    return {
      rooms: all.reduce((sum, { rooms }) => sum + rooms, 0),
      sockets: all.reduce((sum, { sockets }) => sum + sockets, 0),
    };
  }

  /** Keys in Redis that belong to a room, and keys without an expiry. */
  async keys(): Promise<readonly string[]> {
    const redis = this.#redis;
    if (redis === null) return [];
    const left: string[] = [];
    for (const key of await redis.keys()) {
      const forEver = await redis.command("PTTL", key) === -1;
      if (forEver || /:(room|events)$/.test(key)) left.push(forEver ? `${key} for ever` : key);
    }
    return left;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const line of Object.values(this.lines)) await line[Symbol.asyncDispose]();
    for (const app of this.#apps) await app.stop("SIGKILL");
    await this.#redis?.[Symbol.asyncDispose]();
  }

  async #without<T extends TestApp | TestRedis>(
    process: T,
    ms: number,
    stop: () => Promise<void>,
  ): Promise<void> {
    if (this.#away.has(process)) return;
    this.#away.add(process);
    try {
      await stop();
      await new Promise((resolve) => setTimeout(resolve, ms));
      await persistently(() => process.start());
    } finally {
      this.#away.delete(process);
    }
  }
}

/**
 * Starts something with retries. Its port may be taken for a moment: so many connections are made
 * here that one may use it as its local port.
 */
async function persistently<T>(start: () => Promise<T>): Promise<T> {
  for (let tries = 1;; tries++) {
    try {
      return await start();
    } catch (error) {
      if (tries === START_TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}

async function heldAt(url: string): Promise<Held> {
  // No connection reuse: a kept connection may lead to a server that was stopped since.
  using client = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });
  const asked: RequestInit & { readonly client: Deno.HttpClient } = {
    headers: { authorization: `Bearer ${TOKEN}` },
    client,
  };
  const response = await fetch(url, asked);
  const text = await response.text();
  const read = (name: string) => {
    const value = new RegExp(`^ephemeral_${name} (\\d+)$`, "m").exec(text)?.[1];
    if (value === undefined) throw new Error(`Cannot read ${name} in /metrics: ${text}`);
    return Number(value);
  };
  return { rooms: read("rooms"), sockets: read("sockets") };
}
