import { encodeHex } from "@std/encoding/hex";
import { ascii, type Bytes, concat } from "../../lib/protocol/bytes.ts";
import { MODE } from "../../lib/protocol/handshake.ts";
import {
  type CpaceInput,
  CpaceRun,
  generator,
  generatorString,
  multiplyVerified,
} from "../../lib/e2e/cpace.ts";
import { sasDigits, sasIndices } from "../../lib/e2e/sas.ts";
import { hmacKey, mac, ProtocolError, randomBytes } from "../../lib/e2e/suite.ts";
import {
  codeChannel,
  codePsk,
  codeSession,
  commitTo,
  confirmationS,
  deriveKey,
  deriveSas,
  keyMaterial,
  transcript1,
  transcript2,
} from "../../lib/e2e/transcript.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "../support/assert.ts";
import kat from "./code_kat.json" with { type: "json" };
import vectors from "./cpace_vectors.json" with { type: "json" };

function hex(text: string): Bytes {
  return new Uint8Array((text.match(/../g) ?? []).map((pair) => parseInt(pair, 16)));
}

const { inputs, outputs } = vectors;
const INPUT: CpaceInput = {
  password: hex(inputs.PRS),
  channel: hex(inputs.CI),
  session: hex(inputs.sid),
};

Deno.test("CPace gives the draft's published answers", async () => {
  assertEquals(encodeHex(generatorString(INPUT)), outputs.generatorString);
  assertEquals(encodeHex(generator(INPUT)), outputs.g);
  const a = new CpaceRun(INPUT, hex(inputs.ya));
  const b = new CpaceRun(INPUT, hex(inputs.yb));
  assertEquals([encodeHex(a.share), encodeHex(b.share)], [outputs.Ya, outputs.Yb]);
  assertEquals(encodeHex(multiplyVerified(hex(inputs.ya), b.share)), outputs.K);
  const transcript = {
    shareA: a.share,
    dataA: hex(inputs.ADa),
    shareB: b.share,
    dataB: hex(inputs.ADb),
  };
  assertEquals(encodeHex(await a.finish(b.share, transcript)), outputs.ISK_IR);
  assertEquals(encodeHex(await b.finish(a.share, transcript)), outputs.ISK_IR);
});

Deno.test("CPace multiplies as the draft says, and refuses what the draft calls invalid", () => {
  const { s, X, product, invalid } = vectors.scalarMult;
  assertEquals(encodeHex(multiplyVerified(hex(s), hex(X))), product.slice(2, 66));
  const neutral = "00".padEnd(130, "0");
  const compressed = `02${X.slice(2, 66)}`;
  for (const point of [...invalid, neutral, `04${neutral.slice(2)}`, compressed, `${X}00`, ""]) {
    assertThrows(() => multiplyVerified(hex(s), hex(point)), ProtocolError);
  }
});

Deno.test("CPace: runs with other words, channels or sessions agree on nothing", async () => {
  const isk = async (change: Partial<CpaceInput>) => {
    const a = new CpaceRun(INPUT);
    const b = new CpaceRun({ ...INPUT, ...change });
    const data = { dataA: ascii("a"), dataB: ascii("b") };
    const transcript = { shareA: a.share, shareB: b.share, ...data };
    return [await a.finish(b.share, transcript), await b.finish(a.share, transcript)].map(
      encodeHex,
    );
  };
  const same = await isk({});
  assertEquals(same[0], same[1]);
  for (const field of ["password", "channel", "session"] as const) {
    const [a, b] = await isk({ [field]: randomBytes(16) });
    assert(a !== b, field);
  }
});

Deno.test("CPace: every run has its own share, and wipes its scalar at the end", async () => {
  const scalar = hex(inputs.ya);
  const run = new CpaceRun(INPUT, scalar);
  const { share } = new CpaceRun(INPUT);
  assert(encodeHex(share) !== encodeHex(new CpaceRun(INPUT).share));
  const data = { dataA: ascii("a"), dataB: ascii("b") };
  await run.finish(share, { shareA: run.share, shareB: share, ...data });
  assertEquals(scalar, new Uint8Array(32));
  await assertRejects(
    () => run.finish(share, { shareA: run.share, shareB: share, ...data }),
    ProtocolError,
  );
});

Deno.test("CPace: an item too long for the short length prefix is refused", () => {
  assertThrows(() => generatorString({ ...INPUT, password: new Uint8Array(128) }), RangeError);
});

Deno.test("known answers: a code's psk, transcripts, confirmations and SAS", async () => {
  const room = ascii(kat.inputs.digits);
  const helloR = hex(kat.inputs.helloR);
  const withoutYa = hex(kat.inputs.helloSWithoutYa);
  const commit = await commitTo(MODE.code, helloR);
  const session = await codeSession(room, commit, withoutYa.slice(67, 99));
  assertEquals([encodeHex(commit), encodeHex(session)], [kat.outputs.commit, kat.outputs.sid]);

  const input = { password: ascii(kat.inputs.words), channel: codeChannel(room), session };
  const a = new CpaceRun(input, hex(kat.inputs.ya));
  const b = new CpaceRun(input, hex(kat.inputs.yb));
  assertEquals([encodeHex(a.share), encodeHex(b.share)], [kat.outputs.Ya, kat.outputs.Yb]);
  const fingerprint = (hello: Bytes) => hello.slice(99, 131);
  const isk = await a.finish(b.share, {
    shareA: a.share,
    dataA: fingerprint(withoutYa),
    shareB: b.share,
    dataB: fingerprint(helloR),
  });
  assertEquals(encodeHex(isk), kat.outputs.ISK);
  const psk = await codePsk(isk);
  assertEquals(encodeHex(psk), kat.outputs.psk);

  const helloS = concat(withoutYa, a.share);
  const th1 = await transcript1({ mode: MODE.code, room, commit, helloS, helloR });
  const th2 = await transcript2(th1, hex(kat.inputs.ct), b.share);
  assertEquals([encodeHex(th1), encodeHex(th2)], [kat.outputs.th1, kat.outputs.th2]);
  const ikm = keyMaterial(hex(kat.inputs.zEcdh), hex(kat.inputs.zMlkem), psk);
  const sign = async (label: "confirm S" | "confirm R", data: Bytes) =>
    await mac(await hmacKey(await deriveKey(ikm, th2, label), "sign"), data);
  const macR = await sign("confirm R", th2);
  const macS = await sign("confirm S", confirmationS(th2, macR));
  assertEquals([encodeHex(macR), encodeHex(macS)], [kat.outputs.macR, kat.outputs.macS]);
  const sas = await deriveSas(hex(kat.inputs.zEcdh), th1);
  assertEquals(encodeHex(sas), kat.outputs.sas);
  assertEquals(sasIndices(sas), kat.outputs.sasIndices);
  assertEquals(sasDigits(sas), kat.outputs.sasDigits.join(" "));
});
