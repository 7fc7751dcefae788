/**
 * Addresses of the viewer's page as they arrive: with another case, with signs behind the path, or
 * with the link's `#` encoded, so that what belongs behind it was sent here as a part of the path.
 *
 * @module
 */
import { findLink, plainText } from "../e2e/find_link.ts";
import { formatFragment } from "../e2e/link.ts";

const JOIN = "/join";

/**
 * Returns where `url` was meant to lead, as a path with what belongs behind it; `null` if it is
 * right, or leads elsewhere. A secret that arrived here is put back behind `#`, marked as exposed:
 * neither this server nor a proxy sees it again, and the page says that they did.
 */
export function meantJoin({ pathname, search }: Pick<URL, "pathname" | "search">): string | null {
  const [, behind] = /^\/join(?![a-z\d])(.*)$/is.exec(plainText(pathname)) ?? [];
  if (behind === undefined) return null;
  for (const part of [behind, search]) {
    const found = findLink(part, "");
    if (found?.at === "whole") return JOIN + formatFragment(found.secret, { exposed: true });
  }
  // A browser keeps the fragment that it has itself.
  if (!/[\p{L}\p{N}]/u.test(behind)) return pathname === JOIN ? null : JOIN + search;
  const [, part] = /#(.*)$/s.exec(behind) ?? [];
  return part === undefined ? null : `${JOIN}#${encodeURIComponent(part)}`;
}

/** The redirect for {@linkcode meantJoin}; `null` if the request is answered as it is. */
export function repairJoin(req: Request): Response | null {
  if (req.method !== "GET" && req.method !== "HEAD") return null;
  const location = meantJoin(new URL(req.url));
  if (location === null) return null;
  return new Response(null, { status: 302, headers: { location, "cache-control": "no-store" } });
}
