/**
 * Ways through, and what happens where they break: two connectors on the real server, over a
 * network that a test can kill.
 *
 * @module
 */
import { createLinkSecret } from "../../lib/e2e/link.ts";
import type { ControlMessage } from "../../lib/protocol/control.ts";
import { RelayBudget, type RelayLimits } from "../../lib/rooms/relay_budget.ts";
import { type IceIssuer, iceIssuer } from "../../lib/ops/turn.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { settle, until, withGlobals } from "../support/fake_time.ts";
import { FakePeerConnection, withFakeRtc } from "./fake_rtc.ts";
import { Lobby } from "./lobby.ts";
import { Person } from "./person.ts";

const AMPLE: RelayLimits = { bytes: Infinity, bytesPerSecond: Infinity, seconds: 3_600 };

const RELAY = iceIssuer({ servers: [], turnUrls: [], turnSecret: "", relay: true });

interface Scene {
  readonly lobby: Lobby;
  readonly sender: Person;
  readonly viewer: Person;
}

/** Two people of one link, on a server that passes encrypted records on, or does not. */
function test(
  name: string,
  { relay, ice }: { readonly relay: boolean; readonly ice?: IceIssuer },
  body: (scene: Scene) => Promise<void>,
): void {
  Deno.test(name, async () => {
    using _rtc = withFakeRtc();
    await using lobby = relay ? new Lobby(RELAY, new RelayBudget(AMPLE)) : new Lobby(ice);
    const secret = createLinkSecret();
    using sender = new Person("S", secret, lobby.url, relay);
    using viewer = new Person("R", secret, lobby.url, relay);
    await body({ lobby, sender, viewer });
    for (const { links } of [sender, viewer]) await links[0]?.close();
  });
}

async function meet({ sender, viewer }: Scene): Promise<void> {
  await sender.connector.start();
  await until(() => sender.seated === 1, "the sender is seated");
  await viewer.connector.start();
  await until(
    () => (sender.bound && viewer.bound) || sender.failures.length + viewer.failures.length > 0,
    "both are bound",
  );
}

const SAYINGS: readonly ControlMessage[] = Array.from({ length: 20 }, (_, n) => ({ t: "got", n }));

/** Each says twenty things, and each hears them once, in order. */
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

test("where nothing gets through directly, the server passes it on, in order and whole", {
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

test("where nothing gets through and the server passes nothing on, the viewer reads so", {
  relay: false,
}, async (scene) => {
  await scene.sender.connector.start();
  await until(() => scene.sender.seated === 1, "the sender is seated");
  FakePeerConnection.blocked = true;
  await scene.viewer.connector.start();
  await until(() => FakePeerConnection.all.length === 2, "both try");
  await settle(50);
  failAll();
  await until(() => scene.viewer.failures.length > 0, "the viewer reads so");
  assertEquals([scene.viewer.failures, scene.viewer.bound], [["network"], false]);
});

test(
  "a browser that has WebRTC switched off goes there at once",
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
  test(`it is enough that the ${who}'s has it switched off`, { relay: true }, async (scene) => {
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
    // The one who could connect directly keeps nothing open for it.
    assertEquals(FakePeerConnection.all.filter(({ closed }) => !closed).length, 0);
    assertEquals([...new Set([...scene.sender.routes, ...scene.viewer.routes])], ["server"]);
  });
}

test(
  "who hides his address goes over the server where there is no other relay",
  { relay: true },
  async (scene) => {
    scene.viewer.connector.hideAddress(true);
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
  "a connection that can't be repaired goes on over the server: nothing is lost, nothing comes twice",
  { relay: true },
  async (scene) => {
    const { sender, viewer } = scene;
    await meet(scene);
    talk(sender, viewer);
    await assertHeard(scene);
    FakePeerConnection.blocked = true;
    // Half of what is under way arrives, and nobody knows which half.
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
    `over the server, a ${what} that breaks costs nothing but time`,
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
  "a room that its sender ended is over for who went through the server",
  { relay: true },
  async (scene) => {
    FakePeerConnection.blocked = true;
    await meet(scene);
    scene.sender.connector.end();
    await until(() => scene.viewer.ends.length > 0, "the viewer noticed");
    assertEquals(scene.viewer.ends, ["lost"]);
  },
);

for (const who of ["sender", "viewer"] as const) {
  test(
    `the ${who}'s browser says that it is in another network: ICE starts over at once, before anything is known to be dead`,
    { relay: false },
    async (scene) => {
      const { sender, viewer } = scene;
      await meet(scene);
      await settle(20);
      // Both hear it here; what only one does shows on his own socket.
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
 * What Chromium counts on a way by which nothing comes any more: a question of ICE was asked, and
 * not answered.
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
    `the ${who}'s way falls silent, though no browser says a word: ICE starts over, over a new socket`,
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
  "a way by which anything comes is left alone, however long one answer takes",
  { relay: false },
  async (scene) => {
    await meet(scene);
    const [first, second] = FakePeerConnection.all;
    assert(first !== undefined && second !== undefined);
    let looks = 0;
    Object.defineProperty(first, "pair", {
      get: () => ({ ...SILENT, bytesReceived: looks++ }),
    });
    // Nothing is asked here, so nothing is missing.
    second.pair = { ...SILENT, responsesReceived: 5 };
    await until(() => looks > 10, "it was looked at often");
    assertEquals([first.restarts, second.restarts], [0, 0]);
    assertEquals([scene.sender.contacts, scene.viewer.contacts], [[true], [true]]);
  },
);

test(
  "another pair of addresses is shown to the other side by a message that says nothing",
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
  "a browser that goes over to its relay by itself is told as such, with what the relay is reached over",
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
    assertEquals(sender.connector.trace.relayProtocol, "tls");
    assertEquals(viewer.connector.trace.relayProtocol, null);
  },
);

/** Names a TURN relay whose credentials are too old after a second, and later ones that are not. */
function aging(): IceIssuer {
  const turn = { servers: [], turnUrls: ["turn:a.example"], turnSecret: "a secret of both" };
  const issue = iceIssuer(turn);
  let began = NaN;
  return () => {
    const message = issue();
    if (Number.isNaN(began)) began = performance.now();
    const early = performance.now() - began < 1_000;
    return message === null || !early ? message : { ...message, exp: 1 };
  };
}

test(
  "a repair long after the two met has new credentials for the relay, at both ends",
  { relay: false, ice: aging() },
  async (scene) => {
    await meet(scene);
    const names = () =>
      FakePeerConnection.all.map(({ settings }) => settings.iceServers?.[0]?.username);
    const before = names();
    assertEquals(new Set(before).size, 2);
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
