/**
 * The two connections of an instance to Redis: one for scripts, one that listens to its bell. Both
 * come back by themselves.
 *
 * @module
 */
import { createClient } from "@redis/client";
import type { Script } from "./redis_scripts.ts";

/**
 * An operation that Redis did not confirm: it is away, or too slow. Whether it took effect is
 * unknown.
 */
export class RedisAway extends Error {
  override readonly name = "RedisAway";
}

/** What a {@linkcode RedisLink} tells its owner. */
export interface RedisLinkHandlers {
  /** Somebody published on the channel. */
  onBell(message: string): void;
  /**
   * One of the connections is there, for the first time or again; what was published in between is
   * lost.
   */
  onReady(): void;
  /** Redis is out of reach. Called once until it is back. */
  onAway(reason: string): void;
}

/** Settings of a {@linkcode RedisLink}. */
export interface RedisLinkOptions {
  /** `redis(s)://…`, as lib/ops/config.ts lets through. */
  readonly url: string;
  /** The channel to listen to. */
  readonly channel: string;
  /** How long a script may take, in ms. */
  readonly operationMs: number;
  readonly handlers: RedisLinkHandlers;
}

/** Longest wait between two attempts to connect, in ms. */
const RETRY_MAX_MS = 2_000;

/**
 * A connection says something this often, and is given up after this long without an answer, in ms.
 */
const PING_MS = 5_000;
const SILENCE_MS = 12_000;

/** Scripts that may wait for their answers; more mean that Redis does not keep up. */
const MAX_WAITING = 20_000;

function makeClient(url: string) {
  return createClient({
    url,
    // RESP 3 brings maintenance notifications, whose code reads the environment behind config.ts's
    // back.
    RESP: 2,
    maintNotifications: "disabled",
    // What can't be said now is not said later: nobody waits for it any more.
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

/** Runs scripts and listens. */
export class RedisLink {
  readonly #options: RedisLinkOptions;
  readonly #scripts: ReturnType<typeof makeClient>;
  readonly #bell: ReturnType<typeof makeClient>;
  #away = false;
  #closed = false;

  /** Begins to connect, and goes on trying until it is closed. */
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
   * True where both connections are there: a claim that nobody could tell of its events is not
   * worth making.
   */
  get ready(): boolean {
    return this.#scripts.isReady && this.#bell.isReady && !this.#closed;
  }

  /**
   * Runs a script. Throws {@linkcode RedisAway} without its answer; errors of the script itself as
   * they are.
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

  /** Ends both connections; scripts on their way are answered first. */
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

/** True for what Redis itself answered: a script that failed, not a connection. */
function isAnswer(error: unknown): boolean {
  return error instanceof Error && /^(ERR|WRONGTYPE|NOPERM)\b/.test(error.message);
}

/**
 * ECONNREFUSED, WRONGPASS, a class of errors: one word, as the rest of a message may hold an
 * address or a name.
 */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  if ("code" in error && typeof error.code === "string") return error.code;
  return /^[A-Z]{3,}(?= )/.exec(error.message)?.[0] ?? error.constructor.name;
}
