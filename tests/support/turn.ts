/**
 * A real TURN relay, coturn's `turnserver`, on loopback, and a minimal client that tests how it
 * responds.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHash, createHmac, randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { freePort } from "./app.ts";

/** The secret shared by the TURN server and the app in tests. */
export const TURN_SECRET = "turn-secret-of-the-tests-0123456789";

/** Timeouts for the start and for one response, and the interval of retransmissions, in ms. */
const START_MS = 20_000;
const ANSWER_MS = 10_000;
const AGAIN_MS = 500;

/** The option that lets two browsers on one machine use it. */
export const LOOPBACK = ["--allow-loopback-peers"] as const;

/** Whether coturn is installed (Debian's package `coturn`). Prints a message if it is not. */
export function hasTurnServer(): boolean {
  try {
    new Deno.Command("turnserver", { args: ["--version"], stdout: "null", stderr: "null" })
      .outputSync();
    return true;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    // deno-lint-ignore no-console -- a skipped test has to say why
    console.log(
      "coturn is not installed (Debian: apt-get install coturn): tests with it are skipped",
    );
    return false;
  }
}

/**
 * Starts a server on a free port of 127.0.0.1, over UDP and TCP, with TURN_SECRET. Resolves when it
 * listens.
 */
export async function startTurnServer(args: readonly string[] = []): Promise<TurnServer> {
  const directory = await Deno.makeTempDir({ prefix: "turn-" });
  const server = new TurnServer(freePort(), directory, args);
  try {
    await server.ready();
  } catch (error) {
    await server.stop();
    throw error;
  }
  return server;
}

/** A TURN server. Stopped by {@linkcode TurnServer.stop} or `await using`. */
export class TurnServer implements AsyncDisposable {
  readonly port: number;
  readonly #directory: string;
  readonly #child: Deno.ChildProcess;
  readonly #reading: Promise<void>;
  #output = "";
  #ended = false;

  constructor(port: number, directory: string, args: readonly string[]) {
    this.port = port;
    this.#directory = directory;
    const own = ["--listening-port", String(port), "-L", "127.0.0.1", "-E", "127.0.0.1"];
    const quiet = ["--pidfile", `${directory}/pid`, "--db", `${directory}/db`, "--no-cli"];
    const secret = ["--use-auth-secret", `--static-auth-secret=${TURN_SECRET}`, "--realm=test"];
    // The last of two settings wins, so these also override a file.
    const log = ["--log-file=stdout", "--simple-log", "--no-tls", "--no-dtls"];
    this.#child = new Deno.Command("turnserver", {
      args: [...own, ...quiet, ...secret, ...args, ...log],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#child.status.then(() => this.#ended = true);
    this.#reading = Promise.all([
      this.#read(this.#child.stdout),
      this.#read(this.#child.stderr),
    ]).then(() => {});
  }

  /** For TURN_URLS. */
  get url(): string {
    return `turn:127.0.0.1:${this.port}?transport=udp`;
  }

  /** Everything that it wrote so far. */
  get output(): string {
    return this.#output;
  }

  /** Waits until it listens. */
  async ready(): Promise<void> {
    const deadline = performance.now() + START_MS;
    for (;;) {
      if (this.#ended) throw new Error(`turnserver ended:\n${this.#output}`);
      if (await this.#listens()) return;
      if (performance.now() > deadline) {
        throw new Error(`turnserver does not listen:\n${this.#output}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async stop(): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It exited by itself.
    }
    await this.#child.status;
    await this.#reading;
    await Deno.remove(this.#directory, { recursive: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #listens(): Promise<boolean> {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port: this.port })).close();
      return true;
    } catch {
      return false;
    }
  }

  async #read(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of stream) this.#output += decoder.decode(chunk, { stream: true });
  }
}

// RFC 8489 (STUN) and RFC 8656 (TURN).
const COOKIE = 0x2112a442;
const METHOD = { allocate: 0x0003, refresh: 0x0004, createPermission: 0x0008 } as const;
const ATTRIBUTE = {
  username: 0x0006,
  integrity: 0x0008,
  error: 0x0009,
  peer: 0x0012,
  realm: 0x0014,
  nonce: 0x0015,
  transport: 0x0019,
} as const;

type Attribute = readonly [type: number, value: Uint8Array];

/** Username and password as the app hands them out. */
export interface TurnCredentials {
  readonly username: string;
  readonly credential: string;
}

/** Response of a TURN server: 0 for success, otherwise the error code. */
export type TurnAnswer = number;

/** A client of a TURN server, over UDP, with credentials. */
export class TurnClient implements Disposable {
  readonly #socket = createSocket("udp4");
  readonly #port: number;
  readonly #credentials: TurnCredentials;
  #realm: Uint8Array = new Uint8Array();
  #nonce: Uint8Array = new Uint8Array();

  constructor(port: number, credentials: TurnCredentials) {
    this.#port = port;
    this.#credentials = credentials;
  }

  /**
   * Requests a relayed address, as a browser does: first without credentials, which the server must
   * refuse with 401.
   */
  async allocate(): Promise<TurnAnswer> {
    const transport: Attribute = [ATTRIBUTE.transport, Uint8Array.of(17, 0, 0, 0)];
    const first = await this.#ask(METHOD.allocate, [transport]);
    if (first.code !== 401) return first.code;
    this.#realm = first.attributes.get(ATTRIBUTE.realm) ?? this.#realm;
    this.#nonce = first.attributes.get(ATTRIBUTE.nonce) ?? this.#nonce;
    return (await this.#ask(METHOD.allocate, this.#signed([transport]))).code;
  }

  /** Requests to keep the allocation. */
  async refresh(): Promise<TurnAnswer> {
    return (await this.#ask(METHOD.refresh, this.#signed([]))).code;
  }

  /** Requests permission to send to an IPv4 address. */
  async permit(address: string): Promise<TurnAnswer> {
    const bytes = address.split(".").map(Number);
    const masked = bytes.map((byte, i) => byte ^ ((COOKIE >>> (24 - 8 * i)) & 0xff));
    const peer: Attribute = [ATTRIBUTE.peer, Uint8Array.of(0, 1, 0x21, 0x12, ...masked)];
    return (await this.#ask(METHOD.createPermission, this.#signed([peer]))).code;
  }

  #signed(attributes: readonly Attribute[]): readonly Attribute[] {
    return [
      ...attributes,
      [ATTRIBUTE.username, Buffer.from(this.#credentials.username)],
      [ATTRIBUTE.realm, this.#realm],
      [ATTRIBUTE.nonce, this.#nonce],
    ];
  }

  #encode(method: number, attributes: readonly Attribute[]): Uint8Array {
    const signed = attributes.some(([type]) => type === ATTRIBUTE.username);
    const body = Buffer.concat(attributes.map(([type, value]) => {
      const padded = Buffer.alloc(4 + Math.ceil(value.length / 4) * 4);
      padded.writeUInt16BE(type, 0);
      padded.writeUInt16BE(value.length, 2);
      padded.set(value, 4);
      return padded;
    }));
    const head = Buffer.alloc(20);
    head.writeUInt16BE(method, 0);
    head.writeUInt16BE(body.length + (signed ? 24 : 0), 2);
    head.writeUInt32BE(COOKIE, 4);
    head.set(randomBytes(12), 8);
    if (!signed) return Buffer.concat([head, body]);
    const { username, credential } = this.#credentials;
    const realm = Buffer.from(this.#realm).toString();
    const key = createHash("md5").update(`${username}:${realm}:${credential}`).digest();
    const mac = createHmac("sha1", key).update(head).update(body).digest();
    return Buffer.concat([head, body, Uint8Array.of(0, ATTRIBUTE.integrity, 0, 20), mac]);
  }

  async #ask(
    method: number,
    attributes: readonly Attribute[],
  ): Promise<{ code: TurnAnswer; attributes: Map<number, Uint8Array> }> {
    const request = this.#encode(method, attributes);
    const id = request.subarray(8, 20);
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    const listen = (message: Uint8Array) => {
      if (Buffer.compare(message.subarray(8, 20), id) === 0) resolve(message);
    };
    const send = () => this.#socket.send(request, this.#port, "127.0.0.1");
    this.#socket.on("message", listen);
    const timer = setTimeout(() => reject(new Error("The relay does not answer")), ANSWER_MS);
    // Datagrams may get lost, especially while the server is starting.
    const again = setInterval(send, AGAIN_MS);
    send();
    try {
      return decode(await promise);
    } finally {
      clearTimeout(timer);
      clearInterval(again);
      this.#socket.off("message", listen);
    }
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

function decode(message: Uint8Array): { code: TurnAnswer; attributes: Map<number, Uint8Array> } {
  const view = Buffer.from(message);
  const attributes = new Map<number, Uint8Array>();
  for (let at = 20; at + 4 <= view.length;) {
    const length = view.readUInt16BE(at + 2);
    attributes.set(view.readUInt16BE(at), view.subarray(at + 4, at + 4 + length));
    at += 4 + Math.ceil(length / 4) * 4;
  }
  const error = attributes.get(ATTRIBUTE.error);
  const code = error === undefined ? 0 : (error[2] ?? 0) * 100 + (error[3] ?? 0);
  return { code, attributes };
}
