/**
 * Hashing of tokens: rooms store only SHA-256 hashes, in the base64url form used on the wire.
 *
 * @module
 */
import { createHash, randomBytes } from "node:crypto";
import { ascii, equalBytes, fromBase64Url, toBase64Url } from "../protocol/bytes.ts";

/** b64u(SHA-256(token)), 43 characters. */
export type TokenHash = string;

/** Returns `length` random bytes. */
export type RandomSource = (length: number) => Uint8Array;

/** Random bytes from the operating system. */
export const systemRandom: RandomSource = (length) => randomBytes(length);

/**
 * Hashes the bytes that a base64url token encodes. Throws `TypeError` if `token` is not canonical
 * base64url.
 */
export function hashToken(token: string): TokenHash {
  const bytes = fromBase64Url(token);
  if (bytes === null) throw new TypeError("Cannot hash token: not base64url");
  return toBase64Url(createHash("sha256").update(bytes).digest());
}

/** True if both hashes are equal. The comparison takes constant time. */
export function equalHashes(a: TokenHash, b: TokenHash): boolean {
  return equalBytes(ascii(a), ascii(b));
}
