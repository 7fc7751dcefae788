import { noRedis } from "../support/redis.ts";
import { SEED } from "./property.ts";
import { compareStores } from "./room_stores.ts";

Deno.test({
  name: "rooms on Redis answer and tell as the rules in lib/rooms/room.ts do",
  ignore: noRedis,
  fn: () => compareStores(SEED, 200),
});
