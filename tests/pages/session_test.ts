/**
 * Two whole sessions, one in each role, on the real server and with real keys; only WebRTC and the
 * decoder are fakes. What needs a screen is in tests/browser.
 *
 * @module
 */
import { DEFAULT_RULES } from "../../lib/protocol/display_options.ts";
import { SEAT_GRACE_MS } from "../../lib/protocol/limits.ts";
import { Session } from "../../lib/pages/session.ts";
import { Decoder, type OpenPicture } from "../../lib/image/decoder.ts";
import { createLinkSecret, deriveRoom } from "../../lib/e2e/link.ts";
import type { Role } from "../../lib/e2e/transcript.ts";
import { SecureLink } from "../../lib/connection/secure_link.ts";
import { type Bytes, toBase64Url } from "../../lib/protocol/bytes.ts";
import type { ControlMessage } from "../../lib/protocol/control.ts";
import { SUBPROTOCOL } from "../../lib/protocol/limits.ts";
import { FakePeerConnection, withFakeRtc } from "../connection/fake_rtc.ts";
import { Lobby } from "../connection/lobby.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { settle, until, withGlobals } from "../support/fake_time.ts";
import { bigPng, FakeBitmap, IdleWorker, prepared, smallPng } from "../pictures/pictures.ts";

/** Decodes nothing, and counts its calls. */
class FakeDecoder extends Decoder {
  asked = 0;

  constructor() {
    super(() => new IdleWorker());
  }

  override open(): Promise<OpenPicture> {
    this.asked++;
    return Promise.resolve({
      bitmap: new FakeBitmap(),
      width: 4,
      height: 3,
      wide: false,
      render: () => Promise.resolve(new FakeBitmap()),
      close() {},
    });
  }
}

interface Person {
  readonly session: Session;
  readonly decoder: FakeDecoder;
}

function person(role: Role, secret: Bytes, server: string): Person {
  const decoder = new FakeDecoder();
  return { decoder, session: new Session({ role, secret, server, decoder }) };
}

const RULES = { ...DEFAULT_RULES, seconds: 5 };

function give({ session }: Person, bytes = smallPng()): void {
  session.outbox.list.add({ name: "x.png", prepared: prepared(bytes), rules: RULES });
}

function at({ session }: Person): string {
  const life = session.life.peek();
  return "reason" in life ? `${life.at}: ${life.reason}` : life.at;
}

function outgoing({ session }: Person): string[] {
  return session.outbox.pictures.peek().map(({ state }) => state.at);
}

function incoming({ session }: Person): string | undefined {
  return session.inbox.peek()?.picture.peek()?.state.at;
}

/** What the timeline shows, as words. */
function story({ session }: Person): string[] {
  return session.timeline.peek().map(({ what }) => {
    if (what.type === "outgoing" || what.type === "incoming") return what.picture.state.at;
    if (what.type === "ended") return `ended: ${what.reason}`;
    return what.type;
  });
}

interface Scene {
  readonly lobby: Lobby;
  readonly secret: Bytes;
  readonly sender: Person;
  readonly viewer: Person;
}

/** The grace period of two minutes takes a thousandth of that. */
function haste(): Disposable {
  const wait = globalThis.setTimeout;
  return withGlobals({
    setTimeout: (run: () => void, ms: number) => wait(run, ms === SEAT_GRACE_MS ? ms / 1_000 : ms),
  });
}

/** A sender who waits with one picture, and a viewer who has not pressed the button yet. */
function test(name: string, body: (scene: Scene) => Promise<void>): void {
  Deno.test(name, async () => {
    using _rtc = withFakeRtc();
    using _screen = withGlobals({
      screen: { width: 800, height: 600 },
      innerWidth: 800,
      innerHeight: 600,
      devicePixelRatio: 1,
    });
    await using lobby = new Lobby();
    const secret = createLinkSecret();
    const sender = person("S", secret, lobby.url);
    const viewer = person("R", secret, lobby.url);
    try {
      sender.session.start();
      await until(() => at(sender) === "waiting", "the sender waits");
      await body({ lobby, secret, sender, viewer });
    } finally {
      for (const { session } of [sender, viewer]) session.leave();
      await until(() => lobby.rooms === 0, "the room is gone");
    }
  });
}

async function live({ sender, viewer }: Scene): Promise<void> {
  viewer.session.start();
  await until(() => at(sender) === "live" && at(viewer) === "live", "both are live");
}

async function delivered(scene: Scene, bytes?: Bytes): Promise<void> {
  give(scene.sender, bytes);
  await live(scene);
  await until(() => outgoing(scene.sender)[0] === "delivered", "it is delivered");
}

async function over(scene: Scene, sender: string, viewer: string): Promise<void> {
  await until(
    () => /^(ended|failed)/.test(at(scene.sender)) && /^(ended|failed)/.test(at(scene.viewer)),
    "both are over",
  );
  assertEquals([at(scene.sender), at(scene.viewer)], [sender, viewer]);
}

test("two people meet, see the same SAS; a picture is delivered, undecoded", async (scene) => {
  const { sender, viewer } = scene;
  assertEquals([at(viewer), viewer.session.verification.peek()], ["idle", null]);
  await delivered(scene, bigPng(300_000));
  const verification = sender.session.verification.peek();
  assertEquals(verification, viewer.session.verification.peek());
  assertEquals([verification?.by, verification?.emoji.length], ["link", 7]);
  assertEquals([sender.session.compared.peek(), viewer.session.compared.peek()], [false, false]);
  await settle(20);
  assertEquals([incoming(viewer), viewer.decoder.asked], ["delivered", 0]);
  assertEquals(story(sender), ["waiting", "peer", "live", "sending", "delivered"]);
});

test("the key is sent when the viewer opens, and not before", async (scene) => {
  await delivered(scene);
  scene.viewer.session.inbox.peek()?.open();
  await until(() => outgoing(scene.sender)[0] === "opened", "it is opened");
  await until(() => scene.viewer.decoder.asked === 1, "it is decoded");
});

test("burn while waiting ends the session, and deletes the room", async ({ lobby, sender }) => {
  give(sender);
  sender.session.burn();
  assertEquals([at(sender), outgoing(sender)], ["ended: burned", ["burned"]]);
  await until(() => lobby.rooms === 0, "the room is gone");
});

test("burn while delivered: nothing is decoded, and both know why", async (scene) => {
  await delivered(scene);
  scene.sender.session.burn();
  await over(scene, "ended: burned", "ended: burned");
  assertEquals([outgoing(scene.sender), incoming(scene.viewer)], [["burned"], "revoked"]);
  assertEquals(scene.viewer.decoder.asked, 0);
  assertEquals(story(scene.sender).slice(-3), ["burned", "burned", "ended: burned"]);
});

test("burn while opened waits for the viewer's report, and ends with it", async (scene) => {
  await delivered(scene);
  scene.viewer.session.inbox.peek()?.open();
  await until(() => scene.viewer.decoder.asked === 1, "it is decoded");
  scene.sender.session.burn();
  await over(scene, "ended: burned", "ended: burned");
  assertEquals(outgoing(scene.sender), ["closed"]);
});

test("a viewer who leaves ends it for both", async (scene) => {
  await delivered(scene);
  scene.viewer.session.leave();
  await over(scene, "ended: peer_left", "ended: left");
  assertEquals([outgoing(scene.sender), incoming(scene.viewer)], [["unseen"], "lost"]);
});

test("a sender who leaves ends it for both", async (scene) => {
  await delivered(scene);
  scene.sender.session.leave();
  await over(scene, "ended: left", "ended: peer_left");
});

for (const [one, other] of [["sender", "viewer"], ["viewer", "sender"]] as const) {
  test(`a mismatch reported by the ${one} reaches the ${other}, and ends both`, async (scene) => {
    await delivered(scene);
    scene[one].session.different();
    await over(scene, "ended: mismatch", "ended: mismatch");
    assertEquals([incoming(scene.viewer), scene.viewer.decoder.asked], [
      one === "sender" ? "revoked" : "lost",
      0,
    ]);
  });

  test(`a match confirmed by the ${one} can still be revoked`, async (scene) => {
    await delivered(scene);
    scene[one].session.same();
    assertEquals(scene[one].session.compared.peek(), true);
    scene[one].session.different();
    await over(scene, "ended: mismatch", "ended: mismatch");
  });
}

test("leaving and burning a second time change nothing", async (scene) => {
  await delivered(scene);
  scene.sender.session.burn();
  scene.sender.session.leave();
  scene.sender.session.burn();
  await over(scene, "ended: burned", "ended: burned");
  assertEquals(story(scene.sender).filter((word) => word.startsWith("ended")).length, 1);
});

test("a broken connection ends both as lost; an opened picture is unconfirmed", async (scene) => {
  await delivered(scene);
  scene.viewer.session.inbox.peek()?.open();
  await until(() => scene.viewer.decoder.asked === 1, "it is decoded");
  using _haste = haste();
  FakePeerConnection.blocked = true;
  for (const pc of FakePeerConnection.all) pc.fail();
  await over(scene, "ended: lost", "ended: lost");
  assertEquals(outgoing(scene.sender), ["unconfirmed"]);
});

for (const side of ["sender", "viewer"] as const) {
  test(`a protocol violation ends both, if first detected by the ${side}`, async (scene) => {
    await delivered(scene);
    const pc = FakePeerConnection.all.find(({ closed, remoteIsOffer }) =>
      !closed && remoteIsOffer === (side === "viewer")
    );
    assert(pc !== undefined);
    pc.control.deliver(new Uint8Array(280));
    await until(() => at(scene[side]) === "ended: protocol", "it ended");
    const other = side === "sender" ? scene.viewer : scene.sender;
    await until(() => at(other) === "ended: lost", "the other one noticed");
    assertEquals(scene.viewer.decoder.asked, 0);
  });
}

for (
  const [what, message] of [
    ["keeps the session open", { t: "keep", on: true }],
    ["announces a picture that nobody asked for", {
      t: "meta",
      n: 0,
      type: "image/png",
      size: 100,
      w: 1,
      h: 1,
      view: RULES,
    }],
    ["opens what was never sent", { t: "open", n: 7 }],
    ["reports what was never shown", { t: "shown", n: 0 }],
  ] as const satisfies readonly (readonly [string, ControlMessage])[]
) {
  test(`a viewer's software that ${what} ends the session without the key`, async (scene) => {
    const { sendControl } = SecureLink.prototype;
    const links: SecureLink[] = [];
    const keys: ControlMessage[] = [];
    SecureLink.prototype.sendControl = function (message) {
      if (message.t === "got") links.push(this);
      if (message.t === "key") keys.push(message);
      return sendControl.call(this, message);
    };
    try {
      await delivered(scene);
      await links[0]?.sendControl(message);
      await until(() => at(scene.sender) === "ended: protocol", "the session ended");
      assertEquals([keys, outgoing(scene.sender)], [[], ["unseen"]]);
    } finally {
      SecureLink.prototype.sendControl = sendControl;
    }
  });
}

test("only the creator of the room says that it stays open", async (scene) => {
  await live(scene);
  scene.viewer.session.setKeep(true);
  assertEquals(scene.viewer.session.keep.peek(), false);
  scene.sender.session.setKeep(true);
  await until(() => scene.viewer.session.keep.peek(), "the viewer heard of it");
  give(scene.viewer);
  await until(() => incoming(scene.sender) === "delivered", "a picture came back");
});

test("the choice to keep it open, made before the viewer joins, reaches them", async (scene) => {
  scene.sender.session.setKeep(true);
  await live(scene);
  await until(() => scene.viewer.session.keep.peek(), "the viewer heard of it");
});

test("200 visits of one viewer leave one counted line", async (scene) => {
  const { sender, secret, lobby } = scene;
  const { rid, jtok } = await deriveRoom(secret);
  for (let i = 0; i < 200; i++) {
    const socket = new WebSocket(`${lobby.url}/ws/${toBase64Url(rid)}`, SUBPROTOCOL);
    const closed = new Promise((resolve) => socket.onclose = resolve);
    socket.onopen = () => socket.send(JSON.stringify({ t: "join", tok: toBase64Url(jtok) }));
    await until(() => at(sender) === "connecting", "the sender sees the viewer");
    socket.send(JSON.stringify({ t: "leave" }));
    await closed;
    await until(() => at(sender) === "waiting", "the sender sees the viewer leave");
  }
  const visits = sender.session.timeline.peek().map(({ what }) => what);
  assertEquals(visits, [{ type: "waiting" }, { type: "peer", here: false, times: 200 }]);
  await live(scene);
  assertEquals(story(sender), ["waiting", "peer", "live"]);
});

test("a lost contact with the server comes back; nobody is told it is over", async (scene) => {
  scene.lobby.line.cut("all");
  await until(() => !scene.sender.session.contact.peek(), "contact is lost");
  await until(() => scene.sender.session.contact.peek(), "contact is back");
  await delivered(scene);
  assertEquals(story(scene.sender)[0], "waiting");
});

test("a used link is refused to the next visitor, and the two do not notice", async (scene) => {
  await delivered(scene);
  const before = [story(scene.sender), story(scene.viewer)];
  const late = person("R", scene.secret, scene.lobby.url);
  late.session.start();
  await until(() => at(late).startsWith("failed"), "the viewer is refused");
  assertEquals(at(late), "failed: refused");
  assertEquals([story(scene.sender), story(scene.viewer)], before);
});
