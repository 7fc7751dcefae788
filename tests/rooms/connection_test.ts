import { toBase64Url } from "../../lib/protocol/bytes.ts";
import { CLOSE } from "../../lib/protocol/close_codes.ts";
import { Admission, UNLIMITED } from "../../lib/rooms/admission.ts";
import { Connection, type ConnectionContext } from "../../lib/rooms/connection.ts";
import { SEAT_GRACE_MS } from "../../lib/protocol/limits.ts";
import { parseServerMessage } from "../../lib/protocol/signaling.ts";
import { CONNECTION_LIMITS, type ConnectionLimits } from "../../lib/rooms/limits.ts";
import { RelayBudget, type RelayLimits, UNLIMITED_RELAY } from "../../lib/rooms/relay_budget.ts";
import { RelayGate } from "../../lib/rooms/relay_gate.ts";
import { Metrics } from "../../lib/ops/metrics.ts";
import { MemoryRoomStore } from "../../lib/rooms/memory_store.ts";
import type { SeatOperation } from "../../lib/rooms/room.ts";
import type { Claim, Created, Denied, RoomStore, Seated, Ticket } from "../../lib/rooms/store.ts";
import { hashToken, systemRandom, type TokenHash } from "../../lib/ops/tokens.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { FakeClock, flush } from "./fake_clock.ts";
import { FakeSocket } from "./fake_socket.ts";
import { createMessage, newAccess, newGuest } from "./room_server.ts";

/** A store whose `join` waits until the test lets it continue. */
class SlowJoinStore extends MemoryRoomStore {
  readonly gate = Promise.withResolvers<void>();

  override async join(
    claim: Claim,
    hash: TokenHash | null,
    salt: string,
  ): Promise<Seated | Denied> {
    await this.gate.promise;
    return await super.join(claim, hash, salt);
  }
}

/** A store whose `relay` takes longer the earlier it was called. */
class UnevenStore extends MemoryRoomStore {
  #waits = 20;

  override async act(ticket: Ticket, what: SeatOperation): Promise<boolean> {
    if (what.t === "relay") { for (let i = this.#waits--; i > 0; i--) await Promise.resolve(); }
    return await super.act(ticket, what);
  }
}

/** A store that remembers the rtok hashes that it was given. */
class RecordingStore extends MemoryRoomStore {
  readonly hashes: TokenHash[] = [];

  override create(...args: Parameters<RoomStore["create"]>): Promise<Created | Denied> {
    this.hashes.push(args[0].rtok);
    return super.create(...args);
  }

  override resume(...args: Parameters<RoomStore["resume"]>): Promise<Seated | Denied> {
    this.hashes.push(args[0].rtok);
    return super.resume(...args);
  }
}

class FailingStore extends MemoryRoomStore {
  override create(): Promise<never> {
    return Promise.reject(new Error("no route to the database"));
  }
}

class World {
  readonly clock: FakeClock;
  readonly store: MemoryRoomStore;
  readonly access = newAccess();
  readonly errors: unknown[] = [];
  readonly #limits: Partial<ConnectionLimits>;
  readonly #relay: ConnectionContext["relay"];
  readonly counters = new Metrics();

  constructor(
    limits: Partial<ConnectionLimits> = {},
    { clock = new FakeClock(), store = new MemoryRoomStore({ clock }), relay }: {
      clock?: FakeClock;
      store?: MemoryRoomStore;
      relay?: RelayBudget;
    } = {},
  ) {
    this.#limits = limits;
    this.#relay = relay && { budget: relay, gate: new RelayGate() };
    this.clock = clock;
    this.store = store;
  }

  open(at = this.access.room, address?: string) {
    const socket = new FakeSocket();
    const connection = new Connection(socket, newGuest(at, address), {
      admission: new Admission(UNLIMITED),
      store: this.store,
      clock: this.clock,
      random: systemRandom,
      limits: { ...CONNECTION_LIMITS, ...this.#limits },
      relay: this.#relay,
      counters: this.counters,
      onError: (error) => this.errors.push(error),
    });
    const say = async (message: unknown) => {
      connection.receive(JSON.stringify(message));
      await flush();
    };
    return { socket, connection, say };
  }

  async sender() {
    const end = this.open();
    await end.say(createMessage(this.access));
    await end.say({ t: "pong" });
    return end;
  }

  async viewer() {
    const end = this.open();
    await end.say({ t: "join", tok: this.access.jtok });
    await end.say({ t: "pong" });
    return end;
  }

  /** Both ends seated, with nothing left to read. */
  async pair() {
    const sender = await this.sender();
    const viewer = await this.viewer();
    sender.socket.sent.length = 0;
    viewer.socket.sent.length = 0;
    return { sender, viewer };
  }
}

/** What a seat was taken with. */
function welcome({ socket }: { readonly socket: FakeSocket }) {
  const message = parseServerMessage(JSON.stringify(socket.sent[0]));
  assert(message?.t === "joined", `Not joined: ${JSON.stringify(message)}`);
  return message;
}

Deno.test("Connection closes a socket that is silent for 5 s, and leaves no timer", async () => {
  const world = new World();
  const { socket } = world.open();
  await world.clock.advance(4_999);
  assertEquals(socket.closes, []);
  await world.clock.advance(1);
  assertEquals(socket.closes, [[CLOSE.timeout, "timeout"]]);
  assertEquals(world.clock.timers, 0);
});

Deno.test("Connection sends ping every 20 s and lives on while pong arrives", async () => {
  const world = new World();
  const { socket, say } = await world.sender();
  socket.sent.length = 0;
  for (let i = 0; i < 10; i++) {
    await world.clock.advance(20_000);
    assertEquals(socket.sent.splice(0), [{ t: "ping" }]);
    await say({ t: "pong" });
  }
  assertEquals(socket.closes, []);
});

Deno.test("Connection takes 50 s of silence for lost and tells the other seat", async () => {
  const world = new World();
  const { sender, viewer } = await world.pair();
  for (let i = 0; i < 49; i++) {
    await world.clock.advance(1_000);
    await sender.say({ t: "pong" });
  }
  assertEquals(viewer.socket.closes, []);
  await world.clock.advance(1_000);
  assertEquals(viewer.socket.closes, [[CLOSE.timeout, "timeout"]]);
  assertEquals(sender.socket.sent.at(-1), { t: "peer", up: false, by: "lost" });
  assertEquals(sender.socket.closes, []);
});

Deno.test("Connection frees the seat of a slow reader and queues nothing for it", async () => {
  const world = new World({ maxBuffered: 1_000 });
  const { sender, viewer } = await world.pair();
  viewer.socket.bufferedAmount = 1_000;
  await sender.say({ t: "relay", d: "x" });
  assertEquals(viewer.socket.sent, [{ t: "relay", d: "x" }]);
  viewer.socket.bufferedAmount = 1_001;
  await sender.say({ t: "relay", d: "y" });
  assertEquals(viewer.socket.sent.length, 1);
  assertEquals(viewer.socket.closes, [[CLOSE.slow, "slow"]]);
  // Although the socket's own `close` event has not arrived, and may never do so.
  assertEquals(sender.socket.sent, [{ t: "peer", up: false, by: "lost" }]);
  await sender.say({ t: "relay", d: "z" });
  assertEquals(sender.socket.sent.at(-1), { t: "err", code: "no_peer" });
});

Deno.test("Connection takes a socket that throws on send for lost", async () => {
  const world = new World();
  const { sender, viewer } = await world.pair();
  viewer.socket.broken = true;
  await sender.say({ t: "relay", d: "x" });
  assertEquals(sender.socket.sent, [{ t: "peer", up: false, by: "lost" }]);
});

Deno.test("closed() twice, or after a resume, takes the seat from nobody", async () => {
  const world = new World();
  const { sender, viewer } = await world.pair();
  viewer.connection.closed();
  viewer.connection.closed();
  await flush();
  assertEquals(sender.socket.sent, [{ t: "peer", up: false, by: "lost" }]);
  await world.clock.advance(30_000);
  viewer.connection.closed();
  for (let waited = 30_000; waited < SEAT_GRACE_MS; waited += 15_000) {
    await sender.say({ t: "pong" });
    await world.clock.advance(15_000);
  }
  assertEquals(sender.socket.sent.at(-1), { t: "peer", up: false, by: "leave" });
});

Deno.test("a viewer lost before sending anything frees the seat, lacking an rtok", async () => {
  const world = new World();
  const sender = await world.sender();
  const viewer = world.open();
  await viewer.say({ t: "join", tok: world.access.jtok });
  viewer.connection.closed();
  await flush();
  assertEquals(sender.socket.sent.at(-1), { t: "peer", up: false, by: "leave" });
  const again = world.open();
  await again.say({ t: "join", tok: world.access.jtok });
  assertEquals(welcome(again).t, "joined");
});

Deno.test("a resumed but silent seat is kept, and its old token works again", async () => {
  const world = new World();
  const sender = await world.sender();
  const viewer = await world.viewer();
  const { rtok } = welcome(viewer);
  const resume = async () => {
    const end = world.open();
    await end.say({ t: "resume", rtok });
    return end;
  };
  for (let tries = 0; tries < 3; tries++) {
    const end = await resume();
    assertEquals(welcome(end).t, "joined");
    end.connection.closed();
    await flush();
    assertEquals(sender.socket.sent.at(-1), { t: "peer", up: false, by: "lost" });
  }
  const last = await resume();
  await last.say({ t: "pong" });
  assertEquals((await resume()).socket.sent, [{ t: "err", code: "refused" }]);
  assertEquals(last.socket.closes, []);
});

Deno.test("a closed connection neither receives nor sends anything", async () => {
  const world = new World();
  const { sender, viewer } = await world.pair();
  viewer.connection.receive("[");
  assertEquals(viewer.socket.closes, [[CLOSE.malformed, "malformed"]]);
  await viewer.say({ t: "relay", d: "late" });
  await viewer.say({ t: "leave" });
  viewer.connection.receive(new Blob(["x"]));
  await sender.say({ t: "relay", d: "x" });
  assertEquals(viewer.socket.closes.length, 1);
  assertEquals(viewer.socket.sent, []);
  assertEquals(sender.socket.sent, [
    { t: "peer", up: false, by: "lost" },
    { t: "err", code: "no_peer" },
  ]);
});

Deno.test("relays stay in order although the store takes longer for the first", async () => {
  const clock = new FakeClock();
  const world = new World({}, { clock, store: new UnevenStore({ clock }) });
  const { sender, viewer } = await world.pair();
  const sent = Array.from({ length: 20 }, (_, i) => ({ t: "relay", d: `m${i}` }));
  for (const message of sent) sender.connection.receive(JSON.stringify(message));
  for (let i = 0; i < 20; i++) await flush();
  assertEquals(viewer.socket.sent, sent);
});

Deno.test("what a page sent before it closed is done, however slow the store is", async () => {
  const clock = new FakeClock();
  const world = new World({}, { clock, store: new UnevenStore({ clock }) });
  const { sender, viewer } = await world.pair();
  sender.connection.receive(JSON.stringify({ t: "relay", d: "bye" }));
  sender.connection.receive(JSON.stringify({ t: "delete", otok: world.access.otok }));
  sender.connection.closed();
  sender.connection.closed();
  await flush();
  assertEquals(viewer.socket.sent, [{ t: "relay", d: "bye" }, { t: "gone", why: "deleted" }]);
  assertEquals(sender.socket.sent, []);
});

Deno.test("Connection bounds the messages that wait for the store", async () => {
  const clock = new FakeClock();
  const store = new SlowJoinStore({ clock });
  const world = new World({ maxPending: 3 }, { clock, store });
  await world.sender();
  const { connection, socket } = world.open();
  connection.receive(JSON.stringify({ t: "join", tok: world.access.jtok }));
  for (let i = 0; i < 2; i++) connection.receive(JSON.stringify({ t: "pong" }));
  assertEquals(socket.closes, []);
  connection.receive(JSON.stringify({ t: "pong" }));
  assertEquals(socket.closes, [[CLOSE.busy, "busy"]]);
  store.gate.resolve();
  await flush();
});

Deno.test("a viewer who leaves before the answer leaves the seat free", async () => {
  const clock = new FakeClock();
  const store = new SlowJoinStore({ clock });
  const world = new World({}, { clock, store });
  await world.sender();
  const hasty = await world.viewer();
  hasty.connection.closed();
  store.gate.resolve();
  await flush();
  assertEquals(hasty.socket.sent, []);
  const patient = await world.viewer();
  assertEquals(patient.socket.sent.at(-1), { t: "peer", up: true, by: "join" });
});

Deno.test("what a seat receives while the store decides is sent after the answer", async () => {
  const world = new World();
  const sender = await world.sender();
  const viewer = world.open();
  viewer.connection.receive(JSON.stringify({ t: "join", tok: world.access.jtok }));
  sender.connection.receive(JSON.stringify({ t: "relay", d: "x" }));
  await flush();
  const [first, ...rest] = viewer.socket.sent;
  assert(typeof first === "object" && first !== null && "t" in first && first.t === "joined");
  assertEquals(rest, [{ t: "peer", up: true, by: "join" }, { t: "relay", d: "x" }]);
});

Deno.test("a store that fails is a busy server, and its error is reported", async () => {
  const clock = new FakeClock();
  const world = new World({}, { clock, store: new FailingStore({ clock }) });
  const { socket } = await world.sender();
  assertEquals(socket.sent, [{ t: "err", code: "busy" }]);
  assertEquals(socket.closes, [[CLOSE.busy, "busy"]]);
  assertEquals(world.errors.map(String), ["Error: no route to the database"]);
  assertEquals(world.clock.timers, 0);
});

Deno.test("each claim gets a new random rtok; the store sees only its hash", async () => {
  const clock = new FakeClock();
  const store = new RecordingStore({ clock });
  const world = new World({}, { clock, store });
  const rtoks: string[] = [];
  for (let i = 0; i < 5; i++) {
    const end = i === 0 ? await world.sender() : world.open();
    if (i > 0) await end.say({ t: "resume", rtok: rtoks.at(-1) });
    const [answer] = end.socket.sent;
    assert(typeof answer === "object" && answer !== null && "rtok" in answer);
    assert(typeof answer.rtok === "string");
    rtoks.push(answer.rtok);
  }
  assertEquals(new Set(rtoks).size, 5);
  assertEquals(store.hashes, rtoks.map(hashToken));
});

Deno.test("nothing is left of a room after its end: no seat, no timer", async () => {
  const world = new World();
  const { sender, viewer } = await world.pair();
  await sender.say({ t: "delete", otok: world.access.otok });
  assertEquals(sender.socket.closes, [[CLOSE.done, "done"]]);
  assertEquals(viewer.socket.closes, [[CLOSE.gone, "gone"]]);
  assertEquals({ rooms: world.store.size, timers: world.clock.timers }, { rooms: 0, timers: 0 });
});

/** The digits in what a sender received. */
function codeOf(sent: readonly unknown[]): string {
  const [answer] = sent;
  assert(typeof answer === "object" && answer !== null && "code" in answer);
  assert(typeof answer.code === "string");
  return answer.code;
}

Deno.test("created carries the room's digits, and none if they were withdrawn", async () => {
  const world = new World();
  const first = await world.sender();
  const code = codeOf(first.socket.sent);
  const second = await world.sender();
  assertEquals(codeOf(second.socket.sent), code);
  await second.say({ t: "withdraw" });
  await second.say({ t: "withdraw" });
  assertEquals([second.socket.sent.length, second.socket.closes], [1, []]);
  const [answer] = (await world.sender()).socket.sent;
  assert(typeof answer === "object" && answer !== null);
  assertEquals(Object.keys(answer), ["t", "exp", "rtok", "salt"]);
});

Deno.test("joining by digits takes a seat of the room itself", async () => {
  const world = new World();
  const sender = await world.sender();
  const viewer = world.open(codeOf(sender.socket.sent));
  await viewer.say({ t: "join" });
  await viewer.say({ t: "relay", d: "x" });
  viewer.connection.closed();
  await flush();
  assertEquals(sender.socket.sent.slice(1), [
    { t: "peer", up: true, by: "join" },
    { t: "relay", d: "x" },
    { t: "peer", up: false, by: "lost" },
  ]);
});

Deno.test("a dismissed viewer gets their close code, even if the store is busy", async () => {
  const world = new World();
  const { sender, viewer } = await world.pair();
  await sender.say({ t: "dismiss" });
  assertEquals([viewer.socket.sent, viewer.socket.closes], [[], [[CLOSE.dismissed, "dismissed"]]]);
  const early = world.open();
  early.connection.receive(JSON.stringify({ t: "join", tok: world.access.jtok }));
  sender.connection.receive(JSON.stringify({ t: "dismiss" }));
  await flush();
  assertEquals(early.socket.closes, [[CLOSE.dismissed, "dismissed"]]);
  assertEquals(sender.socket.sent, [
    { t: "peer", up: false, by: "leave" },
    { t: "peer", up: true, by: "join" },
    { t: "peer", up: false, by: "leave" },
  ]);
});

Deno.test("only a seated sender may dismiss and withdraw", async () => {
  for (const t of ["dismiss", "withdraw"]) {
    const world = new World();
    const { viewer } = await world.pair();
    const stranger = world.open();
    for (const end of [viewer, stranger]) {
      await end.say({ t });
      assertEquals(end.socket.closes, [[CLOSE.outOfTurn, "outOfTurn"]]);
    }
  }
});

// The encrypted relay

const FRAME = "A".repeat(87_388);

function relaying(limits: Partial<RelayLimits> = {}): World {
  const clock = new FakeClock();
  const relay = new RelayBudget({ ...UNLIMITED_RELAY, ...limits }, clock);
  return new World({}, { clock, relay });
}

/** The messages of a handshake as a server sees them: their seat, type and length. */
const HANDSHAKE_SEEN = [
  ["viewer", 1, 35],
  ["sender", 2, 1_315],
  ["viewer", 3, 1_251],
  ["sender", 4, 900],
] as const;

function sealed(type: number, length: number): string {
  const bytes = new Uint8Array(length);
  bytes.set([type, 1]);
  return toBase64Url(bytes);
}

type Pair = Awaited<ReturnType<World["pair"]>>;

/** Says what two honest pages say before they use the relay. */
async function shakeHands(pair: Pair, messages: number = HANDSHAKE_SEEN.length): Promise<Pair> {
  for (const [from, type, length] of HANDSHAKE_SEEN.slice(0, messages)) {
    await pair[from].say({ t: "relay", d: sealed(type, length) });
  }
  pair.sender.socket.sent.length = 0;
  pair.viewer.socket.sent.length = 0;
  return pair;
}

Deno.test("a relay frame reaches the other seat unchanged, and is counted apart", async () => {
  const world = relaying();
  const { sender, viewer } = await shakeHands(await world.pair());
  await sender.say({ t: "data", d: FRAME });
  assertEquals(viewer.socket.sent, [{ t: "data", d: FRAME }]);
  assertEquals([
    world.counters.get("relay_frames", "peer"),
    world.counters.get("relay_bytes", "peer"),
    world.counters.get("relays", "peer"),
  ], [1, FRAME.length, HANDSHAKE_SEEN.length]);
});

Deno.test("a frame to an empty seat is answered, as a relay is", async () => {
  const world = relaying();
  const { sender, viewer } = await shakeHands(await world.pair());
  await viewer.say({ t: "leave" });
  sender.socket.sent.length = 0;
  await sender.say({ t: "data", d: "AAAA" });
  assertEquals(sender.socket.sent, [{ t: "err", code: "no_peer" }]);
});

Deno.test("without a relay, a long frame is too large, a short one out of turn", async () => {
  for (const [d, why] of [[FRAME, "tooLarge"], ["AAAA", "outOfTurn"]] as const) {
    const world = new World();
    const { sender, viewer } = await world.pair();
    await sender.say({ t: "data", d });
    assertEquals(sender.socket.closes, [[CLOSE[why], why]]);
    assertEquals(viewer.socket.sent, [{ t: "peer", up: false, by: "lost" }]);
  }
});

Deno.test("a frame longer than the protocol's ends the connection", async () => {
  const { sender } = await relaying().pair();
  await sender.say({ t: "data", d: FRAME + "A" });
  assertEquals(sender.socket.closes, [[CLOSE.malformed, "malformed"]]);
});

Deno.test("a sender who is too fast waits, in order, and is not disconnected", async () => {
  const world = relaying({ bytesPerSecond: 10_000 });
  const { sender, viewer } = await shakeHands(await world.pair());
  for (const letter of "ABCD") {
    sender.connection.receive(JSON.stringify({ t: "data", d: letter.repeat(5_000) }));
  }
  await flush();
  const heard = () => viewer.socket.sent.map((message) => JSON.stringify(message)[17]);
  assertEquals(heard(), []);
  const seen: string[] = [];
  for (let i = 0; i < 4; i++) {
    await world.clock.advance(500);
    seen.push(heard().join(""));
  }
  assertEquals(seen, ["A", "AB", "ABC", "ABCD"]);
  assertEquals(sender.socket.closes, []);
});

Deno.test("a room over its relay limit or time is told that the server is busy", async () => {
  for (const limits of [{ bytes: 20_000 }, { seconds: 60 }]) {
    const world = relaying(limits);
    const { sender } = await shakeHands(await world.pair());
    for (let i = 0; i < 3 && sender.socket.closes.length === 0; i++) {
      await sender.say({ t: "data", d: "A".repeat(9_000) });
      await world.clock.advance(40_000);
    }
    assertEquals(sender.socket.closes, [[CLOSE.busy, "busy"]]);
    assertEquals(world.counters.get("limits", "relay"), 1);
  }
});

Deno.test("ignoring the window ends the connection before the memory is full", async () => {
  const world = relaying({ bytesPerSecond: 1_000 });
  const { sender } = await shakeHands(await world.pair());
  let taken = 0;
  for (; taken < 100 && sender.socket.closes.length === 0; taken++) {
    sender.connection.receive(JSON.stringify({ t: "data", d: FRAME }));
  }
  assertEquals(sender.socket.closes, [[CLOSE.busy, "busy"]]);
  assert(taken < 10, `${taken} frames were taken`);
});

Deno.test("the relay carries nothing before a handshake got as far as an honest one", async () => {
  const lies: Record<string, (pair: Pair) => Promise<unknown>> = {
    "nothing": () => Promise.resolve(),
    "three of four messages": (pair) => shakeHands(pair, 3),
    "all four, from one seat": async ({ sender }) => {
      for (const [, type, length] of HANDSHAKE_SEEN) {
        await sender.say({ t: "relay", d: sealed(type, length) });
      }
    },
    "all four, each of two bytes": async (pair) => {
      for (const [from, type] of HANDSHAKE_SEEN) {
        await pair[from].say({ t: "relay", d: sealed(type, 2) });
      }
    },
    "all four, the last first": async (pair) => {
      for (const [from, type, length] of HANDSHAKE_SEEN.toReversed()) {
        await pair[from].say({ t: "relay", d: sealed(type, length) });
      }
    },
    "a repair by the viewer": ({ viewer }) => viewer.say({ t: "relay", d: sealed(7, 100) }),
  };
  for (const [what, lie] of Object.entries(lies)) {
    for (const from of ["sender", "viewer"] as const) {
      const world = relaying();
      const pair = await world.pair();
      await lie(pair);
      const other = pair[from === "sender" ? "viewer" : "sender"];
      other.socket.sent.length = 0;
      await pair[from].say({ t: "data", d: FRAME });
      assertEquals([what, pair[from].socket.closes], [what, [[CLOSE.outOfTurn, "outOfTurn"]]]);
      assertEquals(world.counters.get("relay_bytes", "peer"), 0);
    }
  }
});

Deno.test("two who are bound and lost their server go on over the relay, slower", async () => {
  const world = relaying({ bytesPerSecond: 80_000 });
  const { sender, viewer } = await world.pair();
  await sender.say({ t: "relay", d: sealed(7, 100) });
  viewer.socket.sent.length = 0;
  for (let i = 0; i < 20; i++) {
    sender.connection.receive(JSON.stringify({ t: "data", d: "A".repeat(10_000) }));
  }
  await world.clock.advance(10_000);
  // 10,000 a second in place of 80,000.
  const { length } = viewer.socket.sent;
  assert(length >= 9 && length <= 11, `${length} frames`);
  assertEquals(sender.socket.closes, []);
});

const ROOMS = 8;

/** How many characters a client gets through the relay in a minute, with all that it can open. */
async function carried(limits: Partial<RelayLimits>, client: (room: number) => string) {
  const world = relaying(limits);
  const pairs = [];
  for (let i = 0; i < ROOMS; i++) {
    const access = newAccess();
    const sender = world.open(access.room, client(i));
    await sender.say(createMessage(access));
    const viewer = world.open(access.room, client(i));
    await viewer.say({ t: "join", tok: access.jtok });
    pairs.push(await shakeHands({ sender, viewer }));
  }
  const frame = JSON.stringify({ t: "data", d: FRAME });
  for (let second = 0; second < 60; second++) {
    // As fast as it can without being disconnected: two frames wait in each socket.
    for (const { sender, viewer } of pairs) {
      const carried = viewer.socket.sent.length;
      const sent = sentBy.get(sender) ?? 0;
      for (let i = sent; i < carried + 2; i++) sender.connection.receive(frame);
      sentBy.set(sender, Math.max(sent, carried + 2));
    }
    await world.clock.advance(1_000);
    for (const { sender } of pairs) {
      sender.connection.receive(JSON.stringify({ t: "pong" }));
    }
  }
  assertEquals(pairs.flatMap(({ sender }) => sender.socket.closes), []);
  return world.counters.get("relay_bytes", "peer");
}

const sentBy = new WeakMap<object, number>();

Deno.test("one address gets its budget of the relay, with however many rooms", async () => {
  const MB = 1_000_000;
  const free = await carried({}, () => "203.0.113.7");
  assert(free > 60 * MB, `${free} without a budget`);
  const one = await carried({ bytesPerMinutePerIp: 12 * MB }, () => "203.0.113.7");
  // What it may use at once, and then the average.
  assert(one <= (12 + 2) * MB + ROOMS * 2 * FRAME.length, `${one} from one address`);
  assert(one > 10 * MB, `${one}: less than its budget`);
  const site = (room: number) => `20010db8000100${room.toString(16).padStart(2, "0")}/64`;
  const home = await carried({ bytesPerMinutePerIp: 12 * MB }, site);
  assert(home <= 2 * (12 + 2) * MB + ROOMS * 2 * FRAME.length, `${home} from one /56`);
  const many = await carried(
    { bytesPerMinutePerIp: 12 * MB, bytesPerMinute: 24 * MB },
    (room) => `203.0.113.${room}`,
  );
  assert(many <= 2 * 24 * MB, `${many} from all`);
});
