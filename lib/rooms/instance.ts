/**
 * The rooms of this process.
 *
 * @module
 */
import { log } from "../server/log.ts";
import { config } from "../server/config.ts";
import { MemoryRoomStore } from "./memory_store.ts";
import { Rooms } from "./rooms.ts";
import type { RoomStore } from "./store.ts";

// Its name only: a message could hold what a client sent.
function onError(error: unknown): void {
  log.error("room store failed", { reason: error instanceof Error ? error.name : "unknown" });
}

/** With REDIS_URL the rooms are there, and never in memory, whether Redis answers or not. */
async function openStore(): Promise<RoomStore> {
  const { REDIS_URL: url } = config();
  if (url === "") return new MemoryRoomStore();
  // Loaded only now: who has no Redis carries no client.
  const { RedisRoomStore } = await import("./redis_store.ts");
  return new RedisRoomStore({
    url,
    onError,
    onChange(reason) {
      if (reason === null) log.info("redis is there");
      else log.warn("redis is away", { reason });
    },
  });
}

/** The one instance that the routes use. */
export const rooms: Rooms = new Rooms(await openStore(), { onError });

/** Origins besides the request's own from which they may be reached. */
export const allowedOrigins: readonly string[] = config().PUBLIC_ORIGIN;
