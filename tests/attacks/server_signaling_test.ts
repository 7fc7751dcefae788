/**
 * The server lies about everything except the handshake: who is present, that the room ended, who
 * holds the seat, which ICE servers to use; it sends nonsense, closes sockets, or falls silent.
 * Once the link is established, the two do not need the server, and it can't disturb them. Before,
 * it can prevent a session, and the people can read so.
 *
 * @module
 */
import { createSocket } from "node:dgram";
import { networkInterfaces } from "node:os";
import { randomBytes } from "../../lib/e2e/suite.ts";
import { toBase64Url } from "../../lib/protocol/bytes.ts";
import { CLOSE } from "../../lib/protocol/close_codes.ts";
import { HANDSHAKE } from "../../lib/protocol/handshake.ts";
import type { IceServer, ServerMessage } from "../../lib/protocol/signaling.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { attacker, Seat } from "./mallory.ts";
import {
  assertNeverConnected,
  assertOutcome,
  assertSeen,
  attack,
  haste,
  type Scene,
  shareGround,
} from "./scene.ts";

shareGround();

const { commit: M1, helloS: M2, helloR: M3, offer: M4, answer: M5, candidate: M6 } = HANDSHAKE;

const UP = { t: "peer", up: true, by: "join" } as const;
const DOWN = { t: "peer", up: false, by: "lost" } as const;

function token(): string {
  return toBase64Url(randomBytes(32));
}

/** Joins and waits until the picture is delivered: from then on the server is not needed. */
async function bound({ sender, viewer }: Scene): Promise<void> {
  await viewer.join();
  await viewer.waitPhase("delivered");
  await sender.waitPhase("delivered");
}

/** Sends the same messages to both pages. */
async function sayToBoth({ evil }: Scene, ...messages: (ServerMessage | string)[]): Promise<void> {
  const victims = [await evil.victim("S"), await evil.victim("R")];
  for (const message of messages) {
    for (const victim of victims) victim.say(message);
  }
}

/** Stops the handshake before `type`, and waits until that message was sent. */
async function stopBefore({ evil, viewer }: Scene, from: "S" | "R", type: number): Promise<void> {
  evil.onRelay((_from, bytes) => bytes[0]! >= type ? null : bytes);
  await viewer.join();
  await evil.message(from, type);
}

// After both are bound

const LIES: Readonly<Record<string, readonly (ServerMessage | string)[]>> = {
  "a storm of peer up and down": Array(50).fill([UP, DOWN]).flat(),
  "gone": [{ t: "gone", why: "deleted" }, { t: "gone", why: "expired" }],
  "created and joined": [
    { t: "created", exp: 60, rtok: token() },
    { t: "joined", rtok: token() },
    UP,
  ],
  "messages of a handshake": [1, 2, 3, 4, 5, 6].map((type) => ({
    t: "relay",
    d: toBase64Url(new Uint8Array([type, 1, ...randomBytes(200)])),
  })),
  "relayed messages that are not base64url of whole bytes": [{ t: "relay", d: "A" }],
  "other ICE servers": [{ t: "ice", servers: [{ urls: ["stun:127.0.0.1:9"] }], exp: 60 }],
  "garbage": ["}{", "null", "[]", '{"t":"explode"}', "\u0000"],
  "a message of 64 KiB": [JSON.stringify({ t: "relay", d: "A".repeat(2 ** 16) })],
};

for (const [what, messages] of Object.entries(LIES)) {
  attack(`${what}, sent to two connected pages, disturb nothing`, async (scene) => {
    await bound(scene);
    await sayToBoth(scene, ...messages);
    await assertSeen(scene);
  });
}

for (const name of ["malformed", "superseded", "gone", "dismissed"] as const) {
  attack(`sockets closed as ${name} once both are connected disturb nothing`, async (scene) => {
    await bound(scene);
    const victims = [await scene.evil.victim("S"), await scene.evil.victim("R")];
    for (const victim of victims) victim.close(CLOSE[name]);
    await assertSeen(scene);
  });
}

// Before

attack(
  "an invented peer: the sender keeps waiting, and the link still works",
  async (scene) => {
    const { evil, sender, link } = scene;
    const victim = await evil.victim("S");
    for (let i = 0; i < 20; i++) [UP, DOWN].forEach((message) => victim.say(message));
    assertEquals(await sender.shareLink(), link);
    await bound(scene);
    await assertSeen(scene);
  },
);

attack(
  "a peer reported as gone and back in the middle of the handshake: it restarts and works",
  async (scene) => {
    const { evil } = scene;
    await stopBefore(scene, "S", M4);
    evil.onRelay((_from, bytes) => bytes);
    await sayToBoth(scene, DOWN);
    await sayToBoth(scene, UP);
    await assertSeen(scene);
  },
);

attack(
  "a storm of peer up and down in the middle: it works, or both read that it did not",
  async (scene) => {
    const { sender, viewer } = scene;
    await stopBefore(scene, "S", M4);
    scene.evil.onRelay((_from, bytes) => bytes);
    await sayToBoth(scene, ...Array(10).fill([DOWN, UP]).flat());
    const end = await viewer.waitPhase(["delivered", "failed"]);
    if (end === "delivered") return await assertSeen(scene);
    assert(["verification", "dismissed", "room_deleted"].includes(await viewer.reason() ?? ""));
    await viewer.assertReadable();
    await sender.waitPhase(["failed", "waiting"]);
    await sender.assertReadable();
    await assertNeverConnected(sender, viewer);
  },
);

for (const why of ["deleted", "expired", "lost"] as const) {
  attack(`gone (${why}) before anything was shown: both read so`, async (scene) => {
    const { sender, viewer } = scene;
    await stopBefore(scene, "R", M3);
    await sayToBoth(scene, { t: "gone", why });
    await assertOutcome(viewer, `room_${why}`);
    await assertOutcome(sender, `room_${why}`);
    await assertNeverConnected(sender, viewer);
  });
}

attack(
  "created and joined repeated in the middle, then nothing: the viewer reads of a timeout",
  async (scene) => {
    const { evil, sender, viewer } = scene;
    await stopBefore(scene, "R", M3);
    const victim = await evil.victim("R");
    victim.say({ t: "created", exp: 60, rtok: token() });
    victim.say({ t: "joined", rtok: token() });
    // The server seems alive, so only the viewer's own timeout can detect that nothing arrives.
    const beat = setInterval(() => victim.say({ t: "ping" }), 500);
    await assertOutcome(viewer, "timeout").finally(() => clearInterval(beat));
    await assertOutcome(sender, "waiting");
    await assertNeverConnected(sender, viewer);
  },
  { before: haste(10) },
);

for (
  const [what, text] of [
    ["garbage", "}{"],
    ["a message of 64 KiB", JSON.stringify({ t: "relay", d: "A".repeat(2 ** 16) })],
    ["an unknown message", '{"t":"explode"}'],
    ["invalid ICE servers", '{"t":"ice","servers":[{"urls":["http://evil/"]}],"exp":60}'],
  ] as const
) {
  attack(
    `${what} in the middle: both stop, and read of a protocol error`,
    async (scene) => {
      const { sender, viewer } = scene;
      await stopBefore(scene, "R", M3);
      await sayToBoth(scene, text);
      await assertOutcome(viewer, "protocol");
      await assertOutcome(sender, "protocol");
      await assertNeverConnected(sender, viewer);
    },
  );
}

// Hanging up

const STEPS = [[M1, "R"], [M2, "S"], [M3, "R"], [M4, "S"], [M5, "R"], [M6, "S"]] as const;

for (const [type, from] of STEPS) {
  attack(
    `both sockets are cut during M${type}: they reconnect, and it works`,
    async (scene) => {
      const { evil, viewer } = scene;
      let cut = false;
      evil.onRelay((who, bytes) => {
        if (cut || who !== from || bytes[0] !== type) return bytes;
        cut = true;
        for (const victim of evil.victims) victim.close();
        return null;
      });
      await viewer.join();
      await assertSeen(scene);
      assert(evil.victims.length > 2, "nobody came back");
    },
  );
}

for (
  const [name, reason] of [
    ["malformed", "protocol"],
    ["superseded", "superseded"],
    ["gone", "room_deleted"],
    ["busy", "busy"],
  ] as const
) {
  attack(`sockets closed as ${name} in the middle: both read why`, async (scene) => {
    const { evil, sender, viewer } = scene;
    await stopBefore(scene, "R", M3);
    for (const victim of evil.victims) victim.close(CLOSE[name]);
    await assertOutcome(viewer, reason);
    await assertOutcome(sender, reason);
    await assertNeverConnected(sender, viewer);
  });
}

// Saying nothing

attack(
  "the server falls silent before the keys are confirmed: the viewer reads of a timeout",
  async (scene) => {
    const { sender, viewer } = scene;
    await stopBefore(scene, "S", M2);
    await assertOutcome(viewer, "timeout");
    await assertOutcome(sender, "waiting");
    await assertNeverConnected(sender, viewer);
  },
  { before: haste(10) },
);

attack(
  "the server falls silent after the keys are confirmed: the viewer reads of no connection",
  async (scene) => {
    const { sender, viewer } = scene;
    await stopBefore(scene, "R", M5);
    await assertOutcome(viewer, "network");
    await assertOutcome(sender, "waiting");
    await assertNeverConnected(sender, viewer);
  },
  { before: haste(10) },
);

attack(
  "a server that never sends anything: the viewer reads that it does not answer",
  async (scene) => {
    const { evil, sender, viewer } = scene;
    evil.onUp((_message, victim) => victim.role === "R" ? null : _message);
    await viewer.join();
    await assertOutcome(viewer, "unreachable");
    await assertNeverConnected(sender, viewer);
  },
  { before: haste(50) },
);

// ICE servers

const UNUSABLE = {
  "an invalid address": { urls: ["stun:"] },
  "no credentials": { urls: ["turn:127.0.0.1:9"] },
  "nonsense after the scheme": { urls: ["turns:\u0000//[::::]:99999?transport=carrier-pigeon"] },
} satisfies Record<string, IceServer>;

for (const [what, server] of Object.entries(UNUSABLE)) {
  attack(
    `ICE servers with ${what}, for the viewer: the page does not crash, and says it can't connect`,
    async (scene) => {
      const { evil, sender, viewer } = scene;
      evil.onDown((message, { role }) => role === "R" ? withIce(message, server) : message);
      await viewer.join();
      await assertOutcome(viewer, "network");
      await assertOutcome(sender, "waiting");
      await assertNeverConnected(sender, viewer);
    },
  );
}

attack(
  "ICE servers with an invalid address, for the sender: the page survives, the link still works",
  async (scene) => {
    const { evil, sender, viewer } = scene;
    evil.onDown((message, { role }) =>
      role === "S" ? withIce(message, UNUSABLE["an invalid address"]) : message
    );
    await viewer.join();
    await assertOutcome(viewer, "timeout");
    await assertOutcome(sender, "waiting");
    await assertNeverConnected(sender, viewer);
  },
  { before: haste(10) },
);

function withIce(message: ServerMessage, server: IceServer): ServerMessage[] {
  if (message.t !== "peer" || !message.up) return [message];
  return [{ t: "ice", servers: [server], exp: 600 }, message];
}

/** A STUN server that never responds and stores what it receives. */
async function listenForStun(): Promise<
  { readonly url: string; readonly packets: Uint8Array[]; close(): void }
> {
  const packets: Uint8Array[] = [];
  const socket = createSocket("udp4");
  socket.on("message", (packet) => packets.push(new Uint8Array(packet)));
  await new Promise<void>((resolve) => socket.bind(0, "0.0.0.0", resolve));
  const own = Object.values(networkInterfaces()).flat()
    .find((item) => item?.family === "IPv4" && !item.internal);
  const url = `stun:${own?.address ?? "127.0.0.1"}:${socket.address().port}`;
  return { url, packets, close: () => socket.close() };
}

/** A STUN binding request without attributes (RFC 8489 §5): type, length, cookie, transaction. */
function assertBareRequest(packet: Uint8Array): void {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  assertEquals(view.getUint16(0), 0x0001, "a binding request");
  assertEquals(view.getUint32(4), 0x2112_a442, "the magic cookie");
  assertEquals(view.getUint16(2), 0, "no attribute: no name, no ufrag, nothing of the session");
  assertEquals(packet.length, 20);
}

attack(
  "an attacker's ICE server receives bare STUN requests only, and the session works",
  async (scene) => {
    const stun = await listenForStun();
    try {
      scene.evil.onDown((message) => withIce(message, { urls: [stun.url] }));
      await bound(scene);
      await assertSeen(scene);
      assert(stun.packets.length > 0, "nobody asked");
      stun.packets.forEach(assertBareRequest);
    } finally {
      stun.close();
    }
  },
);

attack(
  "an attacker's ICE server receives nothing from a sender whose visitor has no link",
  async (scene) => {
    const { evil, sender, secrets } = scene;
    const stun = await listenForStun();
    try {
      evil.onDown((message) => withIce(message, { urls: [stun.url] }));
      const tok = toBase64Url(secrets.jtok);
      const seat = await Seat.claim(evil, toBase64Url(secrets.rid), { t: "join", tok });
      assertEquals(await seat.answer(), "joined");
      assertEquals(await seat.playViewer(await attacker(secrets.rid)), null);
      await assertOutcome(sender, "turned_away");
      await seat[Symbol.asyncDispose]();
      assertEquals(stun.packets.length, 0, "her address");
    } finally {
      stun.close();
    }
  },
);
