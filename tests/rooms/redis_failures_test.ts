/**
 * What happens to rooms on Redis when something breaks: an instance, a connection, a notification,
 * Redis itself.
 *
 * @module
 */
import { SEAT_GRACE_MS } from "../../lib/protocol/limits.ts";
import type { RedisLimits, StoreLimits } from "../../lib/rooms/limits.ts";
import { KEY } from "../../lib/rooms/redis_scripts.ts";
import { RedisRoomStore } from "../../lib/rooms/redis_store.ts";
import type { Denied, Seat, Seated, SeatEvent } from "../../lib/rooms/store.ts";
import { hashToken } from "../../lib/ops/tokens.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { importsOf, sourceFiles } from "../support/imports.ts";
import { noRedis, STOPPED_CLOCK, TestRedis } from "../support/redis.ts";
import { until } from "./room_server.ts";
import { token } from "./store_contract.ts";

/** So long that it never happens during a test. */
const NEVER_MS = 86_400_000;

/** By the stopped clock. */
const LEASE_MS = 45_000;
const GRACE_MS = SEAT_GRACE_MS;
const CODE_REST_MS = 600_000;
const TTL_S = 600;

/** How much longer than the room itself its keys may exist. */
const TAIL_MS = 20_000;

/** A Redis with a stopped clock and instances on it, which renew nothing by themselves. */
class World implements AsyncDisposable {
  readonly redis: TestRedis;
  readonly #stores: RedisRoomStore[] = [];

  private constructor(redis: TestRedis) {
    this.redis = redis;
  }

  static async start(): Promise<World> {
    return new World(await TestRedis.start());
  }

  async instance(limits: Partial<StoreLimits & RedisLimits> = {}): Promise<RedisRoomStore> {
    const store = new RedisRoomStore({
      url: this.redis.url,
      now: STOPPED_CLOCK,
      limits: {
        leaseMs: LEASE_MS,
        graceMs: GRACE_MS,
        codeRestMs: CODE_REST_MS,
        touchMs: NEVER_MS,
        sweepMs: NEVER_MS,
        ...limits,
      },
    });
    this.#stores.push(store);
    await until(() => store.ready, "Redis is there");
    return store;
  }

  async instances(count: number): Promise<RedisRoomStore[]> {
    return await Promise.all(Array.from({ length: count }, () => this.instance()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.redis.thaw();
    for (const store of this.#stores) await store.close();
    await this.redis[Symbol.asyncDispose]();
  }
}

/** A room and its tokens. */
class Room {
  readonly address = token(16);
  readonly terms = {
    own: hashToken(token(32)),
    join: hashToken(token(16)),
    ttl: TTL_S,
    salt: token(32),
  };
  readonly viewerSalt = token(32);

  /** Makes the room at `store`. */
  async create(store: RedisRoomStore): Promise<Guest & { readonly code: string }> {
    const guest = new Guest(store, this, "sender");
    const result = await store.create(guest.claim, this.terms);
    assert(typeof result === "object", `Not created: ${result}`);
    return Object.assign(guest, { code: result.code ?? "" });
  }

  /** Takes the viewer's seat at `store`. */
  async join(store: RedisRoomStore): Promise<Guest> {
    const guest = new Guest(store, this, "viewer");
    const { viewerSalt: salt } = this;
    assertEquals(await guest.join(), { room: this.address, seat: "viewer", exp: TTL_S, salt });
    return guest;
  }

  /** A sender at one instance and a viewer at another, who have met. */
  async pair(here: RedisRoomStore, there: RedisRoomStore) {
    const sender = await this.create(here);
    const viewer = await this.join(there);
    await sender.hears(JOINED);
    await viewer.hears(JOINED);
    return { sender, viewer };
  }
}

/** Somebody with a socket at one instance. */
class Guest {
  readonly store: RedisRoomStore;
  readonly rtok = token(32);
  readonly conn = token(16);
  readonly #room: Room;
  readonly #seat: Seat;
  events: SeatEvent[] = [];

  constructor(store: RedisRoomStore, room: Room, seat: Seat) {
    this.store = store;
    this.#room = room;
    this.#seat = seat;
  }

  get claim() {
    const listener = (event: SeatEvent) => void this.events.push(event);
    return { room: this.#room.address, conn: this.conn, rtok: hashToken(this.rtok), listener };
  }

  get ticket() {
    return { room: this.#room.address, conn: this.conn, seat: this.#seat };
  }

  join(): Promise<Seated | Denied> {
    return this.store.join(this.claim, this.#room.terms.join, this.#room.viewerSalt);
  }

  /** Comes back at `store`. */
  async resume(store: RedisRoomStore): Promise<Guest> {
    const guest = new Guest(store, this.#room, this.#seat);
    const result = await store.resume(guest.claim, hashToken(this.rtok));
    assert(typeof result === "object", `Not resumed: ${result}`);
    return guest;
  }

  relay(d: string): Promise<boolean> {
    return this.store.act(this.ticket, { t: "relay", d });
  }

  /** Waits for as many events as are `expected`, which have to be these. */
  async hears(...expected: SeatEvent[]): Promise<void> {
    const what = `${this.#seat} hears ${JSON.stringify(expected)}`;
    await until(() => this.events.length >= expected.length, what);
    assertEquals(this.events, expected);
    this.events = [];
  }
}

/** Puts a relay into the stream as the script does, without a notification. */
async function sayWithoutBell({ redis }: World, { ticket }: Guest, d: string): Promise<void> {
  const event = JSON.stringify({ t: "relay", d });
  const { room, conn } = ticket;
  await redis.command("XADD", KEY.events(room), "*", "to", conn, "event", event);
}

const JOINED: SeatEvent = { t: "peer", up: true, by: "join" };
const RESUMED: SeatEvent = { t: "peer", up: true, by: "resume" };
const LOST: SeatEvent = { t: "peer", up: false, by: "lost" };
const ASTRAY: SeatEvent = { t: "astray" };

function test(title: string, body: (world: World) => Promise<void>): void {
  Deno.test({
    name: `RedisRoomStore: ${title}`,
    ignore: noRedis,
    async fn() {
      await using world = await World.start();
      await body(world);
    },
  });
}

test("of 200 viewers at four instances at once exactly one gets the seat", async (world) => {
  const stores = await world.instances(4);
  const room = new Room();
  const sender = await room.create(stores[0]!);
  const guests = Array.from({ length: 200 }, (_, i) => new Guest(stores[i % 4]!, room, "viewer"));
  const results = await Promise.all(guests.map((guest) => guest.join()));
  assertEquals(results.filter((result) => result !== "refused").length, 1);
  await sender.hears(JOINED);
  assert(await sender.relay("x"));
  const viewer = guests[results.findIndex((result) => result !== "refused")];
  await viewer?.hears(JOINED, { t: "relay", d: "x" });
  assertEquals(guests.flatMap(({ events }) => events), []);
});

test("a seat taken back at another instance is lost at the first", async (world) => {
  const [a, b, c] = await world.instances(3);
  const { sender, viewer } = await new Room().pair(a!, b!);
  const back = await viewer.resume(c!);
  await viewer.hears({ t: "superseded" });
  await sender.hears(RESUMED);
  assertEquals(await viewer.relay("stale"), false);
  await viewer.store.act(viewer.ticket, { t: "lose" });
  assert(await back.relay("x"));
  await sender.hears({ t: "relay", d: "x" });
  await back.hears(RESUMED);
});

test("a seat whose instance crashed is lost after the lease, and resumable", async (world) => {
  const [a, b, c] = await world.instances(3);
  const { sender, viewer } = await new Room().pair(a!, b!);
  await a!.close();
  await world.redis.advance(LEASE_MS - 1);
  await b!.catchUp();
  assertEquals(viewer.events, []);
  await world.redis.advance(1);
  await b!.catchUp();
  await viewer.hears(LOST);
  const back = await sender.resume(c!);
  await back.hears(RESUMED);
  await viewer.hears(RESUMED);
});

test("a room whose sender's instance crashed ends after lease and grace period", async (world) => {
  const [a, b] = await world.instances(2);
  const { viewer } = await new Room().pair(a!, b!);
  await a!.close();
  await world.redis.advance(LEASE_MS);
  await b!.catchUp();
  await world.redis.advance(GRACE_MS);
  await b!.catchUp();
  await viewer.hears(LOST, { t: "gone", why: "lost" });
});

test("a room that nobody holds any more is swept by any instance", async (world) => {
  const [a, b, other] = await world.instances(3);
  const { sender, viewer } = await new Room().pair(a!, b!);
  await Promise.all([a!.close(), b!.close()]);
  assert((await world.redis.keys()).includes(KEY.room(sender.ticket.room)));
  await world.redis.advance(LEASE_MS);
  await other!.catchUp();
  await world.redis.advance(GRACE_MS);
  await other!.catchUp();
  const left = [KEY.events(viewer.ticket.room), KEY.codes];
  assertEquals((await world.redis.keys()).filter((key) => !left.includes(key)), []);
});

test("a seat that its instance renews is not lost, however long", async (world) => {
  const [a, b] = await world.instances(2);
  const { sender, viewer } = await new Room().pair(a!, b!);
  for (let i = 0; i < 10; i++) {
    await world.redis.advance(LEASE_MS - 1);
    await a!.catchUp();
    await b!.catchUp();
  }
  assertEquals([sender.events, viewer.events], [[], []]);
});

test("a seat that its instance neglected comes back with it", async (world) => {
  const [a, b] = await world.instances(2);
  const { sender, viewer } = await new Room().pair(a!, b!);
  await world.redis.advance(LEASE_MS + 1);
  await b!.catchUp();
  await viewer.hears(LOST);
  await a!.catchUp();
  await viewer.hears(RESUMED);
  // It is told what it may have missed about the other one.
  await sender.hears(RESUMED);
  assert(await sender.relay("x"));
  await viewer.hears({ t: "relay", d: "x" });
});

test("messages sent while the subscription was cut arrive once it is back", async (world) => {
  const [a, b] = await world.instances(2);
  const { viewer } = await new Room().pair(a!, b!);
  await sayWithoutBell(world, viewer, "x");
  await world.redis.command("CLIENT", "KILL", "TYPE", "pubsub");
  await viewer.hears({ t: "relay", d: "x" });
});

test("what no notification announced is read at the next touch", async (world) => {
  const [a] = await world.instances(1);
  const b = await world.instance({ touchMs: 50, sweepMs: 20 });
  const { viewer } = await new Room().pair(a!, b);
  await sayWithoutBell(world, viewer, "x");
  await viewer.hears({ t: "relay", d: "x" });
});

test("cut connections lose nothing that was relayed, and repeat nothing", async (world) => {
  const [a, b] = await world.instances(2);
  const { sender, viewer } = await new Room().pair(a!, b!);
  const passed: string[] = [];
  for (let i = 0; i < 200; i++) {
    if (i % 50 === 25) {
      await world.redis.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
    }
    if (await sender.relay(`m${i}`)) passed.push(`m${i}`);
    else await until(() => a!.ready, "Redis is there");
  }
  await until(() => a!.ready && b!.ready, "Redis is there");
  const heard = () => viewer.events.flatMap((event) => event.t === "relay" ? [event.d] : []);
  await until(() => heard().includes(passed.at(-1) ?? ""), "the last one is heard");
  assert(passed.length > 150, `Only ${passed.length} were passed on`);
  assertEquals(new Set(heard()).size, heard().length);
  assertEquals(heard().filter((d) => passed.includes(d)), passed);
  // If a relay was lost, the two start over.
  if (passed.length < 200) {
    await until(() => sender.events.some(({ t }) => t === "astray"), "astray");
  }
});

test("without Redis claims get busy, sockets stay, nothing is done in memory", async (world) => {
  const [a, b] = await world.instances(2);
  const room = new Room();
  const { sender, viewer } = await room.pair(a!, b!);
  await world.redis.stop();
  await until(() => !a!.ready && !b!.ready, "Redis is away");
  const other = new Room();
  assertEquals(await a!.create(new Guest(a!, other, "sender").claim, other.terms), "busy");
  assertEquals(await new Guest(a!, room, "viewer").join(), "busy");
  assertEquals(
    await a!.join(new Guest(a!, room, "viewer").claim, null, room.viewerSalt),
    "refused",
  );
  assertEquals(await a!.join({ ...viewer.claim, room: "1234" }, null, room.viewerSalt), "busy");
  assertEquals(await a!.resume(new Guest(a!, room, "viewer").claim, hashToken(token(32))), "busy");
  assertEquals(await sender.relay("x"), false);
  await a!.act(sender.ticket, { t: "withdraw" });
  await a!.act(sender.ticket, { t: "dismiss" });
  assertEquals([sender.events, viewer.events, a!.size, b!.size], [[], [], 1, 1]);

  await world.redis.start();
  await until(() => a!.ready && b!.ready, "Redis is back");
  // It came back empty.
  await sender.hears(ASTRAY);
  await viewer.hears(ASTRAY);
  assertEquals([a!.size, b!.size], [0, 0]);
  await room.pair(b!, a!);
});

test("a Redis that hangs is away: a client told busy gets no seat later", async (world) => {
  const a = await world.instance({ operationMs: 200 });
  const room = new Room();
  const sender = await room.create(a);
  world.redis.freeze();
  // It arrives, and takes effect when nobody waits for it any more.
  assertEquals(await new Guest(a, room, "viewer").join(), "busy");
  assertEquals(await sender.relay("x"), false);
  world.redis.thaw();
  const next = new Guest(a, room, "viewer");
  let result: Seated | Denied = "busy";
  for (let i = 0; i < 200 && typeof result === "string"; i++) {
    await a.catchUp().catch(() => {});
    await new Promise((resolve) => setTimeout(resolve, 20));
    result = await next.join();
  }
  assertEquals(typeof result === "object" && result.seat, "viewer");
});

test("leaving while Redis was unreachable takes effect when it is back", async (world) => {
  const a = await world.instance({ operationMs: 200 });
  const b = await world.instance();
  const room = new Room();
  const { sender, viewer } = await room.pair(a, b);
  await world.redis.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
  await b.act(viewer.ticket, { t: "leave" });
  await until(() => a.ready && b.ready, "Redis is back");
  await b.catchUp();
  await a.catchUp();
  await until(() => sender.events.length > 0, "somebody left");
  assertEquals(sender.events.at(-1), { t: "peer", up: false, by: "leave" });
});

test("a Redis that lost everything makes everybody start over", async (world) => {
  const [a, b] = await world.instances(2);
  const room = new Room();
  const { sender, viewer } = await room.pair(a!, b!);
  await world.redis.command("FLUSHALL");
  await a!.catchUp();
  await b!.catchUp();
  await sender.hears(ASTRAY);
  await viewer.hears(ASTRAY);
  await room.pair(b!, a!);
});

test("a seat that nobody reads for takes no more than its share", async (world) => {
  const a = await world.instance({ maxQueued: 10 });
  const b = await world.instance({ maxQueued: 10 });
  const { sender } = await new Room().pair(a, b);
  await b.close();
  let passed = 0;
  while (passed < 50 && await sender.relay("x")) passed++;
  assertEquals(passed, 10);
});

test("withdrawn digits lead nowhere, even where they still have a room", async (world) => {
  const [a] = await world.instances(1);
  const room = new Room();
  const sender = await room.create(a!);
  await a!.act(sender.ticket, { t: "withdraw" });
  // As if the instance had crashed between the two steps.
  await world.redis.command("SET", KEY.code(sender.code), room.address, "PX", "60000");
  const viewer = new Guest(a!, room, "viewer");
  assertEquals(
    await a!.join({ ...viewer.claim, room: sender.code }, null, room.viewerSalt),
    "refused",
  );
  await room.join(a!);
});

/** Milliseconds that each key has left. Fails for one that would stay. */
async function lives({ redis }: World): Promise<Map<string, number>> {
  const rest = new Map<string, number>();
  for (const key of await redis.keys()) {
    const ms = Number(await redis.command("PTTL", key));
    // -2: it has expired since.
    assert(ms !== -1, `${key} never goes`);
    if (ms >= 0) rest.set(key, ms);
  }
  return rest;
}

test("every key expires by itself, at any moment of a room's life", async (world) => {
  const [a, b] = await world.instances(2);
  const room = new Room();
  const seen = new Set<string>();
  const check = async () => {
    for (const [key, ms] of await lives(world)) {
      seen.add(key.replace(room.address, "ROOM").replace(/\d{4}$/, "CODE"));
      const ofRoom = key.includes(room.address) || /:\d{4}$/.test(key);
      assert(!ofRoom || ms <= TTL_S * 1_000 + TAIL_MS, `${key} stays for ${ms} ms`);
      assert(ms <= 3_600_000 + CODE_REST_MS + TAIL_MS, `${key} stays for ${ms} ms`);
    }
  };
  const sender = await room.create(a!);
  await check();
  const viewer = await room.join(b!);
  await check();
  // Nobody reads what is sent to a crashed instance.
  await b!.close();
  assert(await sender.relay("x"));
  assert((await world.redis.keys()).includes(KEY.events(room.address)));
  await check();
  await world.redis.advance(LEASE_MS);
  await a!.catchUp();
  await check();
  const back = await viewer.resume(a!);
  await check();
  await a!.act(sender.ticket, { t: "withdraw" });
  await check();
  await a!.act(back.ticket, { t: "leave" });
  await check();
  await a!.act(sender.ticket, { t: "delete", own: room.terms.own });
  await check();
  assertEquals([...seen].sort(), [
    "img:{ROOM}:events",
    "img:{ROOM}:room",
    "img:{codes}:CODE",
    "img:{codes}:taken",
    "img:{rooms}:look",
  ]);
});

test("what a crashed instance never read is removed with the room", async (world) => {
  const [a, b] = await world.instances(2);
  const room = new Room();
  const { sender } = await room.pair(a!, b!);
  await b!.close();
  assert(await sender.relay("x"));
  await a!.act(sender.ticket, { t: "delete", own: room.terms.own });
  const rest = await lives(world);
  assert((rest.get(KEY.events(room.address)) ?? 0) <= TAIL_MS, JSON.stringify([...rest]));
});

test("of an ended room only resting digits are left, for ten minutes", async (world) => {
  const [a, b] = await world.instances(2);
  const room = new Room();
  const { sender, viewer } = await room.pair(a!, b!);
  assert(await sender.relay("secret-to-redis"));
  await viewer.hears({ t: "relay", d: "secret-to-redis" });
  await until(async () => !(await world.redis.keys()).includes(KEY.events(room.address)), "read");
  await a!.act(sender.ticket, { t: "delete", own: room.terms.own });
  await sender.hears({ t: "gone", why: "deleted" });
  await viewer.hears({ t: "gone", why: "deleted" });
  await until(async () => (await world.redis.keys()).length <= 1, "nothing is left");
  assertEquals(await world.redis.keys(), [KEY.codes]);
  await world.redis.advance(CODE_REST_MS);
  // The next draw sweeps, but need not: the key has its own time to live.
  const next = new Room();
  const other = await next.create(b!);
  await b!.act(other.ticket, { t: "delete", own: next.terms.own });
  assertEquals(await world.redis.command("ZRANGE", KEY.codes, "0", "-1"), [other.code]);
});

Deno.test("nothing of the client for Redis is loaded without REDIS_URL", async () => {
  const files = [...sourceFiles("lib"), ...sourceFiles("routes")];
  const imports = await importsOf(files);
  const wrong: string[] = [];
  for (const file of files.filter((file) => !file.startsWith("lib/rooms/redis_"))) {
    for (const { specifier, path, dynamic, typeOnly } of imports.get(file) ?? []) {
      const client = specifier.includes("@redis/") || (path ?? "").startsWith("lib/rooms/redis_");
      if (client && !dynamic && !typeOnly) wrong.push(`${file} imports ${specifier}`);
    }
  }
  assertEquals(wrong, []);
  const chosen = imports.get("lib/server/instance.ts") ?? [];
  assert(chosen.some(({ specifier }) => specifier.endsWith("redis_store.ts")));
});
