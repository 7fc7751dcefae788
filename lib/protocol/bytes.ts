/**
 * Byte helpers of the protocol: `enc`, canonical base64url, hex, concatenation.
 *
 * This module is browser compatible.
 *
 * @module
 */

/** Bytes with a plain buffer behind them, which is what WebCrypto and DataChannels take. */
export type Bytes = Uint8Array<ArrayBuffer>;

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const VALUES = new Map([...ALPHABET].map((char, value) => [char, value]));

/** Returns the ASCII bytes of `text`. Throws `RangeError` for anything else than ASCII. */
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
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
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
  let out = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i;
    const group = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    out += ALPHABET.charAt(group >> 18) + ALPHABET.charAt((group >> 12) & 63);
    if (left > 1) out += ALPHABET.charAt((group >> 6) & 63);
    if (left > 2) out += ALPHABET.charAt(group & 63);
  }
  return out;
}

/**
 * Decodes base64url without padding. Only the canonical form is taken: no other characters, no length of
 * 1 modulo 4, no set bits behind the last byte. Returns `null` for everything else.
 */
export function fromBase64Url(text: string): Bytes | null {
  const rest = text.length % 4;
  if (rest === 1) return null;
  const out = new Uint8Array(Math.floor(text.length * 3 / 4));
  let bits = 0;
  let held = 0;
  let at = 0;
  for (const char of text) {
    const value = VALUES.get(char);
    if (value === undefined) return null;
    bits = (bits << 6) | value;
    held += 6;
    if (held >= 8) {
      held -= 8;
      out[at++] = bits >> held;
      bits &= (1 << held) - 1;
    }
  }
  return bits === 0 ? out : null;
}

/** True where `text` is the canonical base64url of exactly `length` bytes. */
export function isBase64Url(text: unknown, length: number): text is string {
  return typeof text === "string" && text.length === Math.ceil(length * 4 / 3) &&
    fromBase64Url(text)?.length === length;
}

/** Encodes bytes as lower-case hex. */
export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * True where both hold the same bytes. Takes the same time wherever they differ; the length is not a secret.
 */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0);
  return difference === 0;
}
