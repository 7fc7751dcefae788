import { createLinkSecret } from "../../lib/e2e/link.ts";
import type { Bytes } from "../../lib/protocol/bytes.ts";
import { CLOSE } from "../../lib/protocol/close_codes.ts";
import { HANDSHAKE } from "../../lib/protocol/handshake.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { FakeTime, settle, until, withGlobals } from "../support/fake_time.ts";
import { FakePeerConnection, withFakeRtc } from "./fake_rtc.ts";
import { Lobby } from "./lobby.ts";
import { type EvilServer, withEvilServer } from "./evil_server.ts";
import { Person } from "./person.ts";

/** Sender and viewer of one link, on a real server; the sender has taken their seat. */
async function couple(lobby: Lobby) {
  const secret = createLinkSecret();
  const sender = new Person("S", secret, lobby.url);
  const viewer = new Person("R", secret, lobby.url);
  await sender.connection.start();
  await until(() => sender.seated === 1, "the sender is seated");
  return { secret, sender, viewer };
}

async function allBound(...people: readonly Person[]): Promise<void> {
  await until(() => people.every(({ bound }) => bound), "both are bound");
}

Deno.test("two connections with one link find each other, and are bound once", async () => {
  using _rtc = withFakeRtc();
  await using lobby = new Lobby();
  const { sender, viewer } = await couple(lobby);
  using _sender = sender;
  using _viewer = viewer;
  assertEquals([sender.peers, sender.bound], [[], false]);
  await viewer.connection.start();
  await allBound(sender, viewer);
  assertEquals(sender.links[0]?.sas, viewer.links[0]?.sas);
  assertEquals([sender.peers, viewer.peers], [[true], [true]]);
  assertEquals([sender.failures, viewer.failures, sender.links.length], [[], [], 1]);
});

Deno.test("a viewer with another link is refused, unnoticed by the sender", async () => {
  using _rtc = withFakeRtc();
  await using lobby = new Lobby();
  const { sender } = await couple(lobby);
  using _sender = sender;
  using stranger = new Person("R", createLinkSecret(), lobby.url);
  await stranger.connection.start();
  await until(() => stranger.failures.length > 0, "the stranger was refused");
  assertEquals([stranger.failures, stranger.peers], [["refused"], []]);
  assertEquals([sender.peers, sender.failures], [[], []]);
});

Deno.test("once bound, a server that goes down or lies changes nothing", async () => {
  using _rtc = withFakeRtc();
  await using lobby = new Lobby();
  const { sender, viewer } = await couple(lobby);
  using _sender = sender;
  using _viewer = viewer;
  await viewer.connection.start();
  await allBound(sender, viewer);
  await lobby.restart();
  await until(() => [sender, viewer].every(({ seated }) => seated === 2), "both are seated again");
  await settle(20);
  assertEquals([sender.links.length, viewer.links.length], [1, 1]);
  assertEquals([sender.failures, viewer.failures], [[], []]);
  assertEquals(FakePeerConnection.all.map(({ closed }) => closed), [false, false]);
});

Deno.test("a sender who ends deletes the room, and waiting visitors are told", async () => {
  using _rtc = withFakeRtc();
  await using lobby = new Lobby();
  const { secret, sender } = await couple(lobby);
  assertEquals(lobby.rooms, 1);
  sender.connection.end();
  sender.connection.end();
  await until(() => lobby.rooms === 0, "the room is gone");
  using viewer = new Person("R", secret, lobby.url);
  await viewer.connection.start();
  await until(() => viewer.failures.length > 0, "the viewer was refused");
  assertEquals([viewer.failures, sender.failures], [["refused"], []]);
});

Deno.test("end() overwrites the link's secret, whether it had been used or not", async () => {
  using _rtc = withFakeRtc();
  await using lobby = new Lobby();
  const { sender } = await couple(lobby);
  using unused = new Person("S", createLinkSecret(), lobby.url);
  using starting = new Person("S", createLinkSecret(), lobby.url);
  const started = starting.connection.start();
  for (const person of [sender, unused, starting]) person.connection.end();
  await started;
  for (const person of [sender, unused, starting]) {
    assertEquals(person.secret, new Uint8Array(32));
    assertEquals(person.failures, []);
  }
  assertEquals([starting.seated, unused.seated], [0, 0]);
});

Deno.test("a failure overwrites the link's secret as well", async () => {
  using _rtc = withFakeRtc();
  await using lobby = new Lobby();
  using stranger = new Person("R", createLinkSecret(), lobby.url);
  await stranger.connection.start();
  await until(() => stranger.failures.length > 0, "the stranger was refused");
  assertEquals(stranger.secret, new Uint8Array(32));
});

Deno.test("WebRTC that exists but is switched off is named as the reason", async () => {
  using _rtc = withGlobals({
    RTCPeerConnection: class {
      static generateCertificate = () => Promise.reject(new DOMException("", "NotSupportedError"));
    },
  });
  using person = new Person("S", createLinkSecret(), "ws://127.0.0.1:9");
  await person.connection.start();
  assertEquals([person.failures, person.secret], [["no_webrtc"], new Uint8Array(32)]);
});

// The server as the attacker

Deno.test("the attacker's server, when it behaves, brings two people together", () =>
  withEvilServer(async ({ sender, viewer, server }) => {
    server.introduce();
    await allBound(sender, viewer);
    const steps = server.seen.slice(0, 4).map(([from, type]) => `${from}${type}`);
    assertEquals(steps, ["R1", "S2", "R3", "S4"]);
  }));

for (
  // Candidates and recovery are not part of the handshake.
  const [name, type] of Object.entries(HANDSHAKE).slice(0, 5)
) {
  for (
    const [how, change] of [
      ["changed", (message: Bytes) => [message.with(-1 + message.length, message.at(-1)! ^ 1)]],
      ["cut", (message: Bytes) => [message.slice(0, -1)]],
      ["repeated", (message: Bytes) => [message, message]],
    ] as const
  ) {
    if (how === "repeated" && (type === HANDSHAKE.commit || type === HANDSHAKE.answer)) continue;
    Deno.test(`a server that relays a ${name} ${how} gets no link between the two`, () =>
      withEvilServer(async ({ sender, viewer, server }) => {
        server.relay = (message) => message[0] === type ? change(message) : [message];
        server.introduce();
        await until(() => sender.failures.length + viewer.failures.length > 0, "it was noticed");
        const failures = [...sender.failures, ...viewer.failures];
        assertEquals(failures[0], "verification");
        if (how !== "repeated") assertEquals([sender.bound, viewer.bound], [false, false]);
      }));
  }
}

Deno.test("a commit that arrives twice starts over, and the two are bound once", () =>
  withEvilServer(async ({ sender, viewer, server }) => {
    let copies = 2;
    server.relay = (message) => {
      if (message[0] !== HANDSHAKE.commit) return [message];
      return Array.from({ length: copies-- }, () => message);
    };
    server.introduce();
    await until(
      () => (sender.bound && viewer.bound) || sender.failures.length + viewer.failures.length > 0,
      "it came to an end",
    );
    assertEquals([sender.links.length, viewer.links.length], [1, 1]);
  }));

Deno.test("a server that plays the viewer without the link learns no SDP, no address", () =>
  withEvilServer(async ({ sender, viewer, server }) => {
    server.introduce();
    await until(() => sender.failures.length > 0, "the sender gave up");
    assertEquals([sender.failures, sender.bound, viewer.bound], [["verification"], false, false]);
    assert(!server.seen.some(([from, type]) => from === "S" && type > HANDSHAKE.helloS));
  }, { s: createLinkSecret(), r: createLinkSecret() }));

for (
  const [name, message] of [
    ["junk", new Uint8Array(40).fill(9)],
    ["an empty message", new Uint8Array([0])],
    ["an M2 of its own", new Uint8Array(1_315).fill(2, 0, 1).fill(1, 1, 2)],
    ["an offer before any key", new Uint8Array(200).fill(4, 0, 1).fill(1, 1, 2)],
    ["a candidate before any key", new Uint8Array(60).fill(6, 0, 1).fill(1, 1, 2)],
  ] as const
) {
  Deno.test(`a server that sends ${name} to the viewer gets no link, and no answer`, () =>
    withEvilServer(async ({ viewer, server }) => {
      server.relay = () => [];
      server.introduce();
      await until(() => server.seen.length > 0, "the viewer committed");
      server.inject("R", message);
      await settle(50);
      // What can't be from the partner is ignored; what pretends to be is a failure.
      assert(viewer.failures.every((why) => why === "verification"), viewer.failures.join());
      assertEquals([viewer.bound, server.seen.length], [false, 1]);
    }));
}

Deno.test("relayed data that is not canonical base64url ends the attempt", () =>
  withEvilServer(async ({ viewer, server }) => {
    server.introduce();
    server.say("R", { t: "relay", d: "AB" });
    await until(() => viewer.failures.length > 0, "the viewer gave up");
    assertEquals(viewer.failures, ["verification"]);
  }));

Deno.test("handshake messages change nothing once bound, whatever the server sends", () =>
  withEvilServer(async ({ sender, viewer, server }) => {
    server.introduce();
    await allBound(sender, viewer);
    await settle(20);
    const said = server.seen.length;
    for (const role of ["S", "R"] as const) {
      server.inject(role, new Uint8Array(40).fill(9));
      server.inject(role, new Uint8Array(35).fill(1));
    }
    await settle(50);
    assertEquals(server.seen.length, said, "somebody answered");
    for (const role of ["S", "R"] as const) {
      server.say(role, { t: "peer", up: false, by: "lost" });
      server.say(role, { t: "peer", up: true, by: "join" });
      server.say(role, { t: "gone", why: "deleted" });
      server.close(role, CLOSE.gone);
    }
    await settle(50);
    assertEquals([sender.failures, viewer.failures], [[], []]);
    assertEquals([sender.links.length, viewer.links.length], [1, 1]);
    assertEquals([sender.peers, viewer.peers], [[true], [true]]);
    assertEquals(server.seen.length, said, "somebody answered");
    assertEquals(FakePeerConnection.all.map(({ closed }) => closed), [false, false]);
  }));

Deno.test("a lost viewer who comes back starts over, and only the new attempt is bound", () =>
  withEvilServer(async ({ sender, viewer, server }) => {
    server.relay = () => [];
    server.introduce();
    await until(() => server.seen.length === 1, "the viewer committed");
    server.relay = (message) => [message];
    server.say("S", { t: "peer", up: false, by: "lost" });
    server.say("R", { t: "peer", up: false, by: "lost" });
    server.introduce();
    await allBound(sender, viewer);
    assertEquals([sender.peers, viewer.peers], [[true, false, true], [true, false, true]]);
    assertEquals([sender.links.length, viewer.links.length], [1, 1]);
  }));

Deno.test("the server's ICE servers are used, and an attacker's can't defeat the keys", () =>
  withEvilServer(async ({ sender, viewer, server }) => {
    for (const role of ["S", "R"] as const) {
      server.say(role, { t: "ice", servers: [{ urls: ["turn:evil"] }], exp: 60 });
    }
    server.introduce();
    await allBound(sender, viewer);
    assertEquals(sender.links[0]?.sas, viewer.links[0]?.sas);
  }));

for (
  const [name, act, failure] of [
    [
      "a room that was deleted",
      (server: EvilServer) => server.say("R", { t: "gone", why: "deleted" }),
      "room_deleted",
    ],
    [
      "a room that expired",
      (server: EvilServer) => server.say("R", { t: "gone", why: "expired" }),
      "room_expired",
    ],
    [
      "a room whose sender was lost",
      (server: EvilServer) => server.say("R", { t: "gone", why: "lost" }),
      "room_lost",
    ],
    [
      "a room that is gone without a word",
      (server: EvilServer) => server.close("R", CLOSE.gone),
      "room_deleted",
    ],
    [
      "a seat that was taken over",
      (server: EvilServer) => server.close("R", CLOSE.superseded),
      "superseded",
    ],
    ["a server that is full", (server: EvilServer) => server.close("R", CLOSE.busy), "busy"],
    [
      "a server that finds fault",
      (server: EvilServer) => server.close("R", CLOSE.malformed),
      "protocol",
    ],
  ] as const
) {
  Deno.test(`${name} is reported as ${failure}, once`, () =>
    withEvilServer(async ({ viewer, server }) => {
      act(server);
      await settle();
      server.say("R", { t: "gone", why: "expired" });
      server.close("R", CLOSE.gone);
      assertEquals(viewer.failures, [failure]);
    }));
}

Deno.test("a stalled handshake is given up after 30 s, unless the partner left", () =>
  withEvilServer(async ({ sender, viewer, server }) => {
    using time = new FakeTime();
    server.relay = () => [];
    server.introduce();
    server.say("S", { t: "peer", up: false, by: "leave" });
    await time.advance(29_999);
    assertEquals([viewer.failures, sender.failures], [[], []]);
    await time.advance(1);
    assertEquals([viewer.failures, sender.failures], [["timeout"], []]);
  }));
