/**
 * One person's connection to the server: a TCP proxy that can be cut and blocked, and that treats
 * WebSocket messages as a bad network would. It handles whole frames and never looks at their
 * content, so it needs no knowledge of the protocol.
 *
 * @module
 */

/** What happens to WebSocket messages, in each direction. */
export interface Trouble {
  /** Each is delayed by up to this many milliseconds; those after it are delayed as well. */
  readonly delayMs: number;
  /** Share of messages that are duplicated, 0…1. */
  readonly twice: number;
  /** Share of messages that arrive after the following one, 0…1. */
  readonly late: number;
}

const NO_TROUBLE: Trouble = { delayMs: 0, twice: 0, late: 0 };

/** How long a message waits at most for one that could overtake it, in milliseconds. */
const LATE_MS = 400;

/** Maximum length of the head of an HTTP request or response, in bytes. */
const MAX_HEAD = 64 * 1_024;

const TEXT = 1;

/** Forwards one person's browser traffic to a server. */
export class Line implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #ports: () => readonly number[];
  readonly #open = new Set<Deno.TcpConn>();
  readonly #sockets = new Set<Deno.TcpConn>();
  readonly #accepting: Promise<void>;
  #blocked = false;
  #trouble = NO_TROUBLE;
  #random: () => number = () => 1;

  /** `ports`: the servers for new connections; the first one that accepts is used. */
  constructor(ports: () => readonly number[]) {
    this.#ports = ports;
    this.#accepting = this.#accept();
  }

  /** Without a trailing slash. */
  get url(): string {
    return `http://127.0.0.1:${this.#listener.addr.port}`;
  }

  /** Closes every WebSocket. */
  cut(): void {
    for (const conn of this.#sockets) close(conn);
  }

  /** Blocks all traffic, or lets it through again. Blocking closes open connections. */
  block(on: boolean): void {
    this.#blocked = on;
    if (!on) return;
    for (const conn of this.#open) close(conn);
  }

  /** Sets what randomly happens to messages from now on; `random` returns numbers from 0 to 1. */
  trouble(trouble: Trouble, random: () => number): void {
    this.#trouble = trouble;
    this.#random = random;
  }

  /** Forwards messages normally from now on. */
  calm(): void {
    this.#trouble = NO_TROUBLE;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const conn of this.#open) close(conn);
    await this.#accepting;
  }

  async #accept(): Promise<void> {
    try {
      for await (const conn of this.#listener) void this.#serve(conn);
    } catch {
      // The listener was closed.
    }
  }

  async #serve(client: Deno.TcpConn): Promise<void> {
    const server = this.#blocked ? null : await this.#connect();
    if (server === null) return close(client);
    for (const conn of [client, server]) this.#open.add(conn);
    try {
      const request = new Reader(client);
      const head = await request.head();
      await writeAll(server, head);
      const up = /\r\nupgrade: *websocket/i.test(new TextDecoder().decode(head));
      if (up) await this.#passFrames({ client, server, request });
      else {
        await writeAll(server, request.rest());
        await Promise.all([
          client.readable.pipeTo(server.writable),
          server.readable.pipeTo(client.writable),
        ]);
      }
    } catch {
      // Closed, here or by one of the ends.
    }
    for (const conn of [client, server]) {
      this.#open.delete(conn);
      this.#sockets.delete(conn);
      close(conn);
    }
  }

  async #connect(): Promise<Deno.TcpConn | null> {
    for (const port of this.#ports()) {
      try {
        return await Deno.connect({ hostname: "127.0.0.1", port });
      } catch {
        // Not running: try the next one.
      }
    }
    return null;
  }

  async #passFrames(
    { client, server, request }: { client: Deno.TcpConn; server: Deno.TcpConn; request: Reader },
  ): Promise<void> {
    for (const conn of [client, server]) this.#sockets.add(conn);
    const answer = new Reader(server);
    await writeAll(client, await answer.head());
    // If one direction ends, the other one ends too.
    await Promise.race([this.#pump(request, server), this.#pump(answer, client)]);
  }

  async #pump(from: Reader, to: Deno.TcpConn): Promise<void> {
    let held: Uint8Array<ArrayBuffer> | null = null;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const release = async () => {
      clearTimeout(timer);
      const frame = held;
      held = null;
      if (frame !== null) await writeAll(to, frame);
    };
    for (;;) {
      const { frame, plain } = await from.frame();
      const { delayMs, twice, late } = this.#trouble;
      // No message is held back while a frame that is not a plain text message, such as a close,
      // overtakes it.
      if (!plain) await release();
      else if (delayMs > 0) await pause(this.#random() * delayMs);
      if (plain && held === null && this.#random() < late) {
        held = frame;
        timer = setTimeout(() => release().catch(() => {}), LATE_MS);
        continue;
      }
      await writeAll(to, frame);
      if (plain && this.#random() < twice) await writeAll(to, frame);
      await release();
    }
  }
}

/** Reads the heads and frames of a connection. */
class Reader {
  readonly #conn: Deno.TcpConn;
  #buffer = new Uint8Array(0);

  constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
  }

  /** Everything up to and including the empty line. */
  async head(): Promise<Uint8Array<ArrayBuffer>> {
    for (;;) {
      const text = new TextDecoder("latin1").decode(this.#buffer);
      const end = text.indexOf("\r\n\r\n");
      if (end !== -1) return this.#take(end + 4);
      if (this.#buffer.length > MAX_HEAD) throw new RangeError("A head without an end");
      await this.#more();
    }
  }

  /** What was read but not consumed yet. */
  rest(): Uint8Array<ArrayBuffer> {
    return this.#take(this.#buffer.length);
  }

  /** The next frame as received (RFC 6455, 5.2); `plain` if it is a complete text message. */
  async frame(): Promise<{ frame: Uint8Array<ArrayBuffer>; plain: boolean }> {
    await this.#atLeast(2);
    const [first = 0, second = 0] = this.#buffer;
    const short = second & 0x7f;
    const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
    await this.#atLeast(2 + lengthBytes);
    const view = new DataView(this.#buffer.buffer, this.#buffer.byteOffset);
    const length = lengthBytes === 0
      ? short
      : lengthBytes === 2
      ? view.getUint16(2)
      : Number(view.getBigUint64(2));
    const whole = 2 + lengthBytes + (second & 0x80 ? 4 : 0) + length;
    await this.#atLeast(whole);
    const opcode = first & 0x0f;
    return { frame: this.#take(whole), plain: opcode === TEXT && (first & 0x80) !== 0 };
  }

  #take(length: number): Uint8Array<ArrayBuffer> {
    const taken = this.#buffer.slice(0, length);
    this.#buffer = this.#buffer.slice(length);
    return taken;
  }

  async #atLeast(length: number): Promise<void> {
    while (this.#buffer.length < length) await this.#more();
  }

  async #more(): Promise<void> {
    const part = new Uint8Array(65_536);
    const n = await this.#conn.read(part);
    if (n === null) throw new Error("The connection is over");
    const all = new Uint8Array(this.#buffer.length + n);
    all.set(this.#buffer);
    all.set(part.subarray(0, n), this.#buffer.length);
    this.#buffer = all;
  }
}

async function writeAll(conn: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function close(conn: Deno.TcpConn): void {
  try {
    conn.close();
  } catch {
    // Already closed by the other side.
  }
}
