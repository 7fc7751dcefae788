/**
 * The known answers of the protocol, computed a second time: from docs/protocol.md and the drafts
 * that it names, with Node's crypto and arithmetic written down here, without anything from lib/ or
 * a library that lib/ uses. Authors of another client can read it as a specification of bytes.
 *
 * `deno run tests/e2e/known_answers.ts` prints the answers for the link, the code and a reloaded
 * page as JSON, from the inputs in handshake_kat.json, code_kat.json and resume_kat.json. The
 * arithmetic is not constant-time: for known answers only.
 *
 * @module
 */
import { createCipheriv, createHash, createHmac, hkdfSync } from "node:crypto";
import code from "./code_kat.json" with { type: "json" };
import link from "./handshake_kat.json" with { type: "json" };
import resume from "./resume_kat.json" with { type: "json" };

type Bytes = Uint8Array<ArrayBuffer>;

function bytes(hex: string): Bytes {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

function hex(data: Uint8Array): string {
  return Array.from(data, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function text(ascii: string): Bytes {
  return Uint8Array.from(ascii, (char) => char.charCodeAt(0));
}

function join(...parts: readonly Uint8Array[]): Bytes {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

// §1 of docs/protocol.md

function enc(...items: readonly (Uint8Array | string)[]): Bytes {
  return join(...items.map((item) => {
    const data = typeof item === "string" ? text(item) : item;
    return join(bytes(data.length.toString(16).padStart(4, "0")), data);
  }));
}

function H(data: Uint8Array): Bytes {
  return Uint8Array.from(createHash("sha256").update(data).digest());
}

function HKDF(ikm: Uint8Array, salt: Uint8Array, label: string, length: number): Bytes {
  return new Uint8Array(hkdfSync("sha256", ikm, salt, text("img-e2e/1 " + label), length));
}

function HMAC(key: Uint8Array, data: Uint8Array): Bytes {
  return Uint8Array.from(createHmac("sha256", key).update(data).digest());
}

function AES(key: Uint8Array, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Bytes {
  const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(aad);
  return join(cipher.update(plaintext), cipher.final(), cipher.getAuthTag());
}

function nonceOf(seq: number): Bytes {
  return bytes(seq.toString(16).padStart(24, "0"));
}

// P-256 (SEC 2, FIPS 186-4): y² = x³ + ax + b modulo p, of prime order n.

const p = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;
const a = p - 3n;
const b = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;
const n = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

interface Point {
  readonly x: bigint;
  readonly y: bigint;
}

function mod(value: bigint): bigint {
  return ((value % p) + p) % p;
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (const bit of exponent.toString(2)) {
    result = mod(result * result);
    if (bit === "1") result = mod(result * base);
  }
  return result;
}

/** 0 for 0, as RFC 9380 requires. */
function inverse(value: bigint): bigint {
  return power(mod(value), p - 2n);
}

function number(data: Uint8Array): bigint {
  return BigInt("0x" + hex(data));
}

function curve(x: bigint): bigint {
  return mod(x ** 3n + a * x + b);
}

/** `null` is the neutral element. */
function add(one: Point | null, two: Point | null): Point | null {
  if (one === null) return two;
  if (two === null) return one;
  if (one.x === two.x && mod(one.y + two.y) === 0n) return null;
  const slope = one.x === two.x
    ? mod((3n * one.x ** 2n + a) * inverse(2n * one.y))
    : mod((two.y - one.y) * inverse(two.x - one.x));
  const x = mod(slope ** 2n - one.x - two.x);
  return { x, y: mod(slope * (one.x - x) - one.y) };
}

function multiply(scalar: bigint, point: Point): Point | null {
  let result: Point | null = null;
  for (const bit of scalar.toString(2)) {
    result = add(result, result);
    if (bit === "1") result = add(result, point);
  }
  return result;
}

function encodePoint(point: Point): Bytes {
  const coordinate = (value: bigint) => bytes(value.toString(16).padStart(64, "0"));
  return join(new Uint8Array([4]), coordinate(point.x), coordinate(point.y));
}

/**
 * Reads 65 bytes; `null` for anything that is not a point of the group, and for the neutral
 * element.
 */
function decodePoint(data: Uint8Array): Point | null {
  if (data.length !== 65 || data[0] !== 4) return null;
  const [x, y] = [number(data.subarray(1, 33)), number(data.subarray(33))];
  return x < p && y < p && mod(y ** 2n) === curve(x) ? { x, y } : null;
}

/** `G.scalar_mult` of the draft: 65 bytes, or `null` if the point or the product is invalid. */
export function scalarMult(scalar: string, point: string): string | null {
  const decoded = decodePoint(bytes(point));
  const product = decoded === null ? null : multiply(number(bytes(scalar)) % n, decoded);
  return product === null ? null : hex(encodePoint(product));
}

// RFC 9380: encode_to_curve of the suite P256_XMD:SHA-256_SSWU_NU_

/** expand_message_xmd (§5.3.1), 48 bytes. */
function expand(message: Uint8Array, dst: Uint8Array): Bytes {
  const dstPrime = join(dst, new Uint8Array([dst.length]));
  const b0 = H(join(new Uint8Array(64), message, bytes("003000"), dstPrime));
  const b1 = H(join(b0, bytes("01"), dstPrime));
  const b2 = H(join(b1.map((byte, i) => byte ^ (b0[i] ?? 0)), bytes("02"), dstPrime));
  return join(b1, b2).slice(0, 48);
}

/** hash_to_field (§5.2) and the simplified SWU map (§6.6.2) with Z = -10. */
function encodeToCurve(message: Uint8Array, dst: Uint8Array): Point {
  const Z = mod(-10n);
  const u = mod(number(expand(message, dst)));
  const tv = inverse(Z ** 2n * u ** 4n + Z * u ** 2n);
  const x1 = tv === 0n ? mod(b * inverse(Z * a)) : mod(-b * inverse(a) * (1n + tv));
  const root = power(curve(x1), (p + 1n) / 4n);
  const square = mod(root ** 2n) === curve(x1);
  const x = square ? x1 : mod(Z * u ** 2n * x1);
  const y = square ? root : power(curve(x), (p + 1n) / 4n);
  return { x, y: u % 2n === y % 2n ? y : mod(-y) };
}

// draft-irtf-cfrg-cpace-21: CPACE-P256_XMD:SHA-256_SSWU_NU_-SHA256, initiator and responder

/** Every length here is below 128: LEB128 is one byte. */
function lvCat(...parts: readonly Uint8Array[]): Bytes {
  return join(...parts.map((part) => {
    if (part.length > 127) throw new RangeError("Cannot prepend length: more than one byte");
    return join(new Uint8Array([part.length]), part);
  }));
}

const DSI = text("CPaceP256_XMD:SHA-256_SSWU_NU_");

/** Runs both sides of CPace. All values are hex; A is the initiator. Throws if the two disagree. */
export function cpace(
  inputs: {
    readonly PRS: string;
    readonly CI: string;
    readonly sid: string;
    readonly ya: string;
    readonly ADa: string;
    readonly yb: string;
    readonly ADb: string;
  },
) {
  const [PRS, CI, sid] = [bytes(inputs.PRS), bytes(inputs.CI), bytes(inputs.sid)];
  const padding = Math.max(0, 64 - 1 - lvCat(PRS).length - lvCat(DSI).length);
  const generatorString = lvCat(DSI, PRS, new Uint8Array(padding), CI, sid);
  const g = hex(encodePoint(encodeToCurve(generatorString, join(DSI, text("_DST")))));
  const Ya = scalarMult(inputs.ya, g);
  const Yb = scalarMult(inputs.yb, g);
  if (Ya === null || Yb === null) throw new RangeError("Cannot use scalar: it is 0");
  const shared = scalarMult(inputs.ya, Yb);
  if (shared === null || shared !== scalarMult(inputs.yb, Ya)) throw new Error("Cannot agree on K");
  const K = shared.slice(2, 66);
  const ISK_IR = H(join(
    lvCat(join(DSI, text("_ISK")), sid, bytes(K)),
    lvCat(bytes(Ya), bytes(inputs.ADa)),
    lvCat(bytes(Yb), bytes(inputs.ADb)),
  ));
  return { generatorString: hex(generatorString), g, Ya, Yb, K, ISK_IR: hex(ISK_IR) };
}

// §2 and §4 of docs/protocol.md

function commitment(mode: number, helloR: Uint8Array): Bytes {
  return join(new Uint8Array([1, 1, mode]), H(enc("img-e2e/1 commit", helloR)));
}

function transcript1(
  mode: number,
  parts: { room: Uint8Array; commit: Uint8Array; helloS: Uint8Array; helloR: Uint8Array },
): Bytes {
  const { room, commit, helloS, helloR } = parts;
  return H(enc("img-e2e/1 th1", new Uint8Array([mode]), room, commit, helloS, helloR));
}

function sasOf(zEcdh: Uint8Array, th1: Uint8Array): { bytes: Bytes; bits: string } {
  const sas = HKDF(zEcdh, th1, "sas", 6);
  return { bytes: sas, bits: number(sas).toString(2).padStart(48, "0") };
}

function groups(bits: string, count: number, width: number): number[] {
  return Array.from(
    { length: count },
    (_, i) => parseInt(bits.slice(i * width, (i + 1) * width), 2),
  );
}

/** What ties a connection to a transcript. */
function bindings(
  K: (label: string) => Bytes,
  { th, fpS, fpR }: { th: Uint8Array; fpS: Uint8Array; fpR: Uint8Array },
) {
  const binding = enc(th, fpS, fpR);
  return { bindS: hex(HMAC(K("bind S"), binding)), bindR: hex(HMAC(K("bind R"), binding)) };
}

/**
 * What is derived from the three secrets: confirmations, bindings, and the keys of sealed messages.
 */
function schedule(
  parts: { ikm: Uint8Array; th2: Uint8Array; fpS: Uint8Array; fpR: Uint8Array },
) {
  const { ikm, th2, fpS, fpR } = parts;
  const K = (label: string) => HKDF(ikm, th2, label, 32);
  const macR = HMAC(K("confirm R"), th2);
  return {
    K,
    macs: {
      macR: hex(macR),
      macS: hex(HMAC(K("confirm S"), enc(th2, macR))),
      ...bindings(K, { th: th2, fpS, fpR }),
    },
  };
}

/** The handshake of a link. */
function linkSession(inputs: typeof link.inputs) {
  const [L, helloS, helloR, ct] = [
    bytes(inputs.L),
    bytes(inputs.helloS),
    bytes(inputs.helloR),
    bytes(inputs.ct),
  ];
  const [zEcdh, zMlkem] = [bytes(inputs.zEcdh), bytes(inputs.zMlkem)];
  const salt = H(text("img-e2e/1 link"));
  const room = HKDF(L, salt, "room id", 16);
  const psk = HKDF(L, salt, "psk", 32);
  const commit = commitment(1, helloR);
  const th1 = transcript1(1, { room, commit, helloS, helloR });
  const th2 = H(enc("img-e2e/1 th2", th1, ct));
  const sas = sasOf(zEcdh, th1);
  const { K, macs } = schedule({
    ikm: enc(zEcdh, zMlkem, psk),
    th2,
    fpS: helloS.subarray(99, 131),
    fpR: helloR.subarray(99, 131),
  });
  return { L, salt, room, psk, commit, th1, th2, sas, K, macs };
}

/** The outputs of handshake_kat.json from its inputs: mode 1, the link. */
export function linkAnswers(inputs: typeof link.inputs): typeof link.outputs {
  const { L, salt, room, psk, commit, th1, th2, sas, K, macs } = linkSession(inputs);
  return {
    rid: hex(room),
    jtok: hex(HKDF(L, salt, "join token", 16)),
    psk: hex(psk),
    commit: hex(commit),
    th1: hex(th1),
    th2: hex(th2),
    sas: hex(sas.bytes),
    sasIndices: groups(sas.bits, 7, 6),
    ...macs,
    sealSigS_seq0_aad0401_offer: hex(
      AES(K("sig S"), nonceOf(0), bytes("0401"), text("v=0 offer")),
    ),
    sealCtlR_seq3: hex(
      AES(K("ctl R"), nonceOf(3), bytes("2000000000000003"), text('{"t":"bye"}')),
    ),
  };
}

/** The outputs of code_kat.json from its inputs: mode 2, a spoken code. */
export function codeAnswers(inputs: typeof code.inputs): typeof code.outputs {
  const [helloR, ct] = [bytes(inputs.helloR), bytes(inputs.ct)];
  const [zEcdh, zMlkem] = [bytes(inputs.zEcdh), bytes(inputs.zMlkem)];
  const helloSWithoutYa = bytes(inputs.helloSWithoutYa);
  const room = text(inputs.digits);
  const fpS = helloSWithoutYa.subarray(99, 131);
  const fpR = helloR.subarray(99, 131);
  const commit = commitment(2, helloR);
  const sid = H(enc(room, commit, helloSWithoutYa.subarray(67, 99)));
  const { g, Ya, Yb, K, ISK_IR } = cpace({
    PRS: hex(text(inputs.words)),
    CI: hex(enc("img-e2e/1", room)),
    sid: hex(sid),
    ya: inputs.ya,
    ADa: hex(fpS),
    yb: inputs.yb,
    ADb: hex(fpR),
  });
  const psk = HKDF(bytes(ISK_IR), new Uint8Array(0), "pake psk", 32);
  const helloS = join(helloSWithoutYa, bytes(Ya));
  const th1 = transcript1(2, { room, commit, helloS, helloR });
  const th2 = H(enc("img-e2e/1 th2", th1, ct, bytes(Yb)));
  const sas = sasOf(zEcdh, th1);
  const { macs } = schedule({ ikm: enc(zEcdh, zMlkem, psk), th2, fpS, fpR });
  return {
    commit: hex(commit),
    sid: hex(sid),
    g,
    Ya,
    Yb,
    K,
    ISK: ISK_IR,
    psk: hex(psk),
    th1: hex(th1),
    th2: hex(th2),
    sas: hex(sas.bytes),
    sasIndices: groups(sas.bits, 7, 6),
    sasDigits: groups(sas.bits, 3, 13).map((group) => group + 1000),
    ...macs,
  };
}

/**
 * The outputs of resume_kat.json from its inputs, and those of the link by which the two met: mode
 * 3, a reloaded page (§4a), what repairs its connection (§5a), and a further connection (§5b).
 */
export function resumeAnswers(
  inputs: typeof resume.inputs,
  first: typeof link.inputs,
): typeof resume.outputs {
  const [helloS, helloR, ct] = [bytes(inputs.helloS), bytes(inputs.helloR), bytes(inputs.ct)];
  const met = linkSession(first);
  const psk = HKDF(met.K("resume"), met.th2, "resume psk", 32);
  const commit = commitment(3, helloR);
  const th1 = transcript1(3, { room: new Uint8Array(0), commit, helloS, helloR });
  const th2 = H(enc("img-e2e/1 th2", th1, ct));
  const zEcdh = bytes(inputs.zEcdh);
  const [fpS, fpR] = [helloS.subarray(99, 131), helloR.subarray(99, 131)];
  const { K, macs } = schedule({ ikm: enc(zEcdh, bytes(inputs.zMlkem), psk), th2, fpS, fpR });
  const repair = bytes("070100000002");
  const notice = join(bytes("0801"), bytes(inputs.noticeNonce));
  const th = H(enc("img-e2e/1 stripe", th2, new Uint8Array([1])));
  const stripes = (label: string) => HKDF(K("stripes"), th, label, 32);
  const nonce = bytes(inputs.nonce);
  const tabKey = HKDF(bytes(inputs.tab), bytes(inputs.salt), "tab", 32);
  return {
    psk: hex(psk),
    commit: hex(commit),
    th1: hex(th1),
    th2: hex(th2),
    sas: hex(sasOf(zEcdh, th1).bytes),
    ...macs,
    rebindS: hex(HMAC(
      K("bind S"),
      enc("img-e2e/1 rebind", th2, bytes("1100000001000000050000000200000007")),
    )),
    aliveR: hex(HMAC(K("bind R"), enc("img-e2e/1 rebind", th2, bytes("1600000003")))),
    notice: hex(join(notice, HMAC(HKDF(psk, new Uint8Array(0), "reloaded S", 32), notice))),
    repR_seq2: hex(join(repair, AES(K("rep R"), nonceOf(2), repair, text('{"t":"relay"}')))),
    stripe1: { th: hex(th), ...bindings(stripes, { th, fpS, fpR }) },
    box: hex(join(nonce, AES(tabKey, nonce, new Uint8Array(0), text("{}")))),
  };
}

if (import.meta.main) {
  const answers = {
    link: { ...link, outputs: linkAnswers(link.inputs) },
    code: { ...code, outputs: codeAnswers(code.inputs) },
    resume: { ...resume, outputs: resumeAnswers(resume.inputs, link.inputs) },
  };
  await Deno.stdout.write(new TextEncoder().encode(JSON.stringify(answers, null, 2) + "\n"));
}
