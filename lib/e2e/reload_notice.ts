/**
 * M8, by which a reloaded sender's page asks its viewer to resume: `08 ver nonce 16 ‖ mac 32`. The
 * MAC covers all before it. Its key comes from the secret that the first handshake left, which
 * depends on the room and on both sides, so only this session's sender can make one. It proves
 * nothing about when it was made: the viewer accepts each nonce once.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { type Bytes, concat } from "../protocol/bytes.ts";
import { HANDSHAKE, NOTICE_LENGTH, NOTICE_NONCE_LENGTH } from "../protocol/handshake.ts";
import { PROTOCOL_VERSION } from "../protocol/limits.ts";
import { hkdf, hmacKey, KEY_LENGTH, mac, macMatches, randomBytes, take, wipe } from "./suite.ts";

const HEAD_LENGTH = 2 + NOTICE_NONCE_LENGTH;

async function noticeKey(resume: Bytes, usage: "sign" | "verify"): Promise<CryptoKey> {
  const raw = await hkdf(resume, new Uint8Array(0), "reloaded S", KEY_LENGTH);
  const key = await hmacKey(raw, usage);
  wipe(raw);
  return key;
}

/** Makes M8 from the 32 bytes that the first handshake left; only tests choose the nonce. */
export async function makeReloadNotice(
  resume: Bytes,
  nonce: Bytes = randomBytes(NOTICE_NONCE_LENGTH),
): Promise<Bytes> {
  const head = concat(new Uint8Array([HANDSHAKE.reloaded, PROTOCOL_VERSION]), nonce);
  return concat(head, await mac(await noticeKey(resume, "sign"), head));
}

/** The nonce of M8, 16 bytes, if its MAC is right, otherwise `null`. */
export async function verifyReloadNotice(resume: Bytes, message: Bytes): Promise<Bytes | null> {
  if (
    message.length !== NOTICE_LENGTH || message[0] !== HANDSHAKE.reloaded ||
    message[1] !== PROTOCOL_VERSION
  ) return null;
  const tag = take(message, HEAD_LENGTH, KEY_LENGTH);
  const key = await noticeKey(resume, "verify");
  if (!await macMatches(key, tag, take(message, 0, HEAD_LENGTH))) return null;
  return take(message, 2, NOTICE_NONCE_LENGTH);
}
