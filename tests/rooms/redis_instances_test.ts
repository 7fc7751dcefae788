/**
 * Two processes of the app and a Redis, as an operator runs them, and what clients on their sockets
 * notice when one of the three fails.
 *
 * @module
 */
import { CLOSE } from "../../lib/protocol/close_codes.ts";
import { startApp, type TestApp } from "../support/app.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { noRedis, TestRedis } from "../support/redis.ts";
import {
  type Access,
  type Address,
  assertUndisturbed,
  Client,
  createMessage,
  newAccess,
  until,
} from "./room_server.ts";

function addressOf({ port }: TestApp): Address {
  return { host: `127.0.0.1:${port}`, port };
}

interface World {
  readonly redis: TestRedis;
  readonly apps: readonly [TestApp, TestApp];
  readonly a: Address;
  readonly b: Address;
}

function test(title: string, body: (world: World) => Promise<void>): void {
  Deno.test({
    name: `two instances: ${title}`,
    ignore: noRedis,
    async fn() {
      await using redis = await TestRedis.start();
      const env = { REDIS_URL: redis.url };
      await using first = await startApp({ env });
      await using second = await startApp({ env });
      const apps = [first, second] as const;
      await until(() => apps.every(({ output }) => output.includes("redis is there")), "Redis");
      await body({ redis, apps, a: addressOf(first), b: addressOf(second) });
    },
  });
}

/** A sender at `a` and a viewer at `b`, who have met. */
async function pairAcross({ a, b }: World, access: Access = newAccess()) {
  const sender = await Client.create(a, access);
  const viewer = await Client.join(b, access);
  assertEquals(await sender.client.next(), { t: "peer", up: true, by: "join" });
  return { access, sender, viewer };
}

/** Takes a seat back. */
async function resume(server: Address, room: string, rtok: string): Promise<Client> {
  const client = await Client.connect(server, room);
  client.send({ t: "resume", rtok });
  const { t } = await client.next();
  assert(t === "created" || t === "joined", `Not resumed: ${t}`);
  return client;
}

test("a room of one instance is joined at the other, and ends for both", async (world) => {
  const access = newAccess();
  const sender = await Client.create(world.a, access);
  const viewer = await Client.join(world.b, sender.code);
  assertEquals(await sender.client.next(), { t: "peer", up: true, by: "join" });
  await assertUndisturbed(sender.client, viewer.client);
  sender.client.send({ t: "delete", otok: access.otok });
  for (const { client } of [sender, viewer]) {
    assertEquals(await client.next(), { t: "gone", why: "deleted" });
  }
  assertEquals((await sender.client.closed).code, CLOSE.done);
  assertEquals((await viewer.client.closed).code, CLOSE.gone);
});

test("a client of a killed instance goes on at the other", async (world) => {
  const { access, sender, viewer } = await pairAcross(world);
  await world.apps[0].stop("SIGKILL");
  await sender.client.closed;
  // Nobody gave the seat up: it is taken over.
  await using back = await resume(world.b, access.room, sender.rtok);
  assertEquals(await back.next(), { t: "peer", up: true, by: "resume" });
  assertEquals(await viewer.client.next(), { t: "peer", up: true, by: "resume" });
  await assertUndisturbed(back, viewer.client);
  viewer.client.socket.close();
});

test("clients of a stopped instance move on, and their peers are told at once", async (world) => {
  const { access, sender, viewer } = await pairAcross(world);
  const stopped = world.apps[0].stop("SIGTERM");
  assertEquals((await sender.client.closed).code, CLOSE.restart);
  assertEquals(await viewer.client.next(), { t: "peer", up: false, by: "lost" });
  await using back = await resume(world.b, access.room, sender.rtok);
  assertEquals(await back.next(), { t: "peer", up: true, by: "resume" });
  assertEquals(await viewer.client.next(), { t: "peer", up: true, by: "resume" });
  await assertUndisturbed(back, viewer.client);
  await stopped;
  viewer.client.socket.close();
});

test("without Redis pages work, claims get busy, sockets stay; later all works", async (world) => {
  const { redis, apps, a, b } = world;
  const { access, sender, viewer } = await pairAcross(world);
  await redis.stop();
  await until(() => apps.every(({ output }) => output.includes("redis is away")), "it is noticed");
  const page = await fetch(`${apps[0].url}/`);
  await page.body?.cancel();
  assertEquals(page.status, 200);
  const other = newAccess();
  for (
    const [room, first] of [
      [other.room, createMessage(other)],
      [access.room, { t: "join", tok: access.jtok }],
      ["1234", { t: "join" }],
      [access.room, { t: "resume", rtok: viewer.rtok }],
    ] as const
  ) {
    const late = await Client.connect(b, room);
    late.send(first);
    assertEquals(await late.next(), { t: "err", code: "busy" });
    assertEquals((await late.closed).code, CLOSE.busy);
  }
  sender.client.send({ t: "relay", d: "into-nothing" });
  assertEquals(await sender.client.next(), { t: "err", code: "no_peer" });
  for (const { client } of [sender, viewer]) {
    assertEquals(client.socket.readyState, WebSocket.OPEN);
    assertEquals(client.unread, []);
  }

  await redis.start();
  // Empty: seated clients are told to start over, with a code on which they reconnect.
  for (const { client } of [sender, viewer]) {
    assertEquals((await client.closed).code, CLOSE.restart);
  }
  const again = await pairAcross({ ...world, a: b, b: a }, access);
  await assertUndisturbed(again.sender.client, again.viewer.client);
  for (const { client } of [again.sender, again.viewer]) client.socket.close();
});

Deno.test({
  name: "an instance whose Redis was never there serves pages, and logs no password",
  ignore: noRedis,
  async fn() {
    await using app = await startApp({
      env: { REDIS_URL: "redis://somebody:pass-w0rd@127.0.0.1:1/0", LOG_LEVEL: "debug" },
    });
    await until(() => app.output.includes("redis is away"), "it says so");
    const access = newAccess();
    const client = await Client.connect(addressOf(app), access.room);
    client.send(createMessage(access));
    assertEquals(await client.next(), { t: "err", code: "busy" });
    await client.closed;
    await app.stop();
    assert(!/pass-w0rd|somebody/.test(app.output), app.output);
  },
});
