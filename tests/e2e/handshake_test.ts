import { ascii, type Bytes, concat, enc } from "../../lib/protocol/bytes.ts";
import { HANDSHAKE, HELLO_R_LENGTH, MODE, SHARE_LENGTH } from "../../lib/protocol/handshake.ts";
import {
  SenderHandshake,
  type SenderInput,
  type SessionKeys,
  ViewerHandshake,
  type ViewerInput,
} from "../../lib/e2e/handshake.ts";
import { javascriptKem, type Kem, loadKem, nativeKem } from "../../lib/e2e/kem.ts";
import { CpaceRun } from "../../lib/e2e/cpace.ts";
import { createLinkSecret, deriveRoom } from "../../lib/e2e/link.ts";
import {
  ecdh,
  generateEcdh,
  hkdf,
  hmacKey,
  mac,
  ProtocolError,
  randomBytes,
  sha256,
} from "../../lib/e2e/suite.ts";
import { commitTo } from "../../lib/e2e/transcript.ts";
import { assert, assertEquals, assertRejects } from "../support/assert.ts";

const kem = await loadKem();
const CODE = { digits: "4821", words: "crystal-orbit-lemon" };

async function inputs(kems: { s: Kem; r: Kem } = { s: kem, r: kem }) {
  const { rid, psk } = await deriveRoom(createLinkSecret());
  const link = { room: rid, psk };
  const s: SenderInput = { link, code: CODE, fingerprint: randomBytes(32), kem: kems.s };
  const r: ViewerInput = { secret: link, fingerprint: randomBytes(32), kem: kems.r };
  return { s, r };
}

/** What an attacker on the path may do to each message; by default nothing. */
interface Wire {
  m1?: (message: Bytes) => Bytes;
  m2?: (message: Bytes) => Bytes;
  m3?: (message: Bytes) => Bytes;
  m4?: (message: Bytes) => Bytes;
}

async function run(
  input: { s: SenderInput; r: ViewerInput },
  wire: Wire = {},
): Promise<{ s: SessionKeys; r: SessionKeys; offer: string }> {
  const same = (message: Bytes) => message;
  const viewer = await ViewerHandshake.start(input.r);
  const sender = await SenderHandshake.start(input.s);
  const m2 = await sender.receiveCommit((wire.m1 ?? same)(viewer.commit));
  const m3 = await viewer.receiveHello((wire.m2 ?? same)(m2));
  const s = await sender.receiveHello((wire.m3 ?? same)(m3));
  const m4 = await sender.confirm("v=0 offer");
  const { keys: r, offer } = await viewer.receiveConfirmation((wire.m4 ?? same)(m4));
  return { s, r, offer };
}

function flip(at: number): (message: Bytes) => Bytes {
  return (message) => {
    const out = message.slice();
    const index = at < 0 ? out.length + at : at;
    out[index] = (out[index] ?? 0) ^ 1;
    return out;
  };
}

Deno.test("handshake: both ends agree on keys, fingerprints and SAS", async () => {
  const input = await inputs();
  const { s, r, offer } = await run(input);
  assertEquals(offer, "v=0 offer");
  assertEquals(s.sas, r.sas);
  assertEquals(s.peerFingerprint, input.r.fingerprint);
  assertEquals(r.peerFingerprint, input.s.fingerprint);
  assert(await s.verifyPeerBinding(r.ownBinding));
  assert(await r.verifyPeerBinding(s.ownBinding));
  assert(!await s.verifyPeerBinding(s.ownBinding), "a reflected binding must not verify");
  const answer = await r.signalSealer.seal(HANDSHAKE.answer, "v=0 answer");
  assertEquals(await s.signalOpener.open(answer), "v=0 answer");
});

Deno.test("handshake: native and JavaScript ML-KEM are interoperable, both ways", async () => {
  const native = await nativeKem();
  const javascript = await javascriptKem();
  assert(native !== null, "this runtime is expected to have ML-KEM");
  for (const kems of [{ s: native, r: javascript }, { s: javascript, r: native }]) {
    const { s, r } = await run(await inputs(kems));
    assertEquals(s.sas, r.sas);
  }
});

Deno.test("handshake: without the link's psk nobody passes M3", async () => {
  const input = await inputs();
  const stranger = { ...input.r, secret: { ...input.s.link, psk: randomBytes(32) } };
  await assertRejects(() => run({ s: input.s, r: stranger }), ProtocolError);
});

Deno.test("handshake: a psk known to the viewer alone does not convince the viewer", async () => {
  const input = await inputs();
  const viewer = await ViewerHandshake.start(input.r);
  const impostor = await SenderHandshake.start({
    ...input.s,
    link: { ...input.s.link, psk: randomBytes(32) },
  });
  const m3 = await viewer.receiveHello(await impostor.receiveCommit(viewer.commit));
  await assertRejects(() => impostor.receiveHello(m3), ProtocolError);
  // Even with M4 forged in a session of the attacker's own, the viewer refuses.
  const own = await ViewerHandshake.start({
    ...input.r,
    secret: { ...input.s.link, psk: randomBytes(32) },
  });
  await own.receiveHello(await (await SenderHandshake.start(input.s)).receiveCommit(own.commit));
  const forged = new Uint8Array(200);
  forged.set([HANDSHAKE.offer, 1]);
  await assertRejects(() => viewer.receiveConfirmation(forged), ProtocolError);
});

Deno.test("handshake: another room's address does not verify", async () => {
  const input = await inputs();
  const { psk } = input.s.link;
  const elsewhere = { ...input.r, secret: { room: randomBytes(16), psk } };
  await assertRejects(() => run({ s: input.s, r: elsewhere }), ProtocolError);
});

// One position in every field of every message: header, key, nonce, fingerprint, KEM parts, MACs,
// ciphertext.
const CHANGES: readonly [name: string, wire: Wire][] = [
  ["M1 type", { m1: flip(0) }],
  ["M1 version", { m1: flip(1) }],
  ["M1 mode", { m1: flip(2) }],
  ["M1 commitment", { m1: flip(20) }],
  ["M2 version", { m2: flip(1) }],
  ["M2 public key", { m2: flip(30) }],
  ["M2 nonce", { m2: flip(70) }],
  ["M2 fingerprint", { m2: flip(100) }],
  ["M2 encapsulation key", { m2: flip(-1) }],
  ["M3 public key", { m3: flip(30) }],
  ["M3 nonce", { m3: flip(70) }],
  ["M3 fingerprint", { m3: flip(100) }],
  ["M3 ciphertext", { m3: flip(200) }],
  ["M3 MAC", { m3: flip(-1) }],
  ["M4 version", { m4: flip(1) }],
  ["M4 MAC", { m4: flip(2) }],
  ["M4 offer", { m4: flip(40) }],
  ["M4 tag", { m4: flip(-1) }],
];

for (const [name, wire] of CHANGES) {
  Deno.test(`handshake: a changed ${name} is fatal`, async () => {
    const input = await inputs();
    await assertRejects(() => run(input, wire), ProtocolError);
  });
}

Deno.test("handshake: truncated and extended messages are fatal", async () => {
  const cut = (message: Bytes) => message.slice(0, -1);
  const longer = (message: Bytes) => new Uint8Array([...message, 0]);
  for (const change of [cut, longer]) {
    for (const wire of [{ m1: change }, { m2: change }, { m3: change }, { m4: change }]) {
      await assertRejects(async () => run(await inputs(), wire), ProtocolError);
    }
  }
});

Deno.test("handshake: swapping both ECDH keys (the classic attack) is fatal", async () => {
  const input = await inputs();
  const middle = await inputs();
  const mallory = await ViewerHandshake.start({
    ...input.r,
    secret: { ...input.s.link, psk: middle.s.link.psk },
  });
  const sender = await SenderHandshake.start(input.s);
  const m3 = await mallory.receiveHello(await sender.receiveCommit(mallory.commit));
  await assertRejects(() => sender.receiveHello(m3), ProtocolError);
});

Deno.test("handshake: a point that is not on the curve is refused", async () => {
  const offCurve = (message: Bytes) => {
    const out = message.slice();
    out.fill(7, 3, 67);
    return out;
  };
  await assertRejects(async () => run(await inputs(), { m2: offCurve }), ProtocolError);
});

Deno.test("handshake: steps out of order, repeated or after a failure are fatal", async () => {
  const input = await inputs();
  const viewer = await ViewerHandshake.start(input.r);
  const sender = await SenderHandshake.start(input.s);
  await assertRejects(() => sender.confirm("early"), ProtocolError);
  const fresh = await SenderHandshake.start(input.s);
  const m2 = await fresh.receiveCommit(viewer.commit);
  await assertRejects(() => fresh.receiveCommit(viewer.commit), ProtocolError);
  const m3 = await viewer.receiveHello(m2);
  await assertRejects(() => fresh.receiveHello(m3), ProtocolError);
});

Deno.test("handshake: M1 to M3 of an old session are useless against a new one", async () => {
  const input = await inputs();
  const viewer = await ViewerHandshake.start(input.r);
  const first = await SenderHandshake.start(input.s);
  const m3 = await viewer.receiveHello(await first.receiveCommit(viewer.commit));
  await first.receiveHello(m3);
  const second = await SenderHandshake.start(input.s);
  await second.receiveCommit(viewer.commit);
  await assertRejects(() => second.receiveHello(m3), ProtocolError);
});

Deno.test("sealed signaling: repeated, reordered and reflected messages do not open", async () => {
  const { s, r } = await run(await inputs());
  await s.signalSealer.seal(HANDSHAKE.candidate, "one");
  const second = await s.signalSealer.seal(HANDSHAKE.candidate, "two");
  await assertRejects(() => r.signalOpener.open(second), ProtocolError);
  const fresh = await run(await inputs());
  const one = await fresh.s.signalSealer.seal(HANDSHAKE.candidate, "one");
  assertEquals(await fresh.r.signalOpener.open(one), "one");
  await assertRejects(() => fresh.r.signalOpener.open(one), ProtocolError);
  await assertRejects(() => fresh.s.signalOpener.open(one), ProtocolError);
});

// With a code

async function codeInputs(change: Partial<typeof CODE> = {}) {
  const { s, r } = await inputs();
  return { s, r: { ...r, secret: { ...CODE, ...change } } };
}

Deno.test("handshake: the code gets in without the link, and both know it", async () => {
  const { s, r, offer } = await run(await codeInputs());
  assertEquals(offer, "v=0 offer");
  assertEquals([s.sas, s.by], [r.sas, r.by]);
  assertEquals(s.by, "code");
  assertEquals((await run(await inputs())).s.by, "link");
  assert(await s.verifyPeerBinding(r.ownBinding));
  assert(await r.verifyPeerBinding(s.ownBinding));
});

Deno.test("handshake: a viewer made from docs/protocol.md gets in with the code", async () => {
  const { s } = await codeInputs();
  const room = ascii(CODE.digits);
  const pair = await generateEcdh();
  const fpR = randomBytes(32);
  const helloR = concat(new Uint8Array([3, 1]), pair.publicKey, randomBytes(32), fpR);
  const commit = await commitTo(MODE.code, helloR);
  const sender = await SenderHandshake.start(s);
  const helloS = await sender.receiveCommit(commit);
  const fpS = helloS.slice(99, 131);
  const { ciphertext, secret } = await kem.encapsulate(helloS.slice(131, 1_315));
  const run = new CpaceRun({
    password: ascii(CODE.words),
    channel: enc("img-e2e/1", room),
    session: await sha256(enc(room, commit, helloS.slice(67, 99))),
  });
  const shareA = helloS.slice(1_315);
  const isk = await run.finish(shareA, { shareA, dataA: fpS, shareB: run.share, dataB: fpR });
  const psk = await hkdf(isk, new Uint8Array(0), "pake psk", 32);
  const th1 = await sha256(
    enc("img-e2e/1 th1", new Uint8Array([2]), room, commit, helloS, helloR),
  );
  const th2 = await sha256(enc("img-e2e/1 th2", th1, ciphertext, run.share));
  const zEcdh = await ecdh(pair.privateKey, helloS.slice(2, 67));
  const confirm = await hmacKey(
    await hkdf(enc(zEcdh, secret, psk), th2, "confirm R", 32),
    "sign",
  );
  const m3 = concat(helloR, ciphertext, run.share, await mac(confirm, th2));
  assertEquals((await sender.receiveHello(m3)).peerFingerprint, fpR);
});

Deno.test("handshake: wrong words or digits get nobody past M3", async () => {
  for (const wrong of [{ words: "crystal-orbit-melon" }, { digits: "4822" }]) {
    await assertRejects(async () => run(await codeInputs(wrong)), ProtocolError);
  }
});

Deno.test("handshake: a sender whose code was withdrawn does not begin a run", async () => {
  const { s, r } = await codeInputs();
  const viewer = await ViewerHandshake.start(r);
  const sender = await SenderHandshake.start({ ...s, code: null });
  await assertRejects(() => sender.receiveCommit(viewer.commit), ProtocolError);
});

Deno.test("handshake: without the words, a false sender can't confirm or learn them", async () => {
  const { s, r } = await codeInputs();
  const viewer = await ViewerHandshake.start(r);
  const impostor = await SenderHandshake.start({
    ...s,
    code: { ...CODE, words: "zebra-zero-zone" },
  });
  const m3 = await viewer.receiveHello(await impostor.receiveCommit(viewer.commit));
  await assertRejects(() => impostor.receiveHello(m3), ProtocolError);
});

for (
  const [name, at] of [["M2 share", -1], ["M2 public key", 30], ["M2 fingerprint", 100]] as const
) {
  Deno.test(`handshake with a code: a changed ${name} is fatal`, async () => {
    await assertRejects(async () => run(await codeInputs(), { m2: flip(at) }), ProtocolError);
  });
}

for (
  const [name, at] of [
    ["share", HELLO_R_LENGTH + 1_088 + 20],
    ["ciphertext", HELLO_R_LENGTH + 20],
    ["MAC", -1],
    ["fingerprint", 100],
  ] as const
) {
  Deno.test(`handshake with a code: a changed M3 ${name} is fatal`, async () => {
    await assertRejects(async () => run(await codeInputs(), { m3: flip(at) }), ProtocolError);
  });
}

Deno.test("handshake with a code: the sender's own share sent back is refused", async () => {
  const { s, r } = await codeInputs();
  const viewer = await ViewerHandshake.start(r);
  const sender = await SenderHandshake.start(s);
  const m2 = await sender.receiveCommit(viewer.commit);
  const m3 = await viewer.receiveHello(m2);
  m3.set(m2.subarray(-SHARE_LENGTH), HELLO_R_LENGTH + 1_088);
  await assertRejects(() => sender.receiveHello(m3), ProtocolError);
});

Deno.test("handshake: the mode that M1 names can't be changed, in either direction", async () => {
  const to = (mode: number) => (message: Bytes) => {
    const out = message.slice();
    out[2] = mode;
    return out;
  };
  await assertRejects(async () => run(await codeInputs(), { m1: to(MODE.link) }), ProtocolError);
  await assertRejects(async () => run(await inputs(), { m1: to(MODE.code) }), ProtocolError);
  for (const mode of [0, 3, 255]) {
    const { s, r } = await codeInputs();
    const { commit } = await ViewerHandshake.start(r);
    const sender = await SenderHandshake.start(s);
    await assertRejects(() => sender.receiveCommit(to(mode)(commit)), ProtocolError);
  }
});

Deno.test("handshake: M2 and M3 of the other mode have the wrong length", async () => {
  const cut = (message: Bytes) => message.slice(0, -SHARE_LENGTH);
  const longer = (message: Bytes) => new Uint8Array([...message, ...message.slice(2, 67)]);
  await assertRejects(async () => run(await codeInputs(), { m2: cut }), ProtocolError);
  await assertRejects(async () => run(await inputs(), { m2: longer }), ProtocolError);
  await assertRejects(async () => run(await codeInputs(), { m3: cut }), ProtocolError);
  await assertRejects(async () => run(await inputs(), { m3: longer }), ProtocolError);
});

// Reloaded pages

/** What a handshake of this session left both ends, and what each contributes to the next one. */
async function resumeInputs() {
  const first = await inputs();
  const { s, r } = await run(first);
  const resumed = { resume: await s.leave(), by: s.by, sas: s.sas };
  const viewer = { resume: await r.leave(), by: r.by, sas: r.sas };
  return {
    s: { ...first.s, resumed, only: true } satisfies SenderInput,
    r: { ...first.r, secret: viewer } satisfies ViewerInput,
    first,
  };
}

Deno.test("handshake: resuming works by what the first one left, and leaves it anew", async () => {
  const input = await resumeInputs();
  const { s, r } = await run(input);
  // A new SAS with each reload would be one more try for somebody in between.
  assertEquals([s.sas, r.sas], [input.s.resumed.sas, input.s.resumed.sas]);
  assertEquals([s.resumed, r.resumed, s.by, r.by], [true, true, "link", "link"]);
  assertEquals([await s.leave(), await r.leave()], [
    input.s.resumed.resume,
    input.s.resumed.resume,
  ]);
  assert(await s.verifyPeerBinding(r.ownBinding));
  const third = await run({
    ...input,
    r: { ...input.r, secret: { resume: await r.leave(), by: r.by, sas: r.sas } },
  });
  assertEquals(await third.s.leave(), await s.leave());
});

Deno.test("handshake: what a first one leaves is a new secret and no other key", async () => {
  const [one, two] = [await run(await inputs()), await run(await inputs())];
  const [left, other] = [await one.s.leave(), await two.s.leave()];
  assertEquals(left, await one.r.leave());
  assert(left.join() !== other.join());
  assert(left.join() !== one.s.ownBinding.join());
});

Deno.test("handshake: once a viewer was bound, link and code let nobody in", async () => {
  const { s, first } = await resumeInputs();
  for (const secret of [first.r.secret, CODE]) {
    await assertRejects(() => run({ s, r: { ...first.r, secret } }), ProtocolError);
  }
});

Deno.test("handshake: no other secret is taken for what the first one left", async () => {
  const { s, first } = await resumeInputs();
  const { psk } = s.link;
  for (const resume of [randomBytes(32), psk, await (await run(await inputs())).s.leave()]) {
    const secret = { resume, by: "link", sas: randomBytes(6) } as const;
    await assertRejects(() => run({ s, r: { ...first.r, secret } }), ProtocolError);
  }
});

Deno.test("handshake: a sender who never bound takes nobody for a known viewer", async () => {
  const { r, first } = await resumeInputs();
  await assertRejects(() => run({ s: first.s, r }), ProtocolError);
});

Deno.test("handshake: a commit of one mode is not valid in another", async () => {
  const { s, r } = await resumeInputs();
  const m1 = (message: Bytes) => message.with(2, MODE.link);
  await assertRejects(() => run({ s: { ...s, only: false }, r }, { m1 }), ProtocolError);
});
