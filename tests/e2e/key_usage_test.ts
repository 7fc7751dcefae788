/**
 * How the protocol uses its keys, observed at `crypto.subtle` over a whole session of both sides:
 * handshake, sealed signaling, control records, a picture.
 *
 * @module
 */
import { encodeHex } from "@std/encoding/hex";
import { type Bytes, toBase64Url } from "../../lib/protocol/bytes.ts";
import { HANDSHAKE } from "../../lib/protocol/handshake.ts";
import { CHUNK_SIZE } from "../../lib/protocol/record.ts";
import { ControlOpener, ControlSealer, encodeControl } from "../../lib/e2e/control_record.ts";
import {
  SenderHandshake,
  type SenderInput,
  type SessionKeys,
  ViewerHandshake,
  type ViewerInput,
} from "../../lib/e2e/handshake.ts";
import { ImageOpener, ImageSealer } from "../../lib/e2e/image_stream.ts";
import { nativeKem } from "../../lib/e2e/kem.ts";
import { createLinkSecret, deriveRoom } from "../../lib/e2e/link.ts";
import { ProtocolError, sha256, wipe } from "../../lib/e2e/suite.ts";
import { assert, assertEquals, assertRejects } from "../support/assert.ts";
import { assertLeastKeys, type WatchReport, watchSubtle } from "../support/watch_subtle.ts";

// Loaded before anything is observed: noble tries the generator on its first line, with bytes that
// it never uses.
await import("../../lib/e2e/cpace.ts");

const CODE = { digits: "4821", words: "crystal-orbit-lemon" };

/**
 * Values that may stay: derived to be told or shown, and what noble blinds its multiplications
 * with, which it keeps to itself.
 */
const HARMLESS = [
  "img-e2e/1 room id",
  "img-e2e/1 join token",
  "img-e2e/1 sas",
  "16 random bytes",
];

/** What both sides contribute, with everything of it that has to be overwritten at the end. */
async function bring() {
  const kem = await nativeKem();
  assert(kem !== null, "this runtime is expected to have ML-KEM");
  const secret = createLinkSecret();
  const { rid, psk } = await deriveRoom(secret);
  const link = { room: rid, psk };
  const sender: SenderInput = { link, code: CODE, kem, fingerprint: await sha256(rid) };
  const viewer: ViewerInput = { secret: link, kem, fingerprint: await sha256(sender.fingerprint) };
  return { sender, viewer, end: () => wipe(secret, psk) };
}

/** M1 to M4; `clear` receives what everybody on the path could read. */
async function shakeHands(sender: SenderInput, viewer: ViewerInput, clear: Bytes[]) {
  const s = await SenderHandshake.start(sender);
  const r = await ViewerHandshake.start(viewer);
  const m2 = await s.receiveCommit(r.commit);
  clear.push(m2);
  const m3 = await r.receiveHello(m2);
  clear.push(m3);
  const keysS = await s.receiveHello(m3);
  const m4 = await s.confirm("v=0");
  const { keys: keysR } = await r.receiveConfirmation(m4);
  return { s: keysS, r: keysR };
}

/** Everything that keys are for, both ways. */
async function talk(s: SessionKeys, r: SessionKeys): Promise<void> {
  assert(await s.verifyPeerBinding(r.ownBinding) && await r.verifyPeerBinding(s.ownBinding));
  await s.signalOpener.open(await r.signalSealer.seal(HANDSHAKE.answer, "v=0"));
  await s.repairOpener.open(await r.repairSealer.seal("ask"));
  await r.repairOpener.open(await s.repairSealer.seal("offer"));
  const [stripeS, stripeR] = [await s.stripe(1), await r.stripe(1)];
  for (const [one, other] of [[stripeS, stripeR], [stripeR, stripeS]] as const) {
    assert(await one.verifyPeerBinding(other.ownBinding));
    await one.signalOpener.open(await other.signalSealer.seal(HANDSHAKE.offer, "v=0"));
  }
  wipe(await s.leave(), await r.leave());
  const [toR, toS] = [new ControlSealer(s.controlOut), new ControlSealer(r.controlOut)];
  const [fromS, fromR] = [new ControlOpener(r.controlIn), new ControlOpener(s.controlIn)];
  await fromR.open(await toS.seal(encodeControl({ t: "open", n: 0 })));

  const identity = { image: 0, size: CHUNK_SIZE + 1, metaHash: await sha256(new Uint8Array(1)) };
  const sealer = await ImageSealer.create(identity);
  const opener = new ImageOpener(identity);
  opener.add(await sealer.seal(new Uint8Array(CHUNK_SIZE).fill(7)));
  opener.add(await sealer.seal(new Uint8Array([7])));
  const key = sealer.exportKey();
  const plaintext = encodeControl({ t: "key", n: 0, key: toBase64Url(key) });
  const { plaintext: opened } = await fromS.open(await toR.seal(plaintext));
  await opener.open(key);
  sealer.destroy();
  // As the product does with what it sent and received.
  wipe(plaintext, opened);
}

/**
 * Observes `body`, which records what it sends in clear. Returns what remains of its secrets, by
 * name.
 */
async function watching(body: (clear: Bytes[]) => Promise<void>) {
  const watch = watchSubtle();
  try {
    const clear: Bytes[] = [];
    await body(clear);
    const report = watch.report();
    return { report, left: leftOvers(report, clear) };
  } finally {
    watch.restore();
  }
}

function leftOvers({ secrets }: WatchReport, clear: readonly Bytes[]): string[] {
  const said = clear.map(encodeHex).join();
  return secrets.filter(({ what, hex, zeroed }) => {
    // Nonces are random, and sent.
    const isNonce = what === "32 random bytes" && said.includes(hex);
    return !zeroed && !isNonce && !HARMLESS.includes(what);
  }).map(({ what }) => what);
}

/** Names of secrets that have to be seen; otherwise observing proves nothing. */
const WATCHED = [
  "32 random bytes",
  "HKDF key",
  "HMAC key",
  "AES-GCM key",
  "secret of ECDH",
  "encapsulated secret",
  "decapsulated secret",
  "img-e2e/1 ctl S",
  "sealed key message",
  "opened key message",
  "opened chunk",
];

for (const by of ["link", "code"] as const) {
  Deno.test(`a session by ${by}: keys are secret, single-purpose and overwritten`, async () => {
    const { report, left } = await watching(async (clear) => {
      const { sender, viewer, end } = await bring();
      const secret = by === "link" ? viewer.secret : CODE;
      const { s, r } = await shakeHands(sender, { ...viewer, secret }, clear);
      await talk(s, r);
      end();
    });
    assertLeastKeys(report, { spare: 1 });
    assertEquals(left, []);
    const seen = report.secrets.map(({ what }) => what);
    assertEquals(WATCHED.filter((what) => !seen.includes(what)), []);
  });
}

/** Who takes the right viewer's place, or what they bring. */
const STRANGERS: Readonly<Record<string, (viewer: ViewerInput) => ViewerInput>> = {
  "another room": (viewer) => {
    const secret = "psk" in viewer.secret ? { ...viewer.secret, room: new Uint8Array(16) } : CODE;
    return { ...viewer, secret };
  },
  "other words": (viewer) => ({ ...viewer, secret: { ...CODE, words: "crystal-orbit-melon" } }),
};

for (const [name, become] of Object.entries(STRANGERS)) {
  Deno.test(`a handshake that fails for ${name} leaves no secret behind`, async () => {
    const { left } = await watching(async (clear) => {
      const { sender, viewer, end } = await bring();
      await assertRejects(() => shakeHands(sender, become(viewer), clear), ProtocolError);
      end();
    });
    assertEquals(left, []);
  });
}

Deno.test("a CPace run's scalar is overwritten, valid share or not", async () => {
  const { CpaceRun } = await import("../../lib/e2e/cpace.ts");
  const input = {
    password: new Uint8Array(1),
    channel: new Uint8Array(1),
    session: new Uint8Array(1),
  };
  const data = { dataA: new Uint8Array(1), dataB: new Uint8Array(1) };
  const { share } = new CpaceRun(input);
  for (const peerShare of [share, share.with(9, (share[9] ?? 0) ^ 1)]) {
    const scalar = new Uint8Array(32).fill(5);
    const run = new CpaceRun(input, scalar);
    await run.finish(peerShare, { shareA: run.share, shareB: peerShare, ...data }).catch(() => {});
    assertEquals(scalar, new Uint8Array(32));
  }
});

/** What an attacker on the path puts into M2 or M3 in place of the last bytes before the end. */
const DAMAGE: Readonly<Record<string, (m2: Bytes, m3: Bytes) => readonly [m2: Bytes, m3: Bytes]>> =
  {
    "an invalid encapsulation key": (m2, m3) => [m2.fill(0xff, 131, 131 + 1184), m3],
    "a share of S that is not a point": (m2, m3) => [m2.fill(7, -64), m3],
    "a share of R that is not a point": (m2, m3) => [m2, m3.fill(7, -96, -32)],
    "a key of R that is not a point": (m2, m3) => [m2, m3.fill(7, 3, 67)],
  };

for (const [name, damage] of Object.entries(DAMAGE)) {
  Deno.test(`a handshake that fails for ${name} leaves no secret behind`, async () => {
    const { left } = await watching(async (clear) => {
      const { sender, viewer, end } = await bring();
      const s = await SenderHandshake.start(sender);
      const r = await ViewerHandshake.start({ ...viewer, secret: CODE });
      const m2 = await s.receiveCommit(r.commit);
      clear.push(m2.slice());
      await assertRejects(async () => {
        const [wrongM2] = damage(m2.slice(), new Uint8Array(0));
        const m3 = await r.receiveHello(wrongM2);
        clear.push(m3.slice());
        const [, wrongM3] = damage(m2.slice(), m3.slice());
        await s.receiveHello(wrongM3);
      }, ProtocolError);
      end();
    });
    // The viewer's nonce, if it was never sent.
    assertEquals(left.filter((what) => what !== "32 random bytes"), []);
  });
}
