/**
 * Base64url (RFC 4648 §5). This module is browser compatible.
 *
 * @module
 */

/** Encodes bytes, or a text as UTF-8, without padding. */
export function encodeBase64Url(data: ArrayBuffer | Uint8Array | string): string {
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : new Uint8Array(data);
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/**
 * Decodes base64url, with or without padding.
 *
 * @throws {RangeError} if the length modulo 4 is 1
 * @throws {TypeError} for invalid characters
 */
export function decodeBase64Url(b64url: string): Uint8Array<ArrayBuffer> {
  const text = b64url.replace(/={1,2}$/, "");
  if (text.length % 4 === 1) throw new RangeError("Cannot decode base64url");
  if (/[^\w-]/.test(text)) throw new TypeError("Cannot decode base64url");
  return Uint8Array.from(
    atob(text.replaceAll("-", "+").replaceAll("_", "/")),
    (char) => char.charCodeAt(0),
  );
}
