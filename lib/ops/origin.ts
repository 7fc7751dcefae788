/**
 * Decides which pages may open a WebSocket here. Browsers let any page connect to any server, and
 * Deno checks nothing.
 *
 * @module
 */
import { isLoopback } from "./client_address.ts";

/** Whose pages may connect. Origins are written as browsers write them: `https://example.org`. */
export interface OriginRules {
  /** The origins of this server's own pages; if there are none, the request's own. */
  readonly publicOrigins?: readonly string[];
  /** Origins of other sites that may use this server. */
  readonly allowedOrigins?: readonly string[];
}

/**
 * True if the request comes from a page of this server, or of a listed one. Scheme, host and port
 * are compared, as browsers write them: lower case, no default port, no trailing slash. A request
 * without an Origin is not from a browser and is refused.
 *
 * Without `publicOrigins` a page's own name is believed, but for one case. `local` says that the
 * connection comes from this machine itself: then the name has to be one of this machine. A page of
 * another site, whose name was changed to lead here (DNS rebinding), comes that way.
 */
export function isAllowedOrigin(
  req: Request,
  { publicOrigins = [], allowedOrigins = [], local }: OriginRules & { readonly local: boolean },
): boolean {
  const origin = req.headers.get("origin");
  if (origin === null || origin === "null") return false;
  if (allowedOrigins.includes(origin)) return true;
  if (publicOrigins.length > 0) return publicOrigins.includes(origin);
  const own = new URL(req.url);
  return origin === own.origin && (!local || isLoopback(own.hostname));
}
