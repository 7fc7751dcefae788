/**
 * The rules of a room are written twice: `lib/rooms/room.ts` for rooms in memory, and the scripts
 * of `lib/rooms/redis_scripts.ts`, which run inside Redis. The same operations on both, whatever
 * they are and however much time passes in between, get the same answers and cause the same events.
 *
 * @module
 */
import { SEAT_GRACE_MS } from "../../lib/protocol/limits.ts";
import { toBase64Url } from "../../lib/protocol/bytes.ts";
import { hashToken, type RandomSource } from "../../lib/ops/tokens.ts";
import { MemoryRoomStore } from "../../lib/rooms/memory_store.ts";
import { RedisRoomStore } from "../../lib/rooms/redis_store.ts";
import type { SeatOperation } from "../../lib/rooms/room.ts";
import type {
  Created,
  Denied,
  RoomStore,
  Seat,
  Seated,
  SeatEvent,
  Ticket,
} from "../../lib/rooms/store.ts";
import { FakeClock, flush } from "../rooms/fake_clock.ts";
import { until } from "../rooms/room_server.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { fc } from "../support/fast_check.ts";
import { STOPPED_CLOCK, TestRedis } from "../support/redis.ts";

/** How many rooms may exist, and how many tokens of each kind there are. */
const ROOMS = 2;
const TOKENS = 3;

const TTL_S = 150;

/** Longer than a test: nothing happens by itself, so both stores act at the same moments. */
const NEVER_MS = 1e9;

function token(length: number, kind: number, i: number): string {
  return toBase64Url(new Uint8Array(length).fill(kind * 16 + i));
}

const room = (i: number) => token(16, 1, i % ROOMS);
const ownHash = (i: number) => hashToken(token(32, 2, i % TOKENS));
const joinHash = (i: number) => hashToken(token(16, 3, i % TOKENS));

/** A place to ask for a seat at: a room's own address, or the nth digits that were ever drawn. */
type Place = { readonly room: number } | { readonly code: number };

type Step =
  | { readonly do: "create"; readonly at: Place; readonly own: number; readonly join: number }
  | { readonly do: "join"; readonly at: Place; readonly token: number | null }
  /** With the rtok of the nth claim before this one. */
  | { readonly do: "resume"; readonly at: Place; readonly of: number }
  /** By the nth connection before this step, as the holder of a seat of a room. */
  | {
    readonly do: "act";
    readonly who: number;
    readonly room: number;
    readonly seat: Seat;
    readonly what: Exclude<SeatOperation, { t: "delete" }> | { t: "delete"; own: number };
  }
  | { readonly do: "wait"; readonly seconds: number };

const index = fc.nat(5);
/** One of the claims before, the last ones more often. */
const recent = fc.constantFrom(0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 4, 5);
const place: fc.Arbitrary<Place> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ room: fc.nat(ROOMS - 1) }) },
  { weight: 1, arbitrary: fc.record({ code: fc.nat(5) }) },
);

const what = fc.oneof(
  fc.record({ t: fc.constantFrom("relay" as const, "data" as const), d: fc.constant("x") }),
  {
    weight: 3,
    arbitrary: fc.record({
      t: fc.constantFrom(
        "leave" as const,
        "dismiss" as const,
        "withdraw" as const,
        "confirm" as const,
        "lose" as const,
      ),
    }),
  },
  { weight: 2, arbitrary: fc.record({ t: fc.constant("confirm" as const) }) },
  fc.record({ t: fc.constant("delete" as const), own: fc.nat(1) }),
);

const step: fc.Arbitrary<Step> = fc.oneof(
  // What honest people do, so that most runs have rooms with both seats taken.
  {
    weight: 3,
    arbitrary: fc.nat(ROOMS - 1).map((room) => ({
      do: "create" as const,
      at: { room },
      own: 0,
      join: 0,
    })),
  },
  {
    weight: 4,
    arbitrary: fc.nat(ROOMS - 1).map((room) => ({ do: "join" as const, at: { room }, token: 0 })),
  },
  fc.record({ do: fc.constant("create" as const), at: place, own: index, join: index }),
  fc.record({ do: fc.constant("join" as const), at: place, token: fc.option(index) }),
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("resume" as const), at: place, of: recent }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant("act" as const),
      who: recent,
      room: fc.nat(ROOMS - 1),
      seat: fc.constantFrom<Seat>("sender", "viewer"),
      what,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("wait" as const),
      seconds: fc.constantFrom(1, 29, SEAT_GRACE_MS / 1_000, TTL_S, 599, 600),
    }),
  },
);

/** Draws digits in turn, so that none come twice: one store draws more of them than the other. */
function inTurn(): RandomSource {
  let drawn = 0;
  return () => new Uint8Array([0, 0, drawn >> 8, drawn++ & 255]);
}

type Answer = Created | Seated | Denied | boolean;

/** One of the two stores, with what its connections heard. */
interface Side {
  readonly store: RoomStore;
  readonly events: Map<string, SeatEvent[]>;
  /** Digits in the order in which they were drawn: they differ between the sides. */
  readonly codes: string[];
}

/** Both stores on stopped clocks. */
class Both implements AsyncDisposable {
  readonly #redis: TestRedis;
  readonly #onRedis: RedisRoomStore;
  readonly #clock = new FakeClock();
  readonly #sides: readonly Side[];
  /** The claims so far: their connections, with the seat that they got. */
  readonly #claims: { readonly conn: string; readonly rtok: string; ticket: Ticket | null }[] = [];

  private constructor(redis: TestRedis, onRedis: RedisRoomStore) {
    this.#redis = redis;
    this.#onRedis = onRedis;
    const memory = new MemoryRoomStore({
      clock: this.#clock,
      random: inTurn(),
      limits: { sweepMs: NEVER_MS },
    });
    this.#sides = [memory, onRedis].map((store) => ({ store, events: new Map(), codes: [] }));
  }

  static async on(redis: TestRedis): Promise<Both> {
    const store = new RedisRoomStore({
      url: redis.url,
      random: inTurn(),
      now: STOPPED_CLOCK,
      limits: { sweepMs: NEVER_MS, leaseMs: NEVER_MS, touchMs: NEVER_MS },
    });
    await until(() => store.ready, "Redis is there");
    return new Both(redis, store);
  }

  /** Takes a step on both sides, which have to answer alike and tell the same. */
  async take(step: Step): Promise<void> {
    if (step.do === "wait") {
      await this.#clock.advance(step.seconds * 1_000);
      await this.#redis.advance(step.seconds * 1_000);
      // Deadlines take effect with the next operation on a room.
      for (let i = 0; i < ROOMS; i++) await this.take(knock(i));
      return;
    }
    if (step.do === "act") {
      const claim = this.#claims.at(-1 - step.who % Math.max(1, this.#claims.length));
      if (claim === undefined) return;
      // Mostly the ticket that this connection has, sometimes one that it invents. Only a server's
      // own end of a socket gives a seat up, and it has no other ticket.
      const own = step.who < 4 || step.what.t === "lose" || step.what.t === "leave";
      const invented = { room: room(step.room), conn: claim.conn, seat: step.seat };
      const ticket = own && claim.ticket !== null ? claim.ticket : invented;
      const what = step.what.t === "delete"
        ? { t: "delete" as const, own: ownHash(step.what.own) }
        : step.what;
      return await this.#compare((side) => side.store.act(ticket, what));
    }
    const conn = `conn-${this.#claims.length}`;
    const rtok = hashToken(toBase64Url(new Uint8Array(32).fill(100 + this.#claims.length)));
    const claim = { conn, rtok, ticket: null as Ticket | null };
    const shown = step.do === "resume"
      ? this.#claims.at(-1 - step.of % Math.max(1, this.#claims.length))?.rtok ?? ownHash(0)
      : "";
    this.#claims.push(claim);
    await this.#compare(async (side) => {
      const address = "room" in step.at
        ? room(step.at.room)
        : side.codes.at(-1 - step.at.code) ?? "99999999";
      const heard: SeatEvent[] = [];
      side.events.set(conn, heard);
      const asked = {
        room: address,
        conn,
        rtok,
        listener: (event: SeatEvent) => heard.push(event),
      };
      switch (step.do) {
        case "create": {
          const terms = {
            own: ownHash(step.own),
            join: joinHash(step.join),
            ttl: TTL_S,
            salt: "salt",
          };
          return await side.store.create(asked, terms);
        }
        case "join":
          return await side.store.join(
            asked,
            step.token === null ? null : joinHash(step.token),
            `salt of ${conn}`,
          );
        case "resume":
          return await side.store.resume(asked, shown);
      }
    }, (answer) => {
      if (typeof answer === "object") {
        claim.ticket = { room: answer.room, conn, seat: answer.seat };
      }
    });
  }

  async #compare(
    run: (side: Side) => Promise<Answer>,
    note: (answer: Answer) => void = () => {},
  ): Promise<void> {
    const answers: unknown[] = [];
    for (const side of this.#sides) {
      const answer = await run(side);
      note(answer);
      answers.push(withoutDigits(answer, side));
    }
    await this.#settle();
    const [memory, onRedis] = this.#sides.map(({ events }) => Object.fromEntries(events));
    assertEquals([answers[1], onRedis], [answers[0], memory]);
  }

  /** Waits until what was said has been read on both sides. */
  async #settle(): Promise<void> {
    await flush();
    const unread = async () => (await this.#redis.keys()).some((key) => key.endsWith(":events"));
    await until(async () => !await unread(), "everything was read");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#onRedis.close();
    await this.#redis.command("FLUSHALL");
  }
}

/** Asks for a seat that nobody gets. */
function knock(i: number): Step {
  return { do: "join", at: { room: i }, token: TOKENS - 1 };
}

/** The answer with the place of its digits in the order of drawing, which is the same for both. */
function withoutDigits(answer: Answer, { codes }: Side): unknown {
  if (typeof answer !== "object" || !("code" in answer)) return answer;
  if (answer.code !== null && !codes.includes(answer.code)) codes.push(answer.code);
  return { ...answer, code: answer.code === null ? null : codes.indexOf(answer.code) };
}

/** Checks `runs` sequences of operations with the inputs of `seed`. */
export async function compareStores(seed: number, runs: number): Promise<void> {
  await using redis = await TestRedis.start();
  let acted = 0;
  const property = fc.asyncProperty(
    fc.array(step, { minLength: 5, maxLength: 40, size: "max" }),
    async (steps) => {
      await using both = await Both.on(redis);
      for (const step of steps) await both.take(step);
      acted += steps.length;
    },
  );
  await fc.assert(property, { seed, numRuns: runs });
  assert(acted >= 5 * runs);
}
