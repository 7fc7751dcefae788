import { App } from "fresh";
import { SUBPROTOCOL } from "../../lib/protocol/limits.ts";
import { MemoryRoomStore } from "../../lib/rooms/memory_store.ts";
import { Rooms } from "../../lib/rooms/rooms.ts";
import { upgradeToRoom } from "../../lib/rooms/upgrade.ts";
import type { State } from "../../lib/server/state.ts";
import { handler } from "../../routes/ws/[room].ts";
import { assert, assertEquals } from "../support/assert.ts";
import {
  Client,
  handshake,
  newAccess,
  newGuest,
  RawClient,
  RoomServer,
  until,
} from "./room_server.ts";
import { token } from "./store_contract.ts";

/** Status of the answer to `lines`, and the code in its body. */
async function answer(server: RoomServer, lines: readonly string[]) {
  using raw = await RawClient.request(server, [...lines, "Connection: close"]);
  const [status] = await raw.head();
  const match = /"code":"([a-z]+)"/.exec(await raw.rest());
  return { status: Number(status?.split(" ")[1]), code: match?.[1] ?? null };
}

function without(lines: readonly string[], header: string): string[] {
  return lines.filter((line) => !line.startsWith(`${header}:`));
}

Deno.test("upgradeToRoom() upgrades the honest request", async () => {
  await using server = new RoomServer();
  using raw = await RawClient.request(server, handshake(server, token(16)));
  const head = await raw.head();
  assertEquals(head[0], "HTTP/1.1 101 Switching Protocols");
  assert(head.some((line) => line.toLowerCase() === `sec-websocket-protocol: ${SUBPROTOCOL}`));
});

Deno.test("upgradeToRoom() accepts the subprotocol among others", async () => {
  await using server = new RoomServer();
  const lines = without(handshake(server, token(16)), "Sec-WebSocket-Protocol");
  using raw = await RawClient.request(server, [
    ...lines,
    `Sec-WebSocket-Protocol: other, ${SUBPROTOCOL}`,
  ]);
  const head = await raw.head();
  assert(head.some((line) => line.toLowerCase() === `sec-websocket-protocol: ${SUBPROTOCOL}`));
});

Deno.test("upgradeToRoom() upgrades at digits, even at those that lead nowhere", async () => {
  await using server = new RoomServer();
  for (const digits of ["0000", "48213456"]) {
    using raw = await RawClient.request(server, handshake(server, digits));
    assertEquals((await raw.head())[0], "HTTP/1.1 101 Switching Protocols");
  }
});

Deno.test("upgradeToRoom() tells why a request is refused, before any upgrade", async () => {
  await using server = new RoomServer({ allowedOrigins: ["https://pic.example"] });
  const honest = handshake(server, token(16));
  const origin = without(honest, "Origin");
  const protocol = without(honest, "Sec-WebSocket-Protocol");
  const at = (room: string) => handshake(server, room);
  const cases: Record<string, [number, string, readonly string[]]> = {
    "no upgrade": [426, "upgrade", without(honest, "Upgrade")],
    "another upgrade": [426, "upgrade", [...without(honest, "Upgrade"), "Upgrade: h2c"]],
    "no origin": [403, "origin", origin],
    "another origin": [403, "origin", [...origin, "Origin: http://evil.example"]],
    "another scheme": [403, "origin", [...origin, `Origin: https://${server.host}`]],
    "the null origin": [403, "origin", [...origin, "Origin: null"]],
    "two origins": [403, "origin", [...honest, "Origin: http://evil.example"]],
    "no subprotocol": [400, "subprotocol", protocol],
    "another subprotocol": [400, "subprotocol", [
      ...protocol,
      `Sec-WebSocket-Protocol: ${SUBPROTOCOL}0`,
    ]],
    "a room that is too short": [400, "room", at(token(15))],
    "a room that is too long": [400, "room", at(token(17))],
    "a room that is not canonical": [400, "room", at(`${"A".repeat(21)}B`)],
    "a room with an escaped slash": [400, "room", at(`${"A".repeat(20)}%2FA`)],
    "a room with an escaped line break": [400, "room", at(`${"A".repeat(22)}%0A`)],
    "three digits": [400, "room", at("482")],
    "nine digits": [400, "room", at("482134567")],
    "digits with an escaped line break": [400, "room", at("4821%0A")],
    "no version": [426, "version", without(honest, "Sec-WebSocket-Version")],
    "an old version": [426, "version", [
      ...without(honest, "Sec-WebSocket-Version"),
      "Sec-WebSocket-Version: 8",
    ]],
    "a name that was changed to lead here": [403, "origin", [
      ...without(origin, "Host"),
      "Host: evil.example",
      "Origin: http://evil.example",
    ]],
    "no key": [400, "handshake", without(honest, "Sec-WebSocket-Key")],
  };
  for (const [name, [status, code, lines]] of Object.entries(cases)) {
    assertEquals({ name, ...await answer(server, lines) }, { name, status, code });
  }
  assertEquals(server.rooms.size, 0);
});

Deno.test("upgradeToRoom() accepts a listed origin", async () => {
  await using server = new RoomServer({ allowedOrigins: ["https://pic.example"] });
  const lines = without(handshake(server, token(16)), "Origin");
  using raw = await RawClient.request(server, [...lines, "Origin: https://pic.example"]);
  assertEquals((await raw.head())[0], "HTTP/1.1 101 Switching Protocols");
});

Deno.test("upgradeToRoom() lets pages of listed origins read why, and no others", async () => {
  await using server = new RoomServer({ allowedOrigins: ["https://pic.example"] });
  const room = token(16);
  const readers = async (origin: string) => {
    const lines = without(without(handshake(server, room), "Origin"), "Upgrade");
    using raw = await RawClient.request(server, [...lines, `Origin: ${origin}`]);
    const headers = (await raw.head()).map((line) => line.toLowerCase());
    assert(headers.includes("vary: origin"), headers.join());
    return headers.filter((line) => line.startsWith("access-control-"));
  };
  assertEquals((await readers("https://pic.example")).sort(), [
    "access-control-allow-origin: https://pic.example",
    "access-control-expose-headers: retry-after",
  ]);
  assertEquals(await readers("https://evil.example"), []);
  assertEquals(await readers("null"), []);
});

Deno.test("upgradeToRoom() accepts no more sockets than its limit", async () => {
  await using server = new RoomServer({ admission: { sockets: 1 } });
  const room = token(16);
  const first = await Client.connect(server, room);
  assertEquals(await answer(server, handshake(server, room)), { status: 503, code: "busy" });
  await first[Symbol.asyncDispose]();
  await until(() => server.rooms.size === 0, "the first socket is gone");
  await using second = await Client.connect(server, room);
  assertEquals(second.socket.readyState, WebSocket.OPEN);
});

Deno.test("the route /ws/[room] makes and deletes a room", async () => {
  const app = new App<State>().get("/ws/:room", handler.GET);
  const http = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, app.handler());
  const server = { port: http.addr.port, host: `127.0.0.1:${http.addr.port}` };
  const access = newAccess();
  await using client = (await Client.create(server, access)).client;
  client.send({ t: "delete", otok: access.otok });
  assertEquals(await client.next(), { t: "gone", why: "deleted" });
  await client.closed;
  await http.shutdown();
});

Deno.test("upgradeToRoom() refuses any other method", async () => {
  const rooms = new Rooms(new MemoryRoomStore());
  for (const method of ["HEAD", "POST", "OPTIONS"]) {
    const request = new Request("http://localhost/", { method });
    const response = upgradeToRoom(request, newGuest(token(16)), { rooms });
    assertEquals([response.status, (await response.json()).code], [405, "method"]);
  }
});
