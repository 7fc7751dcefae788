/**
 * Byte helpers of the protocol: `enc`, and base64url in its canonical form only.
 *
 * This module is browser compatible.
 *
 * @module
 */

import { concat as concatBytes } from "@std/bytes/concat";
import { timingSafeEqual } from "@std/crypto/timing-safe-equal";
import { decodeBase64Url, encodeBase64Url } from "@std/encoding/base64url";

/** Bytes backed by a plain ArrayBuffer, as WebCrypto and DataChannels require. */
export type Bytes = Uint8Array<ArrayBuffer>;

/** Returns the ASCII bytes of `text`. Throws `RangeError` if it is not ASCII. */
export function ascii(text: string): Bytes {
  const out = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) throw new RangeError("Cannot encode text: not ASCII");
    out[i] = code;
  }
  return out;
}

/** Joins byte strings into a new one. */
export function concat(...parts: readonly Uint8Array[]): Bytes {
  return concatBytes(parts);
}

/**
 * The transcript encoding `enc(x1, …, xn)`: each item as u16be(length) ‖ bytes, strings as ASCII.
 * Throws `RangeError` for an item over 65,535 bytes.
 */
export function enc(...items: readonly (Uint8Array | string)[]): Bytes {
  const parts: Uint8Array[] = [];
  for (const item of items) {
    const bytes = typeof item === "string" ? ascii(item) : item;
    if (bytes.length > 0xffff) throw new RangeError("Cannot encode item: longer than 65,535 bytes");
    parts.push(new Uint8Array([bytes.length >> 8, bytes.length & 0xff]), bytes);
  }
  return concat(...parts);
}

/** Encodes bytes as base64url without padding (RFC 4648 §5). */
export function toBase64Url(bytes: Uint8Array): string {
  return encodeBase64Url(bytes);
}

/**
 * Decodes base64url. The standard library accepts padding, and bits after the last byte. On the
 * wire each byte string has one form, without either. Returns `null` for everything else.
 */
export function fromBase64Url(text: string): Bytes | null {
  try {
    const bytes = decodeBase64Url(text);
    return encodeBase64Url(bytes) === text ? bytes : null;
  } catch {
    return null;
  }
}

/** True if `text` is the canonical base64url of exactly `length` bytes. */
export function isBase64Url(text: unknown, length: number): text is string {
  return typeof text === "string" && text.length === Math.ceil(length * 4 / 3) &&
    fromBase64Url(text)?.length === length;
}

/**
 * True if both hold the same bytes. Takes the same time wherever they differ; the length is not a
 * secret.
 */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
