/**
 * The only cipher suite, implemented with WebCrypto: SHA-256, HKDF and HMAC over it, AES-256-GCM,
 * ECDH on P-256. Keys are non-extractable and have the fewest possible usages.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { ascii, type Bytes, concat } from "../protocol/bytes.ts";

/** Prefix of every label, so that keys can't coincide with those of another protocol. */
const LABEL_PREFIX = "img-e2e/1 ";

/** Length of an uncompressed P-256 point: 04 ‖ x 32 ‖ y 32. */
export const POINT_LENGTH = 65;

/** Length of keys, nonces of the handshake, hashes and MACs. */
export const KEY_LENGTH = 32;

/** An ECDH key pair whose public half is ready to be sent. */
export interface EcdhPair {
  readonly privateKey: CryptoKey;
  /** 65 bytes, 04 ‖ x ‖ y. */
  readonly publicKey: Bytes;
}

/**
 * A message from the wire violates the protocol. The error never tells how: an attacker learns at
 * most one bit.
 */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";

  // Takes no message and no cause: an engine's own error may quote its input.
  constructor() {
    super("Cannot go on: the other side's message is not valid");
  }
}

/** SHA-256. */
export async function sha256(data: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", data));
}

/** `n` bytes from the system's generator. */
export function randomBytes(n: number): Bytes {
  return crypto.getRandomValues(new Uint8Array(n));
}

/** Overwrites secrets. Best effort: the engine may have copied them before. */
export function wipe(...secrets: readonly Uint8Array[]): void {
  for (const secret of secrets) secret.fill(0);
}

/** Imports 32 bytes as the input of HKDF, and overwrites them. */
export async function hkdfKey(raw: Bytes): Promise<CryptoKey> {
  const key = await crypto.subtle.importKey("raw", raw, "HKDF", false, ["deriveBits"]);
  wipe(raw);
  return key;
}

/** HKDF-SHA-256 (RFC 5869) with info = "img-e2e/1 " + label; returns `length` bytes. */
export async function hkdf(
  ikm: Bytes | CryptoKey,
  salt: Bytes,
  label: string,
  length: number,
): Promise<Bytes> {
  const key = ikm instanceof CryptoKey
    ? ikm
    : await crypto.subtle.importKey("raw", ikm, "HKDF", false, ["deriveBits"]);
  const info = ascii(LABEL_PREFIX + label);
  const bits = await crypto.subtle.deriveBits(
    { name: "HKDF", hash: "SHA-256", salt, info },
    key,
    length * 8,
  );
  return new Uint8Array(bits);
}

/** Imports 32 bytes as an HMAC-SHA-256 key for `usage`, and overwrites them. */
export async function hmacKey(raw: Bytes, usage: "sign" | "verify"): Promise<CryptoKey> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", raw, algorithm, false, [usage]);
  wipe(raw);
  return key;
}

/** Imports 32 bytes as an AES-256-GCM key for `usage`. The caller overwrites `raw` afterwards. */
export function aesKey(raw: Bytes, usage: "encrypt" | "decrypt"): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", raw, "AES-GCM", false, [usage]);
}

/** HMAC-SHA-256, 32 bytes. */
export async function mac(key: CryptoKey, data: Bytes): Promise<Bytes> {
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, data));
}

/** Checks a MAC in constant time. */
export function macMatches(key: CryptoKey, tag: Bytes, data: Bytes): Promise<boolean> {
  return crypto.subtle.verify("HMAC", key, tag, data);
}

/** The nonce 4 zero bytes ‖ u64be(seq). */
export function counterNonce(seq: number): Bytes {
  const nonce = new Uint8Array(12);
  const view = new DataView(nonce.buffer);
  view.setUint32(4, Math.floor(seq / 2 ** 32));
  view.setUint32(8, seq >>> 0);
  return nonce;
}

/** AES-256-GCM: returns ciphertext ‖ tag 16. */
export async function encrypt(
  key: CryptoKey,
  plaintext: Bytes,
  { nonce, aad }: { nonce: Bytes; aad: Bytes },
): Promise<Bytes> {
  const options = { name: "AES-GCM", iv: nonce, additionalData: aad };
  return new Uint8Array(await crypto.subtle.encrypt(options, key, plaintext));
}

/** AES-256-GCM: opens ciphertext ‖ tag 16. Throws {@linkcode ProtocolError} without a reason. */
export async function decrypt(
  key: CryptoKey,
  sealed: Bytes,
  { nonce, aad }: { nonce: Bytes; aad: Bytes },
): Promise<Bytes> {
  try {
    const options = { name: "AES-GCM", iv: nonce, additionalData: aad };
    return new Uint8Array(await crypto.subtle.decrypt(options, key, sealed));
  } catch {
    throw new ProtocolError();
  }
}

/** Makes an ephemeral ECDH key pair on P-256. */
export async function generateEcdh(): Promise<EcdhPair> {
  const algorithm = { name: "ECDH", namedCurve: "P-256" };
  const pair = await crypto.subtle.generateKey(algorithm, false, ["deriveBits"]);
  const publicKey = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  return { privateKey: pair.privateKey, publicKey };
}

/**
 * The ECDH shared secret, 32 bytes: the x coordinate. Throws {@linkcode ProtocolError} if the point
 * is not on the curve; engines differ in whether `importKey` or `deriveBits` notices.
 */
export async function ecdh(privateKey: CryptoKey, peerPublicKey: Bytes): Promise<Bytes> {
  if (peerPublicKey.length !== POINT_LENGTH || peerPublicKey[0] !== 0x04) throw new ProtocolError();
  try {
    const algorithm = { name: "ECDH", namedCurve: "P-256" };
    const peer = await crypto.subtle.importKey("raw", peerPublicKey, algorithm, false, []);
    const bits = await crypto.subtle.deriveBits({ name: "ECDH", public: peer }, privateKey, 256);
    return new Uint8Array(bits);
  } catch {
    throw new ProtocolError();
  }
}

/**
 * Decodes opened bytes as UTF-8, keeping a byte order mark as a character. Throws
 * {@linkcode ProtocolError} if they are not UTF-8.
 */
export function decodeText(bytes: Bytes): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new ProtocolError();
  }
}

/** Copies a slice; a view would keep the whole message alive and could be overwritten. */
export function take(from: Uint8Array, start: number, length: number): Bytes {
  return concat(from.subarray(start, start + length));
}
