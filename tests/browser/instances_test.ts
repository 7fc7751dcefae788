/**
 * Two people in real browsers, connected to two instances of the app behind one address, with a
 * Redis between them.
 *
 * @module
 */
import { startApp, type TestApp } from "../support/app.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { Balancer } from "../support/balancer.ts";
import { type PageOptions, type TestBrowser, withBrowser } from "../support/browser.ts";
import { fixture } from "../support/fixtures.ts";
import { assertLooksLike, looksOf, Sender, Viewer } from "../support/flow.ts";
import { REASON } from "../support/reasons.ts";
import { noRedis, TestRedis } from "../support/redis.ts";

/**
 * Time for a lost connection to come back: several attempts with pauses in between, on a busy
 * machine.
 */
const PATIENT = { timeout: 90_000 };

interface Stage {
  readonly redis: TestRedis;
  readonly first: TestApp;
  readonly second: TestApp;
  readonly balancer: Balancer;
  readonly browser: TestBrowser;
}

function test(
  title: string,
  body: (stage: Stage) => Promise<void>,
  more: Readonly<Record<string, string>> = {},
): void {
  Deno.test({
    name: `two instances: ${title}`,
    ignore: noRedis,
    async fn() {
      await using redis = await TestRedis.start();
      const env = { REDIS_URL: redis.url, ...more };
      await using first = await startApp({ env });
      await using second = await startApp({ env });
      await using balancer = new Balancer([first, second]);
      await withBrowser((browser) => body({ redis, first, second, balancer, browser }));
    },
  });
}

/**
 * A sender who waits at the first instance, and a viewer with the link whose socket will be at the
 * second.
 */
async function apart({ first, second, balancer, browser }: Stage, options: PageOptions = {}) {
  balancer.prefer(first);
  const sender = await Sender.open(await browser.newPage(options), balancer.url);
  const picture = await fixture("flat");
  const link = await sender.offer(picture, { seconds: 3 });
  balancer.prefer(second);
  const viewer = await Viewer.open(await browser.newPage(options), link);
  return { sender, viewer, picture };
}

/** Views the delivered picture, to the end of the session. */
async function finish(sender: Sender, viewer: Viewer): Promise<void> {
  await viewer.look(PATIENT);
  assertEquals(await viewer.waitReason("ended", PATIENT), REASON.done);
  assertEquals(await sender.waitReason("ended", PATIENT), REASON.done);
}

test("a whole session between people at different instances", async (stage) => {
  const { sender, viewer, picture } = await apart(stage);
  await viewer.receive(PATIENT);
  await sender.waitPhase("delivered", PATIENT);
  // Both sockets are open, and Redis holds each seat for a different instance.
  const keys = (await stage.redis.keys()).filter((key) => key.endsWith(":room"));
  assertEquals(keys.length, 1);
  const holders = await stage.redis.command("HMGET", keys[0] ?? "", "sender.at", "viewer.at");
  assert(Array.isArray(holders) && holders.every((at) => typeof at === "string"));
  assert(holders[0] !== holders[1], "both people are at the same instance");
  await viewer.look(PATIENT);
  assertLooksLike(await looksOf(stage.browser, await viewer.canvas()), picture);
  assertEquals(await viewer.waitReason("ended", PATIENT), REASON.done);
  assertEquals(await sender.waitReason("ended", PATIENT), REASON.done);
});

test("an instance is killed during the handshake; the two meet at the other", async (stage) => {
  const { sender, viewer } = await apart(stage);
  await viewer.join();
  await stage.first.stop("SIGKILL");
  await viewer.waitPhase("delivered", PATIENT);
  await finish(sender, viewer);
});

test("Redis comes back empty while a sender waits: the link still works", async (stage) => {
  const { sender, viewer } = await apart(stage);
  await stage.redis.stop();
  await stage.redis.start();
  const room = async () => (await stage.redis.keys()).some((key) => key.endsWith(":room"));
  const end = performance.now() + PATIENT.timeout;
  while (!await room()) {
    assert(performance.now() < end, "The sender did not make the room again");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await viewer.receive(PATIENT);
  await finish(sender, viewer);
});

test("Redis fails after a picture was delivered: it is opened and seen", async (stage) => {
  const { sender, viewer } = await apart(stage);
  await viewer.receive(PATIENT);
  await sender.waitPhase("delivered", PATIENT);
  await stage.redis.stop();
  await finish(sender, viewer);
});

const METRICS_TOKEN = "metrics-token-of-the-tests";

/**
 * Characters of the encrypted relay that an instance passed on, to its own clients and to others
 * through Redis.
 */
async function relayed({ metricsUrl }: TestApp): Promise<number> {
  const headers = { authorization: `Bearer ${METRICS_TOKEN}` };
  const text = await (await fetch(metricsUrl, { headers })).text();
  return Number(/relay_bytes_total\{to="peer"\} (\d+)/.exec(text)?.[1]);
}

test(
  "where no other route works, a picture goes through both instances and Redis, whole",
  async (stage) => {
    const { first, second, redis, browser } = stage;
    const { sender, viewer, picture } = await apart(stage, {
      before: "delete globalThis.RTCPeerConnection;",
    });
    await viewer.receive(PATIENT);
    await sender.waitPhase("delivered", PATIENT);
    for (const person of [sender, viewer]) {
      await person.fieldMatching("way", /^Through this server, still encrypted$/, PATIENT);
    }
    const [room = ""] = (await redis.keys()).filter((key) => key.endsWith(":room"));
    const holders = await redis.command("HMGET", room, "sender.at", "viewer.at");
    assert(Array.isArray(holders) && holders[0] !== holders[1], "both are at the same instance");
    const passed = [await relayed(first), await relayed(second)];
    assert(passed.every((characters) => characters > 0), `${passed} characters went through`);
    assert(Math.max(...passed) > picture.bytes, `${passed} characters went through`);
    await viewer.look(PATIENT);
    assertLooksLike(await looksOf(browser, await viewer.canvas()), picture);
    assertEquals(await viewer.waitReason("ended", PATIENT), REASON.done);
    assertEquals(await sender.waitReason("ended", PATIENT), REASON.done);
  },
  { RELAY: "on", METRICS_TOKEN },
);
