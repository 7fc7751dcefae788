/**
 * The server attacks a spoken code: it has the digits, it lacks the three words, and it can
 * impersonate either side as often as the pages allow.
 *
 * @module
 */
import { type Code, loadWordlist, parseCode } from "../../lib/e2e/code.ts";
import { SenderHandshake, ViewerHandshake } from "../../lib/e2e/handshake.ts";
import { generateEcdh, randomBytes } from "../../lib/e2e/suite.ts";
import { type Bytes, concat, toBase64Url } from "../../lib/protocol/bytes.ts";
import { CLOSE } from "../../lib/protocol/close_codes.ts";
import { HANDSHAKE, HELLO_S_LENGTH, M3_LENGTH, MODE } from "../../lib/protocol/handshake.ts";
import { MAX_CODE_GUESSES } from "../../lib/protocol/limits.ts";
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { until } from "../rooms/room_server.ts";
import type { RelayHook } from "./evil_server.ts";
import { guesser, isRefused, Middle, Seat } from "./mallory.ts";
import {
  assertNeverConnected,
  assertOutcome,
  assertSeen,
  attack,
  elsewhere,
  type Scene,
  shareGround,
  SLOW,
} from "./scene.ts";

shareGround();

const { commit: M1, helloS: M2, helloR: M3, offer: M4 } = HANDSHAKE;
/** Offset of Yb: after HELLO_R and ct in M3, before macR. */
const YB_AT = M3_LENGTH - 32;

const UP = { t: "peer", up: true, by: "join" } as const;
const DOWN = { t: "peer", up: false, by: "leave" } as const;

/** The code on the sender's page, parsed. */
async function codeOf({ sender }: Scene): Promise<Code> {
  const code = parseCode(await sender.shareCode(), await loadWordlist());
  assert("digits" in code, "The page shows no code");
  return code;
}

/** The same digits with words that are certainly wrong. */
function wrong({ digits, words }: Code): Code {
  return { digits, words: words === "zoo-zoo-zoo" ? "zebra-zoo-zoo" : "zoo-zoo-zoo" };
}

/** Enters a code instead of the link, and clicks the button. */
async function typeCode({ viewer }: Scene, { digits, words }: Code): Promise<void> {
  await viewer.startOver();
  await viewer.typeCode(`${digits}-${words}`);
  await viewer.join();
}

/** Lets the viewer join by code, and waits until they are dismissed and both read so. */
async function turnedAway(scene: Scene, code: Code): Promise<void> {
  const { evil, sender, viewer } = scene;
  await typeCode(scene, code);
  await Promise.all([
    assertOutcome(sender, "turned_away"),
    assertOutcome(viewer, "wrong_code"),
  ]);
  await assertNeverConnected(sender, viewer);
  assertEquals(evil.count("S", M4), 0, "the sender has shown nothing of herself");
}

attack("a code that nobody attacks works", async (scene) => {
  await typeCode(scene, await codeOf(scene));
  await assertSeen(scene);
});

// Guessing

/**
 * Tries a code with the sender, in the seat that the real server gives to anybody with the digits.
 */
async function tryAtSender({ evil }: Scene, code: Code): Promise<string | null> {
  await using seat = await Seat.claim(evil, code.digits, { t: "join" });
  assertEquals(await seat.answer(), "joined");
  return await seat.playViewer(await guesser(code));
}

/** Uses up all guesses that the sender's page allows. */
async function guessAll(scene: Scene, code: Code): Promise<void> {
  for (let i = 0; i < MAX_CODE_GUESSES; i++) {
    assertEquals(await tryAtSender(scene, wrong(code)), null);
    await scene.sender.waitPhase("waiting");
  }
  assertMatch(await scene.sender.text(), /wrong code was entered.*the link still does/is);
}

attack(
  "three wrong guesses: the code is withdrawn, the sender reads so, and the link still works",
  async (scene) => {
    const { evil, viewer } = scene;
    const code = await codeOf(scene);
    await guessAll(scene, code);
    await using late = await Seat.claim(evil, code.digits, { t: "join" });
    assertEquals((await late.client.closed).code, CLOSE.refused);
    await viewer.join();
    await assertSeen(scene);
  },
);

attack(
  "after the withdrawal even the right words get no answer, whatever the server claims",
  async (scene) => {
    const { evil, sender } = scene;
    const code = await codeOf(scene);
    await guessAll(scene, code);
    const answers = evil.count("S", M2);
    const victim = await evil.victim("S");
    victim.say({ t: "created", exp: 600, rtok: toBase64Url(randomBytes(32)), code: code.digits });
    victim.say(UP);
    const { commit } = await ViewerHandshake.start(await guesser(code));
    victim.relay(commit);
    await assertOutcome(sender, "turned_away");
    assertEquals(evil.count("S", M2), answers);
    assertEquals(await sender.page.$("[data-field=share-code]"), null);
  },
);

attack(
  "guesses that the server aborts count as well: after three the code is withdrawn",
  async (scene) => {
    const { evil, sender } = scene;
    const code = await codeOf(scene);
    const victim = await evil.victim("S");
    for (let i = 0; i <= MAX_CODE_GUESSES; i++) {
      victim.say(DOWN);
      victim.say(UP);
      const handshake = await ViewerHandshake.start(await guesser(wrong(code)));
      victim.relay(handshake.commit);
      if (i === MAX_CODE_GUESSES) break;
      await until(() => evil.count("S", M2) > i, "the sender's answer");
      const helloS = evil.relayed.findLast(({ bytes }) => bytes[0] === M2)!.bytes;
      victim.relay(await handshake.receiveHello(helloS));
    }
    await sender.waitFor(
      "the withdrawal",
      () => /wrong code was entered/.test(document.body.innerText),
    );
    assertEquals(await sender.page.$("[data-field=share-code]"), null);
    assertEquals(evil.count("S", M2), MAX_CODE_GUESSES);
    assertEquals(evil.count("S", M4), 0);
  },
  { beforeSender: SLOW },
);

attack(
  "ten strangers in one seat: the sender stops, and reads that the keys do not match",
  async (scene) => {
    const { evil, sender } = scene;
    const victim = await evil.victim("S");
    for (let i = 0; i < 10; i++) {
      victim.say(UP);
      victim.relay(new Uint8Array([M1, 1, MODE.link, ...randomBytes(31)]));
      if (i < 9) await sender.waitPhase("waiting");
    }
    await assertOutcome(sender, "verification");
    assertEquals(evil.count("S", M2), 0);
  },
);

attack(
  "the server plays the sender: it gets three guesses, however often it restarts the viewer",
  async (scene) => {
    const { evil, viewer } = scene;
    const code = await codeOf(scene);
    const refused: boolean[] = [];
    let mallory: SenderHandshake | undefined;
    evil.onUp((message, victim) => {
      if (message.t !== "join") return message;
      victim.say({ t: "joined", rtok: toBase64Url(randomBytes(32)) });
      victim.say(UP);
      return null;
    });
    evil.onRelay(async (_from, bytes, victim) => {
      if (bytes[0] === M1) {
        mallory = await SenderHandshake.start(await guesser(wrong(code)));
        victim.relay(await mallory.receiveCommit(bytes));
      }
      if (bytes[0] === M3 && mallory !== undefined) {
        const current = mallory;
        refused.push(await isRefused(() => current.receiveHello(bytes)));
        victim.say(DOWN);
        victim.say(UP);
      }
      return null;
    });
    await typeCode(scene, code);
    await assertOutcome(viewer, "timeout");
    await assertNeverConnected(viewer);
    assertEquals(refused, Array(MAX_CODE_GUESSES).fill(true));
    assertEquals(evil.count("R", M3), MAX_CODE_GUESSES);
  },
);

attack(
  "a man in the middle of a code has one guess per side, and learns nothing",
  async (scene) => {
    const { evil } = scene;
    const code = await codeOf(scene);
    const mallory = await Middle.start(evil, await guesser(wrong(code)));
    evil.onRelay(mallory.hook);
    await turnedAway(scene, code);
    assertEquals(mallory.won, []);
  },
);

// Changing

async function foreignShare(): Promise<Bytes> {
  return (await generateEcdh()).publicKey;
}

/** `bytes` with the attacker's share at `at`, replacing `length` bytes. */
async function withShare(bytes: Bytes, at: number, length: number): Promise<Bytes> {
  return concat(bytes.slice(0, at), await foreignShare(), bytes.slice(at + length));
}

function without(bytes: Bytes, at: number): Bytes {
  return concat(bytes.slice(0, at), bytes.slice(at + 65));
}

const SWAPS: Readonly<Record<string, RelayHook>> = {
  "the sender's share Ya": (_from, bytes) =>
    bytes[0] === M2 ? withShare(bytes, HELLO_S_LENGTH, 65) : bytes,
  "the viewer's share Yb": (_from, bytes) => bytes[0] === M3 ? withShare(bytes, YB_AT, 65) : bytes,
  "both shares": (_from, bytes) => {
    if (bytes[0] === M2) return withShare(bytes, HELLO_S_LENGTH, 65);
    return bytes[0] === M3 ? withShare(bytes, YB_AT, 65) : bytes;
  },
};

for (const [what, hook] of Object.entries(SWAPS)) {
  attack(
    `${what} swapped: the viewer is dismissed, and both read so`,
    async (scene) => {
      scene.evil.onRelay(hook);
      await turnedAway(scene, await codeOf(scene));
    },
  );
}

attack(
  "the sender's own share reflected as the viewer's: the viewer is dismissed, and both read so",
  async (scene) => {
    const { evil } = scene;
    const code = await codeOf(scene);
    evil.onRelay(async (_from, bytes) => {
      if (bytes[0] !== M3) return bytes;
      const own = (await evil.message("S", M2)).slice(HELLO_S_LENGTH);
      return concat(bytes.slice(0, YB_AT), own, bytes.slice(YB_AT + 65));
    });
    await turnedAway(scene, code);
  },
);

attack(
  "a code's M1 changed to one of a link: the viewer detects that a reply lacks its share",
  async (scene) => {
    const { evil, sender, viewer } = scene;
    const code = await codeOf(scene);
    evil.onRelay((_from, bytes) => bytes[0] === M1 ? withMode(bytes, MODE.link) : bytes);
    await typeCode(scene, code);
    await assertOutcome(viewer, "verification");
    await assertOutcome(sender, "waiting");
    await assertNeverConnected(sender, viewer);
  },
);

attack(
  "a code's M1 changed to one of a link, with shares added and removed to fit: dismissed",
  async (scene) => {
    const code = await codeOf(scene);
    scene.evil.onRelay((_from, bytes) => {
      if (bytes[0] === M1) return withMode(bytes, MODE.link);
      if (bytes[0] === M2) return withShare(bytes, HELLO_S_LENGTH, 0);
      return bytes[0] === M3 ? without(bytes, YB_AT) : bytes;
    });
    await turnedAway(scene, code);
  },
);

attack(
  "a link's M1 changed to one of a code, with shares removed and added to fit: dismissed",
  async (scene) => {
    const { evil, sender, viewer } = scene;
    await codeOf(scene);
    evil.onRelay((_from, bytes) => {
      if (bytes[0] === M1) return withMode(bytes, MODE.code);
      if (bytes[0] === M2) return without(bytes, HELLO_S_LENGTH);
      return bytes[0] === M3 ? withShare(bytes, YB_AT, 0) : bytes;
    });
    await viewer.join();
    await assertOutcome(sender, "turned_away");
    await assertOutcome(viewer, "dismissed");
    await assertNeverConnected(sender, viewer);
  },
);

function withMode(bytes: Bytes, mode: number): Bytes {
  const changed = bytes.slice();
  changed[2] = mode;
  return changed;
}

// Digits

attack(
  "the right words with other digits, routed to the room by the server: dismissed",
  async (scene) => {
    const { evil } = scene;
    const { digits, words } = await codeOf(scene);
    const other = { digits: digits === "1111" ? "2222" : "1111", words };
    evil.onUp((message, victim) => {
      if (message.t === "join") victim.lead(digits);
      return message;
    });
    await turnedAway(scene, other);
  },
);

attack(
  "a viewer routed to another sender's room is dismissed there, and their sender is unaffected",
  async (scene) => {
    const own = await codeOf(scene);
    await elsewhere(async (there) => {
      const { digits } = await codeOf(there);
      scene.evil.onUp((message, victim) => {
        if (message.t === "join") victim.lead(digits);
        return message;
      });
      await typeCode(scene, own);
      await assertOutcome(scene.viewer, "wrong_code");
      await assertOutcome(there.sender, "turned_away");
      await assertNeverConnected(scene.sender, scene.viewer, there.sender);
      assertEquals(await scene.sender.shareCode(), `${own.digits}-${own.words}`);
    });
  },
);
