/**
 * Routes, and what happens when they break: two connections on the real server, over a network that
 * a test can cut.
 *
 * @module
 */
import { createLinkSecret } from "../../lib/e2e/link.ts";
import type { ControlMessage } from "../../lib/protocol/control.ts";
import { RelayBudget, UNLIMITED_RELAY } from "../../lib/rooms/relay_budget.ts";
import { type IceIssuer, iceIssuer } from "../../lib/ops/turn.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { settle, until, withGlobals } from "../support/fake_time.ts";
import { FakePeerConnection, withFakeRtc } from "./fake_rtc.ts";
import { Lobby } from "./lobby.ts";
import { Person } from "./person.ts";

const RELAY = iceIssuer({ servers: [], turnUrls: [], turnSecret: "", relay: true });

interface Scene {
  readonly lobby: Lobby;
  readonly sender: Person;
  readonly viewer: Person;
}

/** Two people of one link, on a server that relays encrypted records, or does not. */
function test(
  name: string,
  { relay, ice }: { readonly relay: boolean; readonly ice?: IceIssuer },
  body: (scene: Scene) => Promise<void>,
): void {
  Deno.test(name, async () => {
    using _rtc = withFakeRtc();
    await using lobby = relay ? new Lobby(RELAY, new RelayBudget(UNLIMITED_RELAY)) : new Lobby(ice);
    const secret = createLinkSecret();
    using sender = new Person("S", secret, lobby.url, relay);
    using viewer = new Person("R", secret, lobby.url, relay);
    await body({ lobby, sender, viewer });
    for (const { links } of [sender, viewer]) await links[0]?.close();
  });
}

async function meet({ sender, viewer }: Scene): Promise<void> {
  await sender.connection.start();
  await until(() => sender.seated === 1, "the sender is seated");
  await viewer.connection.start();
  await until(
    () => (sender.bound && viewer.bound) || sender.failures.length + viewer.failures.length > 0,
    "both are bound",
  );
}

const SAYINGS: readonly ControlMessage[] = Array.from({ length: 20 }, (_, n) => ({ t: "got", n }));

/** Each sends twenty messages, and each receives the other's once, in order. */
async function assertHeard({ sender, viewer }: Scene, rounds = 1): Promise<void> {
  const all = Array.from({ length: rounds }, () => SAYINGS).flat();
  await until(
    () => sender.heard.length >= all.length && viewer.heard.length >= all.length,
    "all was heard",
  );
  await settle(20);
  assertEquals([sender.heard, viewer.heard], [all, all]);
}

function talk(...people: readonly Person[]): void {
  for (const { links } of people) {
    for (const message of SAYINGS) links[0]?.sendControl(message);
  }
}

function failAll(): void {
  for (const pc of FakePeerConnection.all) if (!pc.closed) pc.fail();
}

test("without a direct route, the server relays everything, in order and whole", {
  relay: true,
}, async (scene) => {
  const { sender, viewer } = scene;
  FakePeerConnection.blocked = true;
  await meet(scene);
  assertEquals([sender.failures, viewer.failures], [[], []]);
  assertEquals(sender.links[0]?.sas, viewer.links[0]?.sas);
  talk(sender, viewer);
  const records = Array.from({ length: 40 }, (_, i) => new Uint8Array(60_000).fill(i));
  for (const record of records) await sender.links[0]?.sendRecord(record);
  await assertHeard(scene);
  await until(() => viewer.records.length === 40, "the records arrived");
  assert(viewer.records.every((record, i) => record.length === 60_000 && record[0] === i));
  assertEquals([new Set(sender.routes), new Set(viewer.routes)], [
    new Set(["server"]),
    new Set(["server"]),
  ]);
});

test("without a direct route and a relaying server, the viewer is told so", {
  relay: false,
}, async (scene) => {
  await scene.sender.connection.start();
  await until(() => scene.sender.seated === 1, "the sender is seated");
  FakePeerConnection.blocked = true;
  await scene.viewer.connection.start();
  await until(() => FakePeerConnection.all.length === 2, "both try");
  await settle(50);
  failAll();
  await until(() => scene.viewer.failures.length > 0, "the viewer reads so");
  assertEquals([scene.viewer.failures, scene.viewer.bound], [["network"], false]);
});

test(
  "a browser that has WebRTC switched off uses the server at once",
  { relay: true },
  async (scene) => {
    using _none = withGlobals({
      RTCPeerConnection: class {
        static generateCertificate(): Promise<never> {
          return Promise.reject(new DOMException("", "NotAllowedError"));
        }
      },
    });
    await meet(scene);
    talk(scene.sender, scene.viewer);
    await assertHeard(scene);
    assertEquals([...new Set([...scene.sender.routes, ...scene.viewer.routes])], ["server"]);
  },
);

for (const who of ["sender", "viewer"] as const) {
  test(`it is enough that the ${who}'s browser has it disabled`, { relay: true }, async (scene) => {
    const real = FakePeerConnection.generateCertificate;
    let first = true;
    FakePeerConnection.generateCertificate = () => {
      const off = first === (who === "sender");
      first = false;
      return off ? Promise.reject(new DOMException("", "NotAllowedError")) : real();
    };
    try {
      await meet(scene);
    } finally {
      FakePeerConnection.generateCertificate = real;
    }
    talk(scene.sender, scene.viewer);
    await assertHeard(scene);
    // The side that could connect directly keeps nothing open for it.
    assertEquals(FakePeerConnection.all.filter(({ closed }) => !closed).length, 0);
    assertEquals([...new Set([...scene.sender.routes, ...scene.viewer.routes])], ["server"]);
  });
}

test(
  "hiding the address uses the server where there is no TURN relay",
  { relay: true },
  async (scene) => {
    scene.viewer.connection.hideAddress(true);
    await meet(scene);
    talk(scene.sender, scene.viewer);
    await assertHeard(scene);
    assertEquals(FakePeerConnection.all.filter(({ remoteIsOffer }) => remoteIsOffer), []);
  },
);

test(
  "a connection that fails is repaired by ICE, on the same channels",
  { relay: false },
  async (scene) => {
    const { sender, viewer } = scene;
    await meet(scene);
    talk(sender, viewer);
    await assertHeard(scene);
    failAll();
    await until(
      () => sender.links[0]?.steady === true && viewer.links[0]?.steady === true,
      "repaired",
    );
    talk(sender, viewer);
    await assertHeard(scene, 2);
    assertEquals([sender.resumed, viewer.resumed, sender.ends, viewer.ends], [0, 0, [], []]);
    assertEquals(FakePeerConnection.all.map(({ closed }) => closed), [false, false]);
    assert(FakePeerConnection.all.some(({ restarts }) => restarts > 0), "ICE did not start over");
  },
);

test(
  "an irreparable connection continues over the server: nothing lost, nothing twice",
  { relay: true },
  async (scene) => {
    const { sender, viewer } = scene;
    await meet(scene);
    talk(sender, viewer);
    await assertHeard(scene);
    FakePeerConnection.blocked = true;
    // Half of what is under way arrives, and neither side knows which half.
    for (const { control } of FakePeerConnection.all) {
      let said = 0;
      control.tamper = (message) => said++ < 7 ? [message] : [];
    }
    talk(sender, viewer);
    await settle(20);
    failAll();
    await assertHeard(scene, 2);
    await until(() => sender.routes.at(-1) === "server", "the sender knows the way");
    assertEquals([sender.resumed, viewer.resumed, sender.ends, viewer.ends], [1, 1, [], []]);
    assert(FakePeerConnection.all.every(({ closed }) => closed), "what broke is given back");
  },
);

for (const what of ["line", "server"] as const) {
  test(
    `over the server, a ${what} that breaks costs only time`,
    { relay: true },
    async (scene) => {
      const { lobby, sender, viewer } = scene;
      FakePeerConnection.blocked = true;
      await meet(scene);
      talk(sender, viewer);
      await assertHeard(scene);
      if (what === "line") lobby.line.cut("all");
      else await lobby.restart();
      talk(sender, viewer);
      await assertHeard(scene, 2);
      assertEquals([sender.ends, viewer.ends, sender.failures, viewer.failures], [[], [], [], []]);
    },
  );
}

test(
  "a room that its sender ended is over for peers relayed by the server as well",
  { relay: true },
  async (scene) => {
    FakePeerConnection.blocked = true;
    await meet(scene);
    scene.sender.connection.end();
    await until(() => scene.viewer.ends.length > 0, "the viewer noticed");
    assertEquals(scene.viewer.ends, ["lost"]);
  },
);

for (const who of ["sender", "viewer"] as const) {
  test(
    `the ${who}'s browser reports a network change: ICE restarts at once`,
    { relay: false },
    async (scene) => {
      const { sender, viewer } = scene;
      await meet(scene);
      await settle(20);
      // Both sides get the event here; what only one of them does shows on its own socket.
      const { contacts } = scene[who];
      dispatchEvent(new Event("online"));
      await until(
        () => FakePeerConnection.all.some(({ restarts }) => restarts > 0),
        "ICE started over",
      );
      await until(() => contacts.at(-1) === true && contacts.includes(false), "a new socket");
      talk(sender, viewer);
      await assertHeard(scene);
      assertEquals([sender.ends, viewer.ends], [[], []]);
    },
  );
}

/**
 * What Chromium counts on a route that receives nothing any more: an ICE check was sent, and not
 * answered.
 */
const SILENT = {
  id: "first",
  requestsSent: 5,
  responsesReceived: 4,
  requestsReceived: 4,
  bytesReceived: 9,
};

for (const who of ["sender", "viewer"] as const) {
  test(
    `the ${who}'s route falls silent, unreported: ICE restarts over a new socket`,
    { relay: false },
    async (scene) => {
      const { sender, viewer } = scene;
      await meet(scene);
      const own = FakePeerConnection.all.find(({ remoteIsOffer }) =>
        remoteIsOffer === (who === "viewer")
      );
      assert(own !== undefined);
      own.pair = SILENT;
      const { contacts } = scene[who];
      await until(
        () => FakePeerConnection.all.some(({ restarts }) => restarts > 0),
        "ICE started over",
      );
      await until(() => contacts.at(-1) === true && contacts.includes(false), "a new socket");
      talk(sender, viewer);
      await assertHeard(scene);
      assertEquals([sender.ends, viewer.ends], [[], []]);
    },
  );
}

test(
  "a route that still receives is left alone, however long one answer takes",
  { relay: false },
  async (scene) => {
    await meet(scene);
    const [first, second] = FakePeerConnection.all;
    assert(first !== undefined && second !== undefined);
    let looks = 0;
    Object.defineProperty(first, "pair", {
      get: () => ({ ...SILENT, bytesReceived: looks++ }),
    });
    // No check is sent here, so no answer is missing.
    second.pair = { ...SILENT, responsesReceived: 5 };
    await until(() => looks > 10, "it was looked at often");
    assertEquals([first.restarts, second.restarts], [0, 0]);
    assertEquals([scene.sender.contacts, scene.viewer.contacts], [[true], [true]]);
  },
);

test(
  "another candidate pair is reported to the other side by an empty message",
  { relay: false },
  async (scene) => {
    const { sender, viewer } = scene;
    await meet(scene);
    const [first] = FakePeerConnection.all;
    assert(first !== undefined);
    const said = () => first.control.sent.filter(({ length }) => length === 0).length;
    await settle(200);
    assertEquals(said(), 0);
    first.pair = { ...SILENT, id: "second", responsesReceived: 5 };
    await until(() => said() > 0, "it was said");
    talk(sender, viewer);
    await assertHeard(scene);
    assertEquals([said(), sender.ends, viewer.ends], [1, [], []]);
  },
);

test(
  "a browser that changes to TURN by itself is shown as such, with its protocol",
  { relay: false },
  async ({ lobby, sender, viewer }) => {
    await meet({ lobby, sender, viewer });
    const own = FakePeerConnection.all.find(({ remoteIsOffer }) => !remoteIsOffer);
    assert(own !== undefined);
    const host = { candidateType: "host" };
    own.ends = { own: host, other: host };
    await until(() => sender.routes.length === 1, "the way is told");
    own.ends = { own: { candidateType: "relay", relayProtocol: "tls" }, other: host };
    await until(() => sender.routes.length === 2, "the other way is told");
    assertEquals(sender.routes, ["direct", "relayed"]);
    assertEquals(sender.connection.trace.relayProtocol, "tls");
    assertEquals(viewer.connection.trace.relayProtocol, null);
  },
);

/** Names a TURN relay whose credentials are expired after a second, then fresh ones. */
function aging(): IceIssuer {
  const turn = { servers: [], turnUrls: ["turn:a.example"], turnSecret: "a secret of both" };
  const issue = iceIssuer(turn);
  let began = NaN;
  return (guest) => {
    const message = issue(guest);
    if (Number.isNaN(began)) began = performance.now();
    const early = performance.now() - began < 1_000;
    return message === null || !early ? message : { ...message, exp: 1 };
  };
}

test(
  "a repair long after the two met has new TURN credentials at both ends",
  { relay: false, ice: aging() },
  async (scene) => {
    await meet(scene);
    const names = () =>
      FakePeerConnection.all.map(({ settings }) => settings.iceServers?.[0]?.username);
    const before = names();
    // Two pages of one address have one name, and at the same second the same expiry.
    assert(before.length === 2 && before.every((name) => name !== undefined), `${before}`);
    await new Promise((done) => setTimeout(done, 1_500));
    failAll();
    await until(
      () => FakePeerConnection.all.every(({ connectionState }) => connectionState === "connected"),
      "repaired",
    );
    const after = names();
    assert(after.every((name) => name !== undefined && !before.includes(name)), `${after}`);
  },
);
