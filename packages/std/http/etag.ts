/**
 * Entity tags (RFC 9110 §8.8.3).
 *
 * @module
 */

/**
 * Whether to send a representation with this tag: not if If-None-Match contains it. Weak tags equal
 * strong ones, as required for GET.
 */
export function ifNoneMatch(value: string | null, etag: string | undefined): boolean {
  if (value === null || etag === undefined) return true;
  if (value.trim() === "*") return false;
  return !value.split(",").some((tag) => opaque(tag) === opaque(etag));
}

function opaque(tag: string): string {
  return tag.trim().replace(/^W\//, "");
}
