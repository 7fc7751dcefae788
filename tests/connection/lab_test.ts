/**
 * Two real browsers behind real routers: in each kind of network the expected route is used, a
 * broken route is repaired or replaced, and where there is none both people are told.
 *
 * @module
 */
import { assert, assertEquals } from "../support/assert.ts";
import { fixture } from "../support/fixtures.ts";
import { assertLooksLike, looksOf, Sender, Viewer } from "../support/flow.ts";
import { REASON } from "../support/reasons.ts";
import { haste } from "../attacks/scene.ts";
import { hasTurnServer } from "../support/turn.ts";
import { type Firewall, hasLab, Lab, type LabOptions, type Nat } from "./lab.ts";

const ignore = !await hasLab() || !hasTurnServer();

/**
 * A browser needs up to 10 s to notice that a route is broken; two attempts to repair it follow.
 */
const REPAIR = { timeout: 90_000 };

/** 64 MB take two seconds on an idle machine, and a minute on a busy one. */
const WHOLE = { timeout: 240_000 };

const METRICS_TOKEN = "metrics-token-of-the-tests";

interface Scene {
  readonly lab: Lab;
  readonly sender: Sender;
  readonly viewer: Viewer;
  /** What the picture looks like on the viewer's screen. */
  assertPicture(): Promise<void>;
}

interface Setting extends LabOptions {
  readonly picture: "flat" | "png64m";
  /** JavaScript that runs in both pages before their own. */
  readonly before?: string;
}

/** What a browser logs for a socket whose network goes away. */
const UNPLUGGED = /WebSocket connection to .* failed/;

function test(name: string, setting: Setting, body: (scene: Scene) => Promise<void>): void {
  Deno.test({
    name,
    ignore,
    async fn() {
      const picture = await fixture(setting.picture);
      const env = { METRICS_TOKEN, LOG_LEVEL: "debug", ...setting.env };
      await using lab = await Lab.open({ ...setting, env });
      const [first, second] = await Promise.all([lab.browser("a"), lab.browser("b")]);
      const { before } = setting;
      const options = before === undefined ? {} : { before };
      const pages = await Promise.all([first.newPage(options), second.newPage(options)]);
      const sender = await Sender.open(pages[0], lab.url);
      // Large pictures as they are, so that the transfer takes long enough.
      await sender.sendFullSize();
      const viewer = await Viewer.open(pages[1], await sender.offer(picture, { seconds: 60 }));
      await body({
        lab,
        sender,
        viewer,
        async assertPicture() {
          assertLooksLike(await looksOf(second, await viewer.canvas()), picture);
        },
      });
      for (const page of pages) page.assertNoErrors();
    },
  });
}

/** The text of the countdown, like "59 s" or "1:00". */
function secondsOf(text: string): number {
  return (text.match(/\d+/g) ?? []).reduce((sum, part) => sum * 60 + Number(part), 0);
}

async function assertSeen({ sender, viewer, assertPicture }: Scene): Promise<void> {
  await viewer.look();
  await assertPicture();
  await viewer.closePicture();
  assertEquals(await viewer.waitReason("ended", REPAIR), REASON.done);
  assertEquals(await sender.waitReason("ended", REPAIR), REASON.done);
}

const WORDS = {
  direct: "Direct",
  relayed: "Through a relay, still encrypted",
  server: "Through this server, still encrypted",
} as const;

async function assertWay(way: keyof typeof WORDS, ...people: readonly (Sender | Viewer)[]) {
  for (const person of people) {
    await person.fieldMatching("way", new RegExp(`^${WORDS[way]}$`), REPAIR);
  }
}

const NETWORKS: readonly {
  readonly a: Nat;
  readonly b: Nat;
  readonly firewall?: Firewall;
  readonly turn: boolean;
  readonly relay?: boolean;
  /** The app's own STUN. */
  readonly stun?: boolean;
  readonly way: keyof typeof WORDS;
}[] = [
  { a: "full cone", b: "full cone", turn: false, stun: true, way: "direct" },
  { a: "full cone", b: "symmetric", turn: false, stun: true, way: "direct" },
  { a: "port restricted", b: "port restricted", turn: false, stun: true, way: "direct" },
  {
    a: "port restricted",
    b: "port restricted",
    firewall: "no udp",
    turn: false,
    stun: true,
    relay: true,
    way: "server",
  },
  { a: "full cone", b: "port restricted", turn: true, way: "direct" },
  { a: "port restricted", b: "port restricted", turn: true, way: "direct" },
  { a: "symmetric", b: "port restricted", turn: true, way: "relayed" },
  { a: "port restricted", b: "port restricted", firewall: "no udp", turn: true, way: "relayed" },
  {
    a: "port restricted",
    b: "port restricted",
    firewall: "only tcp 443",
    turn: true,
    way: "relayed",
  },
  { a: "symmetric", b: "symmetric", turn: false, relay: true, way: "server" },
  {
    a: "port restricted",
    b: "port restricted",
    firewall: "only tcp 443",
    turn: false,
    relay: true,
    way: "server",
  },
];

for (const { a, b, firewall = "open", turn, relay = false, stun = false, way } of NETWORKS) {
  const helpers = [
    turn ? "TURN" : "",
    stun ? "this server's STUN" : "",
    relay ? "this server's relay" : "",
  ].filter((name) => name);
  test(
    `${a} and ${b}, ${firewall}, with ${helpers.join(" and ")}: ${way}`,
    {
      a: { nat: a, firewall },
      b: { nat: b, firewall },
      turn,
      stun,
      picture: "flat",
      env: relay ? { RELAY: "on" } : {},
    },
    async (scene) => {
      const { lab, sender, viewer } = scene;
      await viewer.receive(REPAIR);
      await assertWay(way, sender, viewer);
      await assertSeen(scene);
      const metrics = await lab.metrics(`Bearer ${METRICS_TOKEN}`);
      assert(metrics.includes(`outcomes_total{way="${way}"} 2\n`), metrics);
      // The servers in between saw and logged nothing of them but where packets were sent.
      for (const address of ["10.1.0.2", "10.2.0.2", "100.64.1.2", "100.64.2.2"]) {
        assert(!lab.output.includes(address), `${address} was told`);
      }
    },
  );
}

const OPEN = { nat: "port restricted", firewall: "open" } as const;

test(
  "both behind symmetric NAT, no relay: both read that no route works; the link remains",
  {
    a: { nat: "symmetric", firewall: "open" },
    b: { nat: "symmetric", firewall: "open" },
    stun: true,
    picture: "flat",
    before: haste(6),
  },
  async ({ sender, viewer }) => {
    await viewer.join();
    assertEquals(await viewer.waitReason("failed", REPAIR), REASON.network);
    await sender.waitPhase("waiting", REPAIR);
  },
);

test(
  "UDP is blocked in the middle of a picture: the rest goes through the server, whole",
  {
    a: OPEN,
    b: OPEN,
    turn: "stun",
    picture: "png64m",
    env: {
      RELAY: "on",
      LIMIT_RELAY_BYTES_PER_SECOND: "100000000",
      LIMIT_RELAY_BYTES_PER_MINUTE: "9000000000",
      LIMIT_RELAY_BYTES_PER_MINUTE_PER_IP: "9000000000",
    },
  },
  async (scene) => {
    const { lab, sender, viewer } = scene;
    await viewer.join();
    await viewer.waitPhase("receiving", REPAIR);
    await assertWay("direct", sender, viewer);
    await viewer.waitFor("a part of it", () => /[1-9] ?%/.test(document.body.innerText), REPAIR);
    await lab.route("a", { ...OPEN, firewall: "no udp" });
    await viewer.waitPhase("delivered", REPAIR);
    await assertWay("server", sender, viewer);
    const metrics = await lab.metrics(`Bearer ${METRICS_TOKEN}`);
    const passed = Number(/relay_bytes_total\{to="peer"\} (\d+)/.exec(metrics)?.[1]);
    // All of it would be more, in base64url.
    assert(passed > 0 && passed < 64 * 1024 * 1024 * 4 / 3, `${passed} characters went through`);
    await assertSeen(scene);
  },
);

/** Counts, in each page, ICE restarts and the bytes of pictures that were given to connections. */
const COUNT = `{
  const counts = { restarts: 0, bytes: 0 };
  Object.defineProperty(globalThis, "__counts", { value: counts });
  const { createOffer } = RTCPeerConnection.prototype;
  RTCPeerConnection.prototype.createOffer = function (options) {
    if (options?.iceRestart) counts.restarts++;
    return createOffer.call(this, options);
  };
  const { send } = RTCDataChannel.prototype;
  RTCDataChannel.prototype.send = function (data) {
    if (this.label !== "control") counts.bytes += data.byteLength;
    return send.call(this, data);
  };
}`;

async function count(sender: Sender, what: "restarts" | "bytes"): Promise<number> {
  return Number(await sender.page.evaluate(`__counts.${what}`));
}

/** The picture was sent once; each record adds 24 bytes. */
async function assertSentOnce(sender: Sender): Promise<void> {
  const { bytes } = await fixture("png64m");
  const sent = await count(sender, "bytes");
  assert(sent > bytes && sent < bytes * 1.001, `${sent} bytes for ${bytes}`);
}

test(
  "a browser that reports a network change does a picture under way no harm",
  {
    a: OPEN,
    b: OPEN,
    turn: "stun",
    picture: "png64m",
    before: COUNT,
  },
  async (scene) => {
    const { sender, viewer } = scene;
    await viewer.join();
    await viewer.waitPhase("receiving", REPAIR);
    for (const { page } of [sender, viewer]) {
      await page.evaluate(() => void dispatchEvent(new Event("online")));
    }
    assertEquals(await viewer.phase(), "receiving");
    await viewer.waitPhase("delivered", WHOLE);
    assert(await count(sender, "restarts") > 0, "ICE did not start over");
    await assertWay("direct", sender, viewer);
    await assertSentOnce(sender);
    await assertSeen(scene);
  },
);

test(
  "another interface, unreported: a picture arrives once, and a countdown runs on",
  {
    a: OPEN,
    b: OPEN,
    turn: "stun",
    picture: "png64m",
    before: COUNT,
  },
  async (scene) => {
    const { lab, sender, viewer } = scene;
    await viewer.join();
    await viewer.waitPhase("receiving", REPAIR);
    for (const { testPage } of [sender, viewer]) testPage.allowErrors(UNPLUGGED);
    await lab.roam("b");
    assertEquals(await viewer.phase(), "receiving");
    await viewer.waitPhase("delivered", WHOLE);
    const restarts = await count(sender, "restarts");
    assert(restarts > 0, "ICE did not start over");
    await assertWay("direct", sender, viewer);
    await assertSentOnce(sender);
    await viewer.look();
    await sender.waitPhase("shown");
    const left = secondsOf(await viewer.countdown());
    await lab.roam("a");
    for (let i = 0; await count(sender, "restarts") === restarts; i++) {
      assert(i < 300, "ICE did not start over again");
      await new Promise((done) => setTimeout(done, 100));
    }
    await scene.assertPicture();
    assert(secondsOf(await viewer.countdown()) < left, "its time stood still, or began anew");
    await viewer.closePicture();
    assertEquals(await viewer.waitReason("ended", REPAIR), REASON.done);
    assertEquals(await sender.waitReason("ended", REPAIR), REASON.done);
    await sender.fieldMatching("timeline", /Closed by your friend/);
  },
);

test(
  "unplugged and plugged in while a picture is shown: the clock ran on, its end is known",
  {
    a: OPEN,
    b: OPEN,
    turn: true,
    picture: "flat",
  },
  async (scene) => {
    const { lab, sender, viewer } = scene;
    await viewer.receive(REPAIR);
    await viewer.look();
    await sender.waitPhase("shown");
    const left = secondsOf(await viewer.countdown());
    viewer.testPage.allowErrors(UNPLUGGED);
    await lab.plug("b", false);
    await viewer.waitFor(
      "a page that noticed",
      () => document.querySelector("main")?.innerText.includes("interrupted") === true,
      REPAIR,
    );
    await scene.assertPicture();
    await lab.plug("b", true);
    await viewer.waitFor(
      "a page that is connected again",
      () => document.querySelector("main")?.innerText.includes("interrupted") === false,
      REPAIR,
    );
    assert(secondsOf(await viewer.countdown()) < left, "its time stood still");
    await viewer.closePicture();
    assertEquals(await viewer.waitReason("ended", REPAIR), REASON.done);
    assertEquals(await sender.waitReason("ended", REPAIR), REASON.done);
    await sender.fieldMatching("timeline", /Closed by your friend/);
  },
);
