/**
 * The server changes, swaps, repeats, mixes up and truncates the messages of the handshake. It can
 * always prevent a session. It can't take part in one, or end one without the two people reading
 * so.
 *
 * @module
 */
import { SenderHandshake, ViewerHandshake } from "../../lib/e2e/handshake.ts";
import { loadKem } from "../../lib/e2e/kem.ts";
import { generateEcdh, randomBytes, take } from "../../lib/e2e/suite.ts";
import type { Role } from "../../lib/e2e/transcript.ts";
import { type Bytes, toBase64Url } from "../../lib/protocol/bytes.ts";
import {
  HANDSHAKE,
  HELLO_EK_AT,
  HELLO_EPK_AT,
  HELLO_FP_AT,
  HELLO_NONCE_AT,
  HELLO_R_LENGTH,
  MODE,
} from "../../lib/protocol/handshake.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { until } from "../rooms/room_server.ts";
import type { Relayed, RelayHook } from "./evil_server.ts";
import { attacker, changeOfMind, Middle, Seat } from "./mallory.ts";
import {
  assertNeverConnected,
  assertOutcome,
  assertSeen,
  attack,
  elsewhere,
  type Scene,
  shareGround,
} from "./scene.ts";

shareGround();

/**
 * Result if the sender's page detected it before anybody was confirmed: the visitor is dismissed,
 * the link stays valid.
 */
const TURNED_AWAY = { sender: "turned_away", viewer: "dismissed" } as const;
/** Result if it detected it later: it ends the room, and the server may say so. */
const SENDER_STOPS = { sender: "verification", viewer: "room_deleted" } as const;
/** Result if the viewer's page detected it: it leaves, and the link waits for its next visitor. */
const VIEWER_STOPS = { sender: "waiting", viewer: "verification" } as const;

type Outcome = typeof TURNED_AWAY | typeof SENDER_STOPS | typeof VIEWER_STOPS;

/** Lets the viewer join, and waits until both read the expected outcome. */
async function run({ sender, viewer }: Scene, outcome: Outcome): Promise<void> {
  await viewer.join();
  await Promise.all([
    assertOutcome(sender, outcome.sender),
    assertOutcome(viewer, outcome.viewer),
  ]);
  await assertNeverConnected(sender, viewer);
}

/** `bytes` with `part` written over them from `at` on. */
function overwrite(bytes: Bytes, at: number, part: Bytes): Bytes {
  const changed = bytes.slice();
  changed.set(part, at);
  return changed;
}

/** `bytes` with one bit flipped; a negative `at` counts from the end. */
function flip(bytes: Bytes, at: number): Bytes {
  const changed = bytes.slice();
  const index = at < 0 ? changed.length + at : at;
  changed[index] = changed[index]! ^ 1;
  return changed;
}

const { commit: M1, helloS: M2, helloR: M3, offer: M4, answer: M5, candidate: M6 } = HANDSHAKE;
/** Offsets after `type ver macS` of M4, and after `type ver` of M5 and M6. */
const SEALED_AT = { [M4]: 2 + 32, [M5]: 2, [M6]: 2 } as const;
const CT_AT = HELLO_R_LENGTH;
const MAC_R_AT = HELLO_R_LENGTH + 1_088;

/**
 * Changes the first message of this type and forwards all others. For M5, all candidates are
 * dropped as well; for M6, the other side's answer and candidates. So no connection is established
 * before the changed message is processed.
 */
function once(
  { from, type }: { readonly from: Role; readonly type: number },
  treat: (bytes: Bytes) => Bytes | readonly Bytes[] | null | Promise<Bytes>,
): RelayHook {
  let done = false;
  return (who, bytes) => {
    const hindered = type === M5 ? bytes[0] === M6 : type === M6 && who !== from && bytes[0]! >= M5;
    if (hindered) return null;
    if (done || who !== from || bytes[0] !== type) return bytes;
    done = true;
    return treat(bytes);
  };
}

interface Change {
  readonly what: string;
  readonly from: Role;
  readonly type: number;
  readonly treat: (bytes: Bytes) => Bytes | Promise<Bytes>;
  readonly outcome: Outcome;
}

async function foreignPoint(): Promise<Bytes> {
  return (await generateEcdh()).publicKey;
}

async function foreignEk(): Promise<Bytes> {
  return (await (await loadKem()).generate()).encapsulationKey;
}

// Swapping

const CHANGES: readonly Change[] = [
  {
    what: "the sender's ECDH key is swapped",
    from: "S",
    type: M2,
    treat: async (bytes) => overwrite(bytes, HELLO_EPK_AT, await foreignPoint()),
    outcome: TURNED_AWAY,
  },
  {
    what: "the viewer's ECDH key is swapped",
    from: "R",
    type: M3,
    treat: async (bytes) => overwrite(bytes, HELLO_EPK_AT, await foreignPoint()),
    outcome: TURNED_AWAY,
  },
  {
    what: "the sender's nonce is swapped",
    from: "S",
    type: M2,
    treat: (bytes) => overwrite(bytes, HELLO_NONCE_AT, randomBytes(32)),
    outcome: TURNED_AWAY,
  },
  {
    what: "the fingerprint in the sender's HELLO is swapped",
    from: "S",
    type: M2,
    treat: (bytes) => overwrite(bytes, HELLO_FP_AT, randomBytes(32)),
    outcome: TURNED_AWAY,
  },
  {
    what: "the fingerprint in the viewer's HELLO is swapped",
    from: "R",
    type: M3,
    treat: (bytes) => overwrite(bytes, HELLO_FP_AT, randomBytes(32)),
    outcome: TURNED_AWAY,
  },
  {
    what: "the KEM's key is swapped",
    from: "S",
    type: M2,
    treat: async (bytes) => overwrite(bytes, HELLO_EK_AT, await foreignEk()),
    outcome: TURNED_AWAY,
  },
  {
    what: "the KEM's ciphertext is changed",
    from: "R",
    type: M3,
    treat: (bytes) => flip(bytes, CT_AT),
    outcome: TURNED_AWAY,
  },
  {
    what: "the viewer's confirmation is changed",
    from: "R",
    type: M3,
    treat: (bytes) => flip(bytes, MAC_R_AT),
    outcome: TURNED_AWAY,
  },
  {
    what: "the sender's confirmation is changed",
    from: "S",
    type: M4,
    treat: (bytes) => flip(bytes, 2),
    outcome: VIEWER_STOPS,
  },
  {
    what: "the sender's sealed SDP is changed",
    from: "S",
    type: M4,
    treat: (bytes) => flip(bytes, SEALED_AT[M4]),
    outcome: VIEWER_STOPS,
  },
  {
    what: "the viewer's sealed SDP is changed",
    from: "R",
    type: M5,
    treat: (bytes) => flip(bytes, SEALED_AT[M5]),
    outcome: SENDER_STOPS,
  },
  {
    what: "a candidate of the sender is changed",
    from: "S",
    type: M6,
    treat: (bytes) => flip(bytes, SEALED_AT[M6]),
    outcome: VIEWER_STOPS,
  },
  {
    what: "a candidate of the viewer is changed",
    from: "R",
    type: M6,
    treat: (bytes) => flip(bytes, -1),
    outcome: SENDER_STOPS,
  },
  ...[0, 2, 255].map((mode): Change => ({
    what: `the mode byte of M1 becomes ${mode}`,
    from: "R",
    type: M1,
    treat: (bytes) => overwrite(bytes, 2, new Uint8Array([mode])),
    // The sender answers as for a code, which a viewer with a link rejects.
    outcome: mode === MODE.code ? VIEWER_STOPS : TURNED_AWAY,
  })),
  ...([[M1, "R"], [M2, "S"], [M3, "R"], [M4, "S"], [M5, "R"], [M6, "S"]] as const).map(
    ([type, from]): Change => ({
      what: `M${type} is truncated by one byte`,
      from,
      type,
      treat: (bytes) => bytes.slice(0, -1),
      outcome: from === "S" ? VIEWER_STOPS : type < M4 ? TURNED_AWAY : SENDER_STOPS,
    }),
  ),
];

for (const { what, from, type, treat, outcome } of CHANGES) {
  attack(`${what}: no session, and both read so`, async (scene) => {
    const { evil } = scene;
    evil.onRelay(once({ from, type }, treat));
    await run(scene, outcome);
    // Before the viewer is confirmed, the sender reveals nothing.
    if (outcome === TURNED_AWAY) assertEquals(evil.count("S", M4), 0);
  });
}

attack(
  "a man in the middle with separate keys for each side learns nothing from either",
  async (scene) => {
    const { evil, secrets } = scene;
    const mallory = await Middle.start(evil, await attacker(secrets.rid));
    evil.onRelay(mallory.hook);
    await run(scene, TURNED_AWAY);
    assertEquals(mallory.won, []);
    assertEquals(evil.count("S", M4), 0, "the sender has shown nothing of herself");
  },
);

attack(
  "both ECDH keys are swapped for the attacker's, all else is unchanged: no session",
  async (scene) => {
    const { evil } = scene;
    const mine = await foreignPoint();
    evil.onRelay((_from, bytes) =>
      bytes[0] === M2 || bytes[0] === M3 ? overwrite(bytes, HELLO_EPK_AT, mine) : bytes
    );
    await run(scene, TURNED_AWAY);
    assertEquals(evil.count("S", M4), 0);
  },
);

attack("the KEM's key and ciphertext are both the attacker's: no session", async (scene) => {
  const { evil } = scene;
  const kem = await loadKem();
  const mine = await kem.generate();
  let ek: Bytes | null = null;
  evil.onRelay(async (_from, bytes) => {
    if (bytes[0] === M2) {
      ek = take(bytes, HELLO_EK_AT, 1_184);
      return overwrite(bytes, HELLO_EK_AT, mine.encapsulationKey);
    }
    if (bytes[0] !== M3 || ek === null) return bytes;
    return overwrite(bytes, CT_AT, (await kem.encapsulate(ek)).ciphertext);
  });
  await run(scene, TURNED_AWAY);
  assertEquals(evil.count("S", M4), 0);
});

// Somebody who has the link too: they must not be able to deviate from their commitments

attack(
  "a viewer with the link whose HELLO differs from the commitment is dismissed",
  async ({ evil, sender, secrets }) => {
    await using seat = await joined({ evil, secrets });
    const input = await attacker(secrets.rid, secrets.psk);
    const { commit } = await ViewerHandshake.start(input);
    seat.relay(commit);
    const helloS = await seat.next();
    assert(helloS !== null, "no M2");
    seat.relay(await changeOfMind(input, { commit, helloS }));
    assertEquals(await seat.next(), null, "no M4");
    await assertOutcome(sender, "turned_away");
  },
);

/** An SDP as a browser writes it, with a fingerprint that is nobody's. */
const FOREIGN_SDP = [
  "v=0",
  "o=- 1 2 IN IP4 127.0.0.1",
  "s=-",
  "t=0 0",
  "a=group:BUNDLE 0",
  "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
  "c=IN IP4 0.0.0.0",
  "a=ice-ufrag:abcd",
  "a=ice-pwd:abcdefghijklmnopqrstuvwx",
  `a=fingerprint:sha-256 ${Array(32).fill("AB").join(":")}`,
  "a=setup:active",
  "a=mid:0",
  "a=sctp-port:5000",
  "",
].join("\r\n");

attack(
  "a viewer with the link whose SDP and HELLO have different fingerprints is dismissed",
  async ({ evil, sender, secrets }) => {
    await using seat = await joined({ evil, secrets });
    const handshake = await ViewerHandshake.start(await attacker(secrets.rid, secrets.psk));
    seat.relay(handshake.commit);
    const helloS = await seat.next();
    assert(helloS !== null, "no M2");
    seat.relay(await handshake.receiveHello(helloS));
    const confirmation = await seat.next();
    assert(confirmation !== null, "no M4");
    const { keys } = await handshake.receiveConfirmation(confirmation);
    seat.relay(await keys.signalSealer.seal(M5, FOREIGN_SDP));
    await assertOutcome(sender, "verification");
    await assertNeverConnected(sender);
  },
);

attack(
  "a sender with the link whose SDP and HELLO have different fingerprints gets no connection",
  async (scene) => {
    const { evil, sender, viewer, secrets } = scene;
    const handshake = await SenderHandshake.start(await attacker(secrets.rid, secrets.psk));
    evil.onRelay(async (from, bytes, victim) => {
      if (from === "S") return null;
      if (bytes[0] === M1) victim.relay(await handshake.receiveCommit(bytes));
      if (bytes[0] === M3) {
        await handshake.receiveHello(bytes);
        victim.relay(await handshake.confirm(FOREIGN_SDP.replace("active", "actpass")));
      }
      return null;
    });
    await viewer.join();
    await assertOutcome(viewer, "verification");
    assertEquals(evil.count("R", M5), 0, "no answer was given");
    await assertNeverConnected(sender, viewer);
  },
);

/** Takes the viewer's seat as somebody who has the link, or whom the server admits. */
async function joined({ evil, secrets }: Pick<Scene, "evil" | "secrets">): Promise<Seat> {
  const tok = toBase64Url(secrets.jtok);
  const seat = await Seat.claim(evil, toBase64Url(secrets.rid), { t: "join", tok });
  assertEquals(await seat.answer(), "joined");
  return seat;
}

// Repeating

attack(
  "M1 repeated after its reply: whoever gets a duplicate first detects it",
  async (scene) => {
    const { evil, sender, viewer } = scene;
    evil.onRelay(once({ from: "S", type: M4 }, async (bytes) => {
      (await evil.victim("S")).relay(await evil.message("R", M1));
      return bytes;
    }));
    await viewer.join();
    // Either the second answer reaches the viewer first, or the dismissal by the sender, who
    // started over: the network decides.
    const reason = await viewer.waitReason("failed");
    assert(reason === "verification" || reason === "dismissed", reason);
    await assertOutcome(sender, "waiting");
    await assertNeverConnected(sender, viewer);
  },
);

for (
  const [type, from] of [[M2, "S"], [M3, "R"], [M4, "S"], [M5, "R"], [M6, "S"], [M6, "R"]] as const
) {
  const whose = type === M6 ? ` of the ${from === "S" ? "sender" : "viewer"}` : "";
  attack(`M${type}${whose} twice: no session, and both read so`, async (scene) => {
    scene.evil.onRelay(once({ from, type }, (bytes) => [bytes, bytes]));
    await run(scene, from === "R" ? SENDER_STOPS : VIEWER_STOPS);
  });
}

/**
 * Lets the two proceed until both have sent candidates, without forwarding those; returns all
 * messages they relayed.
 */
async function rehearse({ evil, viewer }: Scene): Promise<readonly Relayed[]> {
  evil.onRelay((_from, bytes) => bytes[0] === M5 || bytes[0] === M6 ? null : bytes);
  await viewer.join();
  await Promise.all([evil.message("S", M6), evil.message("R", M6)]);
  return [...evil.relayed];
}

/**
 * Uses `hook` for the attempt that begins now, and drops what the one before still sends: browsers
 * find candidates late, and the hook would take one of those for the first of this attempt.
 */
function fromNextHello(hook: RelayHook): RelayHook {
  let begun = false;
  return (who, bytes, victim) => {
    begun ||= who === "S" && bytes[0] === M2;
    return begun || bytes[0] !== M6 ? hook(who, bytes, victim) : null;
  };
}

let foreign: Promise<readonly Relayed[]> | undefined;

for (
  const [type, from] of [
    [M1, "R"],
    [M2, "S"],
    [M3, "R"],
    [M4, "S"],
    [M5, "R"],
    [M6, "S"],
    [M6, "R"],
  ] as const
) {
  const outcome = type < M4 ? TURNED_AWAY : from === "R" ? SENDER_STOPS : VIEWER_STOPS;
  const message = type === M6
    ? `a candidate of the ${from === "S" ? "sender" : "viewer"}`
    : `M${type}`;
  const find = (old: readonly Relayed[]) =>
    old.find((item) => item.from === from && item.bytes[0] === type)!.bytes;

  attack(
    `${message} of an older session of this room: no session, and both read so`,
    async (scene) => {
      const { evil, sender, viewer } = scene;
      const old = find(await rehearse(scene));
      evil.onRelay(fromNextHello(once({ from, type }, () => old)));
      // After losing the socket the viewer reconnects, and both start over.
      (await evil.victim("R")).close();
      await Promise.all([
        sender.waitPhase("waiting").then(() => assertOutcome(sender, outcome.sender)),
        assertOutcome(viewer, outcome.viewer),
      ]);
      await assertNeverConnected(sender, viewer);
    },
  );

  attack(`${message} of another room: no session, and both read so`, async (scene) => {
    foreign ??= elsewhere(rehearse);
    const other = find(await foreign);
    scene.evil.onRelay(once({ from, type }, () => other));
    await run(scene, outcome);
  });
}

attack(
  "the session of a viewer who left, replayed to the sender: no M4 for the attacker",
  async (scene) => {
    const { evil, sender, viewer, secrets } = scene;
    await rehearse(scene);
    const [m1, m3] = await Promise.all([evil.message("R", M1), evil.message("R", M3)]);
    await viewer.leave();
    await sender.waitPhase("waiting");
    const before = evil.count("S", M4);
    await using seat = await joined({ evil, secrets });
    seat.relay(m1);
    assertEquals((await seat.next())?.[0], M2);
    seat.relay(m3);
    assertEquals(await seat.next(), null);
    await assertOutcome(sender, "turned_away");
    assertEquals(evil.count("S", M4), before);
  },
);

// Reflecting

attack("the sender's HELLO is reflected: the sender stops", async (scene) => {
  const { evil } = scene;
  evil.onRelay((_from, bytes, victim) => {
    if (bytes[0] !== M2) return bytes;
    victim.relay(bytes);
    return null;
  });
  await run(scene, TURNED_AWAY);
  assertEquals(evil.count("S", M4), 0);
});

attack("the viewer's commitment is reflected: the viewer stops", async (scene) => {
  scene.evil.onRelay((_from, bytes, victim) => {
    if (bytes[0] !== M1) return bytes;
    victim.relay(bytes);
    return null;
  });
  const { sender, viewer } = scene;
  await viewer.join();
  await assertOutcome(viewer, "verification");
  await assertOutcome(sender, "waiting");
  await assertNeverConnected(sender, viewer);
});

attack(
  "the sender's candidate is reflected instead of the viewer's: the sender stops",
  async (scene) => {
    const { evil } = scene;
    const held: Bytes[] = [];
    let answered = false;
    evil.onRelay((from, bytes, victim) => {
      if (bytes[0] === M5) {
        answered = true;
        return [bytes, ...held];
      }
      if (bytes[0] !== M6) return bytes;
      if (from === "S" && answered) victim.relay(bytes);
      else if (from === "S") held.push(bytes);
      return null;
    });
    await run(scene, SENDER_STOPS);
  },
);

attack(
  "the viewer's candidate is reflected instead of the sender's: the viewer stops",
  async (scene) => {
    const { evil } = scene;
    evil.onRelay((from, bytes, victim) => {
      if (bytes[0] !== M6) return bytes;
      if (from === "R") victim.relay(bytes);
      return null;
    });
    await run(scene, VIEWER_STOPS);
  },
);

// Order

for (const from of ["S", "R"] as const) {
  const whose = from === "S" ? "sender" : "viewer";
  attack(
    `two candidates of the ${whose} are swapped: no session, and both read so`,
    async (scene) => {
      let held: Bytes | null = null;
      scene.evil.onRelay((who, bytes) => {
        if (bytes[0] !== M6) return bytes;
        if (who !== from) return null;
        if (held === null) {
          held = bytes;
          return null;
        }
        return [bytes, held];
      });
      await run(scene, from === "R" ? SENDER_STOPS : VIEWER_STOPS);
    },
  );

  attack(`a candidate of the ${whose} is left out: no session, and both read so`, async (scene) => {
    scene.evil.onRelay(once({ from, type: M6 }, () => null));
    await run(scene, from === "R" ? SENDER_STOPS : VIEWER_STOPS);
  });

  attack(
    `a candidate of the ${whose} overtakes the SDP: no session, and both read so`,
    async (scene) => {
      const sdp = from === "S" ? M4 : M5;
      let held: Bytes | null = null;
      scene.evil.onRelay((who, bytes) => {
        if (bytes[0] === sdp) {
          held = bytes;
          return null;
        }
        // Candidates of the other side are forwarded alone: together with the delayed SDP they
        // would return it to the side it came from, which is another attack with another outcome.
        return who === from && bytes[0] === M6 && held !== null ? [bytes, held] : bytes;
      });
      await run(scene, from === "R" ? SENDER_STOPS : VIEWER_STOPS);
    },
  );
}

attack("an honest server is not noticed", async (scene) => {
  await scene.viewer.join();
  await assertSeen(scene);
  await until(() => scene.evil.count("R", M6) > 0, "candidates went through the relay");
});
