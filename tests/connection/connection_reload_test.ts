import { ViewerHandshake } from "../../lib/e2e/handshake.ts";
import { loadKem } from "../../lib/e2e/kem.ts";
import { createLinkSecret, deriveRoom } from "../../lib/e2e/link.ts";
import { makeReloadNotice } from "../../lib/e2e/reload_notice.ts";
import { randomBytes } from "../../lib/e2e/suite.ts";
import { type Bytes, concat, toBase64Url } from "../../lib/protocol/bytes.ts";
import { HANDSHAKE, MODE, NOTICE_LENGTH } from "../../lib/protocol/handshake.ts";
import { RECORD } from "../../lib/protocol/record.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { FakeTime, settle, until } from "../support/fake_time.ts";
import { type EvilServer, withEvilServer } from "./evil_server.ts";
import { FakePeerConnection, withFakeRtc } from "./fake_rtc.ts";
import { Lobby } from "./lobby.ts";
import { Person } from "./person.ts";

/** Two peers who are bound over a real server. */
async function bound(lobby: Lobby) {
  const secret = createLinkSecret();
  const sender = new Person("S", secret, lobby.url);
  const viewer = new Person("R", secret, lobby.url);
  await sender.connection.start();
  await until(() => sender.seated === 1, "the sender is seated");
  await viewer.connection.start();
  await until(() => sender.bound && viewer.bound, "both are bound");
  return { secret, sender, viewer };
}

async function assertTalk(a: Person, b: Person): Promise<void> {
  for (const [from, to] of [[a, b], [b, a]] as const) {
    const before = to.heard.length;
    await from.links.at(-1)?.sendControl({ t: "more", n: 0 });
    await until(() => to.heard.length > before, "it was heard");
  }
}

/** Ways in which a page goes: its connection is closed, or nothing comes any more. */
const GONE: Readonly<Record<string, (page: Person) => void>> = {
  "is closed": (page) => page.vanish(),
  "is killed": () => {
    for (const { channels } of FakePeerConnection.all) {
      for (const channel of channels) channel.tamper = () => [];
    }
  },
};

for (const [role, how] of [["S", "is closed"], ["S", "is killed"], ["R", "is closed"]] as const) {
  Deno.test(`${role}'s page ${how} and reloads: both bind anew, once that is done`, async () => {
    using _rtc = withFakeRtc();
    await using lobby = new Lobby();
    const { secret, sender, viewer } = await bound(lobby);
    using _sender = sender;
    using _viewer = viewer;
    const [gone, other] = role === "S" ? [sender, viewer] : [viewer, sender];
    GONE[how]?.(gone);
    FakePeerConnection.all = [];
    using page = new Person(role, secret, lobby.url, false, gone);
    await page.connection.start();
    await until(() => page.bound && other.links.length === 2, "both are bound again");
    assertEquals([page.links[0]?.resumed, other.links.map(({ resumed }) => resumed)], [true, [
      false,
      true,
    ]]);
    assertEquals([other.replaced, other.links[0]?.ended], [1, true]);
    // The session's pictures stay: others would be another try for somebody in between.
    const [first, second] = other.links;
    assertEquals([page.links[0]?.sas, second?.sas], [first?.sas, first?.sas]);
    assertEquals(page.links[0]?.by, "link");
    assertEquals([page.failures, other.failures, lobby.rooms], [[], [], 1]);
    await assertTalk(page, other);
  });
}

Deno.test("both pages reload, one after the other and at once", async () => {
  using _rtc = withFakeRtc();
  await using lobby = new Lobby();
  const { secret, sender, viewer } = await bound(lobby);
  using _sender = sender;
  using _viewer = viewer;
  using sender2 = new Person("S", secret, lobby.url, false, sender);
  using viewer2 = new Person("R", secret, lobby.url, false, viewer);
  await Promise.all([sender2.connection.start(), viewer2.connection.start()]);
  await until(() => sender2.bound && viewer2.bound, "both are bound again");
  await assertTalk(sender2, viewer2);
  using viewer3 = new Person("R", secret, lobby.url, false, viewer2);
  await viewer3.connection.start();
  await until(() => viewer3.bound && sender2.links.length === 2, "and again");
  await assertTalk(sender2, viewer3);
});

Deno.test("what a page keeps is saved before the other side can be bound to it", () =>
  withEvilServer(async ({ sender, viewer, server }) => {
    const kept = { S: false, R: false };
    server.relay = (message) => {
      if (message[0] === HANDSHAKE.offer) kept.S = Boolean(sender.kept.resumed);
      if (message[0] === HANDSHAKE.answer) kept.R = Boolean(viewer.kept.resumed);
      return [message];
    };
    server.introduce();
    await until(() => sender.bound && viewer.bound, "both are bound");
    assertEquals(kept, { S: true, R: true });
    assertEquals(sender.kept.resumed?.resume, viewer.kept.resumed?.resume);
  }));

Deno.test("a sender who is bound a moment before the viewer is found again by the viewer", () =>
  withEvilServer(async ({ sender, viewer, server }) => {
    server.relay = (message) => {
      // The sender's binding gets lost, and then the viewer's socket.
      const pc = FakePeerConnection.all.find(({ remoteIsOffer }) => !remoteIsOffer);
      if (message[0] === HANDSHAKE.answer && pc !== undefined) pc.control.tamper = () => [];
      return [message];
    };
    server.introduce();
    await until(() => sender.bound, "the sender is bound");
    assertEquals(viewer.bound, false);
    server.relay = (message) => [message];
    FakePeerConnection.all.length = 0;
    server.say("R", { t: "peer", up: false, by: "lost" });
    server.say("R", { t: "peer", up: true, by: "resume" });
    await until(() => viewer.bound && sender.links.length === 2, "both are bound");
    assertEquals([sender.failures, viewer.failures], [[], []]);
    await assertTalk(sender, viewer);
  }));

// Attacks on two peers who are bound

async function underAttack(
  attack: (tools: { sender: Person; viewer: Person; server: EvilServer }) => Promise<void>,
): Promise<void> {
  await withEvilServer(async (tools) => {
    const { sender, viewer, server } = tools;
    // While a code is valid, a sender turns away visitors who do not prove themselves.
    const rtok = toBase64Url(randomBytes(32));
    server.say("S", { t: "created", exp: 600, rtok, code: "4821" });
    await until(() => sender.codes.length > 0, "the code is out");
    server.introduce();
    await until(() => sender.bound && viewer.bound, "both are bound");
    await settle(20);
    await attack(tools);
    await settle(20);
    assertEquals([sender.failures, viewer.failures, sender.turnedAway], [[], [], []]);
    assertEquals([sender.links.length, viewer.links.length], [1, 1]);
    assertEquals([sender.replaced, viewer.replaced, sender.ends, viewer.ends], [0, 0, [], []]);
    await assertTalk(sender, viewer);
  });
}

/** The sender's answer to an M1, if any. */
async function answerTo(server: EvilServer, commit: Bytes): Promise<Bytes | null> {
  let answer: Bytes | null = null;
  server.relay = (message, from) => {
    if (from === "S" && message[0] === HANDSHAKE.helloS) answer = message;
    return [];
  };
  server.inject("S", commit);
  await settle(60);
  return answer;
}

Deno.test("a visitor with the link gets no answer from a sender who is bound", () =>
  underAttack(async ({ sender, server }) => {
    const { rid, psk } = await deriveRoom(sender.secret);
    const own = { fingerprint: randomBytes(32), kem: await loadKem() };
    const thief = await ViewerHandshake.start({ secret: { room: rid, psk }, ...own });
    assertEquals(await answerTo(server, thief.commit), null);
  }));

Deno.test("a visitor who falsely claims to come back learns and disturbs nothing", () =>
  underAttack(async ({ sender, server }) => {
    const { psk } = await deriveRoom(sender.secret);
    const own = { fingerprint: randomBytes(32), kem: await loadKem() };
    // The most that somebody with the link can do.
    const secret = { resume: psk, by: "link", sas: randomBytes(6) } as const;
    const stranger = await ViewerHandshake.start({ secret, ...own });
    assertEquals(stranger.commit[2], MODE.resume);
    const helloS = await answerTo(server, stranger.commit);
    assert(helloS !== null, "a sender can't know yet");
    let offers = 0;
    server.relay = (message, from) => {
      if (from === "S" && message[0] === HANDSHAKE.offer) offers++;
      return [];
    };
    server.inject("S", await stranger.receiveHello(helloS));
    await settle(60);
    assertEquals(offers, 0);
    server.relay = (message) => [message];
  }));

/** What the server may say in the name of a sender whose page was reloaded. */
const NOTICES: Readonly<Record<string, (viewer: Person) => Promise<Bytes> | Bytes>> = {
  "of two bytes": () => new Uint8Array([HANDSHAKE.reloaded, 1]),
  invented: () => concat(new Uint8Array([HANDSHAKE.reloaded, 1]), randomBytes(NOTICE_LENGTH - 2)),
  "of another session": () => makeReloadNotice(randomBytes(32)),
  // The connection answers, so it is not true now.
  "that was held back": ({ kept }) => makeReloadNotice(kept.resumed!.resume),
};

for (const [what, make] of Object.entries(NOTICES)) {
  Deno.test(`a notice ${what} does not make a viewer who is bound start over`, () =>
    underAttack(async ({ viewer, server }) => {
      const said = server.seen.length;
      const notice = await make(viewer);
      for (let i = 0; i < 3; i++) server.inject("R", notice);
      await settle(60);
      assertEquals(server.seen.length, said);
    }));
}

Deno.test("a true notice, with M4 withheld: the attempt is dropped, the link is not", () =>
  withEvilServer(async ({ sender, viewer, server }) => {
    server.introduce();
    await until(() => sender.bound && viewer.bound, "both are bound");
    using time = new FakeTime();
    // Whatever is asked over the link gets lost, so the notice is believed.
    const { control } = FakePeerConnection.all.find(({ remoteIsOffer }) => remoteIsOffer)!;
    control.tamper = () => [];
    const steps: number[] = [];
    server.relay = (message) => {
      steps.push(message[0] ?? -1);
      return message[0] === HANDSHAKE.offer ? [] : [message];
    };
    for (let i = 0; i < 18; i++) {
      steps.length = 0;
      const notice = await makeReloadNotice(viewer.kept.resumed!.resume);
      server.inject("R", notice);
      const probes = () => control.sent.filter(([type]) => type === RECORD.probe).length;
      await until(() => probes() === i + 1, "the viewer asked over the link");
      await settle();
      // The link does not answer; then the viewer waits whether another M2 follows.
      await time.advance(1_500);
      await until(() => steps.includes(HANDSHAKE.helloS), "it began");
      // The same one again is none.
      server.inject("R", notice);
      await settle(20);
      await time.advance(1_000);
      await until(() => i >= 16 || steps.includes(HANDSHAKE.offer), "it got as far as M4");
      await time.advance(1_500);
      assertEquals(steps.filter((type) => type === HANDSHAKE.commit).length, 1);
    }
    for (let i = 0; i < 6; i++) {
      await time.advance(20_000);
      for (const role of ["S", "R"] as const) server.say(role, { t: "ping" });
    }
    assertEquals([sender.links.length, viewer.links.length], [1, 1]);
    assertEquals([sender.replaced, viewer.replaced, sender.ends, viewer.ends], [0, 0, [], []]);
    assertEquals([sender.failures, viewer.failures], [[], []]);
    control.tamper = (message) => [message];
    await assertTalk(sender, viewer);
    assertEquals(FakePeerConnection.all.filter(({ closed }) => !closed).length, 2);
  }));

Deno.test("replaying an earlier handshake ends nothing", () =>
  withEvilServer(async ({ sender, viewer, server }) => {
    const said: Bytes[] = [];
    server.relay = (message, from) => {
      if (from === "R") said.push(message);
      return [message];
    };
    server.introduce();
    await until(() => sender.bound && viewer.bound, "both are bound");
    server.relay = () => [];
    for (const message of said) server.inject("S", message.with(2, MODE.resume));
    for (const message of said) server.inject("S", message);
    await settle(60);
    assertEquals([sender.failures, sender.links.length, sender.replaced], [[], 1, 0]);
    await assertTalk(sender, viewer);
  }));
