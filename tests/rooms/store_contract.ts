/**
 * The contract of every RoomStore, as tests: each implementation runs the same ones.
 *
 * @module
 */
import { toBase64Url } from "../../lib/protocol/bytes.ts";
import { MAX_TTL_S, SEAT_GRACE_MS } from "../../lib/protocol/limits.ts";
import { CODE_PATTERN } from "../../lib/protocol/signaling.ts";
import type {
  Claim,
  Created,
  RoomStore,
  Seat,
  Seated,
  SeatEvent,
  Ticket,
} from "../../lib/rooms/store.ts";
import { hashToken, type RandomSource, systemRandom } from "../../lib/ops/tokens.ts";
import { assert, assertEquals } from "../support/assert.ts";

/** Grace period that the stores under test are made with. */
export const GRACE_MS: number = SEAT_GRACE_MS;

/** Rooms that the stores under test may hold. */
export const MAX_ROOMS = 20;

/** How long digits rest in the stores under test. */
export const CODE_REST_MS = 600_000;

/** A store under test, empty, and its clock. */
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
  readonly #at: string;
  #events: SeatEvent[] = [];

  /** Claims a seat of `room` at the address `at`. */
  constructor(harness: StoreHarness, room: string, at = room) {
    this.#harness = harness;
    this.#room = room;
    this.#at = at;
  }

  get claim(): Claim {
    const listener = (event: SeatEvent) => void this.#events.push(event);
    return { room: this.#at, conn: this.conn, rtok: hashToken(this.rtok), listener };
  }

  as(seat: Seat): Ticket {
    return { room: this.#room, conn: this.conn, seat };
  }

  /** What this connection received since the last call. */
  async heard(): Promise<SeatEvent[]> {
    await this.#harness.settle();
    const events = this.#events;
    this.#events = [];
    return events;
  }
}

/** One room and its tokens. */
class World {
  readonly store: RoomStore;
  readonly room = token(16);
  readonly otok = token(32);
  readonly jtok = token(16);
  readonly terms = {
    own: hashToken(this.otok),
    join: hashToken(this.jtok),
    ttl: 600,
    salt: token(32),
  };
  /** Of the viewer's seat, unless a test draws another one. */
  readonly viewerSalt = token(32);
  readonly harness: StoreHarness;

  constructor(harness: StoreHarness) {
    this.harness = harness;
    this.store = harness.store;
  }

  party(at = this.room): Party {
    return new Party(this.harness, this.room, at);
  }

  /** What a claim on this room's `seat` gets. */
  seated(seat: Seat, exp = 600): Seated {
    const salt = seat === "sender" ? this.terms.salt : this.viewerSalt;
    return { room: this.room, seat, exp, salt };
  }

  /** Makes the room, or takes its sender's seat again. */
  async create(party: Party, exp = 600): Promise<Created> {
    const result = await this.store.create(party.claim, { ...this.terms, ttl: exp });
    assert(typeof result === "object", `Not created: ${result}`);
    return result;
  }

  /** Joins without a token. */
  joinBare(party: Party) {
    return this.store.join(party.claim, null, this.viewerSalt);
  }

  /** Makes the room and returns its digits too. */
  async coded(): Promise<{ sender: Party; code: string }> {
    const sender = this.party();
    const { code } = await this.create(sender);
    assert(code !== null && CODE_PATTERN.test(code), `Not digits: ${code}`);
    return { sender, code };
  }

  join(party: Party, jtok = this.jtok) {
    return this.store.join(party.claim, hashToken(jtok), this.viewerSalt);
  }

  resume(party: Party, rtok: string) {
    return this.store.resume(party.claim, hashToken(rtok));
  }

  async created(): Promise<Party> {
    const sender = this.party();
    const { code: _, ...seated } = await this.create(sender);
    assertEquals(seated, { ...this.seated("sender"), made: true });
    return sender;
  }

  /** A sender and a viewer who have met. */
  async paired(): Promise<{ sender: Party; viewer: Party }> {
    const sender = await this.created();
    const viewer = this.party();
    assertEquals(await this.join(viewer), this.seated("viewer"));
    assertEquals(await sender.heard(), [peer(true, "join")]);
    assertEquals(await viewer.heard(), [peer(true, "join")]);
    return { sender, viewer };
  }
}

function peer(up: boolean, by: "join" | "resume" | "lost" | "leave"): SeatEvent {
  return { t: "peer", up, by };
}

/**
 * Registers the contract's tests for the store that `make` makes, which has to draw its digits from
 * `random`. `ignore`: it can't be made on this machine.
 */
export function testRoomStore(
  name: string,
  make: (random: RandomSource) => Promise<StoreHarness>,
  { ignore = false } = {},
): void {
  function test(
    title: string,
    body: (world: World) => Promise<void>,
    random: RandomSource = systemRandom,
  ): void {
    Deno.test({ name: `${name}: ${title}`, ignore }, async () => {
      const harness = await make(random);
      try {
        await body(new World(harness));
      } finally {
        await harness.close();
      }
    });
  }

  test("create() seats the sender, and tells nobody", async (world) => {
    const sender = await world.created();
    assertEquals(await sender.heard(), []);
  });

  test("create() gives the sender the seat again for the same hashes", async (world) => {
    const { sender: first, code } = await world.coded();
    await world.harness.advance(5_000);
    const second = world.party();
    const expected = { ...world.seated("sender", 595), code, made: false };
    assertEquals(await world.create(second), expected);
    assertEquals(await first.heard(), [{ t: "superseded" }]);
    assertEquals(await second.heard(), []);
    assertEquals(await world.resume(world.party(), first.rtok), "refused");
  });

  test("each seat keeps its own salt: claims get it, and nobody replaces it", async (world) => {
    const { sender, viewer } = await world.paired();
    for (const [party, salt] of [[sender, world.terms.salt], [viewer, world.viewerSalt]] as const) {
      const seated = await world.resume(world.party(), party.rtok);
      assertEquals(typeof seated === "object" && seated.salt, salt);
    }
    const again = { ...world.terms, salt: token(32) };
    const created = await world.store.create(world.party().claim, again);
    assertEquals(typeof created === "object" && created.salt, world.terms.salt);
    const refused = await world.store.join(world.party().claim, hashToken(world.jtok), token(32));
    assertEquals(refused, "refused");
    const back = await world.resume(world.party(), viewer.rtok);
    if (typeof back === "object") assertEquals(back.salt, world.viewerSalt);
  });

  test("whoever joins by digits gets no salt of the sender or of another viewer", async (world) => {
    const { sender, code } = await world.coded();
    const salts: unknown[] = [world.terms.salt];
    for (let visitor = 0; visitor < 3; visitor++) {
      const party = world.party(code);
      const seated = await world.store.join(party.claim, null, token(32));
      assert(typeof seated === "object");
      salts.push(seated.salt);
      assert(await world.store.act(sender.as("sender"), { t: "dismiss" }));
    }
    assertEquals(new Set(salts).size, salts.length, "four different salts");
  });

  test("create() again makes sender and viewer meet anew", async (world) => {
    const { viewer } = await world.paired();
    const again = world.party();
    await world.store.create(again.claim, world.terms);
    assertEquals(await again.heard(), [peer(true, "join")]);
    assertEquals(await viewer.heard(), [peer(true, "join")]);
    assert(await world.store.act(viewer.as("viewer"), { t: "relay", d: "x" }));
    assertEquals(await again.heard(), [{ t: "relay", d: "x" }]);
  });

  test("create() refuses other hashes for a room that exists", async (world) => {
    const sender = await world.created();
    for (const terms of [{ own: hashToken(token(32)) }, { join: hashToken(token(16)) }]) {
      const other = world.party();
      assertEquals(await world.store.create(other.claim, { ...world.terms, ...terms }), "refused");
    }
    assertEquals(await sender.heard(), []);
    assertEquals(await world.join(world.party()), world.seated("viewer"));
  });

  test("create() is busy while the store is full, until a room expires", async (world) => {
    for (let i = 0; i < MAX_ROOMS; i++) {
      await new World(world.harness).created();
    }
    assertEquals(await world.store.create(world.party().claim, world.terms), "busy");
    await world.harness.advance(600_000);
    await world.created();
  });

  test("create() keeps a share of all rooms for clients that made none lately", async (world) => {
    const create = (regular: boolean) => {
      const other = new World(world.harness);
      return world.store.create({ ...other.party().claim, regular }, other.terms);
    };
    for (let i = 0; i < MAX_ROOMS * 3 / 4; i++) {
      assertEquals(typeof await create(true), "object", `room ${i}`);
    }
    assertEquals(await create(true), "busy");
    assertEquals(typeof await create(false), "object");
  });

  test("join() refuses a wrong token, an unknown room and a third peer alike", async (world) => {
    assertEquals(await world.join(world.party()), "refused");
    const { sender, viewer } = await world.paired();
    assertEquals(await world.join(world.party()), "refused");
    await world.store.act(viewer.as("viewer"), { t: "leave" });
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
    await world.store.act(sender.as("sender"), { t: "relay", d: "x" });
    for (const party of parties) {
      const expected: SeatEvent[] = [peer(true, "join"), { t: "relay", d: "x" }];
      assertEquals(await party.heard(), seated.includes(party) ? expected : []);
    }
  });

  test("join() while the sender is lost makes them meet when they are back", async (world) => {
    const sender = await world.created();
    await world.store.act(sender.as("sender"), { t: "lose" });
    const viewer = world.party();
    assertEquals(await world.join(viewer), world.seated("viewer"));
    assertEquals(await viewer.heard(), [peer(false, "lost")]);
    const back = world.party();
    assertEquals(await world.resume(back, sender.rtok), world.seated("sender"));
    assertEquals(await back.heard(), [peer(true, "join")]);
    assertEquals(await viewer.heard(), [peer(true, "join")]);
  });

  test("join() keeps a lost viewer's seat until the grace period ends", async (world) => {
    const { sender, viewer } = await world.paired();
    await world.store.act(viewer.as("viewer"), { t: "lose" });
    await world.harness.advance(GRACE_MS - 2_000);
    assertEquals(await world.join(world.party()), "refused");
    assertEquals(await sender.heard(), [peer(false, "lost")]);
    await world.harness.advance(4_000);
    assertEquals(await sender.heard(), [peer(false, "leave")]);
    assertEquals(await world.resume(world.party(), viewer.rtok), "refused");
    assertEquals(
      await world.join(world.party()),
      world.seated("viewer", 600 - (GRACE_MS + 2_000) / 1_000),
    );
    assertEquals(await sender.heard(), [peer(true, "join")]);
  });

  test("resume() gives a lost seat back and tells the other", async (world) => {
    for (const seat of ["sender", "viewer"] as const) {
      const own = new World(world.harness);
      const pair = await own.paired();
      const other = seat === "sender" ? pair.viewer : pair.sender;
      await own.store.act(pair[seat].as(seat), { t: "lose" });
      assertEquals(await other.heard(), [peer(false, "lost")]);
      const back = own.party();
      assertEquals(await own.resume(back, pair[seat].rtok), own.seated(seat));
      assertEquals(await back.heard(), [peer(true, "resume")]);
      assertEquals(await other.heard(), [peer(true, "resume")]);
      await own.harness.advance(2 * GRACE_MS);
      assertEquals(await other.heard(), []);
    }
  });

  test("resume() supersedes a live holder, whose connection then does nothing", async (world) => {
    const { sender, viewer } = await world.paired();
    const newest = world.party();
    assertEquals(await world.resume(newest, viewer.rtok), world.seated("viewer"));
    assertEquals(await viewer.heard(), [{ t: "superseded" }]);
    assertEquals(await sender.heard(), [peer(true, "resume")]);
    assertEquals(await world.store.act(viewer.as("viewer"), { t: "relay", d: "stale" }), false);
    await world.store.act(viewer.as("viewer"), { t: "lose" });
    await world.store.act(viewer.as("viewer"), { t: "leave" });
    assertEquals(await sender.heard(), []);
    assert(await world.store.act(sender.as("sender"), { t: "relay", d: "x" }));
    assertEquals(await viewer.heard(), []);
    assertEquals(await newest.heard(), [peer(true, "resume"), { t: "relay", d: "x" }]);
  });

  test("resume() takes each rtok until its successor is used, and no other", async (world) => {
    assertEquals(await world.resume(world.party(), token(32)), "refused");
    const { sender, viewer } = await world.paired();
    const second = world.party();
    assertEquals(await world.resume(second, viewer.rtok), world.seated("viewer"));
    await world.store.act(second.as("viewer"), { t: "confirm" });
    assertEquals(await world.resume(world.party(), viewer.rtok), "refused");
    assertEquals(await world.resume(world.party(), world.otok), "refused");
    assertEquals(await world.resume(world.party(), token(32)), "refused");
    assertEquals(await world.resume(world.party(), second.rtok), world.seated("viewer"));
    assertEquals(await sender.heard(), [peer(true, "resume"), peer(true, "resume")]);
  });

  test("resume() takes an rtok again while its successors are unconfirmed", async (world) => {
    for (const lost of [false, true]) {
      const at = new World(world.harness);
      const { viewer } = await at.paired();
      const other = await new World(world.harness).paired();
      const parties = [at.party(), at.party(), at.party()] as const;
      for (const party of parties) {
        assertEquals(await at.resume(party, viewer.rtok), at.seated("viewer"));
        // Messages of strangers and superseded holders confirm nothing.
        await at.store.act(viewer.as("viewer"), { t: "confirm" });
        await at.store.act(other.viewer.as("viewer"), { t: "confirm" });
        if (lost) await at.store.act(party.as("viewer"), { t: "lose" });
      }
      const [first, , last] = parties;
      assertEquals(await at.resume(at.party(), first.rtok), "refused");
      const next = at.party();
      assertEquals(await at.resume(next, last.rtok), at.seated("viewer"));
      await at.store.act(next.as("viewer"), { t: "confirm" });
      for (const used of [viewer, last]) {
        assertEquals(await at.resume(at.party(), used.rtok), "refused");
      }
    }
  });

  test("resume() tells the claimant of an empty or lost seat", async (world) => {
    const alone = await world.created();
    const sender = world.party();
    await world.resume(sender, alone.rtok);
    assertEquals(await sender.heard(), [peer(false, "leave")]);
    const viewer = world.party();
    await world.join(viewer);
    await world.store.act(viewer.as("viewer"), { t: "lose" });
    const again = world.party();
    await world.resume(again, sender.rtok);
    assertEquals(await again.heard(), [peer(false, "lost")]);
  });

  test("relay() is in order, one way, and received by nobody else", async (world) => {
    const { sender, viewer } = await world.paired();
    const neighbours = await new World(world.harness).paired();
    const expected: SeatEvent[] = [];
    for (let i = 0; i < 100; i++) {
      assert(await world.store.act(sender.as("sender"), { t: "relay", d: `m${i}` }));
      expected.push({ t: "relay", d: `m${i}` });
    }
    assertEquals(await viewer.heard(), expected);
    for (const party of [sender, neighbours.sender, neighbours.viewer]) {
      assertEquals(await party.heard(), []);
    }
  });

  test("relay() is false for an empty seat, a lost seat and a stranger", async (world) => {
    const sender = await world.created();
    assertEquals(await world.store.act(sender.as("sender"), { t: "relay", d: "x" }), false);
    const viewer = world.party();
    await world.join(viewer);
    assertEquals(await world.store.act(world.party().as("viewer"), { t: "relay", d: "x" }), false);
    assertEquals(await sender.heard(), [peer(true, "join")]);
    await world.store.act(viewer.as("viewer"), { t: "lose" });
    assertEquals(await world.store.act(sender.as("sender"), { t: "relay", d: "x" }), false);
    assertEquals(await viewer.heard(), [peer(true, "join")]);
  });

  test("lose() of the sender ends the room after the grace period", async (world) => {
    const { sender, viewer } = await world.paired();
    await world.store.act(sender.as("sender"), { t: "lose" });
    await world.store.act(sender.as("sender"), { t: "lose" });
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
      await world.store.act(world.party().as(seat), { t: "lose" });
      await world.store.act(world.party().as(seat), { t: "leave" });
    }
    assertEquals(await sender.heard(), []);
    assertEquals(await viewer.heard(), []);
  });

  test("leave() of the sender ends the room as if it was deleted", async (world) => {
    const { sender, viewer } = await world.paired();
    await world.store.act(sender.as("sender"), { t: "leave" });
    assertEquals(await sender.heard(), [{ t: "gone", why: "deleted" }]);
    assertEquals(await viewer.heard(), [{ t: "gone", why: "deleted" }]);
    assertEquals(await world.resume(world.party(), sender.rtok), "refused");
  });

  test("remove() requires the sender's seat and the right otok", async (world) => {
    const { sender, viewer } = await world.paired();
    const own = world.terms.own;
    assertEquals(
      await world.store.act(sender.as("sender"), { t: "delete", own: hashToken(token(32)) }),
      false,
    );
    assertEquals(await world.store.act(viewer.as("viewer"), { t: "delete", own }), false);
    assertEquals(await world.store.act(viewer.as("sender"), { t: "delete", own }), false);
    assertEquals(await viewer.heard(), []);
    assertEquals(await world.store.act(sender.as("sender"), { t: "delete", own }), true);
    assertEquals(await sender.heard(), [{ t: "gone", why: "deleted" }]);
    assertEquals(await viewer.heard(), [{ t: "gone", why: "deleted" }]);
    assertEquals(await world.store.act(sender.as("sender"), { t: "delete", own }), false);
    assertEquals(await world.join(world.party()), "refused");
  });

  test("a room expires for both, however busy it is", async (world) => {
    const { sender, viewer } = await world.paired();
    await world.harness.advance(598_000);
    assert(await world.store.act(sender.as("sender"), { t: "relay", d: "x" }));
    await world.harness.advance(4_000);
    assertEquals(await sender.heard(), [{ t: "gone", why: "expired" }]);
    assertEquals(await viewer.heard(), [{ t: "relay", d: "x" }, { t: "gone", why: "expired" }]);
    assertEquals(await world.join(world.party()), "refused");
  });

  test("a room lives as long as the protocol allows", async (world) => {
    assertEquals((await world.create(world.party(), MAX_TTL_S)).exp, MAX_TTL_S);
    await world.harness.advance((MAX_TTL_S - 2) * 1_000);
    assertEquals(await world.join(world.party()), world.seated("viewer", 2));
  });

  test("a room's digits lead to the viewer's seat as its address and token do", async (world) => {
    const { sender, code } = await world.coded();
    const viewer = world.party(code);
    assertEquals(await world.joinBare(viewer), world.seated("viewer"));
    assertEquals(await viewer.heard(), [peer(true, "join")]);
    assertEquals(await sender.heard(), [peer(true, "join")]);
    assert(await world.store.act(viewer.as("viewer"), { t: "relay", d: "x" }));
    assertEquals(await sender.heard(), [{ t: "relay", d: "x" }]);
    await world.store.act(viewer.as("viewer"), { t: "lose" });
    const back = world.party(code);
    assertEquals(await world.resume(back, viewer.rtok), world.seated("viewer"));
    assertEquals(await back.heard(), [peer(true, "resume")]);
    assertEquals(await sender.heard(), [peer(false, "lost"), peer(true, "resume")]);
  });

  test("join() requires a token at a room's address and none at digits", async (world) => {
    const { sender, code } = await world.coded();
    const neighbour = await new World(world.harness).coded();
    assertEquals(await world.joinBare(world.party()), "refused");
    assertEquals(await world.join(world.party(code)), "refused");
    assertEquals(await world.join(world.party(neighbour.code)), "refused");
    assertEquals(await sender.heard(), []);
    assertEquals(await neighbour.sender.heard(), []);
    assertEquals(await world.join(world.party()), world.seated("viewer"));
  });

  test("join() refuses unknown and resting digits and a taken seat alike", async (world) => {
    const { sender, code } = await world.coded();
    const other = new World(world.harness);
    const { sender: gone, code: resting } = await other.coded();
    await other.store.act(gone.as("sender"), { t: "leave" });
    const unknown = ["1111", "2222", "3333"].find((digits) =>
      digits !== code && digits !== resting
    );
    assertEquals(await world.joinBare(world.party(unknown)), "refused");
    assertEquals(await world.joinBare(world.party(resting)), "refused");
    assertEquals(await world.joinBare(world.party("")), "refused");
    assertEquals(await world.joinBare(world.party(code)), world.seated("viewer"));
    assertEquals(await world.joinBare(world.party(code)), "refused");
    assertEquals(await world.resume(world.party(unknown), sender.rtok), "refused");
    assertEquals(await sender.heard(), [peer(true, "join")]);
  });

  test("join() at digits seats exactly one of 20 at once", async (world) => {
    const { sender, code } = await world.coded();
    const parties = Array.from({ length: 20 }, () => world.party(code));
    const results = await Promise.all(parties.map((party) => world.joinBare(party)));
    assertEquals(results.filter((result) => result !== "refused"), [world.seated("viewer")]);
    assertEquals(await sender.heard(), [peer(true, "join")]);
  });

  test("create() makes no room at digits, whether they lead to one or not", async (world) => {
    const { sender, code } = await world.coded();
    for (const digits of [code, code === "1111" ? "2222" : "1111", "12345678"]) {
      assertEquals(await world.store.create(world.party(digits).claim, world.terms), "refused");
      const other = new World(world.harness);
      assertEquals(await other.store.create(other.party(digits).claim, other.terms), "refused");
    }
    assertEquals(await sender.heard(), []);
    assertEquals(await world.joinBare(world.party(code)), world.seated("viewer"));
  });

  test("withdraw() retires the digits for good and tells nobody", async (world) => {
    const { sender, code } = await world.coded();
    const viewer = world.party(code);
    await world.joinBare(viewer);
    for (const party of [viewer, sender]) await party.heard();
    await world.store.act(sender.as("sender"), { t: "withdraw" });
    await world.store.act(sender.as("sender"), { t: "withdraw" });
    for (const party of [viewer, sender]) assertEquals(await party.heard(), []);
    assert(await world.store.act(viewer.as("viewer"), { t: "relay", d: "x" }));
    await world.store.act(viewer.as("viewer"), { t: "lose" });
    assertEquals(await world.resume(world.party(code), viewer.rtok), "refused");
    assertEquals(await world.resume(world.party(), viewer.rtok), world.seated("viewer"));
    await world.store.act(sender.as("sender"), { t: "dismiss" });
    assertEquals(await world.joinBare(world.party(code)), "refused");
    assertEquals((await world.create(world.party())).code, null);
    assertEquals(await world.join(world.party()), world.seated("viewer"));
  });

  test("withdraw() and dismiss() of a viewer or a stranger change nothing", async (world) => {
    const { sender, code } = await world.coded();
    const viewer = world.party(code);
    await world.joinBare(viewer);
    for (const party of [viewer, sender]) await party.heard();
    const wrong = [
      viewer.as("viewer"),
      viewer.as("sender"),
      sender.as("viewer"),
      world.party().as("sender"),
      { ...sender.as("sender"), room: code },
    ];
    for (const ticket of wrong) {
      await world.store.act(ticket, { t: "withdraw" });
      await world.store.act(ticket, { t: "dismiss" });
    }
    for (const party of [viewer, sender]) assertEquals(await party.heard(), []);
    assert(await world.store.act(sender.as("sender"), { t: "relay", d: "x" }));
    await world.store.act(viewer.as("viewer"), { t: "leave" });
    assertEquals(await world.joinBare(world.party(code)), world.seated("viewer"));
  });

  test("dismiss() empties the viewer's seat, connected or lost, for the next", async (world) => {
    const { sender, code } = await world.coded();
    for (const state of ["up", "lost"] as const) {
      const viewer = world.party(code);
      assertEquals(await world.joinBare(viewer), world.seated("viewer"));
      await viewer.heard();
      if (state === "lost") await world.store.act(viewer.as("viewer"), { t: "lose" });
      await sender.heard();
      await world.store.act(sender.as("sender"), { t: "dismiss" });
      assertEquals(await viewer.heard(), state === "up" ? [{ t: "dismissed" }] : []);
      assertEquals(await sender.heard(), [peer(false, "leave")]);
      assertEquals(await world.store.act(viewer.as("viewer"), { t: "relay", d: "x" }), false);
      await world.store.act(viewer.as("viewer"), { t: "lose" });
      for (const at of [code, world.room]) {
        assertEquals(await world.resume(world.party(at), viewer.rtok), "refused");
      }
      assertEquals(await sender.heard(), []);
    }
    const next = world.party();
    assertEquals(await world.join(next), world.seated("viewer"));
    assertEquals(await next.heard(), [peer(true, "join")]);
    assertEquals(await sender.heard(), [peer(true, "join")]);
  });

  test("dismiss() of nobody tells nobody", async (world) => {
    const { sender, code } = await world.coded();
    await world.store.act(sender.as("sender"), { t: "dismiss" });
    assertEquals(await sender.heard(), []);
    assertEquals(await world.joinBare(world.party(code)), world.seated("viewer"));
  });

  const endings: Record<string, (world: World, sender: Party) => Promise<unknown>> = {
    "withdrawn": ({ store }, sender) => store.act(sender.as("sender"), { t: "withdraw" }),
    "deleted": ({ store, terms }, sender) =>
      store.act(sender.as("sender"), { t: "delete", own: terms.own }),
    "left": ({ store }, sender) => store.act(sender.as("sender"), { t: "leave" }),
    "lost": async ({ store, harness }, sender) => {
      await store.act(sender.as("sender"), { t: "lose" });
      await harness.advance(GRACE_MS);
    },
    "expired": ({ harness }) => harness.advance(60_000),
  };
  for (const [ending, end] of Object.entries(endings)) {
    test(
      `digits rest for ten minutes, and not less, once their room was ${ending}`,
      async (world) => {
        const { harness } = world;
        const sender = world.party();
        const { code } = await world.create(sender, ending === "expired" ? 60 : 600);
        assert(code !== null);
        const draw = async () =>
          (await new World(harness).create(new Party(harness, token(16)))).code;
        assertEquals(await draw(), null);
        await end(world, sender);
        assertEquals(await world.joinBare(world.party(code)), "refused");
        assertEquals(await world.resume(world.party(code), sender.rtok), "refused");
        await harness.advance(CODE_REST_MS - 2_000);
        assertEquals(await draw(), null);
        await harness.advance(4_000);
        assertEquals(await draw(), code);
      },
      (length) => new Uint8Array(length),
    );
  }
}
