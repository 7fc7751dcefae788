import { createSocket } from "node:dgram";
import { openStun, StunResponder } from "../../lib/server/stun_server.ts";
import { Metrics } from "../../lib/ops/metrics.ts";
import { startApp, type TestApp } from "../support/app.ts";
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { FakeClock } from "../rooms/fake_clock.ts";

/** The shortest Binding request. */
const REQUEST = new Uint8Array([
  0,
  1,
  0,
  0,
  0x21,
  0x12,
  0xa4,
  0x42,
  ...new Array<number>(12).fill(7),
]);
const GENEROUS = { perMinute: 1_000, perMinutePerIp: 1_000 };

/** Sends `packet` to a port and resolves to the response, or to `null` after a while. */
async function ask(host: string, port: number, packet = REQUEST): Promise<Uint8Array | null> {
  const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
  const answered = Promise.withResolvers<Uint8Array | null>();
  const timer = setTimeout(() => answered.resolve(null), 1_000);
  socket.on("message", (response) => answered.resolve(new Uint8Array(response)));
  socket.send(packet, port, host);
  try {
    const response = await answered.promise;
    // The port is the one that the request came from.
    if (response !== null && response.length === 32) {
      const mapped = (response[26]! ^ 0x21) << 8 | response[27]! ^ 0x12;
      assertEquals(mapped, socket.address().port);
    }
    return response;
  } finally {
    clearTimeout(timer);
    socket.close();
  }
}

Deno.test("a client learns its address and port, by IPv4 and by IPv6", async () => {
  const server = await openStun({ host: "", port: 0, ...GENEROUS });
  try {
    const four = await ask("127.0.0.1", server.port);
    assertEquals(Array.from(four?.slice(28) ?? [], (byte, i) => byte ^ REQUEST[4 + i]!), [
      ...[127, 0, 0, 1],
    ]);
    const six = await ask("::1", server.port);
    // No IPv6 on this machine: nothing to test.
    if (six !== null) assertEquals(six.length, 44);
  } finally {
    server.close();
  }
});

Deno.test("a client that asks too often is not answered, and others are", () => {
  const clock = new FakeClock();
  const counters = new Metrics();
  const responder = new StunResponder({ perMinute: 100, perMinutePerIp: 3, counters, clock });
  const answers = (address: string, count: number) =>
    Array.from({ length: count }, () => responder.answer(REQUEST, address, 5_000))
      .filter((response) => response !== null).length;
  assertEquals(answers("192.0.2.1", 10), 3);
  assertEquals(answers("192.0.2.2", 1), 1);
  // All addresses of one subscriber count as one client.
  assertEquals(answers("2001:db8::1", 2) + answers("2001:db8::ffff:1", 2), 3);
  clock.advance(60_000);
  assertEquals(answers("192.0.2.1", 10), 3);
  assertEquals([counters.get("stun", "answered"), counters.get("stun", "limited")], [10, 15]);
});

Deno.test("many addresses together get no more than the total", () => {
  const clock = new FakeClock();
  const responder = new StunResponder({ perMinute: 50, perMinutePerIp: 3, clock });
  const answered = Array.from(
    { length: 200 },
    (_, i) => responder.answer(REQUEST, `10.0.${i >> 8}.${i & 255}`, 5_000),
  ).filter((response) => response !== null);
  assertEquals(answered.length, 50);
});

Deno.test("what is no request costs nobody anything, and is counted", () => {
  const counters = new Metrics();
  const responder = new StunResponder({ perMinute: 1, perMinutePerIp: 1, counters });
  assertEquals(responder.answer(new Uint8Array(30), "192.0.2.1", 5_000), null);
  assertEquals(responder.answer(REQUEST, "no address", 5_000), null);
  assert(responder.answer(REQUEST, "192.0.2.1", 5_000) !== null);
  assertEquals(counters.get("stun", "ignored"), 2);
});

Deno.test("an app that listens on its own machine only opens no port to others", async () => {
  await using app = await startApp();
  await told(app);
  assertMatch(app.output, /connect directly within one network; for two homes, it needs STUN/);
  assertEquals(await ask("127.0.0.1", app.port), null);
});

Deno.test("the app answers where STUN_PORT says, and logs nobody who asks", async () => {
  const port = await freeUdpPort();
  const env = { STUN_PORT: String(port), LOG_LEVEL: "debug" };
  await using app = await startApp({ env });
  await told(app);
  assertMatch(app.output, /connect directly from most homes/);
  assertEquals((await ask("127.0.0.1", port))?.length, 32);
  assertEquals(await ask("127.0.0.1", port, new Uint8Array(40)), null);
  assertEquals(app.output.split("\n").filter((line) => line.startsWith("{")), []);
});

Deno.test("a port that is taken is reported, and everything else works", async () => {
  const taken = await openStun({ host: "", port: 0, ...GENEROUS });
  try {
    await using app = await startApp({ env: { STUN_PORT: String(taken.port) } });
    await told(app);
    assertMatch(app.output, /"no STUN: its UDP port can't be used","reason":"EADDRINUSE"/);
    assertMatch(app.output, /connect directly within one network/);
    const response = await fetch(`${app.url}/healthz`);
    assertEquals([response.ok, await response.text() !== ""], [true, true]);
  } finally {
    taken.close();
  }
});

async function freeUdpPort(): Promise<number> {
  const server = await openStun({ host: "", port: 0, ...GENEROUS });
  server.close();
  return server.port;
}

/** Waits until the app has said what it can bring together, which is the last thing it prints. */
async function told(app: TestApp): Promise<void> {
  for (let i = 0; i < 100 && !app.output.includes("connect directly"); i++) await pause(100);
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}
