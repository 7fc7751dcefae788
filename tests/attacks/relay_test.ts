/**
 * Everything passes through the dishonest server, including pictures: two browsers without WebRTC
 * use its encrypted relay.
 *
 * @module
 */
import { type Bytes, fromBase64Url, toBase64Url } from "../../lib/protocol/bytes.ts";
import { HANDSHAKE } from "../../lib/protocol/handshake.ts";
import type { Role } from "../../lib/e2e/transcript.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { until } from "../rooms/room_server.ts";
import { REASON } from "../support/reasons.ts";
import {
  assertNeverConnected,
  assertOutcome,
  assertSeen,
  attack,
  type Scene,
  shareGround,
} from "./scene.ts";

shareGround({ RELAY: "on" });

const NO_WEBRTC = { before: "delete globalThis.RTCPeerConnection;" };
const WITHOUT = { ...NO_WEBRTC, beforeSender: NO_WEBRTC.before };

const KIND = { control: 0, files: 1, arrived: 2 } as const;
const BODY_AT = 5;

/**
 * Changes the `nth` frame of `kind` that `from` sends, counted from 1; the first of `control` is
 * the binding.
 */
function onFrame(
  { evil }: Scene,
  { from, kind, nth }: { from: Role; kind: keyof typeof KIND; nth: number },
  change: (frame: Bytes) => readonly Bytes[],
): () => boolean {
  let count = 0;
  evil.onUp((message, victim) => {
    if (message.t !== "data" || victim.role !== from) return message;
    const frame = fromBase64Url(message.d);
    if (frame === null || frame[0] !== KIND[kind] || ++count !== nth) return message;
    return change(frame).map((out) => ({ t: "data", d: toBase64Url(out) }));
  });
  return () => count >= nth;
}

function flip(at: number): (frame: Bytes) => readonly Bytes[] {
  return (frame) => {
    const index = at < 0 ? frame.length + at : at;
    return [frame.with(index, frame[index]! ^ 1)];
  };
}

/** Delays one frame until the next of its kind has been forwarded. */
function swap(scene: Scene, from: Role, kind: keyof typeof KIND, nth: number): void {
  let count = 0;
  let held: Bytes | null = null;
  scene.evil.onUp((message, victim) => {
    const frame = message.t === "data" && victim.role === from ? fromBase64Url(message.d) : null;
    if (frame === null || frame[0] !== KIND[kind]) return message;
    count++;
    if (count === nth) {
      held = frame;
      return null;
    }
    if (held === null) return message;
    const both = [frame, held];
    held = null;
    return both.map((out) => ({ t: "data", d: toBase64Url(out) }));
  });
}

attack(
  "an honest relay is not noticed, and has seen nothing",
  async (scene) => {
    await scene.viewer.join();
    await assertSeen(scene);
    const frames = scene.evil.heard.filter((text) => text.startsWith('{"t":"data"'));
    assert(frames.length > 10, `${frames.length} frames`);
  },
  WITHOUT,
);

for (
  const [how, change] of [["flipped", flip(-1)], [
    "cut",
    (frame: Bytes) => [frame.slice(0, -1)],
  ]] as const
) {
  attack(
    `the sender's binding is ${how}: no session for the viewer, and the sender reads so`,
    async (scene) => {
      const tried = onFrame(scene, { from: "S", kind: "control", nth: 1 }, change);
      await scene.viewer.join();
      await assertOutcome(scene.viewer, "verification");
      // The viewer's binding was right, so the sender did have a session.
      assertEquals(await scene.sender.waitReason("ended"), REASON.lost);
      assert(tried());
      await assertNeverConnected(scene.viewer);
    },
    WITHOUT,
  );
}

for (
  const [how, change] of [
    ["flipped", flip(BODY_AT + 20)],
    ["cut", (frame: Bytes) => [frame.slice(0, -1)]],
    ["repeated", (frame: Bytes) => [frame, frame]],
  ] as const
) {
  attack(
    `a control record of the sender is ${how}: the session ends, and nothing was seen`,
    async (scene) => {
      const tried = onFrame(scene, { from: "S", kind: "control", nth: 2 }, change);
      await scene.viewer.join();
      assertEquals(await scene.viewer.waitReason("ended"), "protocol");
      assert(tried());
      assertEquals(await scene.sender.waitReason("ended"), REASON.lost);
    },
    WITHOUT,
  );
}

attack("two control records of the sender are swapped: the session ends", async (scene) => {
  swap(scene, "S", "control", 2);
  await scene.viewer.join();
  assertEquals(await scene.viewer.waitReason("ended"), "protocol");
}, WITHOUT);

attack("the sender gets their own records back: the session ends", async (scene) => {
  const { evil, sender, viewer } = scene;
  onFrame(scene, { from: "S", kind: "control", nth: 2 }, (frame) => {
    evil.victims.find(({ role, open }) => role === "S" && open)?.say({
      t: "data",
      d: toBase64Url(frame),
    });
    return [];
  });
  await viewer.join();
  assertEquals(await sender.waitReason("ended"), "protocol");
}, WITHOUT);

for (
  const [how, change] of [
    ["flipped in its ciphertext", flip(BODY_AT + 40)],
    ["flipped in its tag", flip(-1)],
  ] as const
) {
  attack(`a chunk is ${how}: the picture is never shown`, async (scene) => {
    const tried = onFrame(scene, { from: "S", kind: "files", nth: 1 }, change);
    await scene.viewer.join();
    await scene.viewer.waitPhase(["delivered", "closed"]);
    if (await scene.viewer.offers("open")) await scene.viewer.openPicture();
    await scene.viewer.waitPhase(["closed", "ended"]);
    assert(tried());
    const phases = await scene.viewer.phases();
    assert(!phases.includes("viewing"), phases.join(", "));
  }, WITHOUT);
}

attack("a chunk is repeated: the session ends before anything was seen", async (scene) => {
  const tried = onFrame(scene, { from: "S", kind: "files", nth: 1 }, (frame) => [frame, frame]);
  await scene.viewer.join();
  assertEquals(await scene.viewer.waitReason("ended"), "protocol");
  assert(tried());
}, WITHOUT);

attack("frames of an unknown transport, and junk, change nothing", async (scene) => {
  const { evil, viewer, sender } = scene;
  await viewer.join();
  await viewer.waitPhase("delivered");
  for (const role of ["S", "R"] as const) {
    const victim = await evil.victim(role);
    for (
      const frame of [[], [0], [0, 0, 0, 0, 9, 1, 2, 3], [7, 0, 0, 0, 1, 1], [2, 0, 0, 0, 1, 1]]
    ) {
      if (frame.length > 0) victim.say({ t: "data", d: toBase64Url(new Uint8Array(frame)) });
    }
  }
  await assertSeen({ sender, viewer });
}, WITHOUT);

attack("invented, changed and repeated repair messages change nothing", async (scene) => {
  const { evil, viewer, sender } = scene;
  await viewer.join();
  await viewer.waitPhase("delivered");
  const said = await evil.message("S", HANDSHAKE.repair);
  for (const role of ["S", "R"] as const) {
    const victim = await evil.victim(role);
    victim.relay(said);
    victim.relay(said.with(5, 9));
    victim.relay(said.with(said.length - 1, said.at(-1)! ^ 1));
    victim.relay(new Uint8Array([HANDSHAKE.repair, 1, 0, 0, 0, 7, ...new Uint8Array(40)]));
  }
  await assertSeen({ sender, viewer });
}, WITHOUT);

attack("a relay that stalls for a while only costs time", async (scene) => {
  const { evil, viewer, sender } = scene;
  let held: (() => void)[] | null = [];
  evil.onUp(async (message) => {
    if (message.t === "data" && held !== null) {
      await new Promise<void>((resolve) => held?.push(resolve));
    }
    return message;
  });
  await viewer.join();
  await until(() => (held?.length ?? 0) > 0, "something is held back");
  const waiting = held;
  held = null;
  for (const go of waiting) go();
  await assertSeen({ sender, viewer });
}, WITHOUT);
