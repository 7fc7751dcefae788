/**
 * A dishonest server: a proxy in front of the real app, programmed by a test. Pages are proxied, so
 * browsers that load their page from here connect to this server too. All messages between them and
 * the real server over `/ws/<room>` pass through the hooks of a script. The script may forward,
 * change, drop, repeat, delay and invent messages, close sockets, or answer by itself without the
 * real server.
 *
 *     evil.onRelay((from, bytes) =>
 *       from === "S" && bytes[0] === HANDSHAKE.helloS ? flip(bytes, 7) : bytes
 *     );
 *
 * @module
 */
import type { Role } from "../../lib/e2e/transcript.ts";
import { type Bytes, fromBase64Url, toBase64Url } from "../../lib/protocol/bytes.ts";
import { SUBPROTOCOL } from "../../lib/protocol/limits.ts";
import {
  type ClientMessage,
  parseClientMessage,
  parseServerMessage,
  type ServerMessage,
} from "../../lib/protocol/signaling.ts";
import { soon, until } from "../rooms/room_server.ts";

/** What happens to a message: forwarded, replaced (text is sent as it is), or dropped (`null`). */
export type Verdict<Message> = Message | string | readonly (Message | string)[] | null;

/** A script's hook for messages from a page to the server. */
export type UpHook = (
  message: ClientMessage,
  victim: Victim,
) => Verdict<ClientMessage> | Promise<Verdict<ClientMessage>>;

/** A script's hook for messages from the real server to a page. */
export type DownHook = (
  message: ServerMessage,
  victim: Victim,
) => Verdict<ServerMessage> | Promise<Verdict<ServerMessage>>;

/** A script's hook for messages that one side relays to the other; `from` is the sending side. */
export type RelayHook = (
  from: Role,
  bytes: Bytes,
  victim: Victim,
) => Bytes | readonly Bytes[] | null | Promise<Bytes | readonly Bytes[] | null>;

/** A message that one side relayed, as the page sent it. */
export interface Relayed {
  readonly from: Role;
  readonly bytes: Bytes;
  readonly victim: Victim;
}

/** One page's socket. A page that reconnects becomes another victim with the same role. */
export class Victim {
  /** The room's address, as in the URL. */
  readonly room: string;
  readonly #page: WebSocket;
  readonly #server: EvilServer;
  #target: string;
  #role: Role | null = null;
  #upstream: Promise<WebSocket> | null = null;
  #up: Promise<void> = Promise.resolve();
  #down: Promise<void> = Promise.resolve();

  /** Takes the socket of a page that requested `room`. */
  constructor(page: WebSocket, room: string, server: EvilServer) {
    this.#page = page;
    this.room = room;
    this.#target = room;
    this.#server = server;
    page.onmessage = ({ data }) => {
      // Hooks run one at a time, so messages stay in order unless the script reorders them.
      this.#up = this.#up.then(() => this.#fromPage(String(data))).catch(this.#broken);
    };
    page.onclose = () => this.#hangUp();
  }

  /** Role of the page; `null` before its first message. */
  get role(): Role | null {
    return this.#role;
  }

  /** Whether the page's socket is still open. */
  get open(): boolean {
    return this.#page.readyState === WebSocket.OPEN;
  }

  /**
   * Connects the page to another room than it requested. Call it before anything is sent to the
   * real server.
   */
  lead(room: string): void {
    this.#target = room;
  }

  /** Sends a message to the page, in the server's name. */
  say(message: ServerMessage | string): void {
    const text = typeof message === "string" ? message : JSON.stringify(message);
    this.#server.note(text);
    if (message !== text) this.#server.learn(message as ServerMessage, this.#role);
    if (this.open) this.#page.send(text);
  }

  /** Sends a handshake message to the page, in the other side's name. */
  relay(bytes: Bytes): void {
    this.say({ t: "relay", d: toBase64Url(bytes) });
  }

  /** Sends a message to the real server, in the page's name. */
  async tell(message: ClientMessage | string): Promise<void> {
    this.#upstream ??= this.#dial();
    const socket = await this.#upstream;
    if (socket.readyState !== WebSocket.OPEN) return;
    socket.send(typeof message === "string" ? message : JSON.stringify(message));
  }

  /**
   * Closes the page's socket; without a code, as if the server had crashed. The connection to the
   * real server is closed too.
   */
  close(code?: number): void {
    if (this.open) this.#page.close(code);
    this.#hangUp();
  }

  async #fromPage(text: string): Promise<void> {
    this.#server.note(text);
    const message = parseClientMessage(text);
    if (message === null) throw new Error(`A page said what is not in the protocol: ${text}`);
    this.#role ??= this.#server.roleOf(message);
    // A seat invented by the script does not exist at the real server.
    if (message.t === "pong" && this.#upstream === null) return;
    for (const out of listOf(await this.#server.judgeUp(message, this))) await this.tell(out);
  }

  async #fromServer(text: string): Promise<void> {
    const message = parseServerMessage(text);
    if (message === null) {
      throw new Error(`The real server said what is not in the protocol: ${text}`);
    }
    for (const out of listOf(await this.#server.judgeDown(message, this))) this.say(out);
  }

  async #dial(): Promise<WebSocket> {
    const socket = connect(this.#server.target, this.#target);
    socket.onmessage = ({ data }) => {
      this.#down = this.#down.then(() => this.#fromServer(String(data))).catch(this.#broken);
    };
    socket.onclose = ({ code }) => {
      // After its last message.
      this.#down = this.#down.then(() =>
        this.close(code === 1000 || code >= 3000 ? code : undefined)
      );
    };
    await soon(
      new Promise((resolve) => {
        socket.onopen = resolve;
        socket.onerror = resolve;
      }),
      "the real server",
    );
    return socket;
  }

  readonly #broken = (error: unknown): void => {
    this.#server.problems.push(error);
  };

  #hangUp(): void {
    this.#upstream?.then((socket) => socket.close(), () => {});
  }
}

/** The dishonest server. Without hooks it is an honest proxy. */
export class EvilServer implements AsyncDisposable {
  /** Without a trailing slash. */
  readonly url: string;
  /** The real server, without a trailing slash. */
  readonly target: string;
  /** All sockets of pages so far, oldest first. */
  readonly victims: Victim[] = [];
  /** All handshake messages that pages sent so far, unchanged. */
  readonly relayed: Relayed[] = [];
  /** All texts received from or sent to pages. */
  readonly heard: string[] = [];
  /** Errors thrown by hooks: the script is broken, and the test has to fail. */
  readonly problems: unknown[] = [];
  readonly #http: Deno.HttpServer<Deno.NetAddr>;
  readonly #tokens = new Map<string, Role>();
  #up: UpHook = (message) => message;
  #down: DownHook = (message) => message;
  #relay: RelayHook = (_from, bytes) => bytes;

  /**
   * Listens on a free port of 127.0.0.1, in front of the real server at `target`
   * (`http://host:port`).
   */
  constructor(target: string) {
    this.target = target;
    this.#http = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      (req) => this.#answer(req),
    );
    this.url = `http://127.0.0.1:${this.#http.addr.port}`;
  }

  /** Resets everything: an honest proxy without records. */
  forget(): void {
    for (const victim of this.victims) victim.close();
    for (const record of [this.victims, this.relayed, this.heard, this.problems]) record.length = 0;
    this.#tokens.clear();
    this.#up = (message) => message;
    this.#down = (message) => message;
    this.#relay = (_from, bytes) => bytes;
  }

  /**
   * Hook for messages from pages to the server, except relayed ones, which use {@linkcode onRelay}.
   */
  onUp(hook: UpHook): void {
    this.#up = hook;
  }

  /** Hook for messages from the real server to pages. */
  onDown(hook: DownHook): void {
    this.#down = hook;
  }

  /** Hook for every handshake message from one page to the other. */
  onRelay(hook: RelayHook): void {
    this.#relay = hook;
  }

  /** The newest open socket of `role`; waits until there is one. */
  async victim(role: Role): Promise<Victim> {
    const find = () => this.victims.findLast((victim) => victim.role === role && victim.open);
    await until(() => find() !== undefined, `${role} has a socket`);
    return find()!;
  }

  /** The first handshake message of `type` from `from`; waits until it is sent. */
  async message(from: Role, type: number): Promise<Bytes> {
    const find = () => this.#sent(from, type)[0];
    await until(() => find() !== undefined, `${from} sent message ${type}`);
    return find()!;
  }

  /** Number of handshake messages of `type` that `from` has sent. */
  count(from: Role, type: number): number {
    return this.#sent(from, type).length;
  }

  /** Opens a socket of the attacker's own to the real server. */
  connect(room: string): WebSocket {
    return connect(this.target, room);
  }

  /** For victims: records a text. */
  note(text: string): void {
    this.heard.push(text);
  }

  /** For victims: remembers the role that a seat's token belongs to. */
  learn(message: ServerMessage, role: Role | null): void {
    if ("rtok" in message && role !== null) this.#tokens.set(message.rtok, role);
  }

  /** For victims: the role of the page that sends this first message. */
  roleOf(message: ClientMessage): Role | null {
    if (message.t === "resume") return this.#tokens.get(message.rtok) ?? null;
    return message.t === "create" ? "S" : "R";
  }

  /** For victims: runs the hook for a message to the server. */
  async judgeUp(message: ClientMessage, victim: Victim): Promise<Verdict<ClientMessage>> {
    if (message.t !== "relay" || victim.role === null) return await this.#up(message, victim);
    const bytes = fromBase64Url(message.d);
    if (bytes === null) throw new Error(`A page relayed what is not base64url: ${message.d}`);
    this.relayed.push({ from: victim.role, bytes, victim });
    const judged = await this.#relay(victim.role, bytes, victim);
    const list = judged === null ? [] : judged instanceof Uint8Array ? [judged] : judged;
    return list.map((out) => ({ t: "relay", d: toBase64Url(out) }));
  }

  /** For victims: runs the hook for a message to a page. */
  async judgeDown(message: ServerMessage, victim: Victim): Promise<Verdict<ServerMessage>> {
    return await this.#down(message, victim);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const victim of this.victims) victim.close();
    await this.#http.shutdown();
  }

  #sent(from: Role, type: number): Bytes[] {
    return this.relayed.filter((item) => item.from === from && item.bytes[0] === type)
      .map(({ bytes }) => bytes);
  }

  #answer(req: Request): Response | Promise<Response> {
    const { pathname, search } = new URL(req.url);
    const room = /^\/ws\/([^/]+)$/.exec(pathname)?.[1];
    if (room === undefined) return page(`${this.target}${pathname}${search}`);
    const { socket, response } = Deno.upgradeWebSocket(req, { protocol: SUBPROTOCOL });
    this.victims.push(new Victim(socket, room, this));
    return response;
  }
}

function listOf<Message>(verdict: Verdict<Message>): readonly (Message | string)[] {
  if (verdict === null) return [];
  return Array.isArray(verdict) ? verdict : [verdict as Message | string];
}

async function page(url: string): Promise<Response> {
  const { body, headers, status } = await fetch(url);
  const own = new Headers(headers);
  // `fetch` has already decoded the body.
  own.delete("content-encoding");
  own.delete("content-length");
  return new Response(body, { headers: own, status });
}

function connect(target: string, room: string): WebSocket {
  const options = { protocols: [SUBPROTOCOL], headers: { origin: target } };
  // Deno's WebSocket accepts headers, unlike the DOM's type, which the project is checked with.
  return Reflect.construct(WebSocket, [`${target.replace("http", "ws")}/ws/${room}`, options]);
}
