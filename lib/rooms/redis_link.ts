/**
 * The two connections of an instance to Redis: one runs scripts, one subscribes to the instance's
 * channel, its “bell”. Both reconnect by themselves.
 *
 * @module
 */
import { createClient } from "@redis/client";
import type { Script } from "./redis_scripts.ts";

/**
 * Redis did not confirm an operation, because it is unavailable or too slow. Whether the operation
 * took effect is unknown.
 */
export class RedisAway extends Error {
  override readonly name = "RedisAway";
}

/** Callbacks of a {@linkcode RedisLink}. */
export interface RedisLinkHandlers {
  /** A message was published on the channel. */
  onBell(message: string): void;
  /**
   * Both connections are up, for the first time or after a reconnect. Messages published in between
   * were lost.
   */
  onReady(): void;
  /** Redis became unavailable. Called once until it is available again. */
  onAway(reason: string): void;
}

/** Options of {@linkcode RedisLink}. */
export interface RedisLinkOptions {
  /** `redis(s)://…`, as validated by lib/ops/config.ts. */
  readonly url: string;
  /** The channel to subscribe to. */
  readonly channel: string;
  /** Timeout of a script, in ms. */
  readonly operationMs: number;
  readonly handlers: RedisLinkHandlers;
}

/** Longest delay between two attempts to connect, and timeout of one attempt, in ms. */
const RETRY_MAX_MS = 2_000;

/** Interval of pings on a connection, and the silence after which it is given up, in ms. */
const PING_MS = 5_000;
const SILENCE_MS = 12_000;

/** Scripts that may wait for their results; more mean that Redis can't keep up. */
const MAX_WAITING = 20_000;

function makeClient(url: string) {
  return createClient({
    url,
    // RESP 3 brings maintenance notifications, whose code reads environment variables that
    // config.ts does not know.
    RESP: 2,
    maintNotifications: "disabled",
    // No queue while disconnected: by the time of the reconnect nobody waits for these commands.
    disableOfflineQueue: true,
    commandsQueueMaxLength: MAX_WAITING,
    pingInterval: PING_MS,
    socket: {
      connectTimeout: RETRY_MAX_MS,
      socketTimeout: SILENCE_MS,
      reconnectStrategy: (retries) =>
        Math.min(50 * 2 ** retries, RETRY_MAX_MS) * (0.5 + Math.random() / 2),
    },
  });
}

/** Runs scripts and listens to the channel. */
export class RedisLink {
  readonly #options: RedisLinkOptions;
  readonly #scripts: ReturnType<typeof makeClient>;
  readonly #bell: ReturnType<typeof makeClient>;
  #away = false;
  #closed = false;

  /** Starts connecting, and retries until it is closed. */
  constructor(options: RedisLinkOptions) {
    this.#options = options;
    this.#scripts = makeClient(options.url);
    this.#bell = makeClient(options.url);
    for (const client of [this.#scripts, this.#bell]) {
      client.on("ready", () => this.#ready());
      client.on("error", (error) => this.#failed(error));
    }
    this.#connect();
  }

  /**
   * True if both connections are up. A seat taken without the second one would receive no events.
   */
  get ready(): boolean {
    return this.#scripts.isReady && this.#bell.isReady && !this.#closed;
  }

  /**
   * Runs a script. Throws {@linkcode RedisAway} if there is no result; errors of the script itself
   * are thrown unchanged.
   */
  async run(script: Script, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    if (!this.#scripts.isReady) throw new RedisAway("Cannot run a script: Redis is away");
    const options = { keys: [...keys], arguments: [...args] };
    const client = this.#scripts;
    const answer = client.evalSha(script.sha, options).catch((error: unknown) => {
      if (error instanceof Error && error.message.startsWith("NOSCRIPT")) {
        return client.eval(script.lua, options);
      }
      throw error;
    });
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new RedisAway("Cannot run a script: Redis is too slow")),
        this.#options.operationMs,
      );
    });
    try {
      return await Promise.race([answer, late]);
    } catch (error) {
      throw isAnswer(error) ? error : new RedisAway("Cannot run a script", { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Closes both connections after running scripts have finished. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const client of [this.#scripts, this.#bell]) {
      if (client.isReady) await client.close().catch(() => client.destroy());
      else if (client.isOpen) client.destroy();
    }
  }

  #connect(): void {
    const { channel, handlers } = this.#options;
    const fail = (error: unknown) => this.#failed(error);
    this.#scripts.connect().catch(fail);
    this.#bell.connect()
      .then(() => this.#bell.subscribe(channel, (message) => handlers.onBell(message)))
      .then(() => this.#ready(), fail);
  }

  #ready(): void {
    if (!this.ready) return;
    this.#away = false;
    this.#options.handlers.onReady();
  }

  #failed(error: unknown): void {
    if (this.#away || this.#closed) return;
    this.#away = true;
    this.#options.handlers.onAway(reasonOf(error));
  }
}

/** True for an error that Redis itself returned: the script failed, not the connection. */
function isAnswer(error: unknown): boolean {
  return error instanceof Error && /^(ERR|WRONGTYPE|NOPERM)\b/.test(error.message);
}

/**
 * ECONNREFUSED, WRONGPASS, a class of errors: one word only, because the rest of the message may
 * contain an address or a name.
 */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  if ("code" in error && typeof error.code === "string") return error.code;
  return /^[A-Z]{3,}(?= )/.exec(error.message)?.[0] ?? error.constructor.name;
}
