import { encodeHex } from "@std/encoding/hex";
import { ascii, type Bytes, concat } from "../../lib/protocol/bytes.ts";
import { HANDSHAKE, MODE } from "../../lib/protocol/handshake.ts";
import { encodeHeader, RECORD } from "../../lib/protocol/record.ts";
import { deriveRoom } from "../../lib/e2e/link.ts";
import { sasIndices } from "../../lib/e2e/sas.ts";
import { RepairSealer } from "../../lib/e2e/repair_seal.ts";
import { SignalSealer } from "../../lib/e2e/signal_seal.ts";
import {
  aesKey,
  counterNonce,
  encrypt,
  hkdf,
  hkdfKey,
  hmacKey,
  KEY_LENGTH,
  mac,
} from "../../lib/e2e/suite.ts";
import { openForTab } from "../../lib/e2e/tab_seal.ts";
import {
  bindingInput,
  commitTo,
  confirmationS,
  deriveKey,
  deriveSas,
  type KeyLabel,
  keyMaterial,
  rebindingInput,
  stripeTranscript,
  transcript1,
  transcript2,
} from "../../lib/e2e/transcript.ts";
import { assertEquals } from "../support/assert.ts";
import { PROJECT } from "../support/project.ts";
import codeKat from "./code_kat.json" with { type: "json" };
import cpaceVectors from "./cpace_vectors.json" with { type: "json" };
import kat from "./handshake_kat.json" with { type: "json" };
import resumeKat from "./resume_kat.json" with { type: "json" };
import { codeAnswers, cpace, linkAnswers, resumeAnswers, scalarMult } from "./known_answers.ts";

function hex(text: string): Bytes {
  return new Uint8Array((text.match(/../g) ?? []).map((pair) => parseInt(pair, 16)));
}

const { inputs, outputs } = kat;

async function derive() {
  const { rid, jtok, psk } = await deriveRoom(hex(inputs.L));
  const helloS = hex(inputs.helloS);
  const helloR = hex(inputs.helloR);
  const commit = await commitTo(MODE.link, helloR);
  const th1 = await transcript1({ mode: MODE.link, room: rid, commit, helloS, helloR });
  const th2 = await transcript2(th1, hex(inputs.ct));
  const ikm = keyMaterial(hex(inputs.zEcdh), hex(inputs.zMlkem), psk);
  return { rid, jtok, psk, commit, th1, th2, ikm };
}

Deno.test("known answers: room address, join token and psk follow from the link", async () => {
  const { rid, jtok, psk } = await derive();
  assertEquals(encodeHex(rid), outputs.rid);
  assertEquals(encodeHex(jtok), outputs.jtok);
  assertEquals(encodeHex(psk), outputs.psk);
});

Deno.test("known answers: commitment and transcripts", async () => {
  const { commit, th1, th2 } = await derive();
  assertEquals(encodeHex(commit), outputs.commit);
  assertEquals(encodeHex(th1), outputs.th1);
  assertEquals(encodeHex(th2), outputs.th2);
});

Deno.test("known answers: SAS bytes and the seven indices", async () => {
  const { th1 } = await derive();
  const sas = await deriveSas(hex(inputs.zEcdh), th1);
  assertEquals(encodeHex(sas), outputs.sas);
  assertEquals(sasIndices(sas), outputs.sasIndices);
});

Deno.test("known answers: both confirmations and both bindings", async () => {
  const { ikm, th2 } = await derive();
  const macR = await sign(ikm, th2, "confirm R", th2);
  assertEquals(macR, outputs.macR);
  assertEquals(await sign(ikm, th2, "confirm S", confirmationS(th2, hex(macR))), outputs.macS);
  const binding = bindingInput(
    th2,
    hex(inputs.helloS).slice(99, 131),
    hex(inputs.helloR).slice(99, 131),
  );
  assertEquals(await sign(ikm, th2, "bind S", binding), outputs.bindS);
  assertEquals(await sign(ikm, th2, "bind R", binding), outputs.bindR);
});

Deno.test("known answers: a sealed offer", async () => {
  const { ikm, th2 } = await derive();
  const sealer = new SignalSealer(await aesKey(await deriveKey(ikm, th2, "sig S"), "encrypt"));
  const message = await sealer.seal(HANDSHAKE.offer, "v=0 offer");
  assertEquals(encodeHex(message), "0401" + outputs.sealSigS_seq0_aad0401_offer);
});

Deno.test("known answers: a sealed control record", async () => {
  const { ikm, th2 } = await derive();
  const key = await aesKey(await deriveKey(ikm, th2, "ctl R"), "encrypt");
  const header = encodeHeader({ type: RECORD.control, flags: 0, image: 0, seq: 3 });
  const options = { nonce: counterNonce(3), aad: header };
  const sealed = await encrypt(key, concat(ascii('{"t":"bye"}')), options);
  assertEquals(encodeHex(sealed), outputs.sealCtlR_seq3);
});

/** A session that resumes that of the link. */
async function deriveAgain() {
  const { inputs } = resumeKat;
  const first = await derive();
  const key = await deriveKey(first.ikm, first.th2, "resume");
  const psk = await hkdf(key, first.th2, "resume psk", KEY_LENGTH);
  const [helloS, helloR] = [hex(inputs.helloS), hex(inputs.helloR)];
  const commit = await commitTo(MODE.resume, helloR);
  const room = new Uint8Array(0);
  const th1 = await transcript1({ mode: MODE.resume, room, commit, helloS, helloR });
  const th2 = await transcript2(th1, hex(inputs.ct));
  const ikm = keyMaterial(hex(inputs.zEcdh), hex(inputs.zMlkem), psk);
  const fingerprints = [helloS.slice(99, 131), helloR.slice(99, 131)] as const;
  return { psk, commit, th1, th2, ikm, fingerprints };
}

async function sign(ikm: Bytes | CryptoKey, th: Bytes, label: KeyLabel, data: Bytes) {
  return encodeHex(await mac(await hmacKey(await deriveKey(ikm, th, label), "sign"), data));
}

Deno.test("known answers: a reloaded page, up to both bindings", async () => {
  const { outputs } = resumeKat;
  const { psk, commit, th1, th2, ikm, fingerprints } = await deriveAgain();
  assertEquals(encodeHex(psk), outputs.psk);
  assertEquals(encodeHex(commit), outputs.commit);
  assertEquals([encodeHex(th1), encodeHex(th2)], [outputs.th1, outputs.th2]);
  assertEquals(encodeHex(await deriveSas(hex(resumeKat.inputs.zEcdh), th1)), outputs.sas);
  const macR = await sign(ikm, th2, "confirm R", th2);
  assertEquals(macR, outputs.macR);
  assertEquals(await sign(ikm, th2, "confirm S", confirmationS(th2, hex(macR))), outputs.macS);
  const binding = bindingInput(th2, ...fingerprints);
  assertEquals(await sign(ikm, th2, "bind S", binding), outputs.bindS);
  assertEquals(await sign(ikm, th2, "bind R", binding), outputs.bindR);
});

Deno.test("known answers: connection repair, and the binding of the next transport", async () => {
  const { ikm, th2 } = await deriveAgain();
  const sealer = new RepairSealer(await aesKey(await deriveKey(ikm, th2, "rep R"), "encrypt"));
  const sealed = [];
  for (const text of ["", "", '{"t":"relay"}']) sealed.push(encodeHex(await sealer.seal(text)));
  assertEquals(sealed[2], resumeKat.outputs.repR_seq2);
  const head = new Uint8Array(17);
  head[0] = RECORD.rebind;
  [1, 5, 2, 7].forEach((value, i) => new DataView(head.buffer).setUint32(1 + 4 * i, value));
  const rebindS = await sign(ikm, th2, "bind S", rebindingInput(th2, head));
  assertEquals(rebindS, resumeKat.outputs.rebindS);
  const alive = new Uint8Array([RECORD.alive, 0, 0, 0, 3]);
  const aliveR = await sign(ikm, th2, "bind R", rebindingInput(th2, alive));
  assertEquals(aliveR, resumeKat.outputs.aliveR);
});

Deno.test("known answers: a further connection", async () => {
  const { ikm, th2, fingerprints } = await deriveAgain();
  const { stripe1 } = resumeKat.outputs;
  const th = await stripeTranscript(th2, 1);
  assertEquals(encodeHex(th), stripe1.th);
  const key = await hkdfKey(await deriveKey(ikm, th2, "stripes"));
  const binding = bindingInput(th, ...fingerprints);
  assertEquals(await sign(key, th, "bind S", binding), stripe1.bindS);
  assertEquals(await sign(key, th, "bind R", binding), stripe1.bindR);
});

Deno.test("known answers: what a tab keeps opens with both halves", async () => {
  const { inputs, outputs } = resumeKat;
  const halves = { tab: hex(inputs.tab), salt: hex(inputs.salt) };
  assertEquals(await openForTab(halves, hex(outputs.box)), "{}");
});

Deno.test("the second implementation reproduces the published vectors of CPace on P-256", () => {
  assertEquals(cpace(cpaceVectors.inputs), cpaceVectors.outputs);
  const { s, X, product, invalid } = cpaceVectors.scalarMult;
  assertEquals(scalarMult(s, X), product);
  for (const point of invalid) assertEquals(scalarMult(s, point), null);
});

Deno.test("the second implementation reproduces the answers for the link", () => {
  assertEquals(linkAnswers(inputs), outputs);
});

Deno.test("the second implementation reproduces the answers for a code", () => {
  assertEquals(codeAnswers(codeKat.inputs), codeKat.outputs);
});

Deno.test("the second implementation reproduces the answers for a reloaded page", () => {
  assertEquals(resumeAnswers(resumeKat.inputs, inputs), resumeKat.outputs);
});

Deno.test("the answers for a code: each of its inputs changes them", () => {
  const flips: Record<string, string> = {
    digits: "4822",
    words: "crystal-orbit-melon",
    ya: codeKat.inputs.yb,
    yb: codeKat.inputs.ya,
  };
  for (const key of ["helloR", "helloSWithoutYa", "ct", "zEcdh", "zMlkem"] as const) {
    const last = codeKat.inputs[key].slice(-1);
    flips[key] = codeKat.inputs[key].slice(0, -1) + (last === "0" ? "1" : "0");
  }
  assertEquals(Object.keys(flips).sort(), Object.keys(codeKat.inputs).sort());
  for (const [key, value] of Object.entries(flips)) {
    const { macR } = codeAnswers({ ...codeKat.inputs, [key]: value });
    assertEquals(macR === codeKat.outputs.macR, false, key);
  }
});

Deno.test("`deno run tests/e2e/known_answers.ts` prints all three, unprivileged", async () => {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "--no-prompt", "tests/e2e/known_answers.ts"],
    cwd: PROJECT,
    stderr: "inherit",
  });
  const { stdout } = await command.output();
  assertEquals(JSON.parse(new TextDecoder().decode(stdout)), {
    link: kat,
    code: codeKat,
    resume: resumeKat,
  });
});
