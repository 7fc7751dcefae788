/**
 * The link: 32 random bytes after `#`, and what both browsers derive from them. The server only
 * ever sees the room's address and, from a joiner, the join token.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { ascii, type Bytes, fromBase64Url, toBase64Url } from "../protocol/bytes.ts";
import { PROTOCOL_VERSION } from "../protocol/limits.ts";
import { hkdf, KEY_LENGTH, randomBytes, sha256 } from "./suite.ts";

/** What is derived from a link's secret. */
export interface RoomSecrets {
  /** The room's address, 16 bytes. */
  readonly rid: Bytes;
  /** What a joiner presents to the server, 16 bytes. */
  readonly jtok: Bytes;
  /** Mixed into every key, 32 bytes. */
  readonly psk: Bytes;
}

/** Draws the secret of a new link, 32 bytes. */
export function createLinkSecret(): Bytes {
  return randomBytes(KEY_LENGTH);
}

/** Formats the link that the viewer opens: `<origin>/join#1.<43 characters>`. */
export function formatLink(origin: string, secret: Bytes): string {
  return `${origin}/join${formatFragment(secret)}`;
}

/** Behind a secret that was sent to the server on its way, see {@linkcode formatFragment}. */
export const EXPOSED = "&exposed";

/** Formats the part of a link that browsers send to nobody. */
export function formatFragment(secret: Bytes, { exposed = false } = {}): string {
  return `#${PROTOCOL_VERSION}.${toBase64Url(secret)}${exposed ? EXPOSED : ""}`;
}

/**
 * Parses the secret from a page's fragment, with or without `#`. Returns `null` if it is not
 * complete and valid: a cut or padded link, another version.
 */
export function parseFragment(fragment: string): Bytes | null {
  const match = /^#?1\.([A-Za-z0-9_-]{43})$/.exec(fragment);
  return match?.[1] === undefined ? null : fromBase64Url(match[1]);
}

/** Derives room address, join token and psk from a link's secret. */
export async function deriveRoom(secret: Bytes): Promise<RoomSecrets> {
  const salt = await sha256(ascii("img-e2e/1 link"));
  const [rid, jtok, psk] = await Promise.all([
    hkdf(secret, salt, "room id", 16),
    hkdf(secret, salt, "join token", 16),
    hkdf(secret, salt, "psk", KEY_LENGTH),
  ]);
  return { rid, jtok, psk };
}
