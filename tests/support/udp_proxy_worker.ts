/**
 * The thread of {@linkcode ./udp_proxy.ts}: one socket for each address that packets are sent to,
 * and two lines, one for each direction.
 *
 * It uses the C library, because Deno's UDP sockets lose packets when they are read late: they
 * buffer 90 of them, and here tens of thousands arrive in a second.
 *
 * @module
 */
import { seededRandom } from "./random.ts";
import type { ProxyCounts, ProxyOrder, ProxyReply } from "./udp_proxy.ts";

const AF_INET = 2;
const SOCK_DGRAM = 2;
const SOL_SOCKET = 1;
const SO_RCVBUFFORCE = 33;
const SO_RCVBUF = 8;
const MSG_DONTWAIT = 0x40;
const POLLIN = 1;
const ADDRESS_LENGTH = 16;
const RECEIVE_BUFFER = 4 * 1024 * 1024;

/** More than the longest packet that a browser sends. */
const MAX_PACKET = 2_048;

/** Longest sleep of the thread, in milliseconds; orders wait that long. */
const SLEEP_MS = 5;

/**
 * Maximum unread data in a browser's socket, as the kernel counts it, in bytes. Chromium's buffer
 * holds twice as much, which is 56 packets. On busy cores it reads too slowly for that, and without
 * this limit it would lose 10% in addition to the configured loss.
 */
const MAX_UNREAD = 64 * 1024;

/** Upper bound of the kernel's overhead per packet, in addition to its bytes. */
const OVERHEAD = 1_280;

const libc = Deno.dlopen("libc.so.6", {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  poll: { parameters: ["buffer", "usize", "i32"], result: "i32" },
  recvfrom: {
    parameters: ["i32", "buffer", "usize", "i32", "buffer", "buffer"],
    result: "isize",
  },
  sendto: { parameters: ["i32", "buffer", "usize", "i32", "buffer", "u32"], result: "isize" },
  close: { parameters: ["i32"], result: "i32" },
});

type Buffer = Uint8Array<ArrayBuffer>;

/**
 * An address, and the proxy's socket that represents it: packets received there are forwarded to
 * it.
 */
interface End {
  readonly fd: number;
  readonly port: number;
  readonly address: Buffer;
  /** The line towards this address. */
  readonly line: Line;
}

interface Packet {
  readonly at: number;
  readonly fd: number;
  readonly to: Buffer;
  readonly bytes: Buffer;
}

/** Lower bound of the unread data in this machine's sockets, by port. */
class Unread {
  #bytes = new Map<number, number>();

  /** Whether there is room for one more packet; if so, the room is reserved. */
  take(port: number, length: number): boolean {
    const cost = length + OVERHEAD;
    if (this.#of(port) + cost > MAX_UNREAD) this.#look();
    const unread = this.#of(port) + cost;
    if (unread > MAX_UNREAD) return false;
    this.#bytes.set(port, unread);
    return true;
  }

  #of(port: number): number {
    return this.#bytes.get(port) ?? 0;
  }

  #look(): void {
    this.#bytes = new Map();
    const lines = Deno.readTextFileSync("/proc/net/udp").matchAll(
      /: [0-9A-F]{8}:([0-9A-F]{4}) \S+ \S+ [0-9A-F]{8}:([0-9A-F]{8})/g,
    );
    for (const [, port = "", unread = ""] of lines) {
      this.#bytes.set(parseInt(port, 16), parseInt(unread, 16));
    }
  }
}

/** One direction: packets leave later, in order, or not at all. */
class Line {
  readonly #random: () => number;
  #packets: Packet[] = [];
  #next = 0;
  /** When the line is free again. */
  #free = 0;
  readonly counts: ProxyCounts = { entered: 0, passed: 0, lost: 0, overflowed: 0 };

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  put(fd: number, to: Buffer, bytes: Buffer): void {
    const now = performance.now();
    const { rttMs, loss, bytesPerMs, queueBytes } = conditions;
    this.counts.entered++;
    if (this.#random() / 2 ** 32 < loss) return void this.counts.lost++;
    const start = Math.max(now, this.#free);
    if ((start - now) * bytesPerMs + bytes.length > queueBytes) {
      return void this.counts.overflowed++;
    }
    this.#free = start + bytes.length / bytesPerMs;
    if (this.#next > 4_096) {
      this.#packets = this.#packets.slice(this.#next);
      this.#next = 0;
    }
    this.#packets.push({ at: this.#free + rttMs / 2, fd, to, bytes });
  }

  /**
   * Sends all due packets in order, even if the delay has become shorter. Returns the milliseconds
   * until the next one is due.
   */
  let(now: number): number {
    for (;;) {
      const packet = this.#packets[this.#next];
      if (packet === undefined) break;
      if (packet.at > now) return packet.at - now;
      const { fd, to, bytes } = packet;
      if (!unread.take(portOf(to), bytes.length)) return 1;
      libc.symbols.sendto(fd, bytes, BigInt(bytes.length), MSG_DONTWAIT, to, ADDRESS_LENGTH);
      this.counts.passed++;
      this.#next++;
    }
    this.#packets = [];
    this.#next = 0;
    return SLEEP_MS;
  }
}

let conditions = { rttMs: 0, loss: 0, bytesPerMs: Infinity, queueBytes: Infinity };
let lines: readonly [Line, Line] = [new Line(1), new Line(2)];
const unread = new Unread();
const ends = new Map<number, End>();
let list: End[] = [];
let polled = new DataView(new ArrayBuffer(0));
/** Id of the order that ended the thread. */
let ended: number | null = null;

function addressOf(ip: string, port: number): Buffer {
  const address = new Uint8Array(ADDRESS_LENGTH);
  const view = new DataView(address.buffer);
  view.setUint16(0, AF_INET, true);
  view.setUint16(2, port);
  address.set(ip.split(".").map(Number), 4);
  return address;
}

function portOf(address: Buffer): number {
  return new DataView(address.buffer).getUint16(2);
}

function keyOf(address: Buffer): number {
  return new DataView(address.buffer).getUint32(4) * 65_536 + portOf(address);
}

/** The end for an address; a new one is reached by the line `towards`. */
function endOf(address: Buffer, towards: Line): End {
  const known = ends.get(keyOf(address));
  if (known !== undefined) return known;
  const fd = libc.symbols.socket(AF_INET, SOCK_DGRAM, 0);
  const own = address.slice();
  own.fill(0, 2, 4);
  if (fd < 0 || libc.symbols.bind(fd, own, ADDRESS_LENGTH) !== 0) {
    throw new Error("Cannot open a socket for the UDP proxy");
  }
  const size = new Uint8Array(new Uint32Array([RECEIVE_BUFFER]).buffer);
  for (const option of [SO_RCVBUF, SO_RCVBUFFORCE]) {
    libc.symbols.setsockopt(fd, SOL_SOCKET, option, size, 4);
  }
  libc.symbols.getsockname(fd, own, new Uint8Array(new Uint32Array([ADDRESS_LENGTH]).buffer));
  const end = { fd, port: portOf(own), address: address.slice(), line: towards };
  ends.set(keyOf(address), end);
  list = [...ends.values()];
  polled = new DataView(new ArrayBuffer(8 * list.length));
  list.forEach(({ fd }, i) => {
    polled.setInt32(8 * i, fd, true);
    polled.setInt16(8 * i + 4, POLLIN, true);
  });
  return end;
}

const packet = new Uint8Array(MAX_PACKET);
const from = new Uint8Array(ADDRESS_LENGTH);
const fromLength = new Uint8Array(new Uint32Array([ADDRESS_LENGTH]).buffer);

function receive(end: End): void {
  for (;;) {
    const length = libc.symbols.recvfrom(
      end.fd,
      packet,
      BigInt(MAX_PACKET),
      MSG_DONTWAIT,
      from,
      fromLength,
    );
    if (length < 0) return;
    // The writer of this packet is the end of the other line.
    const writer = endOf(from, end.line === lines[0] ? lines[1] : lines[0]);
    end.line.put(writer.fd, end.address, packet.slice(0, Number(length)));
  }
}

const turn = new MessageChannel();

/** Lets pending orders be handled. */
function breathe(): Promise<void> {
  return new Promise((resolve) => {
    turn.port1.onmessage = () => resolve();
    turn.port2.postMessage(null);
  });
}

async function run(): Promise<void> {
  let sleep = SLEEP_MS;
  while (ended === null) {
    const bytes = new Uint8Array(polled.buffer);
    const ready = libc.symbols.poll(
      bytes,
      BigInt(list.length),
      Math.ceil(Math.min(sleep, SLEEP_MS)),
    );
    if (ready > 0) {
      for (const [i, end] of list.entries()) {
        if (polled.getInt16(8 * i + 6, true) !== 0) receive(end);
        // There are new sockets now: poll again.
        if (polled.byteLength !== bytes.length) break;
      }
    }
    const now = performance.now();
    sleep = Math.min(lines[0].let(now), lines[1].let(now));
    await breathe();
  }
  for (const { fd } of list) libc.symbols.close(fd);
  libc.close();
  turn.port1.close();
  reply({ id: ended, value: 0 });
}

function reply(message: ProxyReply): void {
  self.postMessage(message);
}

self.onmessage = ({ data }: MessageEvent<ProxyOrder>) => {
  switch (data.t) {
    case "start":
      lines = [new Line(data.seed), new Line(data.seed + 1)];
      conditions = data.conditions;
      run();
      return;
    case "set":
      conditions = data.conditions;
      return reply({ id: data.id, value: 0 });
    case "port": {
      const { port } = endOf(addressOf(data.ip, data.port), lines[data.line]);
      return reply({ id: data.id, value: port });
    }
    case "counts":
      return reply({ id: data.id, value: lines.map(({ counts }) => ({ ...counts })) });
    case "end":
      ended = data.id;
  }
};
