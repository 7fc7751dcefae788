/**
 * The handshake's transcript and key schedule, as pure functions of bytes. Tests compare them with
 * known answers.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { type Bytes, concat, enc } from "../protocol/bytes.ts";
import { HANDSHAKE, type MODE } from "../protocol/handshake.ts";
import { PROTOCOL_VERSION } from "../protocol/limits.ts";
import { hkdf, KEY_LENGTH, sha256 } from "./suite.ts";

/** One of the handshake's modes. */
export type Mode = typeof MODE[keyof typeof MODE];

/** The two ends of the handshake: S created the room, R joined it. */
export type Role = "S" | "R";

/** The labels of the key schedule. */
export type KeyLabel =
  | `confirm ${Role}`
  | `bind ${Role}`
  | `sig ${Role}`
  | `ctl ${Role}`
  | `rep ${Role}`
  | "resume"
  | "stripes";

/** M1, 35 bytes: R's commitment to its HELLO. */
export async function commitTo(mode: Mode, helloR: Bytes): Promise<Bytes> {
  const hash = await sha256(enc("img-e2e/1 commit", helloR));
  return concat(new Uint8Array([HANDSHAKE.commit, PROTOCOL_VERSION, mode]), hash);
}

/**
 * th1: everything up to and including both HELLOs. `room` is the 16 bytes of rid, the ASCII digits
 * of a code, or nothing if an earlier handshake is resumed.
 */
export function transcript1(
  parts: { mode: Mode; room: Bytes; commit: Bytes; helloS: Bytes; helloR: Bytes },
): Promise<Bytes> {
  const { mode, room, commit, helloS, helloR } = parts;
  return sha256(enc("img-e2e/1 th1", new Uint8Array([mode]), room, commit, helloS, helloR));
}

/** th2: th1, the KEM ciphertext, and with a code Yb. */
export function transcript2(th1: Bytes, ciphertext: Bytes, shareB?: Bytes): Promise<Bytes> {
  const shares = shareB === undefined ? [] : [shareB];
  return sha256(enc("img-e2e/1 th2", th1, ciphertext, ...shares));
}

/** CI of the CPace run that a code adds: this protocol, and the ASCII digits. */
export function codeChannel(room: Bytes): Bytes {
  return enc("img-e2e/1", room);
}

/** sid of that run: neither side can choose it alone, or repeat it. */
export function codeSession(room: Bytes, commit: Bytes, nonceS: Bytes): Promise<Bytes> {
  return sha256(enc(room, commit, nonceS));
}

/** psk from the run's ISK, 32 bytes. */
export function codePsk(isk: Bytes): Promise<Bytes> {
  return hkdf(isk, new Uint8Array(0), "pake psk", KEY_LENGTH);
}

/** ikm: the three secrets that every key depends on, 32 bytes each. */
export function keyMaterial(zEcdh: Bytes, zMlkem: Bytes, psk: Bytes): Bytes {
  return enc(zEcdh, zMlkem, psk);
}

/** K(label), 32 bytes. */
export function deriveKey(ikm: Bytes | CryptoKey, th2: Bytes, label: KeyLabel): Promise<Bytes> {
  return hkdf(ikm, th2, label, KEY_LENGTH);
}

/** What macS signs: th2 and macR. */
export function confirmationS(th2: Bytes, macR: Bytes): Bytes {
  return enc(th2, macR);
}

/** What both sides MAC on the control channel before anything else. */
export function bindingInput(th2: Bytes, fpS: Bytes, fpR: Bytes): Bytes {
  return enc(th2, fpS, fpR);
}

/** What a side MACs with the same key at the start of each further transport: its position. */
export function rebindingInput(th2: Bytes, head: Bytes): Bytes {
  return enc("img-e2e/1 rebind", th2, head);
}

/** The value that replaces th2 for the n-th further connection. */
export function stripeTranscript(th2: Bytes, n: number): Promise<Bytes> {
  return sha256(enc("img-e2e/1 stripe", th2, new Uint8Array([n])));
}

/**
 * SAS, 6 bytes. It depends on th1, which is committed, and not on ct, which the side that moves
 * last could choose by trial and error.
 */
export function deriveSas(zEcdh: Bytes, th1: Bytes): Promise<Bytes> {
  return hkdf(zEcdh, th1, "sas", 6);
}
