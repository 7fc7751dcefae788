/**
 * The rooms of this process.
 *
 * @module
 */
import { MemoryRoomStore } from "./memory_store.ts";
import { Rooms } from "./rooms.ts";

/** The one instance that the routes use. */
export const rooms: Rooms = new Rooms(new MemoryRoomStore());
