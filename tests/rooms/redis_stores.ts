/**
 * Several instances of the store on Redis that look like one, for what is said of every store.
 *
 * @module
 */
import type { RedisRoomStore } from "../../lib/rooms/redis_store.ts";
import type { Claim, RoomStore, Ticket } from "../../lib/rooms/store.ts";
import { assert } from "../support/assert.ts";
import type { TestRedis } from "../support/redis.ts";

/** Long enough for nothing to be read at a touch, or lost to a lease: what comes here came by the bell. */
export const NEVER_MS = 3_600_000 * 24;

/** Waits until everything was read: what was delivered is taken out. */
export async function settled(redis: TestRedis): Promise<void> {
  const end = performance.now() + 20_000;
  for (;;) {
    const left = (await redis.keys()).filter((key) => key.endsWith(":events"));
    if (left.length === 0) return;
    assert(performance.now() < end, `Nobody reads ${left.join(", ")}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Everybody comes to another of two instances than the one before him, and stays there. */
export function inTurns(stores: readonly RedisRoomStore[]): RoomStore {
  const places = new Map<string, RedisRoomStore>();
  let next = 0;
  const place = ({ conn }: Claim): RoomStore => {
    const store = stores[next++ % stores.length]!;
    places.set(conn, store);
    return store;
  };
  const placeOf = ({ conn }: Ticket): RoomStore => places.get(conn) ?? stores[0]!;
  return {
    create: (claim, terms) => place(claim).create(claim, terms),
    join: (claim, token) => place(claim).join(claim, token),
    resume: (claim, token) => place(claim).resume(claim, token),
    relay: (ticket, d) => placeOf(ticket).relay(ticket, d),
    lose: (ticket) => placeOf(ticket).lose(ticket),
    dismiss: (ticket) => placeOf(ticket).dismiss(ticket),
    withdraw: (ticket) => placeOf(ticket).withdraw(ticket),
    leave: (ticket) => placeOf(ticket).leave(ticket),
    remove: (ticket, token) => placeOf(ticket).remove(ticket, token),
  };
}
