/**
 * A server that lies: the real app behind a relay that a test programs. Pages are passed through,
 * so browsers that load theirs from here talk to this server too; whatever they and the real server
 * say to each other over `/ws/<room>` goes through the hooks of a script, which may pass it on,
 * change, drop, repeat, hold back and invent messages, close sockets, or answer by itself without
 * the real server.
 *
 *     evil.onRelay((from, bytes) => from === "S" && bytes[0] === HANDSHAKE.helloS ? flip(bytes, 7) : bytes);
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

/**
 * What becomes of a message: itself, others in its place (text goes out as it stands), or nothing.
 */
export type Verdict<Message> = Message | string | readonly (Message | string)[] | null;

/** What a script does with one message of a page to the server. */
export type UpHook = (
  message: ClientMessage,
  victim: Victim,
) => Verdict<ClientMessage> | Promise<Verdict<ClientMessage>>;

/** What a script does with one message of the real server to a page. */
export type DownHook = (
  message: ServerMessage,
  victim: Victim,
) => Verdict<ServerMessage> | Promise<Verdict<ServerMessage>>;

/** What a script does with what one side relays to the other; `from` is who said it. */
export type RelayHook = (
  from: Role,
  bytes: Bytes,
  victim: Victim,
) => Bytes | readonly Bytes[] | null | Promise<Bytes | readonly Bytes[] | null>;

/** What one side relayed, as it left the page. */
export interface Relayed {
  readonly from: Role;
  readonly bytes: Bytes;
  readonly victim: Victim;
}

/**
 * One page's socket. A page that lost its socket and came back is another victim with the same
 * role.
 */
export class Victim {
  /** The room's address, as it stands in the URL. */
  readonly room: string;
  readonly #page: WebSocket;
  readonly #server: EvilServer;
  #target: string;
  #role: Role | null = null;
  #upstream: Promise<WebSocket> | null = null;
  #up: Promise<void> = Promise.resolve();
  #down: Promise<void> = Promise.resolve();

  /** Takes the socket of a page that asked for `room`. */
  constructor(page: WebSocket, room: string, server: EvilServer) {
    this.#page = page;
    this.room = room;
    this.#target = room;
    this.#server = server;
    page.onmessage = ({ data }) => {
      // The next one waits for this one's hook: what the script does not reorder stays in order.
      this.#up = this.#up.then(() => this.#fromPage(String(data))).catch(this.#broken);
    };
    page.onclose = () => this.#hangUp();
  }

  /** Whose page it is; `null` before its first message. */
  get role(): Role | null {
    return this.#role;
  }

  /** Whether the page still listens on this socket. */
  get open(): boolean {
    return this.#page.readyState === WebSocket.OPEN;
  }

  /**
   * Leads the page to another room than the one it asked for; before anything was said to the real
   * server.
   */
  lead(room: string): void {
    this.#target = room;
  }

  /** Says something to the page, in the server's name. */
  say(message: ServerMessage | string): void {
    const text = typeof message === "string" ? message : JSON.stringify(message);
    this.#server.note(text);
    if (message !== text) this.#server.learn(message as ServerMessage, this.#role);
    if (this.open) this.#page.send(text);
  }

  /** Gives the page a message of the handshake, in the other side's name. */
  relay(bytes: Bytes): void {
    this.say({ t: "relay", d: toBase64Url(bytes) });
  }

  /** Says something to the real server, in the page's name. */
  async tell(message: ClientMessage | string): Promise<void> {
    this.#upstream ??= this.#dial();
    const socket = await this.#upstream;
    if (socket.readyState !== WebSocket.OPEN) return;
    socket.send(typeof message === "string" ? message : JSON.stringify(message));
  }

  /**
   * Closes the page's socket; without a code as when a server dies. The real server loses this one
   * as well.
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
    // A seat that the script made up is none at the real server.
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
      // Behind what it said last.
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

/** The server that lies. Without any hook it is an honest proxy. */
export class EvilServer implements AsyncDisposable {
  /** Without a slash at the end. */
  readonly url: string;
  /** The real server, without a slash at the end. */
  readonly target: string;
  /** Every socket of a page so far, oldest first. */
  readonly victims: Victim[] = [];
  /** Every handshake message that a page sent so far, unchanged. */
  readonly relayed: Relayed[] = [];
  /** Every text that came from a page or went to one. */
  readonly heard: string[] = [];
  /** What hooks threw: a script that does not work, which a test has to hear of. */
  readonly problems: unknown[] = [];
  readonly #http: Deno.HttpServer<Deno.NetAddr>;
  readonly #tokens = new Map<string, Role>();
  #up: UpHook = (message) => message;
  #down: DownHook = (message) => message;
  #relay: RelayHook = (_from, bytes) => bytes;

  /**
   * Stands in front of the real server at `target` (`http://host:port`), on a free port of
   * 127.0.0.1.
   */
  constructor(target: string) {
    this.target = target;
    this.#http = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      (req) => this.#answer(req),
    );
    this.url = `http://127.0.0.1:${this.#http.addr.port}`;
  }

  /** An honest proxy again, which has heard nothing yet. */
  forget(): void {
    for (const victim of this.victims) victim.close();
    for (const record of [this.victims, this.relayed, this.heard, this.problems]) record.length = 0;
    this.#tokens.clear();
    this.#up = (message) => message;
    this.#down = (message) => message;
    this.#relay = (_from, bytes) => bytes;
  }

  /**
   * Decides on what pages say to the server, relays excepted where there is an {@linkcode onRelay}.
   */
  onUp(hook: UpHook): void {
    this.#up = hook;
  }

  /** Decides on what the real server says to pages. */
  onDown(hook: DownHook): void {
    this.#down = hook;
  }

  /** Decides on every message of the handshake, on its way from one page to the other. */
  onRelay(hook: RelayHook): void {
    this.#relay = hook;
  }

  /** The newest open socket of `role`, once there is one. */
  async victim(role: Role): Promise<Victim> {
    const find = () => this.victims.findLast((victim) => victim.role === role && victim.open);
    await until(() => find() !== undefined, `${role} has a socket`);
    return find()!;
  }

  /** The first handshake message of `type` that `from` sent or will send. */
  async message(from: Role, type: number): Promise<Bytes> {
    const find = () => this.#sent(from, type)[0];
    await until(() => find() !== undefined, `${from} sent message ${type}`);
    return find()!;
  }

  /** How many handshake messages of `type` `from` has sent. */
  count(from: Role, type: number): number {
    return this.#sent(from, type).length;
  }

  /** A socket of the attacker's own to the real server. */
  connect(room: string): WebSocket {
    return connect(this.target, room);
  }

  /** For victims: writes down what was said. */
  note(text: string): void {
    this.heard.push(text);
  }

  /** For victims: remembers whose a seat's token is. */
  learn(message: ServerMessage, role: Role | null): void {
    if ("rtok" in message && role !== null) this.#tokens.set(message.rtok, role);
  }

  /** For victims: who sends this first message. */
  roleOf(message: ClientMessage): Role | null {
    if (message.t === "resume") return this.#tokens.get(message.rtok) ?? null;
    return message.t === "create" ? "S" : "R";
  }

  /** For victims: what the script makes of a message to the server. */
  async judgeUp(message: ClientMessage, victim: Victim): Promise<Verdict<ClientMessage>> {
    if (message.t !== "relay" || victim.role === null) return await this.#up(message, victim);
    const bytes = fromBase64Url(message.d);
    if (bytes === null) throw new Error(`A page relayed what is not base64url: ${message.d}`);
    this.relayed.push({ from: victim.role, bytes, victim });
    const judged = await this.#relay(victim.role, bytes, victim);
    const list = judged === null ? [] : judged instanceof Uint8Array ? [judged] : judged;
    return list.map((out) => ({ t: "relay", d: toBase64Url(out) }));
  }

  /** For victims: what the script makes of a message to a page. */
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
  // `fetch` has decoded it.
  own.delete("content-encoding");
  own.delete("content-length");
  return new Response(body, { headers: own, status });
}

function connect(target: string, room: string): WebSocket {
  const options = { protocols: [SUBPROTOCOL], headers: { origin: target } };
  // Deno's WebSocket takes headers; the type of the DOM, which the project is checked with, does
  // not know them.
  return Reflect.construct(WebSocket, [`${target.replace("http", "ws")}/ws/${room}`, options]);
}
