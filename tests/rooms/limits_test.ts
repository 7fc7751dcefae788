import { CLOSE } from "../../lib/protocol/close_codes.ts";
import { Admission, type AdmissionLimits, UNLIMITED } from "../../lib/rooms/admission.ts";
import { Connection, type Guest } from "../../lib/rooms/connection.ts";
import { CONNECTION_LIMITS } from "../../lib/rooms/limits.ts";
import { MemoryRoomStore } from "../../lib/rooms/memory_store.ts";
import { systemRandom } from "../../lib/ops/tokens.ts";
import { DEFAULTS } from "../../lib/ops/config.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { FakeClock, flush } from "./fake_clock.ts";
import { FakeSocket } from "./fake_socket.ts";
import {
  Client,
  createMessage,
  handshake,
  newAccess,
  newGuest,
  RawClient,
  RoomServer,
  until,
} from "./room_server.ts";
import { token } from "./store_contract.ts";

const HERE = "192.0.2.1";
const ELSEWHERE = "198.51.100.1";
const HOUR_MS = 3_600_000;

// Before the upgrade

/** Status, Retry-After and body of the answer to a plain request or an upgrade. */
async function answer(server: RoomServer, { upgrade = true, from = HERE } = {}) {
  const lines = handshake(server, token(16)).filter((line) => upgrade || !/upgrade/i.test(line));
  using raw = await RawClient.request(server, [...lines, `X-Address: ${from}`]);
  const [status = "", ...headers] = await raw.head();
  const retry = headers.find((line) => /^retry-after:/i.test(line))?.slice("retry-after:".length);
  return {
    status: Number(status.split(" ")[1]),
    retry: retry === undefined ? null : Number(retry),
  };
}

Deno.test("sockets per address are limited; closing one makes room", async () => {
  await using server = new RoomServer({ admission: { socketsPerIp: 3 } });
  const clients = [];
  for (let i = 0; i < 3; i++) clients.push(await Client.connect(server, token(16)));
  assertEquals(await answer(server), { status: 429, retry: 30 });
  await using _other = await Client.connect(server, token(16), ELSEWHERE);
  for (const client of clients) await client[Symbol.asyncDispose]();
  await until(() => server.rooms.size === 1, "they are gone");
  await using _again = await Client.connect(server, token(16));
});

Deno.test("sockets of all addresses together are limited: then 503 for any", async () => {
  await using server = new RoomServer({ admission: { sockets: 3 } });
  const clients = [];
  for (const from of [HERE, ELSEWHERE, "203.0.113.1"]) {
    clients.push(await Client.connect(server, token(16), from));
  }
  assertEquals(await answer(server, { from: "203.0.113.2" }), { status: 503, retry: 30 });
  for (const client of clients) await client[Symbol.asyncDispose]();
  await until(() => server.rooms.size === 0, "they are gone");
  assertEquals((await answer(server)).status, 101);
});

Deno.test("sockets count from the upgrade on: many at once are no more than in turn", async () => {
  await using server = new RoomServer({ admission: { socketsPerIp: 3 } });
  const lines = handshake(server, token(16)).join("\r\n") + "\r\n\r\n";
  const raws = await Promise.all(
    Array.from({ length: 40 }, () => Deno.connect({ hostname: "127.0.0.1", port: server.port })),
  );
  const status = async (conn: Deno.TcpConn) => {
    await conn.write(new TextEncoder().encode(lines));
    const bytes = new Uint8Array(12);
    await conn.read(bytes);
    return new TextDecoder().decode(bytes).split(" ")[1];
  };
  const statuses = await Promise.all(raws.map(status));
  for (const conn of raws) conn.close();
  assertEquals(statuses.filter((code) => code === "101").length, 3);
  assertEquals(statuses.filter((code) => code === "429").length, 37);
});

Deno.test("sockets that request an upgrade and disconnect stop counting", async () => {
  await using server = new RoomServer({ admission: { socketsPerIp: 20 } });
  for (let round = 0; round < 3; round++) {
    // Without reading the answer, and with unread bytes: the connection is reset.
    for (let i = 0; i < 15; i++) {
      using _raw = await RawClient.request(server, handshake(server, token(16)));
    }
    await until(() => server.rooms.admission.look(HERE) === null, "there is room");
    await until(() => server.rooms.admission.sockets === 0, "nothing is counted");
  }
});

Deno.test("upgrades per address are limited; asking why is free, with that answer", async () => {
  await using server = new RoomServer({ admission: { upgradesPerMinutePerIp: 3 } });
  for (let i = 0; i < 10; i++) assertEquals((await answer(server, { upgrade: false })).status, 426);
  for (let i = 0; i < 3; i++) assertEquals((await answer(server)).status, 101);
  for (const upgrade of [true, false, true, false]) {
    const { status, retry } = await answer(server, { upgrade });
    assert(status === 429 && retry !== null && retry >= 1 && retry <= 20, `${status} ${retry}`);
  }
  assertEquals((await answer(server, { from: ELSEWHERE })).status, 101);
});

Deno.test("upgrades of all addresses together are limited: 503", async () => {
  await using server = new RoomServer({ admission: { upgradesPerMinute: 3 } });
  const statuses = [];
  for (let i = 0; i < 5; i++) {
    statuses.push((await answer(server, { from: `192.0.2.${i}` })).status);
  }
  assertEquals(statuses, [101, 101, 101, 503, 503]);
});

Deno.test("a refused upgrade has its reason in JSON", async () => {
  await using server = new RoomServer({ admission: { upgradesPerMinutePerIp: 1 } });
  await answer(server);
  const response = await fetch(`http://${server.host}/ws/${token(16)}`);
  const body = await response.json();
  assertEquals([response.status, body.code, Object.keys(body)], [429, "busy", ["code", "message"]]);
});

// After the upgrade, with a fake clock

/** Sockets without a network, under some limits. */
class World {
  readonly clock = new FakeClock();
  readonly store = new MemoryRoomStore({ clock: this.clock });
  readonly admission: Admission;

  constructor(limits: Partial<AdmissionLimits>) {
    this.admission = new Admission({ ...UNLIMITED, ...limits }, { clock: this.clock });
  }

  open(guest: Guest) {
    const socket = new FakeSocket();
    const connection = new Connection(socket, guest, {
      admission: this.admission,
      store: this.store,
      clock: this.clock,
      random: systemRandom,
      limits: CONNECTION_LIMITS,
      onError: (error) => {
        throw error;
      },
    });
    const say = async (message: unknown) => {
      connection.receive(JSON.stringify(message));
      await flush();
    };
    return { socket, connection, say };
  }

  async create({ from = HERE, access = newAccess() } = {}) {
    const end = this.open(newGuest(access.room, from));
    await end.say(createMessage(access));
    return { ...end, access, code: codeOf(end.socket) };
  }

  /** Joins at `digits`. */
  async join(digits: string, from = HERE) {
    const end = this.open(newGuest(digits, from));
    await end.say({ t: "join" });
    return end;
  }

  /** Tries digits until the server stops looking them up. Returns how many it did look up. */
  async missAll(from = HERE): Promise<number> {
    for (let tries = 0; tries < 1_000; tries++) {
      const { socket } = await this.join("99999999", from);
      if (socket.closes[0]?.[0] === CLOSE.busy) return tries;
      assertEquals(socket.closes, [[CLOSE.refused, "refused"]]);
    }
    throw new Error("Nothing stops it");
  }
}

function codeOf(socket: FakeSocket): string {
  const message = socket.sent[0];
  const code: unknown = typeof message === "object" && message !== null
    ? Reflect.get(message, "code")
    : null;
  return typeof code === "string" ? code : "";
}

function busy(retry: number): unknown {
  return { sent: [{ t: "err", code: "busy", retry }], closes: [[CLOSE.busy, "busy"]] };
}

function heard({ sent, closes }: FakeSocket): unknown {
  return { sent, closes };
}

Deno.test("rooms per address and minute are limited; the next one is told when", async () => {
  const world = new World({ creationsPerMinutePerIp: 3 });
  for (let i = 0; i < 3; i++) assertEquals((await world.create()).code.length, 4);
  assertEquals(heard((await world.create()).socket), busy(20));
  assertEquals((await world.create({ from: ELSEWHERE })).code.length, 4);
  assertEquals(world.store.size, 4);
  await world.clock.advance(20_000);
  assertEquals((await world.create()).code.length, 4);
});

Deno.test("all addresses together may make so many rooms a minute", async () => {
  const world = new World({ creationsPerMinute: 3 });
  for (let i = 0; i < 3; i++) await world.create({ from: `192.0.2.${i}` });
  assertEquals(heard((await world.create({ from: ELSEWHERE })).socket), busy(20));
  assertEquals(world.store.size, 3);
});

Deno.test("without permission to make rooms none is made, but joining works", async () => {
  const world = new World({});
  const access = newAccess();
  const stranger = world.open({ ...newGuest(access.room), mayCreate: false });
  await stranger.say(createMessage(access));
  assertEquals(heard(stranger.socket), { sent: [], closes: [[CLOSE.access, "access"]] });
  assertEquals(world.store.size, 0);
  const { code } = await world.create({ access });
  const viewer = world.open({ ...newGuest(code), mayCreate: false });
  await viewer.say({ t: "join" });
  assertEquals(viewer.socket.closes, []);
});

Deno.test("guessing digits is soon cut off, even at digits that do lead somewhere", async () => {
  const world = new World({ failedJoinsPerMinutePerIp: 20 });
  const { code } = await world.create();
  assertEquals(await world.missAll(), 20);
  assertEquals(heard((await world.join(code)).socket), busy(60));
  assertEquals(heard((await world.join("99999999")).socket), busy(60));
  assertEquals((await world.join(code, ELSEWHERE)).socket.closes, []);
});

Deno.test("guessing digits all at once is not granted more than one by one", async () => {
  const world = new World({ failedJoinsPerMinutePerIp: 20 });
  const ends = Array.from({ length: 100 }, () => world.open(newGuest("99999999")));
  for (const { connection } of ends) connection.receive(JSON.stringify({ t: "join" }));
  await flush();
  const closed = ends.filter(({ socket }) => socket.closes[0]?.[0] === CLOSE.refused);
  assertEquals(closed.length, 20);
});

Deno.test("links are no guesses: after a restart viewers wait for their sender", async () => {
  const world = new World({ failedJoinsPerMinutePerIp: 20, failedJoinsPerMinute: 20 });
  for (let i = 0; i < 100; i++) {
    const end = world.open(newGuest(token(16)));
    await end.say({ t: "join", tok: token(16) });
    assertEquals(end.socket.closes, [[CLOSE.refused, "refused"]]);
  }
  await world.missAll();
  const { access } = await world.create();
  const end = world.open(newGuest(access.room));
  await end.say({ t: "join", tok: access.jtok });
  assertEquals(end.socket.closes, []);
});

Deno.test("all addresses together may try so many digits", async () => {
  const world = new World({ failedJoinsPerMinute: 20, failedJoinsPerMinutePerIp: 20 });
  for (let i = 0; i < 20; i++) await world.join("99999999", `192.0.2.${i}`);
  assertEquals(heard((await world.join("99999999", ELSEWHERE)).socket), busy(3));
  await world.clock.advance(3_000);
  assertEquals((await world.join("99999999", ELSEWHERE)).socket.closes[0]?.[0], CLOSE.refused);
});

/** An address key of IPv6 in the /48 and the /56 that these hex digits name. */
function inNetwork(site: string, subnet: string): string {
  return `20010db8${site}${subnet}/64`;
}

Deno.test("a /48 is no crowd: all its subnets make as many rooms as four clients", async () => {
  const world = new World({ creationsPerMinutePerIp: 3 });
  let made = 0;
  for (let i = 0; i < 512; i++) {
    const subnet = (i * 128).toString(16).padStart(4, "0");
    const { socket } = await world.create({ from: inNetwork("0001", subnet) });
    if (socket.closes.length === 0) made++;
  }
  assertEquals(made, 12);
  // A /56 counts as two, and a neighbor's /48 is not affected.
  let inHome = 0;
  for (let i = 0; i < 256; i++) {
    const subnet = `00${i.toString(16).padStart(2, "0")}`;
    const { socket } = await world.create({ from: inNetwork("0002", subnet) });
    if (socket.closes.length === 0) inHome++;
  }
  assertEquals(inHome, 6);
});

Deno.test("a /48 tries digits as four clients do, and holds as many sockets", async () => {
  const world = new World({ failedJoinsPerMinutePerIp: 20, socketsPerIp: 3 });
  let heard = 0;
  for (let i = 0; i < 1_000; i++) {
    const from = inNetwork("0001", (i * 61).toString(16).padStart(4, "0"));
    const { socket } = await world.join("99999999", from);
    if (socket.closes[0]?.[0] === CLOSE.refused) heard++;
  }
  assertEquals(heard, 80);
  const { admission } = world;
  const address = (i: number) => inNetwork("0003", (i * 256).toString(16).padStart(4, "0"));
  const leave = Array.from({ length: 12 }, (_, i) => admission.enter(address(i)));
  assertEquals(admission.look(address(200)), { limit: "sockets", total: false, retry: 30 });
  leave[0]?.();
  assertEquals(admission.look(address(200)), null);
});

Deno.test("a crowd of addresses can't use up what is kept for newcomers", async () => {
  const world = new World({ creationsPerMinute: 400, creationsPerMinutePerIp: 30 });
  // Twenty addresses ask for as much as they get, again and again.
  let made = 0;
  for (let i = 0; i < 1_000; i++) {
    const { socket } = await world.create({ from: `198.51.100.${i % 20}` });
    if (socket.closes.length === 0) made++;
  }
  assertEquals(made, 300);
  for (let i = 0; i < 50; i++) {
    assertEquals((await world.create({ from: `203.0.113.${i}` })).socket.closes, []);
  }
  // Whoever was there an hour ago counts as new again.
  await world.clock.advance(HOUR_MS);
  assertEquals(world.admission.isRegular("198.51.100.1"), false);
});

Deno.test("TURN credentials are limited for a client, and for a /48 as for four", () => {
  const { admission } = new World({ turnPerMinutePerIp: 5 });
  const granted = (address: (i: number) => string) =>
    Array.from({ length: 100 }, (_, i) => admission.turn(address(i))).filter((no) => no === null);
  assertEquals(granted(() => HERE).length, 5);
  const subnet = (i: number) => inNetwork("0001", (i * 512).toString(16).padStart(4, "0"));
  assertEquals(granted(subnet).length, 20);
  assertEquals(granted(() => ELSEWHERE).length, 5);
});

Deno.test("sockets are kept for clients that have none", () => {
  const { admission } = new World({ sockets: 8, socketsPerIp: 8 });
  for (let i = 0; i < 6; i++) {
    assertEquals(admission.look(HERE), null);
    admission.enter(HERE);
  }
  assertEquals(admission.look(HERE), { limit: "sockets", total: true, retry: 30 });
  assertEquals(admission.look(ELSEWHERE), null);
});

Deno.test("a room whose creator vanishes without a pong is gone at once", async () => {
  const world = new World({});
  const silent = await world.create();
  assertEquals(world.store.size, 1);
  silent.connection.closed();
  await flush();
  assertEquals(world.store.size, 0);
  // Whoever answered keeps the room for the grace period, and whoever came back to it does too.
  const heard = await world.create();
  await heard.say({ t: "pong" });
  heard.connection.closed();
  await flush();
  assertEquals(world.store.size, 1);
  const again = await world.create({ access: heard.access });
  again.connection.closed();
  await flush();
  assertEquals(world.store.size, 1);
});

Deno.test("a creator who says nothing is closed, and the room with it", async () => {
  const world = new World({});
  await world.create();
  await world.clock.advance(CONNECTION_LIMITS.heartbeatTimeoutMs);
  assertEquals(world.store.size, 0);
});

const VISITS: Record<string, [failed: boolean, visit: (world: World) => Promise<void>]> = {
  "is dismissed": [true, async (world) => {
    const { code, say } = await world.create();
    const { socket } = await world.join(code);
    await say({ t: "dismiss" });
    assertEquals(socket.closes, [[CLOSE.dismissed, "dismissed"]]);
  }],
  "disconnects before being dismissed": [true, async (world) => {
    const { code, connection } = await world.create();
    (await world.join(code)).connection.closed();
    connection.closed();
  }],
  "leaves before being dismissed": [true, async (world) => {
    const { code } = await world.create();
    await (await world.join(code)).say({ t: "leave" });
  }],
  "stays until the session ends": [false, async (world) => {
    const { code, access, say } = await world.create();
    const { socket } = await world.join(code);
    await say({ t: "delete", otok: access.otok });
    assertEquals(socket.closes, [[CLOSE.gone, "gone"]]);
  }],
};

for (const [what, [failed, visit]] of Object.entries(VISITS)) {
  Deno.test(`a visitor by digits who ${what}: ${failed ? "a failed join" : "none"}`, async () => {
    const world = new World({ failedJoinsPerMinutePerIp: 20 });
    for (let i = 0; i < 5; i++) await visit(world);
    assertEquals(await world.missAll(), failed ? 15 : 20);
  });
}

Deno.test("outlasting a sender's wait for a proof is no failed join by digits", async () => {
  const world = new World({ failedJoinsPerMinutePerIp: 100, failedJoinsPerMinute: 100 });
  const codes: string[] = [];
  for (let i = 0; i < 100; i++) codes.push((await world.create()).code);
  const ends = [];
  for (const [i, code] of codes.entries()) ends.push(await world.join(code, `198.51.100.${i}`));
  assertEquals((await world.join("99999999", ELSEWHERE)).socket.closes[0]?.[0], CLOSE.busy);
  // Not because of the refill: in 40 s that gives back two thirds.
  await world.clock.advance(40_000);
  for (const { connection } of ends) connection.closed();
  // All but the share that is kept for newcomers.
  assertEquals(await world.missAll(ELSEWHERE), 75);
});

Deno.test("with the defaults a scanner of one address burns few codes an hour", async () => {
  const world = new World({
    failedJoinsPerMinutePerIp: Number(DEFAULTS.LIMIT_FAILED_JOINS_PER_MINUTE_PER_IP),
    failedJoinsPerMinute: Number(DEFAULTS.LIMIT_FAILED_JOINS_PER_MINUTE),
  });
  // The maximum for four digits, the greatest density.
  const codes = new Set<string>();
  while (codes.size < 100) codes.add((await world.create({ from: ELSEWHERE })).code);
  assert([...codes].every((code) => code.length === 4));
  const end = world.clock.now() + HOUR_MS / 2;
  let tried = 0;
  let hits = 0;
  while (world.clock.now() < end && tried < 10_000) {
    const digits = String(tried).padStart(4, "0");
    const { socket, connection } = await world.join(digits);
    const [code] = socket.closes[0] ?? [];
    if (code === CLOSE.busy) {
      await world.clock.advance(5_000);
      continue;
    }
    tried++;
    // Retry-After is an hour at most: rooms live that long.
    if (code === undefined) hits++;
    connection.closed();
  }
  assert(tried <= 125, `${tried} tries were heard in half an hour`);
  assert(hits < 30, `${hits} hits`);
});

Deno.test("too many messages a second disconnect; a burst of candidates does not", async () => {
  const world = new World({ messagesPerSecond: 50 });
  const { say, socket } = await world.create();
  for (let i = 0; i < 60; i++) await say({ t: "relay", d: "x" });
  assertEquals(socket.closes, []);
  await world.clock.advance(2_000);
  for (let second = 0; second < 20; second++) {
    for (let i = 0; i < 50; i++) await say({ t: "pong" });
    await world.clock.advance(1_000);
  }
  assertEquals(socket.closes, []);
  for (let i = 0; i < 101; i++) await say({ t: "pong" });
  assertEquals(socket.closes, [[CLOSE.busy, "busy"]]);
});

Deno.test("what a room relays is limited, in both directions and over new sockets", async () => {
  const world = new World({ sessionBytes: 10_000 });
  const { access, socket, say, connection } = await world.create();
  const viewer = world.open(newGuest(access.room));
  await viewer.say({ t: "join", tok: access.jtok });
  const d = "x".repeat(2_000);
  await say({ t: "relay", d });
  await viewer.say({ t: "relay", d });
  const rtok: unknown = Reflect.get(Object(socket.sent[0]), "rtok");
  connection.closed();
  const again = world.open(newGuest(access.room));
  await again.say({ t: "resume", rtok });
  for (let i = 0; i < 3; i++) await again.say({ t: "relay", d });
  assertEquals(again.socket.closes, []);
  await viewer.say({ t: "relay", d: "x" });
  assertEquals(viewer.socket.closes, [[CLOSE.busy, "busy"]]);
  assertEquals((await world.create()).socket.closes, []);
});
