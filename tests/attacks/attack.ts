/**
 * What a hostile client can try on a running server, for people and for tests:
 *
 *     deno run -A tests/attacks/attack.ts http://127.0.0.1:3000 SECONDS [NAME…]
 *
 * Runs all of {@linkcode ATTACKS}, or the named ones, in parallel. Each uses several connections,
 * which reconnect whenever the server cuts them. Prints at the end how often that happened.
 *
 * @module
 */
import { SUBPROTOCOL } from "../../lib/protocol/limits.ts";

/** Connections per attack. */
const CONNECTIONS = 8;

/** Bytes of a piece of a large message, and the pause after each piece. */
const PIECE = 256 * 1024;
const PIECE_PAUSE_MS = 50;

const OPCODE = { continuation: 0, text: 1, binary: 2, ping: 9, pong: 10 } as const;

const text = new TextEncoder();

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** A masked frame; the mask is zeros. `length` may announce more bytes than there are. */
export function frame(
  opcode: number,
  payload: Uint8Array,
  { fin = true, length = payload.length } = {},
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(14 + payload.length);
  bytes[0] = (fin ? 0x80 : 0) | opcode;
  bytes[1] = 0x80 | 127;
  new DataView(bytes.buffer).setBigUint64(2, BigInt(length));
  bytes.set(payload, 14);
  return bytes;
}

/** A TCP connection of an attacker. */
export class Line implements Disposable {
  readonly #conn: Deno.TcpConn;
  readonly #host: string;

  private constructor(conn: Deno.TcpConn, host: string) {
    this.#conn = conn;
    this.#host = host;
  }

  static async open({ hostname, port, host }: URL): Promise<Line> {
    return new Line(await Deno.connect({ hostname, port: Number(port) }), host);
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.#conn.write(bytes.subarray(at));
  }

  /** Upgrades to a WebSocket of a random room; false if the server refuses. */
  async upgrade(): Promise<boolean> {
    const room = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16))))
      .replaceAll("+", "-").replaceAll("/", "_").slice(0, 22);
    await this.write(text.encode(
      `GET /ws/${room} HTTP/1.1\r\nHost: ${this.#host}\r\nOrigin: http://${this.#host}\r\n` +
        `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
        `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n` +
        `Sec-WebSocket-Protocol: ${SUBPROTOCOL}\r\n\r\n`,
    ));
    const head = new Uint8Array(4_096);
    const length = await this.#conn.read(head) ?? 0;
    return new TextDecoder().decode(head.subarray(0, length)).startsWith("HTTP/1.1 101");
  }

  /** Takes a sender's seat. */
  async create(): Promise<void> {
    const hash = "A".repeat(43);
    const create = JSON.stringify({ t: "create", own: hash, join: hash, ttl: 600 });
    await this.write(frame(OPCODE.text, text.encode(create)));
  }

  /** Reads everything until the server closes the connection. */
  async drain(): Promise<void> {
    const bytes = new Uint8Array(65_536);
    while (await this.#conn.read(bytes).catch(() => null) !== null);
  }

  /**
   * Sends a message that never ends, with pongs in between if `pongs`. Rejects when the server cuts
   * the connection.
   */
  async fragments(pongs = false): Promise<never> {
    const piece = new Uint8Array(PIECE).fill(97);
    await this.write(frame(OPCODE.text, piece, { fin: false }));
    for (;;) {
      await this.write(frame(OPCODE.continuation, piece, { fin: false }));
      if (pongs) await this.write(frame(OPCODE.pong, new Uint8Array()));
      await pause(PIECE_PAUSE_MS);
    }
  }

  [Symbol.dispose](): void {
    try {
      this.#conn.close();
    } catch {
      // Already closed by the other side.
    }
  }
}

/** Each attacks on one connection until the server cuts it. */
export const ATTACKS = {
  async fragments(line) {
    if (await line.upgrade()) await line.fragments();
  },
  async "fragments in a seat"(line) {
    if (!await line.upgrade()) return;
    await line.create();
    await line.fragments();
  },
  async "fragments and pongs in a seat"(line) {
    if (!await line.upgrade()) return;
    await line.create();
    await line.fragments(true);
  },
  async "fragments after an error"(line) {
    if (!await line.upgrade()) return;
    await line.write(frame(OPCODE.text, text.encode("nonsense")));
    await line.fragments();
  },
  async "frames of 60 MiB"(line) {
    if (!await line.upgrade()) return;
    // Deno accepts messages below 64 MiB, and only then passes them to the app.
    const length = 60 * 1024 * 1024;
    const piece = new Uint8Array(PIECE);
    await line.write(frame(OPCODE.text, piece, { length }));
    for (let sent = PIECE; sent < length; sent += PIECE) {
      await line.write(piece);
      await pause(PIECE_PAUSE_MS / 5);
    }
    await line.drain();
  },
  async "slow reader"(line) {
    if (!await line.upgrade()) return;
    await line.create();
    for (;;) {
      await line.write(frame(OPCODE.text, text.encode(`{"t":"relay","d":"x"}`)));
      await pause(40);
    }
  },
  async "header trickle"(line) {
    await line.write(text.encode("GET / HTTP/1.1\r\nHost: x\r\n"));
    for (;;) {
      await line.write(text.encode("X-A: b\r\n"));
      await pause(1_000);
    }
  },
  async "half open"(line) {
    await line.drain();
  },
  async "no first message"(line) {
    if (await line.upgrade()) await line.drain();
  },
  async "ping flood"(line) {
    if (!await line.upgrade()) return;
    await line.create();
    void line.drain();
    const pings = new Uint8Array(200 * 6);
    for (let i = 0; i < 200; i++) pings.set([0x89, 0x80, 0, 0, 0, 0], i * 6);
    for (;;) {
      await line.write(pings);
      await pause(20);
    }
  },
  async "bad UTF-8"(line) {
    if (!await line.upgrade()) return;
    await line.write(frame(OPCODE.text, new Uint8Array(1_000).fill(0xff)));
    await line.drain();
  },
  async "reserved bits"(line) {
    if (!await line.upgrade()) return;
    await line.write(new Uint8Array([0xf3, 0x80, 0, 0, 0, 0]));
    await line.drain();
  },
} as const satisfies Record<string, (line: Line) => Promise<void>>;

/** Runs one attack on `connections` connections until `signal`. Returns how often they were cut. */
async function run(
  url: URL,
  attack: (line: Line) => Promise<void>,
  { connections, signal }: { connections: number; signal: AbortSignal },
): Promise<number> {
  let cuts = 0;
  const one = async () => {
    while (!signal.aborted) {
      try {
        using line = await Line.open(url);
        const over = new Promise<void>((resolve) => {
          signal.addEventListener("abort", () => {
            line[Symbol.dispose]();
            resolve();
          }, { once: true });
        });
        await Promise.race([attack(line).catch(() => {}), over]);
      } catch {
        // Could not even connect.
      }
      if (!signal.aborted) cuts++;
      await pause(100);
    }
  };
  await Promise.all(Array.from({ length: connections }, one));
  return cuts;
}

if (import.meta.main) {
  const [address = "http://127.0.0.1:3000", seconds = "20", ...names] = Deno.args;
  const stop = new AbortController();
  Deno.addSignalListener("SIGTERM", () => stop.abort());
  const signal = AbortSignal.any([AbortSignal.timeout(Number(seconds) * 1_000), stop.signal]);
  const chosen = Object.entries(ATTACKS).filter(([name]) =>
    names.length === 0 || names.includes(name)
  );
  const result = await Promise.all(chosen.map(async ([name, attack]) => {
    const options = { connections: CONNECTIONS, signal };
    return [name, await run(new URL(address), attack, options)];
  }));
  // deno-lint-ignore no-console -- a program for people
  console.log(JSON.stringify(Object.fromEntries(result)));
  Deno.exit(0);
}
