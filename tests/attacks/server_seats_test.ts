/**
 * Who gets in: people without the link, stolen seats, two visitors with one link, and a server that
 * seats anybody it likes.
 *
 * @module
 */
import { SenderHandshake } from "../../lib/e2e/handshake.ts";
import { randomBytes } from "../../lib/e2e/suite.ts";
import { toBase64Url } from "../../lib/protocol/bytes.ts";
import { CLOSE } from "../../lib/protocol/close_codes.ts";
import { HANDSHAKE } from "../../lib/protocol/handshake.ts";
import type { ClientMessage } from "../../lib/protocol/signaling.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { until } from "../rooms/room_server.ts";
import type { Viewer } from "../support/flow.ts";
import type { Victim } from "./evil_server.ts";
import { attacker, isRefused, Middle, Seat } from "./mallory.ts";
import {
  assertNeverConnected,
  assertOutcome,
  assertSeen,
  attack,
  type Scene,
  shareGround,
} from "./scene.ts";

shareGround();

const { commit: M1, helloR: M3, offer: M4 } = HANDSHAKE;

function roomOf({ secrets }: Pick<Scene, "secrets">): string {
  return toBase64Url(secrets.rid);
}

/** The token that the newest `created` or `joined` contained; the owner of the server knows it. */
function stolenToken({ evil }: Scene, type: "created" | "joined"): string {
  const text = evil.heard.findLast((heard) => heard.includes(`"t":"${type}"`));
  const token = text === undefined ? undefined : /"rtok":"([\w-]{43})"/.exec(text)?.[1];
  assert(token !== undefined, `Nobody was given a token by ${type}`);
  return token;
}

/**
 * A side's first message; the owner of the server, or of the TLS proxy in front of it, knows it.
 */
function firstMessage({ evil }: Scene, type: "create" | "join"): string {
  const text = evil.heard.find((heard) => heard.includes(`"t":"${type}"`));
  assert(text !== undefined, `Nobody said ${type}`);
  return text;
}

// The room's address without the link

const WITHOUT_LINK: readonly (readonly [string, ClientMessage])[] = [
  ["no token", { t: "join" }],
  ["a wrong token", { t: "join", tok: toBase64Url(randomBytes(16)) }],
  ["a guessed resume token", { t: "resume", rtok: toBase64Url(randomBytes(32)) }],
  ["a new create", {
    t: "create",
    own: toBase64Url(randomBytes(32)),
    join: toBase64Url(randomBytes(32)),
    ttl: 60,
  }],
];

for (const [what, first] of WITHOUT_LINK) {
  attack(
    `the room's address with ${what} gives no seat, and disturbs nobody`,
    async (scene) => {
      await using seat = await Seat.claim(scene.evil, roomOf(scene), first);
      assertEquals(await seat.answer(), "err");
      assertEquals((await seat.client.closed).code, CLOSE.refused);
      await scene.viewer.join();
      await assertSeen(scene);
    },
  );
}

attack(
  "a seat without the link gets no M4 from the sender, who reads so",
  async (scene) => {
    const { evil, sender, secrets } = scene;
    const tok = toBase64Url(secrets.jtok);
    await using seat = await Seat.claim(evil, roomOf(scene), { t: "join", tok });
    assertEquals(await seat.answer(), "joined");
    assertEquals(await seat.playViewer(await attacker(secrets.rid)), null);
    await assertOutcome(sender, "turned_away");
    await assertNeverConnected(sender);
    assertEquals(evil.count("S", M4), 0);
  },
);

// One room split into two

attack(
  "one room split into two, with the attacker as the other side of each: nothing is learned",
  async (scene) => {
    const { evil, sender, viewer, secrets } = scene;
    const mallory = await Middle.start(evil, await attacker(secrets.rid));
    evil.onRelay(mallory.hook);
    // The viewer never reaches the real server, and the sender's visitor is invented.
    evil.onUp(async (message, victim) => {
      if (message.t === "dismiss") (await evil.victim("R")).close(CLOSE.dismissed);
      if (message.t !== "join") return message;
      victim.say({ t: "joined", rtok: toBase64Url(randomBytes(32)) });
      victim.say({ t: "peer", up: true, by: "join" });
      (await evil.victim("S")).say({ t: "peer", up: true, by: "join" });
      return null;
    });
    await viewer.join();
    await assertOutcome(sender, "turned_away");
    await assertOutcome(viewer, "dismissed");
    await assertNeverConnected(sender, viewer);
    assertEquals(mallory.won, []);
    assertEquals(evil.count("S", M4), 0);
  },
);

attack(
  "without a code a man in the middle ends the session, and both read that keys do not match",
  async (scene) => {
    const { evil, sender, viewer, secrets } = scene;
    const mallory = await Middle.start(evil, await attacker(secrets.rid));
    evil.onRelay(mallory.hook);
    await viewer.join();
    await assertOutcome(sender, "verification");
    await assertOutcome(viewer, "room_deleted");
    await assertNeverConnected(sender, viewer);
    assertEquals(mallory.won, []);
    assertEquals(evil.count("S", M4), 0);
  },
  { digits: false },
);

// Stolen seats

attack(
  "a used resume token gives no seat, and nobody notices the attempt",
  async (scene) => {
    const { evil, viewer } = scene;
    // Messages after M4 are dropped too: a candidate without an offer before it would end the
    // handshake.
    evil.onRelay((from, bytes) => from === "S" && (bytes[0] ?? 0) >= M4 ? null : bytes);
    await viewer.join();
    await evil.message("S", M4);
    const old = stolenToken(scene, "joined");
    evil.onRelay((_from, bytes) => bytes);
    // The viewer resumes with this token; after that there is a newer one.
    (await evil.victim("R")).close();
    await viewer.waitPhase("delivered");
    await using seat = await Seat.claim(evil, roomOf(scene), { t: "resume", rtok: old });
    assertEquals(await seat.answer(), "err");
    await assertSeen(scene);
  },
);

attack(
  "the viewer's newest token, stolen, gives only the seat, and both are told",
  async (scene) => {
    const { evil, sender, viewer, secrets } = scene;
    evil.onRelay((_from, bytes) => bytes[0] === M1 ? null : bytes);
    await viewer.join();
    await evil.message("R", M1);
    const rtok = stolenToken(scene, "joined");
    await using seat = await Seat.claim(evil, roomOf(scene), { t: "resume", rtok });
    assertEquals(await seat.answer(), "joined");
    await assertOutcome(viewer, "superseded");
    assertEquals(await seat.playViewer(await attacker(secrets.rid)), null);
    await assertOutcome(sender, "turned_away");
    await assertNeverConnected(sender, viewer);
    assertEquals(evil.count("S", M4), 0);
  },
);

const SENDER_SEAT = {
  "the newest token": (scene: Scene) => ({
    t: "resume",
    rtok: stolenToken(scene, "created"),
  }),
  "the create message, repeated": (scene: Scene) => JSON.parse(firstMessage(scene, "create")),
} as const;

for (const [what, claim] of Object.entries(SENDER_SEAT)) {
  attack(
    `the sender's seat, stolen with ${what}, gives the thief no viewer, and both are told`,
    async (scene) => {
      const { evil, sender, viewer, secrets } = scene;
      await using seat = await Seat.claim(evil, roomOf(scene), claim(scene));
      assert(["joined", "created"].includes(await seat.answer()), "The real server is fooled");
      await assertOutcome(sender, "superseded");
      await viewer.join();
      const handshake = await SenderHandshake.start(await attacker(secrets.rid));
      const commit = await nextRelay(seat);
      seat.relay(await handshake.receiveCommit(commit));
      const m3 = await nextRelay(seat);
      assertEquals(m3[0], M3);
      assert(await isRefused(() => handshake.receiveHello(m3)), "The thief has the viewer's keys");
      // They can't confirm anything, but they can send a forgery.
      const forged = new Uint8Array(200);
      forged.set([M4, 1]);
      seat.relay(forged);
      await assertOutcome(viewer, "verification");
      await assertNeverConnected(sender, viewer);
    },
  );
}

async function nextRelay(seat: Seat) {
  for (;;) {
    const bytes = await seat.next();
    // Before the viewer joins, the seat is told that nobody is there.
    if (bytes !== null) return bytes;
  }
}

// Two visitors with one link

for (const round of [1, 2, 3]) {
  attack(
    `two browsers open one link and join at once: one gets it, the other reads why (${round} of 3)`,
    async (scene) => {
      const { sender, viewer } = scene;
      const other = await scene.another(scene.link);
      await Promise.all([viewer.join(), other.join()]);
      const [first, second] = await Promise.all([settled(viewer), settled(other)]);
      assertEquals([first, second].sort(), ["delivered", "failed"]);
      const [winner, loser] = first === "delivered" ? [viewer, other] : [other, viewer];
      assertEquals(await loser.reason(), "refused");
      await loser.assertReadable();
      await assertNeverConnected(loser);
      await assertSeen({ sender, viewer: winner });
    },
  );
}

attack(
  "the server admits two viewers and mixes one's M1 with the other's M3: no session for either",
  async (scene) => {
    const { evil, sender, viewer, link } = scene;
    const other = await scene.another(link);
    evil.onRelay(() => null);
    await viewer.join();
    await evil.message("R", M1);
    const shadow = await letInSecond(scene, other);
    const first = evil.victims.find((victim) => victim.role === "R" && victim !== shadow);
    evil.onRelay(async (from, bytes, victim) => {
      if (from === "S") {
        shadow.relay(bytes);
        return bytes;
      }
      if (victim !== shadow) return bytes[0] === M1 ? bytes : null;
      if (bytes[0] === M3) await first?.tell({ t: "relay", d: toBase64Url(bytes) });
      return null;
    });
    evil.onUp((message) => {
      if (message.t === "dismiss") shadow.close(CLOSE.dismissed);
      return message;
    });
    // Both start now.
    first?.say({ t: "peer", up: true, by: "resume" });
    shadow.say({ t: "peer", up: true, by: "join" });
    await assertOutcome(sender, "turned_away");
    await assertOutcome(viewer, "dismissed");
    await assertOutcome(other, "dismissed");
    await assertNeverConnected(sender, viewer, other);
    assertEquals(evil.count("S", M4), 0);
  },
);

attack(
  "the server admits a second viewer later: the second gets nothing, the first sees the picture",
  async (scene) => {
    const { evil, viewer, link } = scene;
    const other = await scene.another(link);
    await viewer.join();
    await viewer.waitPhase("delivered");
    const shadow = await letInSecond(scene, other);
    const before = evil.relayed.length;
    const first = evil.victims.find((victim) => victim.role === "R" && victim !== shadow);
    evil.onRelay(async (_from, bytes, victim) => {
      if (victim !== shadow) return bytes;
      await first?.tell({ t: "relay", d: toBase64Url(bytes) });
      return null;
    });
    shadow.say({ t: "peer", up: true, by: "join" });
    await assertSeen(scene);
    await assertNeverConnected(other);
    const answers = evil.relayed.slice(before).filter(({ from }) => from === "S");
    assertEquals(answers.length, 0, "the sender has said nothing to the second one");
  },
);

/** Seats another viewer without asking the real server; they are not told about the peer yet. */
async function letInSecond({ evil }: Scene, other: Viewer): Promise<Victim> {
  evil.onUp((message, victim) => {
    if (message.t !== "join") return message;
    victim.say({ t: "joined", rtok: toBase64Url(randomBytes(32)) });
    return null;
  });
  evil.onRelay(() => null);
  const before = evil.victims.length;
  await other.join();
  const find = () => evil.victims.slice(before).find((victim) => victim.role === "R");
  await until(() => find() !== undefined, "the second one has a socket");
  return find()!;
}

/** Waits until a viewer has received the picture or failed. */
function settled(viewer: Viewer): Promise<string> {
  return viewer.waitPhase(["delivered", "failed"]);
}
