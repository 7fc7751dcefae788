/**
 * The server pretends that a page was reloaded: it invents, repeats and holds back the messages by
 * which a reloaded page returns. The connection that works goes on, and neither page says anything
 * else.
 *
 * @module
 */
import { randomBytes } from "../../lib/e2e/suite.ts";
import type { Role } from "../../lib/e2e/transcript.ts";
import { type Bytes, concat } from "../../lib/protocol/bytes.ts";
import { HANDSHAKE, NOTICE_LENGTH } from "../../lib/protocol/handshake.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { fixture } from "../support/fixtures.ts";
import { assertSeen, attack, type AttackOptions, type Scene, shareGround } from "./scene.ts";

shareGround({ RELAY: "on" });

const { commit: M1, reloaded: M8 } = HANDSHAKE;

const NO_WEBRTC = "delete globalThis.RTCPeerConnection;";
const ROUTES: Readonly<Record<string, AttackOptions>> = {
  direct: {},
  relayed: { before: NO_WEBRTC, beforeSender: NO_WEBRTC },
};

/** Far longer than a viewer's page waits for its connection to answer, in ms. */
const LONG_MS = 3_000;

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Everything of these types that `from` has relayed, oldest first. */
function relayedBy({ evil }: Scene, from: Role, ...types: readonly number[]): Bytes[] {
  return evil.relayed.filter((item) => item.from === from && types.includes(item.bytes[0] ?? 0))
    .map(({ bytes }) => bytes);
}

/** Fails if one of the pages said that the other one was gone. */
async function assertUndisturbed({ sender, viewer }: Scene, before = 0): Promise<void> {
  const left = (await sender.timeline()).match(/closed or is reloading/g)?.length ?? 0;
  assertEquals(left, before, "the sender's page says that the viewer's was loaded again");
  const phases = await viewer.phases();
  assert(!phases.includes("ended") && !phases.includes("failed"), phases.join(", "));
}

for (const [route, options] of Object.entries(ROUTES)) {
  attack(
    `${route}: “the sender's page was reloaded”, invented by the server, has no effect`,
    async (scene) => {
      const { evil, viewer } = scene;
      await viewer.receive();
      const victim = await evil.victim("R");
      const before = evil.count("R", M1);
      for (let i = 0; i < 3; i++) {
        victim.relay(new Uint8Array([M8, 1]));
        const length = NOTICE_LENGTH - 2;
        victim.relay(concat(new Uint8Array([M8, 1]), randomBytes(length)));
      }
      await viewer.look();
      victim.relay(new Uint8Array([M8, 1]));
      await pause(1_000);
      assertEquals(await viewer.phase(), "viewing");
      assertEquals(evil.count("R", M1), before);
      await assertUndisturbed(scene);
      await viewer.closePicture();
      await scene.sender.waitPhase("closed");
    },
    options,
  );

  attack(
    `${route}: a true message that the page was reloaded has no effect when it is repeated`,
    async (scene) => {
      const { evil, sender, viewer } = scene;
      await viewer.receive();
      await sender.reload();
      await sender.waitPhase("connected");
      await sender.chooseFile(await fixture("flat"));
      await viewer.waitPhase("closed");
      await viewer.waitPhase("delivered");
      const notices = relayedBy(scene, "S", M8);
      assert(notices.length > 0, "the sender's page said nothing");
      const repeat = async () => {
        const victim = await evil.victim("R");
        const before = evil.count("R", M1);
        for (const notice of [...notices, ...notices]) victim.relay(notice);
        await pause(LONG_MS);
        assertEquals(evil.count("R", M1), before, "the viewer's page started over");
      };
      await repeat();
      // A reloaded page remembers none of them.
      await viewer.reload();
      await viewer.waitPhase("delivered");
      await repeat();
      await assertUndisturbed(scene, 1);
      await assertSeen(scene);
    },
    options,
  );

  attack(
    `${route}: what a reloaded viewer's page sent has no effect when it is repeated`,
    async (scene) => {
      const { evil, sender, viewer } = scene;
      await viewer.receive();
      await viewer.reload();
      await viewer.waitPhase("delivered");
      await sender.waitPhase("delivered");
      const said = relayedBy(scene, "R", M1, HANDSHAKE.helloR, HANDSHAKE.answer);
      const victim = await evil.victim("S");
      for (let i = 0; i < 5; i++) {
        for (const message of said) victim.relay(message);
        victim.relay(said.findLast(([type]) => type === M1)!);
      }
      await pause(LONG_MS);
      await assertUndisturbed(scene, 1);
      await assertSeen(scene);
    },
    options,
  );
}

attack(
  "the sender's page was reloaded, and the server holds its M4 back: the next try succeeds",
  async (scene) => {
    const { evil, sender, viewer } = scene;
    await viewer.receive();
    let held = 0;
    evil.onRelay((from, bytes) => {
      if (from !== "S" || bytes[0] !== HANDSHAKE.offer || held > 0) return bytes;
      held++;
      return null;
    });
    await sender.reload();
    for (let i = 0; i < 200 && held === 0; i++) await pause(50);
    // The sender's socket breaks, and both sides start over.
    (await evil.victim("S")).close();
    await sender.waitPhase("connected");
    await sender.chooseFile(await fixture("flat"));
    await viewer.waitPhase("closed");
    await viewer.waitPhase("delivered");
    await assertSeen(scene);
    assertEquals(held, 1);
  },
);
