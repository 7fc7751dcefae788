/**
 * Hexadecimal digits (RFC 4648 §8). This module is browser compatible.
 *
 * @module
 */

/** Encodes bytes, or a text as UTF-8, in lower case. */
export function encodeHex(src: string | Uint8Array | ArrayBuffer): string {
  const bytes = typeof src === "string" ? new TextEncoder().encode(src) : new Uint8Array(src);
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
