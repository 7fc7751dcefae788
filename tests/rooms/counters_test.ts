/**
 * What the rooms count, on real sockets.
 *
 * @module
 */
import { CLOSE } from "../../lib/protocol/close_codes.ts";
import { Metrics } from "../../lib/ops/metrics.ts";
import { assertEquals } from "../support/assert.ts";
import { Client, newAccess, pair, RoomServer, until } from "./room_server.ts";

Deno.test("joins are counted by the kind of claim, refusals by their answer", async () => {
  const counters = new Metrics();
  await using server = new RoomServer({ counters });
  const access = newAccess();
  const { client: sender, code } = await Client.create(server, access);
  await using _sender = sender;
  const { client: first, rtok } = await Client.join(server, code);
  first.socket.close();
  await first.closed;
  await using again = await Client.connect(server, access.room);
  again.send({ t: "resume", rtok });
  assertEquals((await again.next()).t, "joined");
  await using third = await Client.connect(server, access.room);
  third.send({ t: "join", tok: access.jtok });
  assertEquals((await third.closed).code, CLOSE.refused);
  again.send({ t: "leave" });
  assertEquals((await again.closed).code, CLOSE.done);
  await using _fourth = (await Client.join(server, access)).client;
  const joins = (["create", "link", "code", "resume"] as const).map((by) =>
    counters.get("joins", by)
  );
  assertEquals(joins, [1, 1, 1, 1]);
  assertEquals(counters.get("refusals", "refused"), 1);
});

Deno.test("relays are counted, those to an empty seat apart", async () => {
  const counters = new Metrics();
  await using server = new RoomServer({ counters });
  const { sender, viewer } = await pair(server);
  await using _sender = sender;
  sender.send({ t: "relay", d: "x" });
  assertEquals(await viewer.next(), { t: "relay", d: "x" });
  viewer.socket.close();
  await viewer.closed;
  assertEquals(await sender.next(), { t: "peer", up: false, by: "lost" });
  sender.send({ t: "relay", d: "x" });
  assertEquals(await sender.next(), { t: "err", code: "no_peer" });
  assertEquals([counters.get("relays", "peer"), counters.get("relays", "nobody")], [1, 1]);
});

Deno.test("an outcome counts once per meeting, and never from a single peer", async () => {
  const counters = new Metrics();
  await using server = new RoomServer({ counters });
  const { access, sender, viewer } = await pair(server);
  await using _sender = sender;
  const outcomes = () =>
    (["direct", "relayed", "failed"] as const).map((way) => counters.get("outcomes", way));
  const sync = async () => {
    // After what was sent before.
    sender.send({ t: "relay", d: "x" });
    await viewer.next();
  };
  for (const way of ["failed", "direct", "relayed", "relayed"]) sender.send({ t: "outcome", way });
  await sync();
  assertEquals(outcomes(), [0, 0, 1]);
  viewer.send({ t: "outcome", way: "direct" });
  viewer.send({ t: "leave" });
  await viewer.closed;
  assertEquals(await sender.next(), { t: "peer", up: false, by: "leave" });
  assertEquals(outcomes(), [1, 0, 1]);
  sender.send({ t: "outcome", way: "relayed" });
  await using next = (await Client.join(server, access)).client;
  assertEquals(await sender.next(), { t: "peer", up: true, by: "join" });
  assertEquals(outcomes(), [1, 0, 1]);
  next.send({ t: "outcome", way: "relayed" });
  await until(() => outcomes()[1] === 1, "it is counted");
  // An unlisted word would be a series of its own.
  next.send({ t: "outcome", way: "203.0.113.7" });
  assertEquals((await next.closed).code, CLOSE.malformed);
});

Deno.test("refused requests are counted, and so are rooms that have a seat here", async () => {
  const counters = new Metrics();
  await using server = new RoomServer({ counters });
  assertEquals([server.rooms.ready, server.rooms.countRooms()], [true, 0]);
  const { sender, viewer } = await pair(server);
  assertEquals(server.rooms.countRooms(), 1);
  for (
    const [room, headers] of [
      ["nothing", {}],
      [newAccess().room, { upgrade: "websocket", origin: "https://elsewhere.example" }],
    ] as const
  ) await (await fetch(`http://${server.host}/ws/${room}`, { headers })).body?.cancel();
  assertEquals([counters.get("refusals", "malformed"), counters.get("refusals", "origin")], [1, 1]);
  server.rooms.shutdown();
  await Promise.all([sender.closed, viewer.closed]);
  assertEquals([server.rooms.ready, server.rooms.countRooms()], [false, 0]);
});
