/**
 * The store on Redis against the one in memory: whatever people do, both answer the same, and everybody hears the same of both.
 * What memory_store.ts has to do is said by tests/properties/rooms.ts.
 *
 * @module
 */
import { MemoryRoomStore } from "../../lib/rooms/memory_store.ts";
import { RedisRoomStore } from "../../lib/rooms/redis_store.ts";
import type { Claim, RoomStore, Seat, SeatEvent } from "../../lib/rooms/store.ts";
import { hashToken, type RandomSource } from "../../lib/rooms/tokens.ts";
import { assertEquals } from "../support/assert.ts";
import { fc } from "../support/fast_check.ts";
import { noRedis, STOPPED_CLOCK, TestRedis } from "../support/redis.ts";
import { FakeClock, flush } from "./fake_clock.ts";
import { inTurns, NEVER_MS, settled } from "./redis_stores.ts";
import { until } from "./room_server.ts";
import { token } from "./store_contract.ts";

/** Time goes in these steps, and every deadline is a multiple of it: both stores then look at the same moments. */
const STEP_MS = 10_000;

/** Longer than a step, so that no lease runs out, and shorter than a grace: a room is looked after that often. */
const LEASE_MS = 1.5 * STEP_MS;

const LIMITS = { graceMs: 2 * STEP_MS, codeRestMs: 6 * STEP_MS, maxRooms: 2 };
const TTL_S = [60, 120];

/** Rooms that may be, and how many values each of their tokens may have. */
const ROOMS = 3;
const TOKENS = 2;

/** A step. Numbers are taken modulo what there is: guests are all who ever asked for a seat. */
type Step =
  | { readonly do: "create"; readonly room: number; readonly own: number; readonly join: number }
  | { readonly do: "join"; readonly room: number; readonly byCode: boolean; readonly tok: number }
  | {
    readonly do: "resume";
    readonly room: number;
    readonly byCode: boolean;
    readonly guest: number;
  }
  | {
    readonly do: "relay" | "lose" | "leave" | "dismiss" | "withdraw" | "remove";
    readonly guest: number;
    readonly seat: Seat | null;
    readonly own: number;
  }
  | { readonly do: "wait"; readonly steps: number };

const room = fc.nat(ROOMS - 1);
const tok = fc.nat(TOKENS - 1);
const guest = fc.nat(20);
/** Mostly the right ones, so that things happen. */
const mostlyFirst = fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, {
  weight: 1,
  arbitrary: tok,
});

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("create" as const),
      room,
      own: mostlyFirst,
      join: mostlyFirst,
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("join" as const),
      room,
      byCode: fc.boolean(),
      tok: mostlyFirst,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("resume" as const), room, byCode: fc.boolean(), guest }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constantFrom(
        "relay" as const,
        "relay" as const,
        "lose" as const,
        "leave" as const,
        "dismiss" as const,
        "withdraw" as const,
        "remove" as const,
      ),
      guest,
      seat: fc.option(fc.constantFrom("sender" as const, "viewer" as const), { freq: 6 }),
      own: mostlyFirst,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("wait" as const),
      steps: fc.integer({ min: 1, max: 4 }),
    }),
  },
);

/** Somebody who asked for a seat, the same for both stores. */
interface Guest {
  readonly conn: string;
  readonly rtok: string;
  readonly room: string;
  seat: Seat;
}

/** One of the stores, and what came of it. */
class Side {
  readonly store: RoomStore;
  /** The digits that each room got last. */
  readonly #codes = new Map<string, string>();
  readonly #heard = new Map<string, SeatEvent[]>();

  constructor(store: RoomStore) {
    this.store = store;
  }

  claim({ conn, rtok, room }: Guest, byCode: boolean): Claim {
    const events: SeatEvent[] = [];
    this.#heard.set(conn, events);
    // Digits that no room has lead nowhere, as do those of a room that never had any.
    const at = byCode ? this.#codes.get(room) ?? "9999" : room;
    return { room: at, conn, rtok: hashToken(rtok), listener: (event) => void events.push(event) };
  }

  async create(guest: Guest, own: string, join: string, ttl: number): Promise<unknown> {
    const result = await this.store.create(this.claim(guest, false), { own, join, ttl });
    if (typeof result === "string") return result;
    if (result.code !== null) this.#codes.set(guest.room, result.code);
    return { ...result, code: result.code !== null };
  }

  /** Everything that everybody heard since the last time, by connection. */
  heard(): Record<string, SeatEvent[]> {
    const all = [...this.#heard].map(([conn, events]) => [conn, events.splice(0)] as const);
    return Object.fromEntries(all.filter(([, events]) => events.length > 0));
  }
}

/** There are no digits in this world but 0000, so both stores draw the same, and they run out. */
const oneCode: RandomSource = (length) => new Uint8Array(length);

/** Rooms with their tokens, the same for both stores. */
function makeAccess() {
  const many = (length: number) => Array.from({ length: TOKENS }, () => hashToken(token(length)));
  return Array.from(
    { length: ROOMS },
    () => ({ address: token(16), own: many(32), join: many(16) }),
  );
}

Deno.test({
  name: "RedisRoomStore and MemoryRoomStore answer the same, and everybody hears the same of both",
  ignore: noRedis,
  async fn() {
    await using redis = await TestRedis.start();
    const stores: RedisRoomStore[] = [];
    try {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async (steps) => {
          for (const store of stores.splice(0)) await store.close();
          await redis.command("FLUSHALL");
          const clock = new FakeClock();
          const memory = new MemoryRoomStore({ clock, random: oneCode, limits: LIMITS });
          const limits = { ...LIMITS, touchMs: NEVER_MS, leaseMs: LEASE_MS, sweepMs: NEVER_MS };
          for (let i = 0; i < 2; i++) {
            stores.push(
              new RedisRoomStore({ url: redis.url, random: oneCode, limits, now: STOPPED_CLOCK }),
            );
          }
          await until(() => stores.every(({ ready }) => ready), "Redis is there");
          await compare(steps, [new Side(memory), new Side(inTurns(stores))], {
            async wait() {
              await clock.advance(STEP_MS);
              await redis.advance(STEP_MS);
              for (const store of stores) await store.catchUp();
            },
            async settle() {
              await flush();
              await settled(redis);
            },
          });
        }),
        { seed: 20_261_123, numRuns: 150 },
      );
    } finally {
      for (const store of stores) await store.close();
    }
  },
});

/** Does the steps on both sides, comparing after each. */
async function compare(
  steps: readonly Step[],
  sides: readonly [Side, Side],
  { wait, settle }: { wait(): Promise<void>; settle(): Promise<void> },
): Promise<void> {
  const access = makeAccess();
  const guests: Guest[] = [];
  const arrive = (room: string): Guest => {
    const guest: Guest = { conn: token(16), rtok: token(32), room, seat: "viewer" };
    guests.push(guest);
    return guest;
  };
  for (const [i, step] of steps.entries()) {
    const why = `after step ${i}: ${JSON.stringify(step)}`;
    for (let n = step.do === "wait" ? step.steps : 1; n > 0; n--) {
      if (step.do === "wait") await wait();
      else {
        const act = plan(step, access, guests, arrive);
        const [first, second] = [await act(sides[0]), await act(sides[1])];
        assertEquals(second, first, why);
      }
      await settle();
      assertEquals(sides[1].heard(), sides[0].heard(), why);
    }
  }
}

/** What a step means for either side. */
function plan(
  step: Exclude<Step, { do: "wait" }>,
  access: ReturnType<typeof makeAccess>,
  guests: readonly Guest[],
  arrive: (room: string) => Guest,
): (side: Side) => Promise<unknown> {
  if (step.do === "create") {
    const { address, own, join } = access[step.room]!;
    const guest = arrive(address);
    guest.seat = "sender";
    const ttl = TTL_S[step.room % TTL_S.length]!;
    return (side) => side.create(guest, own[step.own]!, join[step.join]!, ttl);
  }
  if (step.do === "join") {
    const { address, join } = access[step.room]!;
    const guest = arrive(address);
    const token = step.byCode ? null : join[step.tok]!;
    return (side) => side.store.join(side.claim(guest, step.byCode), token);
  }
  const known = guests[step.guest % Math.max(guests.length, 1)];
  if (step.do === "resume") {
    const old = known?.rtok ?? token(32);
    const guest = arrive(known?.room ?? access[step.room]!.address);
    guest.seat = known?.seat ?? "viewer";
    return (side) => side.store.resume(side.claim(guest, step.byCode), hashToken(old));
  }
  if (known === undefined) return () => Promise.resolve();
  const ticket = { room: known.room, conn: known.conn, seat: step.seat ?? known.seat };
  if (step.do === "relay") return ({ store }) => store.relay(ticket, "x");
  if (step.do === "remove") {
    const own = access.find(({ address }) => address === known.room)!.own[step.own]!;
    return ({ store }) => store.remove(ticket, own);
  }
  const { do: operation } = step;
  return ({ store }) => store[operation](ticket);
}
