import { MemoryRoomStore } from "../../lib/rooms/memory_store.ts";
import type { Claim } from "../../lib/rooms/store.ts";
import { hashToken, systemRandom } from "../../lib/ops/tokens.ts";
import { assertEquals } from "../support/assert.ts";
import { FakeClock, flush } from "./fake_clock.ts";
import { CODE_REST_MS, GRACE_MS, MAX_ROOMS, testRoomStore, token } from "./store_contract.ts";

function make(random = systemRandom) {
  const clock = new FakeClock();
  const limits = { graceMs: GRACE_MS, maxRooms: MAX_ROOMS, codeRestMs: CODE_REST_MS };
  const store = new MemoryRoomStore({ clock, random, limits });
  return { clock, store };
}

testRoomStore("MemoryRoomStore", (random) => {
  const { clock, store } = make(random);
  return Promise.resolve({
    store,
    advance: (ms) => clock.advance(ms),
    settle: flush,
    close: () => Promise.resolve(),
  });
});

const HOUR = 3_600_000;

/** A room that two people use and then abandon as `ending` says. */
async function use(
  { store, clock }: ReturnType<typeof make>,
  ending: "delete" | "leave" | "lost" | "expired",
): Promise<void> {
  const otok = token(32);
  const jtok = token(16);
  const room = token(16);
  const listener = () => {};
  const sender = { room, conn: token(16), rtok: hashToken(token(32)), listener };
  const viewer = { room, conn: token(16), rtok: hashToken(token(32)), listener };
  await store.create(sender, {
    own: hashToken(otok),
    join: hashToken(jtok),
    ttl: 60,
    salt: token(32),
  });
  await store.join(viewer, hashToken(jtok), token(32));
  await store.act({ room, conn: viewer.conn, seat: "viewer" }, { t: "lose" });
  const ticket = { room, conn: sender.conn, seat: "sender" } as const;
  if (ending === "delete") await store.act(ticket, { t: "delete", own: hashToken(otok) });
  if (ending === "leave") await store.act(ticket, { t: "leave" });
  if (ending === "lost") await store.act(ticket, { t: "lose" });
  if (ending === "lost" || ending === "expired") await clock.advance(HOUR);
}

Deno.test("MemoryRoomStore holds no room and no timer once its rooms ended", async () => {
  const world = make();
  assertEquals(world.clock.timers, 0);
  for (const ending of ["delete", "leave", "lost", "expired"] as const) {
    await use(world, ending);
    assertEquals({ ending, rooms: world.store.size, timers: world.clock.timers }, {
      ending,
      rooms: 0,
      timers: 0,
    });
  }
});

Deno.test("MemoryRoomStore arms one timer for all its rooms", async () => {
  const { store, clock } = make();
  const terms = { own: hashToken(token(32)), join: hashToken(token(16)), ttl: 60, salt: token(32) };
  for (let i = 0; i < 10; i++) {
    const claim = { room: token(16), conn: token(16), rtok: hashToken(token(32)), listener() {} };
    await store.create(claim, terms);
  }
  assertEquals(clock.timers, 1);
  await clock.advance(30_000);
  assertEquals({ rooms: store.size, timers: clock.timers }, { rooms: 10, timers: 1 });
  await clock.advance(30_000);
  assertEquals({ rooms: store.size, timers: clock.timers }, { rooms: 0, timers: 0 });
});

Deno.test("MemoryRoomStore runs a listener's reaction after the operation", async () => {
  const { store } = make();
  const jtok = token(16);
  const room = token(16);
  const heard: unknown[] = [];
  const sender: Claim = {
    room,
    conn: "s",
    rtok: hashToken(token(32)),
    listener: (event) => heard.push(event),
  };
  const viewer: Claim = {
    ...sender,
    conn: "v",
    listener: () => void store.act({ room, conn: "v", seat: "viewer" }, { t: "lose" }),
  };
  await store.create(sender, {
    own: hashToken(token(32)),
    join: hashToken(jtok),
    ttl: 60,
    salt: token(32),
  });
  await store.join(viewer, hashToken(jtok), token(32));
  await flush();
  assertEquals(heard, [{ t: "peer", up: true, by: "join" }, { t: "peer", up: false, by: "lost" }]);
});
