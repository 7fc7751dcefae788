/**
 * The one place that decides whether a path is written as it is meant. A proxy and this server have
 * to mean the same by a path: what a proxy keeps to itself, `/readyz` for example, must not be
 * reached here by another spelling of it.
 *
 * @module
 */

/**
 * The answer to a request whose path has another spelling than the one that routes are found by:
 * backslashes, dot segments, doubled slashes, raw signs that have to be escaped (400), or a slash
 * at its end (a redirect to the path without it). `null` if the path is as it should be.
 */
export function refusePath(req: Request): Response | null {
  const [, written = "/"] = /^[a-z]+:\/\/[^/?#\\]*([^?#]*)/i.exec(req.url) ?? [];
  const { pathname, search } = new URL(req.url);
  const headers = { "cache-control": "no-store" };
  if (pathname !== (written || "/") || pathname.includes("//")) {
    return new Response("Bad request\n", { status: 400, headers });
  }
  if (pathname === "/" || !pathname.endsWith("/")) return null;
  const location = pathname.slice(0, -1) + search;
  return new Response(null, { status: 308, headers: { ...headers, location } });
}
