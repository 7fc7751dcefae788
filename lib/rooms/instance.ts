/**
 * The rooms of this process.
 *
 * @module
 */
import { log } from "../server/log.ts";
import { config } from "../server/config.ts";
import { MemoryRoomStore } from "./memory_store.ts";
import { Rooms } from "./rooms.ts";

/** The one instance that the routes use. */
export const rooms: Rooms = new Rooms(new MemoryRoomStore(), {
  // Its name only: a message could hold what a client sent.
  onError: (error) =>
    log.error("room store failed", { reason: error instanceof Error ? error.name : "unknown" }),
});

/** Origins besides the request's own from which they may be reached. */
export const allowedOrigins: readonly string[] = config().PUBLIC_ORIGIN;
