/**
 * The rooms of this process.
 *
 * @module
 */
import { parseOrigins } from "../server/origin.ts";
import { MemoryRoomStore } from "./memory_store.ts";
import { Rooms } from "./rooms.ts";

/** The one instance that the routes use. */
export const rooms: Rooms = new Rooms(new MemoryRoomStore());

/** Origins besides the request's own from which they may be reached. */
export const allowedOrigins: readonly string[] = parseOrigins(Deno.env.get("PUBLIC_ORIGIN"));
