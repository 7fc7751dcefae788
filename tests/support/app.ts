/**
 * The real app as a child process: built and started as the task `start` does it, with its
 * permissions and no others.
 *
 * @module
 */
import { DEFAULTS } from "../../lib/ops/config.ts";
import { PROJECT, readDenoJson } from "./project.ts";

/** Settings of {@linkcode startApp}. */
export interface AppOptions {
  /** Added to the server's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Default: {@linkcode freePort}. */
  readonly port?: number;
}

/**
 * All clients of a test have the same address, and many connect within a minute, so the limits per
 * address equal those in total.
 */
const ONE_ADDRESS: Readonly<Record<string, string>> = {
  LIMIT_UPGRADES_PER_MINUTE_PER_IP: DEFAULTS.LIMIT_UPGRADES_PER_MINUTE,
  LIMIT_CREATIONS_PER_MINUTE_PER_IP: DEFAULTS.LIMIT_CREATIONS_PER_MINUTE,
  LIMIT_FAILED_JOINS_PER_MINUTE_PER_IP: DEFAULTS.LIMIT_FAILED_JOINS_PER_MINUTE,
  LIMIT_TURN_PER_MINUTE_PER_IP: DEFAULTS.LIMIT_TURN_PER_MINUTE,
  LIMIT_RELAY_BYTES_PER_MINUTE_PER_IP: DEFAULTS.LIMIT_RELAY_BYTES_PER_MINUTE,
};

/** How long the server may take until it responds, in ms. */
const START_MS = 30_000;
/** How long it may take to exit by itself before it is killed, in ms. */
const STOP_MS = 10_000;
/** Pause between two attempts to reach it, in ms. */
const RETRY_MS = 50;

/**
 * The commands of the task `start`: those that build, then the one that serves; each without the
 * leading `deno`.
 */
interface StartCommands {
  readonly build: readonly string[][];
  readonly serve: readonly string[];
}

async function startCommands(): Promise<StartCommands> {
  const task = (await readDenoJson()).tasks.start;
  if (task === undefined) throw new Error("Cannot start the app: deno.json has no task start");
  const commands = task.split("&&").map((command) => command.trim().split(/\s+/));
  for (const [program] of commands) {
    if (program !== "deno") throw new Error(`Cannot start the app: "${program}" is not deno`);
  }
  const [serve, ...build] = commands.map((command) => command.slice(1)).reverse();
  if (serve === undefined) throw new Error("Cannot start the app: the task start is empty");
  return { build: build.reverse(), serve };
}

/** Set in the environment if the app was built before the tests were started. */
export const APP_IS_BUILT = "TEST_APP_IS_BUILT";

let built: Promise<StartCommands> | undefined;

/** Builds the app if it is outdated, once per process. */
export function buildApp(): Promise<StartCommands> {
  return built ??= build();
}

async function build(): Promise<StartCommands> {
  const commands = await startCommands();
  if (Deno.env.has(APP_IS_BUILT)) return commands;
  for (const args of commands.build) {
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args,
      cwd: PROJECT,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).output();
    if (!success) {
      const decoder = new TextDecoder();
      const text = decoder.decode(stdout) + decoder.decode(stderr);
      throw new Error(`Cannot build the app: deno ${args.join(" ")}\n${text}`);
    }
  }
  return commands;
}

/**
 * A port that is free at this moment. Not from the range in which the system assigns ports, because
 * it could assign the same port to another test or to a browser's connection.
 */
export function freePort(): number {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = 12_000 + Math.floor(Math.random() * 18_000);
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
  throw new Error("Cannot find a port: a hundred of them are in use");
}

/** Builds the app if needed and starts its server on 127.0.0.1. Resolves when it responds. */
export async function startApp(options: AppOptions = {}): Promise<TestApp> {
  const { serve } = await buildApp();
  const app = new TestApp(serve, options.port ?? freePort(), options);
  await app.start();
  return app;
}

/** A server of the app. Stopped by {@linkcode TestApp.stop} or `await using`. */
export class TestApp implements AsyncDisposable {
  readonly port: number;
  /** Without a trailing slash. */
  readonly url: string;
  /** Where its metrics are, if the environment has METRICS_TOKEN. */
  readonly metricsUrl: string;
  readonly #metricsPort = freePort();
  readonly #command: readonly string[];
  readonly #options: AppOptions;
  #child: Deno.ChildProcess | undefined;
  #reading: Promise<void> | undefined;
  #output = "";

  constructor(command: readonly string[], port: number, options: AppOptions) {
    this.#command = command;
    this.port = port;
    this.url = `http://127.0.0.1:${port}`;
    this.metricsUrl = `http://127.0.0.1:${this.#metricsPort}/metrics`;
    this.#options = options;
  }

  /** Everything that the server wrote so far, for error messages and for tests of its log. */
  get output(): string {
    return this.#output;
  }

  /** Id of the server's process. */
  get pid(): number {
    if (this.#child === undefined) throw new Error("Cannot tell the process: it does not run");
    return this.#child.pid;
  }

  /** Starts the server again on the same port, e.g. after {@linkcode TestApp.stop}. */
  async start(): Promise<void> {
    if (this.#child !== undefined) throw new Error("Cannot start the app: it runs");
    const child = new Deno.Command(Deno.execPath(), {
      args: [...this.#command],
      cwd: PROJECT,
      env: {
        ...ONE_ADDRESS,
        ...("METRICS_TOKEN" in (this.#options.env ?? {})
          ? { METRICS_PORT: String(this.#metricsPort) }
          : {}),
        ...this.#options.env,
        HOST: "127.0.0.1",
        PORT: String(this.port),
      },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#child = child;
    this.#reading = Promise.all([this.#read(child.stdout), this.#read(child.stderr)]).then(
      () => {},
    );
    let ended = false;
    child.status.then(() => ended = true);
    const deadline = performance.now() + START_MS;
    while (!await this.#answers()) {
      if (ended || performance.now() > deadline) {
        await this.stop();
        const what = ended ? "it ended" : `no answer in ${START_MS} ms`;
        throw new Error(`Cannot start the app: ${what}\n${this.#output}`);
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  /** Stops the server, as an operator would. Can be called twice. */
  async stop(signal: Deno.Signal = "SIGTERM"): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#child = undefined;
    endProcess(child, signal);
    const killer = setTimeout(() => endProcess(child, "SIGKILL"), STOP_MS);
    await child.status;
    clearTimeout(killer);
    await this.#reading;
  }

  /** Restarts the server on the same port, with empty memory. */
  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /**
   * Kills the server: no client is left to be notified, and a graceful shutdown takes at least 200
   * ms.
   */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop("SIGKILL");
  }

  async #answers(): Promise<boolean> {
    try {
      const response = await fetch(this.url);
      await response.body?.cancel();
      return true;
    } catch {
      return false;
    }
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    for await (const text of stream.pipeThrough(decoderStream())) this.#output += text;
  }
}

/**
 * A TextDecoderStream narrowed to the buffers that a process writes; that of the platform accepts
 * every kind.
 */
function decoderStream(): ReadableWritablePair<string, Uint8Array> {
  const decoder = new TextDecoder();
  return new TransformStream<Uint8Array, string>({
    transform(chunk, controller) {
      controller.enqueue(decoder.decode(chunk, { stream: true }));
    },
  });
}

function endProcess(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch {
    // It exited by itself in between.
  }
}
