/**
 * Which pages may open a WebSocket here. Browsers let any page connect anywhere, and Deno checks nothing.
 *
 * @module
 */

/**
 * True where the request comes from a page of its own origin (scheme, host and port of the request's URL) or of one in
 * `allowed`, each written as browsers do: `https://example.org`, lower case, no default port, no slash at the end.
 * A request without an Origin is not from a browser and is refused.
 */
export function isAllowedOrigin(req: Request, allowed: readonly string[] = []): boolean {
  const origin = req.headers.get("origin");
  if (origin === null || origin === "null") return false;
  return origin === new URL(req.url).origin || allowed.includes(origin);
}

/**
 * Parses PUBLIC_ORIGIN: origins under which the app is reached through a proxy, separated by commas; none by default.
 * Throws a RangeError that names the variable.
 */
export function parseOrigins(value: string | undefined): readonly string[] {
  const origins = (value ?? "").split(",").map((part) => part.trim()).filter((part) => part !== "");
  for (const origin of origins) {
    const url = URL.canParse(origin) ? new URL(origin) : null;
    if (url === null || !/^https?:$/.test(url.protocol) || url.origin !== origin) {
      throw new RangeError(
        `PUBLIC_ORIGIN is not valid: "${origin}" is not an origin like https://example.org`,
      );
    }
  }
  return origins;
}
