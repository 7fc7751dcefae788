/**
 * Security headers for every response: pages, files, errors, refusals. They wrap the whole app
 * instead of being a middleware, because Fresh creates error responses outside of its middlewares.
 *
 * @module
 */

import { log } from "../ops/log.ts";

/**
 * Where Fresh keeps the nonce of a rendered page's inline script. Outside of Fresh's own `csp()`
 * there is no public access to it.
 */
const NONCE = Symbol.for("__freshNonce");

/** A year, for this host only: the operator decides about subdomains. */
const HSTS = "max-age=31536000";

/** Only features that Chromium knows: it logs a console error about any other name. */
const PERMISSIONS = [
  "accelerometer=()",
  "camera=(self)",
  "display-capture=()",
  "geolocation=()",
  "gyroscope=()",
  "hid=()",
  "magnetometer=()",
  "microphone=()",
  "midi=()",
  "payment=()",
  "serial=()",
  "usb=()",
].join(", ");

/** The headers of every response, besides its Content-Security-Policy. */
export const COMMON: Readonly<Record<string, string>> = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "permissions-policy": PERMISSIONS,
};

/** Options of {@linkcode secured}. */
export interface HeaderOptions {
  /** Origins as browsers see them, as in PUBLIC_ORIGIN. */
  readonly publicOrigins: readonly string[];
  /** True if this process terminates TLS itself. */
  readonly tls: boolean;
  /** Origin of the server that has the rooms, if it is another one; otherwise empty or absent. */
  readonly signaling?: string;
}

type Handler<Info> = (req: Request, info?: Info) => Response | Promise<Response>;

/**
 * Wraps `handler` so that its responses have security headers. The response to a WebSocket upgrade
 * is returned unchanged.
 */
export function secured<Info>(handler: Handler<Info>, options: HeaderOptions): Handler<Info> {
  const sockets = socketsOf(options);
  const https = options.tls || options.publicOrigins.some((origin) => origin.startsWith("https:"));
  return async (req, info) => {
    const response = await answerOf(handler, req, info);
    // Deno recognizes an upgrade by the identity of the response object.
    if (response.status === 101) return response;
    const headers = new Headers(response.headers);
    const isPage = headers.get("content-type")?.startsWith("text/html") === true;
    headers.set(
      "content-security-policy",
      isPage
        ? pagePolicy(nonceSource(Reflect.get(response, NONCE)), sockets)
        : filePolicy(new URL(req.url).pathname),
    );
    for (const [name, value] of Object.entries(COMMON)) headers.set(name, value);
    if (https && isPublic(new URL(req.url).hostname)) {
      headers.set("strict-transport-security", HSTS);
    }
    if (isPage) headers.set("cache-control", "no-store");
    // The page depends on these headers; this is for any cache that ignores `no-store`.
    if (isPage) headers.append("vary", "accept-language, cookie");
    const { status, statusText } = response;
    return new Response(response.body, { status, statusText, headers });
  };
}

/** Where pages may connect to, besides their own origin. */
export function socketsOf({ publicOrigins, signaling = "" }: Omit<HeaderOptions, "tls">): string[] {
  const toSocket = (origin: string) => origin.replace(/^http/, "ws");
  if (signaling === "") return publicOrigins.map(toSocket);
  // By HTTP a page only asks why its socket was refused.
  return [toSocket(signaling), signaling];
}

/**
 * False for names that mean another computer in each network. A year of HTTPS promised for one of
 * them would lock people out of whatever else has it, with certificates that nobody may pass over.
 */
function isPublic(hostname: string): boolean {
  return !/(?:^|\.)(?:local|localhost)$|^[\d.]+$|^\[/.test(hostname);
}

/**
 * The response of `handler`, or ours if it throws. Fresh answers what routes throw, but not what is
 * thrown before it has found a route, such as the URIError for malformed percent-encoding in a
 * path.
 */
async function answerOf<Info>(handler: Handler<Info>, req: Request, info?: Info) {
  try {
    return await handler(req, info);
  } catch (error) {
    if (error instanceof URIError) return new Response("Bad request\n", { status: 400 });
    // Only the error's name: its message could contain what a visitor sent.
    log.error("request failed", { reason: error instanceof Error ? error.name : "unknown" });
    return new Response("Internal server error\n", { status: 500 });
  }
}

/** For files and data. The picture worker is one of them, and needs no network access. */
const NO_PAGE = "default-src 'none'; frame-ancestors 'none'";

/** The service worker fetches pages for the browser. */
const SERVICE_WORKER = "default-src 'none'; connect-src 'self'; frame-ancestors 'none'";

/**
 * The HEIC decoder is WebAssembly: only this worker may compile it, and it has no network access.
 */
const HEIC_WORKER = "default-src 'none'; script-src 'wasm-unsafe-eval'; frame-ancestors 'none'";

const OF_SCRIPTS: ReadonlyMap<string, string> = new Map([
  ["/sw.js", SERVICE_WORKER],
  ["/workers/heic_worker.js", HEIC_WORKER],
]);

/** The policy of the file at a path; a worker obeys the one that its script came with. */
export function filePolicy(path: string): string {
  return OF_SCRIPTS.get(path) ?? NO_PAGE;
}

/** The source of a page's inline script; none if the nonce is not valid. */
function nonceSource(nonce: unknown): string[] {
  return typeof nonce === "string" && /^[\w+/=-]+$/.test(nonce) ? [`'nonce-${nonce}'`] : [];
}

/**
 * The policy of a page. `inline` are the sources of its inline scripts, `sockets` the origins that
 * it may connect to.
 */
export function pagePolicy(inline: readonly string[], sockets: readonly string[]): string {
  return [
    "default-src 'none'",
    ["script-src 'self'", ...inline].join(" "),
    "style-src 'self'",
    // For the icon, and for what the sender chose (lib/image/shown.ts). What is received is painted
    // on canvases, from bytes.
    "img-src 'self' blob:",
    "font-src 'self'",
    // 'self' covers WebSockets of the same host, but not in Safari before 15.4 (according to
    // documentation).
    ["connect-src 'self'", ...sockets].join(" "),
    "worker-src 'self'",
    "manifest-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types worker",
  ].join("; ");
}
