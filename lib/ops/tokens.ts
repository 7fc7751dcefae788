/**
 * Tokens at rest: the rooms keep nothing but SHA-256 hashes, in base64url as they come over the
 * wire.
 *
 * @module
 */
import { createHash, randomBytes } from "node:crypto";
import { ascii, equalBytes, fromBase64Url, toBase64Url } from "../protocol/bytes.ts";

/** b64u(SHA-256(token)), 43 characters. */
export type TokenHash = string;

/** Makes `length` random bytes. */
export type RandomSource = (length: number) => Uint8Array;

/** Random bytes of the operating system. */
export const systemRandom: RandomSource = (length) => randomBytes(length);

/**
 * Hashes the bytes behind a base64url token. Throws `TypeError` where `token` is not canonical
 * base64url.
 */
export function hashToken(token: string): TokenHash {
  const bytes = fromBase64Url(token);
  if (bytes === null) throw new TypeError("Cannot hash token: not base64url");
  return toBase64Url(createHash("sha256").update(bytes).digest());
}

/** True where both hashes are the same. Takes the same time wherever they differ. */
export function equalHashes(a: TokenHash, b: TokenHash): boolean {
  return equalBytes(ascii(a), ascii(b));
}
