/**
 * Entity tags (RFC 9110 §8.8.3).
 *
 * @module
 */

/**
 * Whether a representation with this tag is to be sent: not where If-None-Match names it, alone or
 * in a list. Weak tags compare like strong ones, as for GET they have to.
 */
export function ifNoneMatch(value: string | null, etag: string | undefined): boolean {
  if (value === null || etag === undefined) return true;
  if (value.trim() === "*") return false;
  return !value.split(",").some((tag) => opaque(tag) === opaque(etag));
}

function opaque(tag: string): string {
  return tag.trim().replace(/^W\//, "");
}
