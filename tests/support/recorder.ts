/**
 * Records the traffic of a server: a TCP proxy in front of it keeps every byte, and the bytes are
 * parsed into requests, responses, and the unmasked messages of WebSockets.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { Line } from "../connection/line.ts";
import { latin1, latin1Bytes, type Part } from "./search.ts";

/** Every byte of one connection. */
export interface Recorded {
  readonly client: Uint8Array;
  readonly server: Uint8Array;
}

/** A request with its response. */
export interface Exchange {
  readonly method: string;
  readonly target: string;
  /** Request line and headers. */
  readonly request: string;
  readonly requestBody: Uint8Array;
  /** Status line and headers. */
  readonly response: string;
  /** Decoded, without a content encoding. */
  readonly responseBody: Uint8Array;
}

/** The parsed bytes of some connections. */
export interface Conversation {
  readonly exchanges: readonly Exchange[];
  /** Everything except the bodies of responses, to be searched. */
  readonly parts: readonly Part[];
}

/**
 * A proxy in front of a server on 127.0.0.1. Only traffic over {@linkcode Recorder.url} is
 * recorded.
 */
export class Recorder implements Disposable {
  readonly #chunks: { client: Uint8Array[]; server: Uint8Array[] }[] = [];
  readonly #line = new Line((connection, side, bytes) => {
    const chunks = this.#chunks[connection] ??= { client: [], server: [] };
    chunks[side].push(bytes.slice());
  });

  constructor(port: number) {
    this.#line.target = port;
  }

  /** Without a trailing slash. */
  get url(): string {
    return `http://127.0.0.1:${this.#line.port}`;
  }

  /** Everything so far. */
  get connections(): Recorded[] {
    return this.#chunks.filter((chunks) => chunks !== undefined).map(({ client, server }) => ({
      client: new Uint8Array(Buffer.concat(client)),
      server: new Uint8Array(Buffer.concat(server)),
    }));
  }

  [Symbol.dispose](): void {
    this.#line[Symbol.dispose]();
  }
}

/**
 * Parses connections of HTTP/1.1 and WebSocket. No byte is left out: an incomplete message becomes
 * a part as it is.
 *
 * @throws {SyntaxError} for what it can't parse, e.g. a compressed WebSocket
 */
export function understand(connections: readonly Recorded[]): Conversation {
  const exchanges: Exchange[] = [];
  const parts: Part[] = [];
  for (const recorded of connections) {
    const client = new Reader(recorded.client);
    const server = new Reader(recorded.server);
    while (!client.done || !server.done) {
      const exchange = readExchange(client, server);
      if (exchange === null) {
        parts.push({ where: "client, unfinished", bytes: client.rest() });
        parts.push({ where: "server, unfinished", bytes: server.rest() });
        continue;
      }
      exchanges.push(exchange);
      const { method, target } = exchange;
      const name = `${method} ${target}`;
      parts.push({ where: `${name}, request`, bytes: latin1Bytes(exchange.request) });
      parts.push({ where: `${name}, its body`, bytes: exchange.requestBody });
      parts.push({ where: `${name}, response`, bytes: latin1Bytes(exchange.response) });
      if (!/^HTTP\/1\.1 101 /.test(exchange.response)) continue;
      if (/^sec-websocket-extensions:/im.test(exchange.response)) {
        throw new SyntaxError("Cannot read WebSocket: it has an extension");
      }
      parts.push(...readFrames(client, "client"), ...readFrames(server, "server"));
    }
  }
  return { exchanges, parts: parts.filter(({ bytes }) => bytes.length > 0) };
}

/** A client's WebSocket frame, masked as the RFC requires. Its length must be below 65,536. */
export function clientFrame(
  payload: Uint8Array,
  { opcode = 1, final = true }: { readonly opcode?: number; readonly final?: boolean } = {},
): Uint8Array {
  const long = payload.length > 125;
  const head = long
    ? [0x80 | 126, payload.length >> 8, payload.length & 0xff]
    : [0x80 | payload.length];
  const mask = crypto.getRandomValues(new Uint8Array(4));
  const masked = payload.map((byte, i) => byte ^ (mask[i % 4] ?? 0));
  return Uint8Array.of((final ? 0x80 : 0) | opcode, ...head, ...mask, ...masked);
}

class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at === this.#bytes.length;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** The next `n` bytes, without consuming them. */
  peek(n: number): Uint8Array {
    return this.#bytes.subarray(this.#at, this.#at + n);
  }

  take(n: number): Uint8Array {
    const taken = this.peek(n);
    this.#at += taken.length;
    return taken;
  }

  rest(): Uint8Array {
    return this.take(this.left);
  }

  /** Everything up to and including the next `text`, or `null` if it does not occur. */
  through(text: string): string | null {
    const at = Buffer.from(this.peek(this.left)).indexOf(text, 0, "latin1");
    return at < 0 ? null : latin1(this.take(at + text.length));
  }
}

/** Consumes one request and its response, or nothing if the request's head is incomplete. */
function readExchange(client: Reader, server: Reader): Exchange | null {
  const request = client.through("\r\n\r\n");
  if (request === null) return null;
  const [method = "", target = ""] = request.split(" ");
  const requestBody = readBody(client, request);
  const response = server.through("\r\n\r\n") ?? "";
  const empty = method === "HEAD" || /^HTTP\/1\.1 (1\d\d|204|304) /.test(response);
  const responseBody = empty ? new Uint8Array() : decode(readBody(server, response), response);
  return { method, target, request, requestBody, response, responseBody };
}

function header(head: string, name: string): string | null {
  return new RegExp(`^${name}:[ \\t]*(.*?)[ \\t]*\\r$`, "im").exec(head)?.[1] ?? null;
}

function readBody(reader: Reader, head: string): Uint8Array {
  if (header(head, "transfer-encoding") === null) {
    return reader.take(Number(header(head, "content-length") ?? 0));
  }
  const chunks: Uint8Array[] = [];
  for (;;) {
    const size = parseInt(reader.through("\r\n") ?? "0", 16);
    const chunk = reader.take(size);
    reader.take(2);
    if (chunk.length === 0) return new Uint8Array(Buffer.concat(chunks));
    chunks.push(chunk);
  }
}

function decode(body: Uint8Array, head: string): Uint8Array {
  const encoding = header(head, "content-encoding");
  switch (encoding) {
    case null:
      return body;
    case "br":
      return new Uint8Array(brotliDecompressSync(body));
    case "gzip":
      return new Uint8Array(gunzipSync(body));
    default:
      throw new SyntaxError(`Cannot read response: it is encoded as ${encoding}`);
  }
}

/** Consumes all frames; each message, reassembled from its fragments, is a part. */
function readFrames(reader: Reader, side: "client" | "server"): Part[] {
  const parts: Part[] = [];
  let fragments: Uint8Array[] = [];
  while (!reader.done) {
    const frame = readFrame(reader);
    if (frame === null) {
      parts.push({ where: `${side}, unfinished frame`, bytes: reader.rest() });
      break;
    }
    const control = frame.opcode >= 8;
    if (!control) fragments.push(frame.payload);
    if (!control && !frame.final) continue;
    const bytes = control ? frame.payload : new Uint8Array(Buffer.concat(fragments));
    if (!control) fragments = [];
    parts.push({ where: `${side}, message ${parts.length}`, bytes });
  }
  if (fragments.length > 0) {
    parts.push({ where: `${side}, unfinished message`, bytes: Buffer.concat(fragments) });
  }
  return parts;
}

interface Frame {
  readonly opcode: number;
  readonly final: boolean;
  readonly payload: Uint8Array;
}

/** Consumes a frame, or nothing if it is incomplete. */
function readFrame(reader: Reader): Frame | null {
  const [first = 0, second = 0] = reader.peek(2);
  if ((first & 0x70) !== 0) throw new SyntaxError("Cannot read WebSocket frame: reserved bits");
  const short = second & 0x7f;
  const extra = short === 127 ? 8 : short === 126 ? 2 : 0;
  const masked = (second & 0x80) !== 0;
  const head = reader.peek(2 + extra + (masked ? 4 : 0));
  let length = extra === 0 ? short : 0;
  for (const byte of head.subarray(2, 2 + extra)) length = length * 256 + byte;
  if (reader.left < head.length + length) return null;
  const mask = head.subarray(2 + extra);
  reader.take(head.length);
  const payload = reader.take(length).map((byte, i) => masked ? byte ^ (mask[i % 4] ?? 0) : byte);
  return { opcode: first & 0x0f, final: (first & 0x80) !== 0, payload };
}
