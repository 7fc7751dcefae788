/**
 * What every RoomStore has to do, as tests: each implementation runs through the same.
 *
 * @module
 */
import { MAX_TTL_S } from "../../lib/protocol/limits.ts";
import { toBase64Url } from "../../lib/protocol/bytes.ts";
import type { Claim, RoomStore, Seat, SeatEvent, Ticket } from "../../lib/rooms/store.ts";
import { hashToken, systemRandom } from "../../lib/rooms/tokens.ts";
import { assert, assertEquals } from "../support/assert.ts";

/** Grace that the stores under test are made with. */
export const GRACE_MS = 60_000;

/** Rooms that the stores under test may hold. */
export const MAX_ROOMS = 20;

/** A store under test, empty, and its time. */
export interface StoreHarness {
  readonly store: RoomStore;
  /** Lets time pass for the store. */
  advance(ms: number): Promise<void>;
  /** Resolves once the events of all finished operations have been delivered. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

/** A fresh token of `length` bytes, in base64url. */
export function token(length: number): string {
  return toBase64Url(systemRandom(length));
}

/** Somebody with a connection to the store. */
class Party {
  readonly rtok = token(32);
  readonly conn = token(16);
  readonly #harness: StoreHarness;
  readonly #room: string;
  #events: SeatEvent[] = [];

  constructor(harness: StoreHarness, room: string) {
    this.#harness = harness;
    this.#room = room;
  }

  get claim(): Claim {
    const listener = (event: SeatEvent) => void this.#events.push(event);
    return { room: this.#room, conn: this.conn, rtok: hashToken(this.rtok), listener };
  }

  as(seat: Seat): Ticket {
    return { room: this.#room, conn: this.conn, seat };
  }

  /** What this connection heard since it was asked last. */
  async heard(): Promise<SeatEvent[]> {
    await this.#harness.settle();
    const events = this.#events;
    this.#events = [];
    return events;
  }
}

/** One room and the tokens of it. */
class World {
  readonly store: RoomStore;
  readonly room = token(16);
  readonly otok = token(32);
  readonly jtok = token(16);
  readonly terms = { own: hashToken(this.otok), join: hashToken(this.jtok), ttl: 600 };
  readonly harness: StoreHarness;

  constructor(harness: StoreHarness) {
    this.harness = harness;
    this.store = harness.store;
  }

  party(): Party {
    return new Party(this.harness, this.room);
  }

  join(party: Party, jtok = this.jtok) {
    return this.store.join(party.claim, hashToken(jtok));
  }

  resume(party: Party, rtok: string) {
    return this.store.resume(party.claim, hashToken(rtok));
  }

  async created(): Promise<Party> {
    const sender = this.party();
    assertEquals(await this.store.create(sender.claim, this.terms), { seat: "sender", exp: 600 });
    return sender;
  }

  /** A sender and a viewer who have met. */
  async paired(): Promise<{ sender: Party; viewer: Party }> {
    const sender = await this.created();
    const viewer = this.party();
    assertEquals(await this.join(viewer), { seat: "viewer", exp: 600 });
    assertEquals(await sender.heard(), [peer(true, "join")]);
    assertEquals(await viewer.heard(), [peer(true, "join")]);
    return { sender, viewer };
  }
}

function peer(up: boolean, by: "join" | "resume" | "lost" | "leave"): SeatEvent {
  return { t: "peer", up, by };
}

/** Registers the contract's tests for the store that `make` makes. */
export function testRoomStore(name: string, make: () => Promise<StoreHarness>): void {
  function test(title: string, body: (world: World) => Promise<void>): void {
    Deno.test(`${name}: ${title}`, async () => {
      const harness = await make();
      try {
        await body(new World(harness));
      } finally {
        await harness.close();
      }
    });
  }

  test("create() seats the sender, and nobody hears of it", async (world) => {
    const sender = await world.created();
    assertEquals(await sender.heard(), []);
  });

  test("create() gives the sender the seat again for the same hashes", async (world) => {
    const first = await world.created();
    await world.harness.advance(5_000);
    const second = world.party();
    assertEquals(await world.store.create(second.claim, world.terms), { seat: "sender", exp: 595 });
    assertEquals(await first.heard(), [{ t: "superseded" }]);
    assertEquals(await second.heard(), []);
    assertEquals(await world.resume(world.party(), first.rtok), "refused");
  });

  test("create() again makes sender and viewer meet anew", async (world) => {
    const { viewer } = await world.paired();
    const again = world.party();
    await world.store.create(again.claim, world.terms);
    assertEquals(await again.heard(), [peer(true, "join")]);
    assertEquals(await viewer.heard(), [peer(true, "join")]);
    assert(await world.store.relay(viewer.as("viewer"), "x"));
    assertEquals(await again.heard(), [{ t: "relay", d: "x" }]);
  });

  test("create() refuses other hashes for a room that exists", async (world) => {
    const sender = await world.created();
    for (const terms of [{ own: hashToken(token(32)) }, { join: hashToken(token(16)) }]) {
      const other = world.party();
      assertEquals(await world.store.create(other.claim, { ...world.terms, ...terms }), "refused");
    }
    assertEquals(await sender.heard(), []);
    assertEquals(await world.join(world.party()), { seat: "viewer", exp: 600 });
  });

  test("create() says busy where the store is full, until a room expires", async (world) => {
    for (let i = 0; i < MAX_ROOMS; i++) {
      const { claim } = new Party(world.harness, token(16));
      assertEquals(await world.store.create(claim, world.terms), { seat: "sender", exp: 600 });
    }
    assertEquals(await world.store.create(world.party().claim, world.terms), "busy");
    await world.harness.advance(600_000);
    await world.created();
  });

  test("join() refuses a wrong token, an unknown room and a third peer alike", async (world) => {
    assertEquals(await world.join(world.party()), "refused");
    const { sender, viewer } = await world.paired();
    assertEquals(await world.join(world.party()), "refused");
    await world.store.leave(viewer.as("viewer"));
    assertEquals(await sender.heard(), [peer(false, "leave")]);
    assertEquals(await world.join(world.party(), token(16)), "refused");
    assertEquals(await sender.heard(), []);
  });

  test("join() seats exactly one of 200 at once", async (world) => {
    const sender = await world.created();
    const parties = Array.from({ length: 200 }, () => world.party());
    const results = await Promise.all(parties.map((party) => world.join(party)));
    const seated = parties.filter((_, i) => results[i] !== "refused");
    assertEquals(seated.length, 1);
    assertEquals(await sender.heard(), [peer(true, "join")]);
    await world.store.relay(sender.as("sender"), "x");
    for (const party of parties) {
      const expected: SeatEvent[] = [peer(true, "join"), { t: "relay", d: "x" }];
      assertEquals(await party.heard(), seated.includes(party) ? expected : []);
    }
  });

  test("join() while the sender is lost makes them meet when he is back", async (world) => {
    const sender = await world.created();
    await world.store.lose(sender.as("sender"));
    const viewer = world.party();
    assertEquals(await world.join(viewer), { seat: "viewer", exp: 600 });
    assertEquals(await viewer.heard(), [peer(false, "lost")]);
    const back = world.party();
    assertEquals(await world.resume(back, sender.rtok), { seat: "sender", exp: 600 });
    assertEquals(await back.heard(), [peer(true, "join")]);
    assertEquals(await viewer.heard(), [peer(true, "join")]);
  });

  test("join() keeps a lost viewer's seat until the grace is over", async (world) => {
    const { sender, viewer } = await world.paired();
    await world.store.lose(viewer.as("viewer"));
    await world.harness.advance(GRACE_MS - 2_000);
    assertEquals(await world.join(world.party()), "refused");
    assertEquals(await sender.heard(), [peer(false, "lost")]);
    await world.harness.advance(4_000);
    assertEquals(await sender.heard(), [peer(false, "leave")]);
    assertEquals(await world.resume(world.party(), viewer.rtok), "refused");
    assertEquals(await world.join(world.party()), { seat: "viewer", exp: 538 });
    assertEquals(await sender.heard(), [peer(true, "join")]);
  });

  test("resume() gives a lost seat back and tells the other", async (world) => {
    for (const seat of ["sender", "viewer"] as const) {
      const own = new World(world.harness);
      const pair = await own.paired();
      const other = seat === "sender" ? pair.viewer : pair.sender;
      await own.store.lose(pair[seat].as(seat));
      assertEquals(await other.heard(), [peer(false, "lost")]);
      const back = own.party();
      assertEquals(await own.resume(back, pair[seat].rtok), { seat, exp: 600 });
      assertEquals(await back.heard(), [peer(true, "resume")]);
      assertEquals(await other.heard(), [peer(true, "resume")]);
      await own.harness.advance(2 * GRACE_MS);
      assertEquals(await other.heard(), []);
    }
  });

  test("resume() supersedes a live holder, whose connection then does nothing", async (world) => {
    const { sender, viewer } = await world.paired();
    const newest = world.party();
    assertEquals(await world.resume(newest, viewer.rtok), { seat: "viewer", exp: 600 });
    assertEquals(await viewer.heard(), [{ t: "superseded" }]);
    assertEquals(await sender.heard(), [peer(true, "resume")]);
    assertEquals(await world.store.relay(viewer.as("viewer"), "stale"), false);
    await world.store.lose(viewer.as("viewer"));
    await world.store.leave(viewer.as("viewer"));
    assertEquals(await sender.heard(), []);
    assert(await world.store.relay(sender.as("sender"), "x"));
    assertEquals(await viewer.heard(), []);
    assertEquals(await newest.heard(), [peer(true, "resume"), { t: "relay", d: "x" }]);
  });

  test("resume() takes each rtok once and no other token", async (world) => {
    assertEquals(await world.resume(world.party(), token(32)), "refused");
    const { sender, viewer } = await world.paired();
    const second = world.party();
    assertEquals(await world.resume(second, viewer.rtok), { seat: "viewer", exp: 600 });
    assertEquals(await world.resume(world.party(), viewer.rtok), "refused");
    assertEquals(await world.resume(world.party(), world.otok), "refused");
    assertEquals(await world.resume(world.party(), token(32)), "refused");
    assertEquals(await world.resume(world.party(), second.rtok), { seat: "viewer", exp: 600 });
    assertEquals(await sender.heard(), [peer(true, "resume"), peer(true, "resume")]);
  });

  test("resume() tells the claimant of an empty or lost seat", async (world) => {
    const alone = await world.created();
    const sender = world.party();
    await world.resume(sender, alone.rtok);
    assertEquals(await sender.heard(), [peer(false, "leave")]);
    const viewer = world.party();
    await world.join(viewer);
    await world.store.lose(viewer.as("viewer"));
    const again = world.party();
    await world.resume(again, sender.rtok);
    assertEquals(await again.heard(), [peer(false, "lost")]);
  });

  test("relay() is in order, one way, and heard by nobody else", async (world) => {
    const { sender, viewer } = await world.paired();
    const neighbours = await new World(world.harness).paired();
    const expected: SeatEvent[] = [];
    for (let i = 0; i < 100; i++) {
      assert(await world.store.relay(sender.as("sender"), `m${i}`));
      expected.push({ t: "relay", d: `m${i}` });
    }
    assertEquals(await viewer.heard(), expected);
    for (const party of [sender, neighbours.sender, neighbours.viewer]) {
      assertEquals(await party.heard(), []);
    }
  });

  test("relay() is false for an empty seat, a lost seat and a stranger", async (world) => {
    const sender = await world.created();
    assertEquals(await world.store.relay(sender.as("sender"), "x"), false);
    const viewer = world.party();
    await world.join(viewer);
    assertEquals(await world.store.relay(world.party().as("viewer"), "x"), false);
    assertEquals(await sender.heard(), [peer(true, "join")]);
    await world.store.lose(viewer.as("viewer"));
    assertEquals(await world.store.relay(sender.as("sender"), "x"), false);
    assertEquals(await viewer.heard(), [peer(true, "join")]);
  });

  test("lose() of the sender ends the room when the grace is over", async (world) => {
    const { sender, viewer } = await world.paired();
    await world.store.lose(sender.as("sender"));
    await world.store.lose(sender.as("sender"));
    assertEquals(await viewer.heard(), [peer(false, "lost")]);
    await world.harness.advance(GRACE_MS + 2_000);
    assertEquals(await viewer.heard(), [{ t: "gone", why: "lost" }]);
    assertEquals(await world.resume(world.party(), sender.rtok), "refused");
    assertEquals(await world.resume(world.party(), viewer.rtok), "refused");
    assertEquals(await world.join(world.party()), "refused");
    await world.created();
  });

  test("lose() and leave() of a stranger change nothing", async (world) => {
    const { sender, viewer } = await world.paired();
    for (const seat of ["sender", "viewer"] as const) {
      await world.store.lose(world.party().as(seat));
      await world.store.leave(world.party().as(seat));
    }
    assertEquals(await sender.heard(), []);
    assertEquals(await viewer.heard(), []);
  });

  test("leave() of the sender ends the room as if it was deleted", async (world) => {
    const { sender, viewer } = await world.paired();
    await world.store.leave(sender.as("sender"));
    assertEquals(await sender.heard(), [{ t: "gone", why: "deleted" }]);
    assertEquals(await viewer.heard(), [{ t: "gone", why: "deleted" }]);
    assertEquals(await world.resume(world.party(), sender.rtok), "refused");
  });

  test("remove() takes the sender's seat and the right otok", async (world) => {
    const { sender, viewer } = await world.paired();
    const own = world.terms.own;
    assertEquals(await world.store.remove(sender.as("sender"), hashToken(token(32))), false);
    assertEquals(await world.store.remove(viewer.as("viewer"), own), false);
    assertEquals(await world.store.remove(viewer.as("sender"), own), false);
    assertEquals(await viewer.heard(), []);
    assertEquals(await world.store.remove(sender.as("sender"), own), true);
    assertEquals(await sender.heard(), [{ t: "gone", why: "deleted" }]);
    assertEquals(await viewer.heard(), [{ t: "gone", why: "deleted" }]);
    assertEquals(await world.store.remove(sender.as("sender"), own), false);
    assertEquals(await world.join(world.party()), "refused");
  });

  test("a room expires for both, however busy it is", async (world) => {
    const { sender, viewer } = await world.paired();
    await world.harness.advance(598_000);
    assert(await world.store.relay(sender.as("sender"), "x"));
    await world.harness.advance(4_000);
    assertEquals(await sender.heard(), [{ t: "gone", why: "expired" }]);
    assertEquals(await viewer.heard(), [{ t: "relay", d: "x" }, { t: "gone", why: "expired" }]);
    assertEquals(await world.join(world.party()), "refused");
  });

  test("a room lives as long as the protocol allows", async (world) => {
    const { claim } = world.party();
    const terms = { ...world.terms, ttl: MAX_TTL_S };
    assertEquals(await world.store.create(claim, terms), { seat: "sender", exp: MAX_TTL_S });
    await world.harness.advance((MAX_TTL_S - 2) * 1_000);
    assertEquals(await world.join(world.party()), { seat: "viewer", exp: 2 });
  });
}
