/**
 * Rooms behind a real server on port 0, and clients for it: honest ones on the standard WebSocket,
 * hostile ones on bare TCP.
 *
 * @module
 */
import { App } from "fresh";
import { type Bytes, concat } from "../../lib/protocol/bytes.ts";
import { SUBPROTOCOL } from "../../lib/protocol/limits.ts";
import { parseServerMessage, type ServerMessage } from "../../lib/protocol/signaling.ts";
import { Admission, type AdmissionLimits, UNLIMITED } from "../../lib/rooms/admission.ts";
import type { Guest } from "../../lib/rooms/connection.ts";
import type { StoreLimits } from "../../lib/rooms/limits.ts";
import { MemoryRoomStore } from "../../lib/rooms/memory_store.ts";
import { Rooms, type RoomsOptions } from "../../lib/rooms/rooms.ts";
import { hashToken } from "../../lib/ops/tokens.ts";
import { upgradeToRoom } from "../../lib/rooms/upgrade.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { token } from "./store_contract.ts";

/** The maximum time that a test waits for an event: far more than any machine needs. */
const PATIENCE_MS = 20_000;

/** Fails with `what` in its message if `promise` takes too long. */
export async function soon<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Waited too long for ${what}`)), PATIENCE_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Waits until `condition` holds. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!await condition()) {
    assert(performance.now() < end, `Waited too long until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Where a client connects to. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** A room and the tokens for it. */
export interface Access {
  readonly room: string;
  readonly otok: string;
  readonly jtok: string;
}

/** Tokens for a room that does not exist yet. */
export function newAccess(): Access {
  return { room: token(16), otok: token(32), jtok: token(16) };
}

/** A guest at `room` with all permissions. */
export function newGuest(room = "", address = "192.0.2.1"): Guest {
  return { room, address, host: "pic.example", local: true, mayCreate: true };
}

/** A test names the address that a client connects from in a header of its own. */
function addressOf(req: Request): string {
  return req.headers.get("x-address") ?? "192.0.2.1";
}

/** The `create` message for `access`. */
export function createMessage({ otok, jtok }: Access) {
  return { t: "create", own: hashToken(otok), join: hashToken(jtok), ttl: 600 } as const;
}

/** A client on the browser's WebSocket. */
export class Client implements AsyncDisposable {
  readonly socket: WebSocket;
  /** Resolves to how the socket was closed. */
  readonly closed: Promise<{ code: number; reason: string }>;
  readonly #inbox: string[] = [];
  readonly #waiting: ((text: string) => void)[] = [];

  private constructor(socket: WebSocket) {
    this.socket = socket;
    const { promise, resolve } = Promise.withResolvers<{ code: number; reason: string }>();
    this.closed = soon(promise, "a close");
    this.closed.catch(() => {});
    socket.addEventListener("close", ({ code, reason }) => resolve({ code, reason }));
    socket.addEventListener("message", ({ data }) => {
      const next = this.#waiting.shift();
      if (next === undefined) this.#inbox.push(String(data));
      else next(String(data));
    });
  }

  /** Connects to `room`, for a `RoomServer` as if from `address`, and waits for `open`. */
  static async connect(server: Address, room: string, address?: string): Promise<Client> {
    const options = {
      protocols: [SUBPROTOCOL],
      headers: {
        origin: `http://${server.host}`,
        ...(address === undefined ? {} : { "x-address": address }),
      },
    };
    // Deno's WebSocket takes headers; the DOM's type, which the project is checked with, lacks
    // them.
    const socket: WebSocket = Reflect.construct(WebSocket, [
      `ws://${server.host}/ws/${room}`,
      options,
    ]);
    const client = new Client(socket);
    await soon(
      new Promise<void>((resolve, reject) => {
        socket.addEventListener("open", () => resolve());
        socket.addEventListener("error", () => reject(new Error("Cannot connect")));
      }),
      "an open socket",
    );
    return client;
  }

  /** Creates the room and takes the sender's seat; `code` is empty if the room has none. */
  static async create(
    server: Address,
    access: Access,
  ): Promise<{ client: Client; rtok: string; code: string }> {
    const client = await Client.connect(server, access.room);
    client.send(createMessage(access));
    const answer = await client.next();
    assert(answer.t === "created", `Not created: ${JSON.stringify(answer)}`);
    client.send({ t: "pong" });
    return { client, rtok: answer.rtok, code: answer.code ?? "" };
  }

  /** Takes the viewer's seat, by digits if `way` is a string, and waits for `peer`. */
  static async join(
    server: Address,
    way: Access | string,
  ): Promise<{ client: Client; rtok: string }> {
    const byCode = typeof way === "string";
    const client = await Client.connect(server, byCode ? way : way.room);
    client.send(byCode ? { t: "join" } : { t: "join", tok: way.jtok });
    const answer = await client.next();
    assert(answer.t === "joined", `Not joined: ${JSON.stringify(answer)}`);
    client.send({ t: "pong" });
    assertEquals(await client.next(), { t: "peer", up: true, by: "join" });
    return { client, rtok: answer.rtok };
  }

  send(message: unknown): void {
    this.socket.send(JSON.stringify(message));
  }

  /** The next message as it arrived. */
  nextRaw(): Promise<string> {
    const ready = this.#inbox.shift();
    if (ready !== undefined) return Promise.resolve(ready);
    return soon(new Promise((resolve) => this.#waiting.push(resolve)), "a message");
  }

  /** The next message, which has to be a valid one. */
  async next(): Promise<ServerMessage> {
    const raw = await this.nextRaw();
    const message = parseServerMessage(raw);
    assert(message !== null, `Not a server message: ${raw}`);
    return message;
  }

  /** Messages that arrived and were not read. */
  get unread(): readonly string[] {
    return this.#inbox;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.socket.readyState === WebSocket.OPEN) this.socket.close();
    await this.closed;
  }
}

/** A sender and a viewer who have met in a room. */
export async function pair(server: Address, access = newAccess()) {
  const sender = await Client.create(server, access);
  const viewer = await Client.join(server, access);
  assertEquals(await sender.client.next(), { t: "peer", up: true, by: "join" });
  return { access, sender: sender.client, viewer: viewer.client, rtok: viewer.rtok };
}

/** Relays one message each way: fails if either received anything else since the last time. */
export async function assertUndisturbed(sender: Client, viewer: Client): Promise<void> {
  for (const [from, to] of [[sender, viewer], [viewer, sender]] as const) {
    const d = token(8);
    from.send({ t: "relay", d });
    assertEquals(await to.next(), { t: "relay", d });
  }
  assertEquals([sender.unread, viewer.unread], [[], []]);
}

/** Opcodes of WebSocket frames (RFC 6455 §5.2). */
export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9 } as const;

/** A client that writes its own bytes. */
export class RawClient implements Disposable {
  readonly #conn: Deno.TcpConn;
  #unread: Bytes = new Uint8Array();

  private constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
  }

  /** Opens a TCP connection and sends a request made of `lines`. */
  static async request(server: Address, lines: readonly string[]): Promise<RawClient> {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
    const client = new RawClient(conn);
    await client.write(new TextEncoder().encode(lines.join("\r\n") + "\r\n\r\n"));
    return client;
  }

  /** Opens a WebSocket for `room`. */
  static async connect(server: Address, room: string): Promise<RawClient> {
    const lines = handshake(server, room);
    const client = await RawClient.request(server, lines);
    assertEquals((await client.head())[0], "HTTP/1.1 101 Switching Protocols");
    return client;
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.#conn.write(bytes.subarray(at));
  }

  /** Sends one masked frame. */
  async frame(opcode: number, payload: Uint8Array, { fin = true } = {}): Promise<void> {
    const { length } = payload;
    const size = length < 126
      ? [0x80 | length]
      : length < 65_536
      ? [0x80 | 126, length >> 8, length & 255]
      : [
        0x80 | 127,
        0,
        0,
        0,
        0,
        length >>> 24,
        (length >> 16) & 255,
        (length >> 8) & 255,
        length & 255,
      ];
    const mask = new Uint8Array(4);
    await this.write(concat(new Uint8Array([(fin ? 0x80 : 0) | opcode, ...size]), mask, payload));
  }

  async text(text: string): Promise<void> {
    await this.frame(OPCODE.text, new TextEncoder().encode(text));
  }

  /** The status line and the headers of the response. */
  async head(): Promise<string[]> {
    for (;;) {
      const text = new TextDecoder().decode(this.#unread);
      const end = text.indexOf("\r\n\r\n");
      if (end >= 0) {
        this.#unread = this.#unread.slice(end + 4);
        return text.slice(0, end).split("\r\n");
      }
      await this.#read();
    }
  }

  /** The next frame from the server, which has to be a short one. */
  async nextFrame(): Promise<{ opcode: number; payload: Uint8Array }> {
    for (;;) {
      const [first, length] = this.#unread;
      if (first !== undefined && length !== undefined) {
        assert(length < 126, "The frame is a long one");
        if (this.#unread.length >= 2 + length) {
          const payload = this.#unread.slice(2, 2 + length);
          this.#unread = this.#unread.slice(2 + length);
          return { opcode: first & 15, payload };
        }
      }
      await this.#read();
    }
  }

  /** Reads up to the close frame and returns its code. */
  async closeCode(): Promise<number> {
    for (;;) {
      const { opcode, payload } = await this.nextFrame();
      if (opcode === OPCODE.close) return new DataView(payload.buffer).getUint16(0);
    }
  }

  /** Everything up to the end of the connection, as text. */
  async rest(): Promise<string> {
    while (await this.#more());
    return new TextDecoder().decode(this.#unread);
  }

  async #read(): Promise<void> {
    if (!await this.#more()) throw new Error("The server closed the connection");
  }

  async #more(): Promise<boolean> {
    const chunk = new Uint8Array(4_096);
    const length = await soon(this.#conn.read(chunk), "bytes");
    if (length !== null) this.#unread = concat(this.#unread, chunk.subarray(0, length));
    return length !== null;
  }

  [Symbol.dispose](): void {
    this.#conn.close();
  }
}

/** The lines of an honest WebSocket request. */
export function handshake(server: Address, room: string): string[] {
  return [
    `GET /ws/${room} HTTP/1.1`,
    `Host: ${server.host}`,
    `Origin: http://${server.host}`,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    `Sec-WebSocket-Protocol: ${SUBPROTOCOL}`,
  ];
}

/** Options of {@linkcode RoomServer}. */
export interface RoomServerOptions extends Omit<RoomsOptions, "admission"> {
  /** Instead of none. */
  readonly admission?: Partial<AdmissionLimits>;
  readonly store?: Partial<StoreLimits>;
  readonly allowedOrigins?: readonly string[];
  readonly publicOrigins?: readonly string[];
}

/** A server with rooms of its own. */
export class RoomServer implements Address, AsyncDisposable {
  readonly store: MemoryRoomStore;
  readonly rooms: Rooms;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  constructor(
    { store = {}, admission = {}, allowedOrigins = [], publicOrigins = [], ...options }:
      RoomServerOptions = {},
  ) {
    this.store = new MemoryRoomStore({ limits: store });
    this.rooms = new Rooms(this.store, {
      ...options,
      admission: new Admission({ ...UNLIMITED, ...admission }),
    });
    const app = new App<unknown>().get(
      "/ws/:room",
      ({ req, params }) =>
        upgradeToRoom(req, newGuest(params["room"], addressOf(req)), {
          rooms: this.rooms,
          allowedOrigins,
          publicOrigins,
        }),
    );
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      app.handler(),
    );
  }

  get port(): number {
    return this.#server.addr.port;
  }

  get host(): string {
    return `127.0.0.1:${this.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.rooms.shutdown();
    await this.#server.shutdown();
  }
}
