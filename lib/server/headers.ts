/**
 * Security headers for every answer: pages, files, errors, refusals. Around the app and not a
 * middleware in it, because Fresh answers errors outside of the middlewares.
 *
 * @module
 */

import { log } from "../ops/log.ts";

/**
 * Where Fresh keeps the nonce of a rendered page's inline script; there is no public way to it
 * outside of its own `csp()`.
 */
const NONCE = Symbol.for("__freshNonce");

/** A year, for this host alone: what else lives below its name is the operator's business. */
const HSTS = "max-age=31536000";

/** Only what Chromium knows by name: it complains in the console about others. */
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

/** Options of {@linkcode secured}. */
export interface HeaderOptions {
  /** Origins that browsers see, as in PUBLIC_ORIGIN. */
  readonly publicOrigins: readonly string[];
  /** This process speaks TLS itself. */
  readonly tls: boolean;
}

type Handler<Info> = (req: Request, info?: Info) => Response | Promise<Response>;

/**
 * Answers as `handler` does, with security headers. The answer to a WebSocket upgrade is passed on
 * as it is.
 */
export function secured<Info>(handler: Handler<Info>, options: HeaderOptions): Handler<Info> {
  const sockets = options.publicOrigins.map((origin) => origin.replace(/^http/, "ws"));
  const strict = options.tls || options.publicOrigins.some((origin) => origin.startsWith("https:"));
  return async (req, info) => {
    const response = await answerOf(handler, req, info);
    // Deno knows an upgrade by the very object.
    if (response.status === 101) return response;
    const headers = new Headers(response.headers);
    const isPage = headers.get("content-type")?.startsWith("text/html") === true;
    headers.set(
      "content-security-policy",
      isPage
        ? pagePolicy(Reflect.get(response, NONCE), sockets)
        : OF_SCRIPTS.get(new URL(req.url).pathname) ?? NO_PAGE,
    );
    headers.set("cross-origin-opener-policy", "same-origin");
    headers.set("cross-origin-embedder-policy", "require-corp");
    headers.set("cross-origin-resource-policy", "same-origin");
    headers.set("referrer-policy", "no-referrer");
    headers.set("x-content-type-options", "nosniff");
    headers.set("permissions-policy", PERMISSIONS);
    if (strict) headers.set("strict-transport-security", HSTS);
    if (isPage) headers.set("cache-control", "no-store");
    // What a page says depends on who reads it, for every cache that keeps it nevertheless.
    if (isPage) headers.append("vary", "accept-language, cookie");
    const { status, statusText } = response;
    return new Response(response.body, { status, statusText, headers });
  };
}

/**
 * The answer of `handler`, or ours where it throws: Fresh answers what routes throw, but not what
 * comes up before it has found one, such as a URIError for percent signs in a path that stand for
 * nothing.
 */
async function answerOf<Info>(handler: Handler<Info>, req: Request, info?: Info) {
  try {
    return await handler(req, info);
  } catch (error) {
    if (error instanceof URIError) return new Response("Bad request\n", { status: 400 });
    // Its name only: a message could hold what a visitor sent.
    log.error("request failed", { reason: error instanceof Error ? error.name : "unknown" });
    return new Response("Internal server error\n", { status: 500 });
  }
}

/** For files and data: the picture worker is one of them, and it needs nothing of the network. */
const NO_PAGE = "default-src 'none'; frame-ancestors 'none'";

/** The service worker fetches pages for the browser. */
const SERVICE_WORKER = "default-src 'none'; connect-src 'self'; frame-ancestors 'none'";

/**
 * The decoder of HEIC is WebAssembly: it may be compiled there and nowhere else, and reaches
 * nothing.
 */
const HEIC_WORKER = "default-src 'none'; script-src 'wasm-unsafe-eval'; frame-ancestors 'none'";

const OF_SCRIPTS: ReadonlyMap<string, string> = new Map([
  ["/sw.js", SERVICE_WORKER],
  ["/workers/heic_worker.js", HEIC_WORKER],
]);

function pagePolicy(nonce: unknown, sockets: readonly string[]): string {
  const inline = typeof nonce === "string" && /^[\w+/=-]+$/.test(nonce) ? [`'nonce-${nonce}'`] : [];
  return [
    "default-src 'none'",
    ["script-src 'self'", ...inline].join(" "),
    "style-src 'self'",
    // The icon. Pictures are painted on canvases, from bytes.
    "img-src 'self'",
    "font-src 'self'",
    // 'self' is enough for WebSockets of the same host, but not in Safari before 15.4 (from
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
