import { RedisRoomStore } from "../../lib/rooms/redis_store.ts";
import { noRedis, STOPPED_CLOCK, TestRedis } from "../support/redis.ts";
import { inTurns, NEVER_MS, settled } from "./redis_stores.ts";
import { until } from "./room_server.ts";
import { CODE_REST_MS, GRACE_MS, MAX_ROOMS, testRoomStore } from "./store_contract.ts";

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
