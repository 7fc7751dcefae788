/**
 * Who is told which ICE servers to use, and when: both ends of a room, just before they are told of
 * each other.
 *
 * @module
 */
import type { ServerMessage } from "../../lib/protocol/signaling.ts";
import { type IceIssuer, iceIssuer } from "../../lib/ops/turn.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { Client, createMessage, newAccess, RoomServer } from "./room_server.ts";

const SECRET = "a secret of the relay and the app";

/** Has a relay, and counts how often it was asked. */
function counted(): { ice: IceIssuer; asked: () => number } {
  const issue = iceIssuer({ servers: [], turnUrls: ["turn:a.example"], turnSecret: SECRET });
  let asked = 0;
  return {
    ice: (guest) => {
      asked++;
      return issue(guest);
    },
    asked: () => asked,
  };
}

/**
 * The next two messages, which have to be `ice` and then `peer`. Returns the username of the
 * credentials.
 */
async function met(client: Client, by: "join" | "resume"): Promise<string> {
  const ice = await client.next();
  assert(ice.t === "ice", JSON.stringify(ice));
  assertEquals(await client.next(), { t: "peer", up: true, by });
  return ice.servers[0]?.username ?? "";
}

/** Fails if anything unexpected arrived: relays are in order after it. */
async function assertSilent(client: Client): Promise<void> {
  client.send({ t: "relay", d: "x" });
  assertEquals(await client.next(), { t: "err", code: "no_peer" });
}

async function join(server: RoomServer, room: string, tok?: string): Promise<Client> {
  const client = await Client.connect(server, room);
  client.send(tok === undefined ? { t: "join" } : { t: "join", tok });
  const answer: ServerMessage = await client.next();
  assertEquals(answer.t, "joined");
  return client;
}

Deno.test("nobody alone in a room gets ICE servers, not even after a lost sender", async () => {
  const { ice, asked } = counted();
  await using server = new RoomServer({ ice });
  const access = newAccess();
  const { client: sender } = await Client.create(server, access);
  await assertSilent(sender);
  sender.socket.close();
  await sender.closed;
  await using viewer = await join(server, access.room, access.jtok);
  assertEquals(await viewer.next(), { t: "peer", up: false, by: "lost" });
  await assertSilent(viewer);
  assertEquals(asked(), 0);
});

Deno.test("a refused client gets no ICE servers", async () => {
  const { ice, asked } = counted();
  await using server = new RoomServer({ ice });
  const access = newAccess();
  await using sender = (await Client.create(server, access)).client;
  await using stranger = await Client.connect(server, access.room);
  stranger.send({ t: "join", tok: newAccess().jtok });
  assertEquals(await stranger.next(), { t: "err", code: "refused" });
  await assertSilent(sender);
  assertEquals(asked(), 0);
});

Deno.test("both ends get their own, fresh ICE servers before hearing of each other", async () => {
  await using server = new RoomServer({ ice: counted().ice });
  const access = newAccess();
  const { client: sender, rtok } = await Client.create(server, access);
  await using viewer = await join(server, access.room, access.jtok);
  const names = [await met(viewer, "join"), await met(sender, "join")];

  // A lost socket resumes.
  await using again = await Client.connect(server, access.room);
  again.send({ t: "resume", rtok });
  assertEquals((await again.next()).t, "joined");
  names.push(await met(again, "resume"), await met(viewer, "resume"));
  await sender.closed;

  // The sender makes the room again.
  await using once = await Client.connect(server, access.room);
  once.send(createMessage(access));
  assertEquals((await once.next()).t, "created");
  names.push(await met(once, "join"), await met(viewer, "join"));

  assertEquals(names.length, 6);
  for (const name of names) assert(/^\d{10}:[\w-]{16}$/.test(name), name);
});

Deno.test("joining by a code yields ICE servers too, and without any, none", async () => {
  for (const ice of [counted().ice, undefined]) {
    await using server = new RoomServer(ice === undefined ? {} : { ice });
    const { client: sender, code } = await Client.create(server, newAccess());
    await using _sender = sender;
    await using viewer = await join(server, code);
    if (ice === undefined) assertEquals(await viewer.next(), { t: "peer", up: true, by: "join" });
    else await met(viewer, "join");
  }
});
