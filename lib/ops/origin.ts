/**
 * Decides which pages may open a WebSocket here. Browsers let any page connect to any server, and
 * Deno checks nothing.
 *
 * @module
 */

/**
 * True if the request comes from a page of its own origin (scheme, host and port of the request's
 * URL) or of one in `allowed`. Origins are written as browsers write them: `https://example.org`,
 * lower case, no default port, no trailing slash. A request without an Origin is not from a browser
 * and is refused.
 */
export function isAllowedOrigin(req: Request, allowed: readonly string[] = []): boolean {
  const origin = req.headers.get("origin");
  if (origin === null || origin === "null") return false;
  return origin === new URL(req.url).origin || allowed.includes(origin);
}
