import { CLOSE } from "../../lib/protocol/close_codes.ts";
import { MAX_RELAY_LENGTH, MAX_SIGNAL_LENGTH } from "../../lib/protocol/limits.ts";
import { assert, assertEquals } from "../support/assert.ts";
import {
  assertUndisturbed,
  Client,
  createMessage,
  newAccess,
  OPCODE,
  pair,
  RawClient,
  RoomServer,
  until,
} from "./room_server.ts";
import { token } from "./store_contract.ts";

const LOST = { t: "peer", up: false, by: "lost" } as const;
const LEFT = { t: "peer", up: false, by: "leave" } as const;
const RESUMED = { t: "peer", up: true, by: "resume" } as const;
const MET = { t: "peer", up: true, by: "join" } as const;

/** Everything that a refused client received, as it arrived, and its close. */
async function refusal(server: RoomServer, room: string, message: unknown) {
  await using client = await Client.connect(server, room);
  client.send(message);
  const heard = await client.nextRaw();
  return { heard, ...await client.closed, unread: client.unread };
}

const REFUSED = {
  heard: '{"t":"err","code":"refused"}',
  code: CLOSE.refused,
  reason: "refused",
  unread: [],
};

Deno.test("two people meet, exchange messages and part; nothing is left", async () => {
  await using server = new RoomServer();
  const access = newAccess();
  await using sender = await Client.connect(server, access.room);
  sender.send(createMessage(access));
  const created = await sender.next();
  assert(created.t === "created" && created.exp === 600);
  await using viewer = await Client.connect(server, access.room);
  viewer.send({ t: "join", tok: access.jtok });
  assertEquals((await viewer.next()).t, "joined");
  assertEquals(await viewer.next(), MET);
  assertEquals(await sender.next(), MET);
  for (let i = 0; i < 50; i++) sender.send({ t: "relay", d: `m${i}` });
  for (let i = 0; i < 50; i++) assertEquals(await viewer.next(), { t: "relay", d: `m${i}` });
  await assertUndisturbed(sender, viewer);
  sender.send({ t: "delete", otok: access.otok });
  for (const client of [sender, viewer]) {
    assertEquals(await client.next(), { t: "gone", why: "deleted" });
  }
  assertEquals(await sender.closed, { code: CLOSE.done, reason: "done" });
  assertEquals(await viewer.closed, { code: CLOSE.gone, reason: "gone" });
  await until(() => server.rooms.size === 0, "both sockets are gone");
  assertEquals(server.store.size, 0);
});

Deno.test("an unknown room, a wrong token and a third peer get the same bytes", async () => {
  await using server = new RoomServer();
  const { access, sender, viewer } = await pair(server);
  await using _sender = sender;
  await using _viewer = viewer;
  const { client: alone } = await Client.create(server, newAccess());
  await using _alone = alone;
  const waiting = newAccess();
  const { client: waitingSender, code } = await Client.create(server, waiting);
  await using _waitingSender = waitingSender;
  const taken = newAccess();
  const { client: takenSender, code: takenCode } = await Client.create(server, taken);
  await using _taken = disposeAll([takenSender, (await Client.join(server, takenCode)).client]);
  const ended = newAccess();
  const { client: endedSender, code: resting } = await Client.create(server, ended);
  endedSender.send({ t: "leave" });
  await endedSender.closed;
  const codes = [code, takenCode, resting];
  const unknown = ["1111", "2222", "3333", "4444"].find((digits) => !codes.includes(digits)) ?? "";

  const attempts = {
    "unknown room": [newAccess().room, { t: "join", tok: access.jtok }],
    "wrong token": [waiting.room, { t: "join", tok: token(16) }],
    "third peer": [access.room, { t: "join", tok: access.jtok }],
    "third peer with a wrong token": [access.room, { t: "join", tok: token(16) }],
    "resume in an unknown room": [newAccess().room, { t: "resume", rtok: token(32) }],
    "resume with a wrong token": [access.room, { t: "resume", rtok: token(32) }],
    "create over another's room": [access.room, createMessage({ ...newAccess(), ...{ room: "" } })],
    "a room without a token": [waiting.room, { t: "join" }],
    "digits with a token": [code, { t: "join", tok: waiting.jtok }],
    "unknown digits": [unknown, { t: "join" }],
    "unknown digits with a token": [unknown, { t: "join", tok: waiting.jtok }],
    "resting digits": [resting, { t: "join" }],
    "digits of a taken seat": [takenCode, { t: "join" }],
    "resume at unknown digits": [unknown, { t: "resume", rtok: token(32) }],
    "resume at resting digits": [resting, { t: "resume", rtok: token(32) }],
    "resume at digits with a wrong token": [takenCode, { t: "resume", rtok: token(32) }],
    "create at digits": [code, createMessage(waiting)],
    "create at unknown digits": [unknown, createMessage(newAccess())],
  } as const;
  for (const [name, [room, message]] of Object.entries(attempts)) {
    assertEquals({ name, ...await refusal(server, room, message) }, { name, ...REFUSED });
  }
  await assertUndisturbed(sender, viewer);
  assertEquals(waitingSender.unread, []);
});

Deno.test("hostile sockets are closed with their code, honest ones undisturbed", async () => {
  await using server = new RoomServer();
  const same = await pair(server);
  const other = await pair(server);
  const { room, jtok } = same.access;
  await using _clients = disposeAll([same.sender, same.viewer, other.sender, other.viewer]);

  const text = (value: string) => new TextEncoder().encode(value);
  const long = "x".repeat(MAX_SIGNAL_LENGTH);
  const attacks: Record<string, [number, (raw: RawClient) => Promise<void>]> = {
    "no JSON": [CLOSE.malformed, (raw) => raw.text("{")],
    "an empty message": [CLOSE.malformed, (raw) => raw.text("")],
    "an array": [CLOSE.malformed, (raw) => raw.text("[]")],
    "an unknown type": [CLOSE.malformed, (raw) => raw.text('{"t":"admin"}')],
    "a server's message": [CLOSE.malformed, (raw) => raw.text('{"t":"ping"}')],
    "a wrong field": [CLOSE.malformed, (raw) => raw.text('{"t":"join","tok":7}')],
    "a token that is too short": [
      CLOSE.malformed,
      (raw) => raw.text(`{"t":"join","tok":"${jtok.slice(1)}"}`),
    ],
    "a ttl of a year": [
      CLOSE.malformed,
      (raw) => raw.text(JSON.stringify({ ...createMessage(newAccess()), ttl: 31_536_000 })),
    ],
    "deep nesting": [CLOSE.malformed, (raw) => raw.text("[".repeat(4_000))],
    "one character too many": [CLOSE.tooLarge, (raw) => raw.text(`${long}x`)],
    "a join padded beyond the limit": [
      CLOSE.tooLarge,
      (raw) => raw.text(`{"t":"join","tok":"${jtok}"}${" ".repeat(MAX_SIGNAL_LENGTH)}`),
    ],
    "a megabyte in fragments": [CLOSE.tooLarge, async (raw) => {
      await raw.frame(OPCODE.text, text(long), { fin: false });
      for (let i = 0; i < 126; i++) {
        await raw.frame(OPCODE.continuation, text(long), { fin: false });
      }
      await raw.frame(OPCODE.continuation, text(long));
    }],
    "binary": [CLOSE.tooLarge, (raw) => raw.frame(OPCODE.binary, text('{"t":"leave"}'))],
    "relay before join": [CLOSE.outOfTurn, (raw) => raw.text('{"t":"relay","d":"x"}')],
    "leave before join": [CLOSE.outOfTurn, (raw) => raw.text('{"t":"leave"}')],
    "pong before join": [CLOSE.outOfTurn, (raw) => raw.text('{"t":"pong"}')],
    "dismiss before join": [CLOSE.outOfTurn, (raw) => raw.text('{"t":"dismiss"}')],
    "withdraw before join": [CLOSE.outOfTurn, (raw) => raw.text('{"t":"withdraw"}')],
    "delete before join": [
      CLOSE.outOfTurn,
      (raw) => raw.text(JSON.stringify({ t: "delete", otok: same.access.otok })),
    ],
  };
  for (const [name, [code, attack]] of Object.entries(attacks)) {
    using raw = await RawClient.connect(server, room);
    await attack(raw);
    assertEquals({ name, code: await raw.closeCode() }, { name, code });
  }
  await assertUndisturbed(same.sender, same.viewer);
  await assertUndisturbed(other.sender, other.viewer);
});

Deno.test("bytes that are not WebSocket frames end only that socket", async () => {
  await using server = new RoomServer();
  const { access, sender, viewer } = await pair(server);
  await using _clients = disposeAll([sender, viewer]);
  const hostile = {
    "an unknown opcode": [0x83, 0x80, 0, 0, 0, 0],
    "reserved bits": [0xf1, 0x80, 0, 0, 0, 0],
    "a continuation of nothing": [0x80, 0x80, 0, 0, 0, 0],
    "a close of one byte": [0x88, 0x81, 0, 0, 0, 0, 3],
    "text that is not UTF-8": [0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28],
    "a frame of 2^62 bytes": [0x81, 0xff, 0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
  };
  for (const bytes of Object.values(hostile)) {
    using raw = await RawClient.connect(server, access.room);
    await until(() => server.rooms.size === 3, "the hostile socket is open");
    await raw.write(new Uint8Array(bytes));
    await until(() => server.rooms.size === 2, "the hostile socket is gone");
  }
  await assertUndisturbed(sender, viewer);
});

Deno.test("a seated socket that misbehaves loses its seat, and the other end is told", async () => {
  await using server = new RoomServer();
  const again = (access: ReturnType<typeof newAccess>) => ({ t: "join", tok: access.jtok });
  const faults: [number, (client: Client, access: ReturnType<typeof newAccess>) => void][] = [
    [CLOSE.malformed, (client) => client.send({ t: "relay", d: "not base64url!" })],
    [CLOSE.malformed, (client) => client.send({ t: "relay", d: "x".repeat(MAX_RELAY_LENGTH + 1) })],
    [CLOSE.tooLarge, (client) => client.socket.send("x".repeat(MAX_SIGNAL_LENGTH + 1))],
    [CLOSE.tooLarge, (client) => client.socket.send(new Uint8Array(4))],
    [CLOSE.outOfTurn, (client, access) => client.send(again(access))],
    [CLOSE.outOfTurn, (client, access) => client.send(createMessage(access))],
    [CLOSE.outOfTurn, (client) => client.send({ t: "dismiss" })],
    [CLOSE.outOfTurn, (client) => client.send({ t: "withdraw" })],
  ];
  for (const [code, commit] of faults) {
    const { access, sender, viewer } = await pair(server);
    await using _clients = disposeAll([sender, viewer]);
    commit(viewer, access);
    assertEquals((await viewer.closed).code, code);
    assertEquals(await sender.next(), LOST);
    sender.send({ t: "relay", d: "x" });
    assertEquals(await sender.next(), { t: "err", code: "no_peer" });
    assertEquals(await refusal(server, access.room, again(access)), REFUSED);
  }
});

Deno.test("a socket that is silent, or never finishes a message, is closed", async () => {
  await using server = new RoomServer({ limits: { firstMessageMs: 100 } });
  const room = token(16);
  await using silent = await Client.connect(server, room);
  using trickling = await RawClient.connect(server, room);
  await trickling.frame(OPCODE.text, new TextEncoder().encode('{"t":'), { fin: false });
  using pinging = await RawClient.connect(server, room);
  await pinging.frame(OPCODE.ping, new Uint8Array());
  assertEquals(await silent.closed, { code: CLOSE.timeout, reason: "timeout" });
  assertEquals(await trickling.closeCode(), CLOSE.timeout);
  assertEquals(await pinging.closeCode(), CLOSE.timeout);
});

Deno.test("a seated socket that answers no ping is closed, one that does lives", async () => {
  await using server = new RoomServer({ limits: { heartbeatMs: 50, heartbeatTimeoutMs: 1_000 } });
  const { sender, viewer } = await pair(server);
  await using _clients = disposeAll([sender, viewer]);
  let heard = await sender.next();
  // Twenty pings a second, and a second until the silent one is lost: 200 leave a slow machine ten
  // times that.
  for (let i = 0; i < 200 && heard.t === "ping"; i++) {
    sender.send({ t: "pong" });
    heard = await sender.next();
  }
  assertEquals(heard, LOST);
  assertEquals((await viewer.closed).code, CLOSE.timeout);
  assertEquals(sender.socket.readyState, WebSocket.OPEN);
});

Deno.test("a lost socket resumes, the newest wins; an rtok works until its successor", async () => {
  await using server = new RoomServer();
  const { access, sender, viewer, rtok } = await pair(server);
  await using _clients = disposeAll([sender, viewer]);
  viewer.socket.close();
  assertEquals(await sender.next(), LOST);

  await using second = await Client.connect(server, access.room);
  second.send({ t: "resume", rtok });
  const joined = await second.next();
  assert(joined.t === "joined" && joined.rtok !== rtok);
  assertEquals(await second.next(), RESUMED);
  assertEquals(await sender.next(), RESUMED);

  await using third = await Client.connect(server, access.room);
  third.send({ t: "resume", rtok: joined.rtok });
  assertEquals((await third.next()).t, "joined");
  third.send({ t: "pong" });
  assertEquals(await second.closed, { code: CLOSE.superseded, reason: "superseded" });
  assertEquals(await third.next(), RESUMED);
  assertEquals(await sender.next(), RESUMED);

  for (const used of [rtok, joined.rtok]) {
    assertEquals(await refusal(server, access.room, { t: "resume", rtok: used }), REFUSED);
  }
  await assertUndisturbed(sender, third);
});

Deno.test("a sender who creates the same room again gets the seat again", async () => {
  await using server = new RoomServer();
  const { access, sender, viewer } = await pair(server);
  await using _clients = disposeAll([sender, viewer]);
  await using again = (await Client.create(server, access)).client;
  assertEquals(await sender.closed, { code: CLOSE.superseded, reason: "superseded" });
  assertEquals(await again.next(), MET);
  assertEquals(await viewer.next(), MET);
  await assertUndisturbed(again, viewer);
});

Deno.test("a lost seat is given up when its grace period is over", async () => {
  await using server = new RoomServer({ store: { graceMs: 50, sweepMs: 20 } });
  const first = await pair(server);
  await using _first = disposeAll([first.sender, first.viewer]);
  first.viewer.socket.close();
  assertEquals([await first.sender.next(), await first.sender.next()], [LOST, LEFT]);
  await using next = (await Client.join(server, first.access)).client;
  assertEquals(await first.sender.next(), MET);
  first.sender.socket.close();
  assertEquals(await next.next(), LOST);
  assertEquals(await next.next(), { t: "gone", why: "lost" });
  assertEquals(await next.closed, { code: CLOSE.gone, reason: "gone" });
  assertEquals(server.store.size, 0);
});

Deno.test("a wrong otok deletes nothing, nor does a viewer with the right one", async () => {
  await using server = new RoomServer();
  const wrong = await pair(server);
  await using _wrong = disposeAll([wrong.sender, wrong.viewer]);
  wrong.sender.send({ t: "delete", otok: token(32) });
  assertEquals(await wrong.sender.next(), { t: "err", code: "refused" });
  assertEquals((await wrong.sender.closed).code, CLOSE.refused);
  assertEquals(await wrong.viewer.next(), LOST);

  const right = await pair(server);
  await using _right = disposeAll([right.sender, right.viewer]);
  right.viewer.send({ t: "delete", otok: right.access.otok });
  assertEquals((await right.viewer.closed).code, CLOSE.outOfTurn);
  assertEquals(await right.sender.next(), LOST);
  assertEquals(server.store.size, 2);
});

Deno.test("a viewer leaves the seat to the next, a sender's room ends with them", async () => {
  await using server = new RoomServer();
  const { access, sender, viewer } = await pair(server);
  await using _clients = disposeAll([sender, viewer]);
  viewer.send({ t: "leave" });
  assertEquals(await viewer.closed, { code: CLOSE.done, reason: "done" });
  assertEquals(await sender.next(), LEFT);
  await using next = (await Client.join(server, access)).client;
  assertEquals(await sender.next(), MET);
  sender.send({ t: "leave" });
  assertEquals(await sender.next(), { t: "gone", why: "deleted" });
  assertEquals((await sender.closed).code, CLOSE.done);
  assertEquals(await next.next(), { t: "gone", why: "deleted" });
  assertEquals((await next.closed).code, CLOSE.gone);
  assertEquals(server.store.size, 0);
});

Deno.test("of 200 sockets that join at once exactly one is the viewer", async () => {
  await using server = new RoomServer();
  const access = newAccess();
  await using sender = (await Client.create(server, access)).client;
  const clients = await Promise.all(
    Array.from({ length: 200 }, () => Client.connect(server, access.room)),
  );
  await using _clients = disposeAll(clients);
  for (const client of clients) client.send({ t: "join", tok: access.jtok });
  const answers = await Promise.all(clients.map((client) => client.next()));
  const viewer = clients[answers.findIndex(({ t }) => t === "joined")];
  assert(viewer !== undefined);
  assertEquals(await viewer.next(), MET);
  assertEquals(await sender.next(), MET);
  for (const client of clients) {
    if (client !== viewer) assertEquals((await client.closed).code, CLOSE.refused);
  }
  await assertUndisturbed(sender, viewer);
});

Deno.test("two people meet at digits, and the viewer resumes there", async () => {
  await using server = new RoomServer();
  const access = newAccess();
  const { client: sender, code } = await Client.create(server, access);
  await using _sender = sender;
  assert(/^\d{4}$/.test(code), `Not four digits: ${code}`);
  const { client: first, rtok } = await Client.join(server, code);
  assertEquals(await sender.next(), MET);
  await assertUndisturbed(sender, first);
  await first[Symbol.asyncDispose]();
  assertEquals(await sender.next(), LOST);
  await using again = await Client.connect(server, code);
  again.send({ t: "resume", rtok });
  assertEquals((await again.next()).t, "joined");
  assertEquals([await again.next(), await sender.next()], [RESUMED, RESUMED]);
  await assertUndisturbed(sender, again);
});

Deno.test("of 20 sockets that join at the same digits exactly one is the viewer", async () => {
  await using server = new RoomServer();
  const { client: sender, code } = await Client.create(server, newAccess());
  await using _sender = sender;
  const clients = await Promise.all(
    Array.from({ length: 20 }, () => Client.connect(server, code)),
  );
  await using _clients = disposeAll(clients);
  for (const client of clients) client.send({ t: "join" });
  const answers = await Promise.all(clients.map((client) => client.next()));
  assertEquals(answers.filter(({ t }) => t === "joined").length, 1);
  const viewer = clients[answers.findIndex(({ t }) => t === "joined")];
  assert(viewer !== undefined);
  assertEquals(await viewer.next(), MET);
  assertEquals(await sender.next(), MET);
  for (const client of clients) {
    if (client !== viewer) assertEquals((await client.closed).code, CLOSE.refused);
  }
  await assertUndisturbed(sender, viewer);
});

Deno.test("a dismissed viewer is out: token invalid, seat free for the next", async () => {
  await using server = new RoomServer();
  const access = newAccess();
  const { client: sender, code } = await Client.create(server, access);
  await using _sender = sender;
  const { client: viewer, rtok } = await Client.join(server, code);
  assertEquals(await sender.next(), MET);
  sender.send({ t: "dismiss" });
  assertEquals(await viewer.closed, { code: CLOSE.dismissed, reason: "dismissed" });
  assertEquals([viewer.unread, await sender.next()], [[], LEFT]);
  for (const at of [code, access.room]) {
    assertEquals(await refusal(server, at, { t: "resume", rtok }), REFUSED);
  }
  sender.send({ t: "dismiss" });
  await using next = (await Client.join(server, code)).client;
  assertEquals(await sender.next(), MET);
  await assertUndisturbed(sender, next);
});

Deno.test("withdrawn digits lead nowhere, and the link continues to work", async () => {
  await using server = new RoomServer();
  const access = newAccess();
  const { client: sender, code } = await Client.create(server, access);
  await using _sender = sender;
  sender.send({ t: "withdraw" });
  sender.send({ t: "withdraw" });
  // The answer to this shows that both were handled, and that neither was answered.
  sender.send({ t: "relay", d: "x" });
  assertEquals(await sender.next(), { t: "err", code: "no_peer" });
  assertEquals(await refusal(server, code, { t: "join" }), REFUSED);
  const { client: viewer } = await Client.join(server, access);
  await using _viewer = viewer;
  assertEquals(await sender.next(), MET);
  await assertUndisturbed(sender, viewer);
  await using again = (await Client.create(server, access)).client;
  assertEquals([await again.next(), await viewer.next()], [MET, MET]);
});

Deno.test("withdraw, then dismiss: nobody waiting at the digits gets the seat", async () => {
  await using server = new RoomServer();
  const access = newAccess();
  const { client: sender, code } = await Client.create(server, access);
  const { client: viewer } = await Client.join(server, code);
  const crowd = await Promise.all(Array.from({ length: 10 }, () => Client.connect(server, code)));
  await using _clients = disposeAll([sender, viewer, ...crowd]);
  assertEquals(await sender.next(), MET);
  for (const client of crowd.slice(0, 5)) client.send({ t: "join" });
  for (const t of ["withdraw", "dismiss"]) sender.send({ t });
  for (const client of crowd.slice(5)) client.send({ t: "join" });
  for (const client of crowd) assertEquals((await client.closed).code, CLOSE.refused);
  assertEquals([(await viewer.closed).code, await sender.next()], [CLOSE.dismissed, LEFT]);
  await using friend = (await Client.join(server, access)).client;
  assertEquals(await sender.next(), MET);
  await assertUndisturbed(sender, friend);
});

Deno.test("a room beyond the last digits is a room all the same", async () => {
  await using server = new RoomServer({ store: { maxCodes: 1 } });
  const first = await Client.create(server, newAccess());
  const access = newAccess();
  const { client: sender, code } = await Client.create(server, access);
  await using _clients = disposeAll([first.client, sender]);
  assertEquals([first.code.length, code], [4, ""]);
  await using viewer = (await Client.join(server, access)).client;
  assertEquals(await sender.next(), MET);
  await assertUndisturbed(sender, viewer);
});

Deno.test("a server with the maximum number of rooms is busy", async () => {
  await using server = new RoomServer({ store: { maxRooms: 1 } });
  await using first = (await Client.create(server, newAccess())).client;
  const access = newAccess();
  assertEquals(await refusal(server, access.room, createMessage(access)), {
    heard: '{"t":"err","code":"busy"}',
    code: CLOSE.busy,
    reason: "busy",
    unread: [],
  });
  assertEquals(first.unread, []);
});

Deno.test("a reader that is stuck loses its seat at once, not when its socket closes", async () => {
  await using server = new RoomServer();
  const access = newAccess();
  await using sender = (await Client.create(server, access)).client;
  using stuck = await RawClient.connect(server, access.room);
  await stuck.text(JSON.stringify({ t: "join", tok: access.jtok }));
  await stuck.text(JSON.stringify({ t: "pong" }));
  assertEquals(await sender.next(), MET);
  // The socket buffers of the system take some megabytes before anything queues in the server.
  const d = "x".repeat(MAX_RELAY_LENGTH);
  for (let i = 0; i < 10_000 && sender.unread.length === 0; i++) {
    for (let n = 0; n < 5; n++) sender.send({ t: "relay", d });
    await new Promise((resolve) => setTimeout(resolve));
  }
  assertEquals(await sender.next(), LOST);
  assertEquals(server.rooms.size, 2);
});

Deno.test("a reader that keeps up gets any amount", async () => {
  await using server = new RoomServer();
  const { sender, viewer } = await pair(server);
  await using _clients = disposeAll([sender, viewer]);
  const d = "x".repeat(MAX_RELAY_LENGTH);
  for (let i = 0; i < 100; i++) {
    for (let n = 0; n < 10; n++) sender.send({ t: "relay", d });
    for (let n = 0; n < 10; n++) assertEquals(await viewer.next(), { t: "relay", d });
  }
  await assertUndisturbed(sender, viewer);
});

Deno.test("shutdown() disconnects everybody with the code for a restart", async () => {
  await using server = new RoomServer();
  const { sender, viewer } = await pair(server);
  server.rooms.shutdown();
  assertEquals(await sender.closed, { code: CLOSE.restart, reason: "restart" });
  assertEquals(await viewer.closed, { code: CLOSE.restart, reason: "restart" });
});

/** Disposes of all `clients` together. */
function disposeAll(clients: readonly Client[]): AsyncDisposable {
  return {
    async [Symbol.asyncDispose]() {
      await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
    },
  };
}
