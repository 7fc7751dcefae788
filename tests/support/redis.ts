/**
 * A redis-server of our own: on a free port, in a directory of its own, without persistence. If
 * none is installed, the tests that need one are skipped with a message.
 *
 * @module
 */
import { createClient } from "@redis/client";
import { freePort } from "./app.ts";

const NAMES = ["redis-server", "valkey-server"];

/** Timeout until the server accepts connections, in ms. */
const START_MS = 20_000;

/** The command of an installed server, or `null`. */
export const redisServer: string | null = NAMES.find((name) => {
  try {
    return new Deno.Command(name, { args: ["--version"], stdout: "null", stderr: "null" })
      .outputSync().success;
  } catch {
    return false;
  }
}) ?? null;

/** True if tests with Redis can't run. A message says so once. */
export const noRedis: boolean = redisServer === null;
if (noRedis) {
  // deno-lint-ignore no-console -- who runs the tests has to know what they did not cover
  console.warn(`Tests with Redis are skipped: none of ${NAMES.join(", ")} is installed`);
}

/**
 * A key that stores the time, and the Lua expression that reads it: for tests that have to stop the
 * clock.
 */
const TIME_KEY = "test:now";
export const STOPPED_CLOCK = `tonumber(redis.call('GET', '${TIME_KEY}') or 1000)`;

function makeClient(url: string) {
  const client = createClient({ url, RESP: 2, maintNotifications: "disabled" });
  // The client reconnects by itself; commands that fail report the error.
  client.on("error", () => {});
  return client;
}

/** A running redis-server and a connection to inspect it. */
export class TestRedis implements AsyncDisposable {
  readonly port: number;
  readonly url: string;
  readonly #dir: string;
  #child: Deno.ChildProcess | undefined;
  #client: ReturnType<typeof makeClient> | undefined;

  private constructor(port: number, dir: string) {
    this.port = port;
    this.url = `redis://127.0.0.1:${port}`;
    this.#dir = dir;
  }

  /** Starts a server. Resolves when it accepts connections. */
  static async start(): Promise<TestRedis> {
    const redis = new TestRedis(freePort(), await Deno.makeTempDir({ prefix: "redis-" }));
    await redis.start();
    return redis;
  }

  /** Restarts it after {@linkcode TestRedis.stop}, empty. */
  async start(): Promise<void> {
    if (redisServer === null) throw new Error("Cannot start Redis: it is not installed");
    const settings = {
      bind: "127.0.0.1",
      port: String(this.port),
      dir: this.#dir,
      save: "",
      appendonly: "no",
    };
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
    this.#child = new Deno.Command(redisServer, { args, stdout: "null", stderr: "null" }).spawn();
    const deadline = performance.now() + START_MS;
    for (;;) {
      try {
        using _ = await Deno.connect({ hostname: "127.0.0.1", port: this.port });
        return;
      } catch (error) {
        if (performance.now() > deadline) throw error;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }

  /** Kills it; its data is lost. */
  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined) return;
    child.kill("SIGKILL");
    await child.status;
  }

  /** Freezes it: connections stay open, but there are no responses. */
  freeze(): void {
    this.#child?.kill("SIGSTOP");
  }

  thaw(): void {
    this.#child?.kill("SIGCONT");
  }

  /** Runs a command and returns its result. */
  async command(...args: string[]): Promise<unknown> {
    if (this.#client === undefined) {
      this.#client = makeClient(this.url);
      await this.#client.connect();
    }
    return await this.#client.sendCommand(args);
  }

  /** Names of all keys except that of the stopped clock. */
  async keys(): Promise<string[]> {
    const keys = await this.command("KEYS", "*");
    return Array.isArray(keys) ? keys.map(String).filter((key) => key !== TIME_KEY).sort() : [];
  }

  /** Advances the stopped clock. */
  async advance(ms: number): Promise<void> {
    await this.command("SET", TIME_KEY, "1000", "NX");
    await this.command("INCRBY", TIME_KEY, String(ms));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client?.destroy();
    await this.stop();
    await Deno.remove(this.#dir, { recursive: true });
  }
}
