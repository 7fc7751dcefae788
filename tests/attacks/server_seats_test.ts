/**
 * Who gets in: people without the link, thieves of seats, two visitors with one link, and a server
 * that seats whom it likes.
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

/**
 * The token that the newest `created` or `joined` gave to a side; whoever owns the server has it.
 */
function stolenToken({ evil }: Scene, type: "created" | "joined"): string {
  const text = evil.heard.findLast((heard) => heard.includes(`"t":"${type}"`));
  const token = text === undefined ? undefined : /"rtok":"([\w-]{43})"/.exec(text)?.[1];
  assert(token !== undefined, `Nobody was given a token by ${type}`);
  return token;
}

/** What a side said first: whoever owns the server, or the TLS in front of it, has it. */
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
  ["a create of his own", {
    t: "create",
    own: toBase64Url(randomBytes(32)),
    join: toBase64Url(randomBytes(32)),
    ttl: 60,
  }],
];

for (const [what, first] of WITHOUT_LINK) {
  attack(
    `who knows the room's address and shows ${what} gets no seat, and disturbs nobody`,
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
  "who got a seat from the server but not the link gets no word out of the sender, who reads so",
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

// One room made two

attack(
  "one room split into two, with the attacker as the other side of each: nothing is his",
  async (scene) => {
    const { evil, sender, viewer, secrets } = scene;
    const mallory = await Middle.start(evil, await attacker(secrets.rid));
    evil.onRelay(mallory.hook);
    // The viewer never reaches the real server, and the sender's visitor is made up.
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
  "where no code is out a man in the middle ends the session, and both read that the keys do not match",
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
  "a resume token that was used already opens nothing, and nobody notices the try",
  async (scene) => {
    const { evil, viewer } = scene;
    // With M4 goes what comes behind it: a candidate without an offer before it would end the
    // handshake.
    evil.onRelay((from, bytes) => from === "S" && (bytes[0] ?? 0) >= M4 ? null : bytes);
    await viewer.join();
    await evil.message("S", M4);
    const old = stolenToken(scene, "joined");
    evil.onRelay((_from, bytes) => bytes);
    // The viewer comes back with it; from then on there is a newer one.
    (await evil.victim("R")).close();
    await viewer.waitPhase("delivered");
    await using seat = await Seat.claim(evil, roomOf(scene), { t: "resume", rtok: old });
    assertEquals(await seat.answer(), "err");
    await assertSeen(scene);
  },
);

attack(
  "the viewer's newest token, stolen, gives the seat and nothing else, and both hear of it",
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
  "her newest token": (scene: Scene) => ({
    t: "resume",
    rtok: stolenToken(scene, "created"),
  }),
  "her own create, repeated": (scene: Scene) => JSON.parse(firstMessage(scene, "create")),
} as const;

for (const [what, claim] of Object.entries(SENDER_SEAT)) {
  attack(
    `the sender's seat, stolen with ${what}, gives no viewer to the thief, and both hear of it`,
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
      // He can't confirm anything; he can say something.
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
    // Before the viewer comes the seat hears that nobody is there.
    if (bytes !== null) return bytes;
  }
}

// Two visitors with one link

for (const round of [1, 2, 3]) {
  attack(
    `two browsers open one link and press at the same time: one gets it, the other reads why not (${round} of 3)`,
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
  "the server lets two in at once and gives the sender one's M1 and the other's M3: no session for either",
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
    // Both begin now.
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
  "the server lets a second one in while the first has his picture: the second gets nothing, the first sees it",
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

/** Seats a further viewer without asking the real server; he is told of nobody yet. */
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

/** Waits until a viewer has it or does not. */
function settled(viewer: Viewer): Promise<string> {
  return viewer.waitPhase(["delivered", "failed"]);
}
