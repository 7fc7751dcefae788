/**
 * Measures the cost of signaling for a server: ours, in memory and on Redis, with one and two
 * instances, compared with a minimal relay (Node and `ws`).
 *
 *     deno run -A bench/signaling.ts [--sockets=1000,10000] [--seconds=20] [--check]
 *
 * Measures resident memory per idle socket (both seats of a room taken), sockets accepted and
 * seated per second, the latency of relayed messages at 1,000 per second, and the CPU time of 1,000
 * relayed messages. The clients run in this process, so the servers have one of two cores. Prints
 * one JSON line per server and measurement; `--check` fails if ours misses its targets.
 *
 * @module
 */
import { toBase64Url } from "../lib/protocol/bytes.ts";
import { MAX_TTL_S, SUBPROTOCOL } from "../lib/protocol/limits.ts";
import { hashToken } from "../lib/ops/tokens.ts";
import { startApp, type TestApp } from "../tests/support/app.ts";
import { noRedis, TestRedis } from "../tests/support/redis.ts";
import { printLine, rounded } from "./statistics.ts";

/** Targets for our server. */
const TARGETS = { kibPerSocket: 30, p99Ms: 10, cpuRatio: 1.5 } as const;

const MESSAGES_PER_SECOND = 1_000;
const PAIRS = 100;
/** About the length of a handshake's longest messages. */
const MESSAGE_LENGTH = 1_700;
/** Number of sockets that are opened in parallel. */
const CONCURRENCY = 64;
const TICK_MS = 10;
const CLOCK_TICKS_PER_SECOND = 100;

/**
 * Sends each message from one socket of a room to the other one, unchanged. It is a string, because
 * it runs in Node, and Deno must not look for `ws`.
 */
const BARE_RELAY = `
import { WebSocketServer } from "ws";

const rooms = new Map();
const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
server.on("connection", (socket, { url }) => {
  const room = rooms.get(url) ?? [];
  room.push(socket);
  rooms.set(url, room);
  socket.on("message", (data) => {
    for (const other of room) if (other !== socket) other.send(data, { binary: false });
  });
  socket.on("close", () => rooms.delete(url));
});
server.on("listening", () => process.stdout.write(\`\${server.address().port}\n\`));
`;

/** A server to measure: the URLs of its instances, and their processes. */
interface Target extends AsyncDisposable {
  readonly name: string;
  readonly urls: readonly string[];
  readonly pids: readonly number[];
  /** Whether clients have to take a seat, or only to connect. */
  readonly seats: boolean;
}

/** Limits high enough for the measurements. */
const LIMITS = {
  LIMIT_SOCKETS_PER_IP: "25000",
  LIMIT_UPGRADES_PER_MINUTE_PER_IP: "1000000",
  LIMIT_UPGRADES_PER_MINUTE: "1000000",
  LIMIT_CREATIONS_PER_MINUTE_PER_IP: "1000000",
  LIMIT_CREATIONS_PER_MINUTE: "1000000",
  LOG_LEVEL: "warn",
};

async function ours(name: string, instances: number, env: Record<string, string>): Promise<Target> {
  const apps: TestApp[] = [];
  for (let i = 0; i < instances; i++) apps.push(await startApp({ env: { ...LIMITS, ...env } }));
  return {
    name,
    urls: apps.map(({ url }) => url),
    pids: apps.map(({ pid }) => pid),
    seats: true,
    async [Symbol.asyncDispose]() {
      for (const app of apps) await app.stop();
    },
  };
}

async function onRedis(instances: number): Promise<Target | null> {
  if (noRedis) return null;
  const redis = await TestRedis.start();
  const target = await ours(`ours, Redis, ${instances} instance(s)`, instances, {
    REDIS_URL: redis.url,
  });
  return {
    ...target,
    async [Symbol.asyncDispose]() {
      await target[Symbol.asyncDispose]();
      await redis[Symbol.asyncDispose]();
    },
  };
}

/** Node with `ws`, installed for this run. */
async function bare(): Promise<Target> {
  const directory = await Deno.makeTempDir({ prefix: "signaling_" });
  await Deno.writeTextFile(`${directory}/relay.mjs`, BARE_RELAY);
  const install = await new Deno.Command("npm", {
    args: ["install", "--no-audit", "--no-fund", "--silent", "ws@8"],
    cwd: directory,
  }).output();
  if (!install.success) throw new Error("Cannot install ws: npm failed");
  const child = new Deno.Command("node", {
    args: ["relay.mjs"],
    cwd: directory,
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const port = Number((await reader.read()).value);
  return {
    name: "bare: Node, ws",
    urls: [`http://127.0.0.1:${port}`],
    pids: [child.pid],
    seats: false,
    async [Symbol.asyncDispose]() {
      child.kill();
      await child.status;
      await reader.cancel();
      await Deno.remove(directory, { recursive: true });
    },
  };
}

/** Both seats of one room. */
interface Pair {
  readonly sender: WebSocket;
  readonly viewer: WebSocket;
}

function connect(url: string, room: string): Promise<WebSocket> {
  // Deno's WebSocket accepts headers, unlike the DOM's types, and sends no Origin by itself.
  const socket: WebSocket = Reflect.construct(WebSocket, [
    `${url.replace("http", "ws")}/ws/${room}`,
    { protocols: [SUBPROTOCOL], headers: { origin: url } },
  ]);
  return new Promise((resolve, reject) => {
    socket.onopen = () => resolve(socket);
    socket.onerror = () => reject(new Error(`Cannot connect to ${url}`));
  });
}

async function takeSeat(socket: WebSocket, message: unknown): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    socket.onmessage = ({ data }) => {
      if (/"t":"(created|joined)"/.test(data)) resolve();
      else if (data.includes('"err"')) reject(new Error(`Cannot take a seat: ${data}`));
    };
    socket.onclose = ({ code }) => reject(new Error(`Cannot take a seat: closed with ${code}`));
    socket.send(JSON.stringify(message));
  });
  socket.onclose = null;
  socket.onmessage = ({ data }) => {
    if (data.includes('"ping"')) socket.send('{"t":"pong"}');
  };
}

function random(length: number): string {
  return toBase64Url(crypto.getRandomValues(new Uint8Array(length)));
}

async function open({ urls, seats }: Target): Promise<Pair> {
  const room = random(16);
  const [first = "", second = first] = urls;
  const sender = await connect(first, room);
  const [own, tok] = [random(32), random(16)];
  if (seats) {
    const hashes = { own: hashToken(own), join: hashToken(tok) };
    await takeSeat(sender, { t: "create", ...hashes, ttl: MAX_TTL_S });
  }
  const viewer = await connect(second, room);
  if (seats) await takeSeat(viewer, { t: "join", tok });
  return { sender, viewer };
}

/** Opens `count` rooms with both seats taken. */
async function openMany(target: Target, count: number): Promise<Pair[]> {
  const pairs: Pair[] = [];
  let left = count;
  const worker = async () => {
    while (left-- > 0) pairs.push(await open(target));
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  return pairs;
}

async function closeAll(pairs: readonly Pair[]): Promise<void> {
  const closed = pairs.flatMap(({ sender, viewer }) =>
    [viewer, sender].map((socket) =>
      new Promise<void>((resolve) => {
        socket.onclose = () => resolve();
        socket.close();
      })
    )
  );
  await Promise.all(closed);
}

/** Resident memory in KiB. */
async function memory(pids: readonly number[]): Promise<number> {
  let sum = 0;
  for (const pid of pids) {
    const status = await Deno.readTextFile(`/proc/${pid}/status`);
    sum += Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]);
  }
  return sum;
}

/** CPU time in seconds, user and system. */
async function cpu(pids: readonly number[]): Promise<number> {
  let ticks = 0;
  for (const pid of pids) {
    const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks / CLOCK_TICKS_PER_SECOND;
}

async function measureIdle(target: Target, sockets: number): Promise<number> {
  const before = await memory(target.pids);
  const started = performance.now();
  const pairs = await openMany(target, sockets / 2);
  const seconds = (performance.now() - started) / 1_000;
  // What accepting left behind is garbage-collected when the server is idle.
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  const kibPerSocket = (await memory(target.pids) - before) / sockets;
  printLine({
    server: target.name,
    what: `${sockets} idle sockets`,
    kibPerSocket: rounded(kibPerSocket),
    acceptedPerSecond: rounded(sockets / seconds, 0),
  });
  await closeAll(pairs);
  return kibPerSocket;
}

function quantile(sorted: readonly number[], q: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? NaN;
}

async function measureRelay(
  target: Target,
  seconds: number,
): Promise<{ p99: number; cpuPerThousand: number }> {
  const pairs = await openMany(target, PAIRS);
  const times: number[] = [];
  const sentAt = new Map<string, number>();
  for (const { viewer } of pairs) {
    viewer.onmessage = ({ data }) => {
      const id = /"d":"(\d+)_/.exec(data)?.[1];
      const at = id === undefined ? undefined : sentAt.get(id);
      if (id === undefined || at === undefined) return;
      times.push(performance.now() - at);
      sentAt.delete(id);
    };
  }
  const before = await cpu(target.pids);
  const started = performance.now();
  let sent = 0;
  const total = seconds * MESSAGES_PER_SECOND;
  while (sent < total) {
    // Follows the clock and not ticks: a late tick sends all messages that are due.
    const due = Math.min(total, (performance.now() - started) / 1_000 * MESSAGES_PER_SECOND);
    for (; sent < due; sent++) {
      const d = `${sent}_`.padEnd(MESSAGE_LENGTH, "x");
      sentAt.set(String(sent), performance.now());
      pairs[sent % PAIRS]?.sender.send(JSON.stringify({ t: "relay", d }));
    }
    await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  }
  await new Promise((resolve) => setTimeout(resolve, 500));
  const cpuPerThousand = (await cpu(target.pids) - before) / total * 1_000 * 1_000;
  await closeAll(pairs);
  times.sort((a, b) => a - b);
  const p99 = quantile(times, .99);
  printLine({
    server: target.name,
    what: `${MESSAGES_PER_SECOND} messages/s for ${seconds} s`,
    p50Ms: rounded(quantile(times, .5), 2),
    p99Ms: rounded(p99, 2),
    lost: total - times.length,
    cpuMsPerThousand: rounded(cpuPerThousand),
  });
  return { p99, cpuPerThousand };
}

function option(name: string, fallback: string): string {
  return Deno.args.find((arg) => arg.startsWith(`--${name}=`))?.split("=")[1] ?? fallback;
}

if (import.meta.main) {
  const counts = option("sockets", "1000,10000").split(",").map(Number);
  const seconds = Number(option("seconds", "20"));
  const missed: string[] = [];
  const makers: readonly (() => Promise<Target | null>)[] = [
    bare,
    () => ours("ours, memory", 1, {}),
    () => onRedis(1),
    () => onRedis(2),
  ];
  let bareCpu = NaN;
  for (const make of makers) {
    await using target = await make();
    if (target === null) {
      printLine({ skipped: "no redis-server here" });
      continue;
    }
    const { p99, cpuPerThousand } = await measureRelay(target, seconds);
    if (!target.seats) bareCpu = cpuPerThousand;
    const ratio = cpuPerThousand / bareCpu;
    printLine({ server: target.name, cpuAgainstBare: rounded(ratio, 2) });
    for (const count of counts) {
      const kib = await measureIdle(target, count);
      if (target.seats && kib > TARGETS.kibPerSocket) {
        missed.push(`${target.name}: ${rounded(kib)} KiB a socket at ${count}`);
      }
    }
    if (!target.name.includes("memory")) continue;
    if (p99 > TARGETS.p99Ms) missed.push(`${target.name}: p99 ${rounded(p99)} ms`);
    if (ratio > TARGETS.cpuRatio) missed.push(`${target.name}: ${rounded(ratio, 2)} × bare CPU`);
  }
  if (Deno.args.includes("--check") && missed.length > 0) {
    printLine({ missed });
    Deno.exitCode = 1;
  }
}
