import { RedisRoomStore } from "../../lib/rooms/redis_store.ts";
import type { Claim, RoomStore, Ticket } from "../../lib/rooms/store.ts";
import { assert } from "../support/assert.ts";
import { noRedis, STOPPED_CLOCK, TestRedis } from "../support/redis.ts";
import { until } from "./room_server.ts";
import { CODE_REST_MS, GRACE_MS, MAX_ROOMS, testRoomStore } from "./store_contract.ts";

/** Long enough that nothing is read at a touch, or lost to a lease: what arrives was announced. */
const NEVER_MS = 3_600_000 * 24;

/** Waits until everything was read: what was delivered is removed. */
async function settled(redis: TestRedis): Promise<void> {
  const end = performance.now() + 20_000;
  for (;;) {
    const left = (await redis.keys()).filter((key) => key.endsWith(":events"));
    if (left.length === 0) return;
    assert(performance.now() < end, `Nobody reads ${left.join(", ")}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Each connection uses the other of two instances than the one before it, and stays there. */
function inTurns(stores: readonly RedisRoomStore[]): RoomStore {
  const places = new Map<string, RedisRoomStore>();
  let next = 0;
  const place = ({ conn }: Claim): RoomStore => {
    const store = stores[next++ % stores.length]!;
    places.set(conn, store);
    return store;
  };
  const placeOf = ({ conn }: Ticket): RoomStore => places.get(conn) ?? stores[0]!;
  return {
    get ready() {
      return stores.every((store) => store.ready);
    },
    create: (claim, terms) => place(claim).create(claim, terms),
    join: (claim, token, salt) => place(claim).join(claim, token, salt),
    resume: (claim, token) => place(claim).resume(claim, token),
    act: (ticket, what) => placeOf(ticket).act(ticket, what),
  };
}

testRoomStore("RedisRoomStore, two instances", async (random) => {
  const redis = await TestRedis.start();
  const limits = {
    graceMs: GRACE_MS,
    maxRooms: MAX_ROOMS,
    codeRestMs: CODE_REST_MS,
    touchMs: NEVER_MS,
    leaseMs: NEVER_MS,
    sweepMs: NEVER_MS,
  };
  const options = { url: redis.url, random, limits, now: STOPPED_CLOCK };
  const stores = [new RedisRoomStore(options), new RedisRoomStore(options)];
  await until(() => stores.every((store) => store.ready), "Redis is there");
  return {
    store: inTurns(stores),
    async advance(ms) {
      await redis.advance(ms);
      for (const store of stores) await store.catchUp();
    },
    settle: () => settled(redis),
    async close() {
      for (const store of stores) await store.close();
      await redis[Symbol.asyncDispose]();
    },
  };
}, { ignore: noRedis });
