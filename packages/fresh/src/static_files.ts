import { extname } from "node:path";
import { type Encoding, ENCODINGS } from "./build_cache.ts";
import { internals } from "./context.ts";
import type { Middleware } from "./types.ts";

const TYPES: Record<string, string> = {
  ".css": "text/css; charset=UTF-8",
  ".html": "text/html; charset=UTF-8",
  ".js": "text/javascript; charset=UTF-8",
  ".mjs": "text/javascript; charset=UTF-8",
  ".json": "application/json; charset=UTF-8",
  ".map": "application/json; charset=UTF-8",
  ".md": "text/markdown; charset=UTF-8",
  ".txt": "text/plain; charset=UTF-8",
  ".xml": "application/xml; charset=UTF-8",
  ".webmanifest": "application/manifest+json; charset=UTF-8",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
  ".avif": "image/avif",
  ".gif": "image/gif",
  ".ico": "image/vnd.microsoft.icon",
  ".jpg": "image/jpeg",
  ".jpeg": "image/jpeg",
  ".png": "image/png",
  ".webp": "image/webp",
  ".woff2": "font/woff2",
  ".mp4": "video/mp4",
  ".pdf": "application/pdf",
};

/** Serves `static/` and the bundles; anything else goes on to the next middleware. */
export function staticFiles<State>(): Middleware<State> {
  return async function serveStaticFile(ctx) {
    const { req, url, config } = ctx;
    const cache = ctx[internals].cache;
    const path = decodePath(url.pathname);
    const file = path === null ? undefined : cache?.staticFiles.get(path);
    if (cache === null || file === undefined || path === null) {
      // Browsers ask for it on their own; rendering a 404 page for that would be waste.
      return path === "/favicon.ico" ? new Response(null, { status: 404 }) : await ctx.next();
    }
    if (req.method !== "GET" && req.method !== "HEAD") {
      return new Response("Method Not Allowed", { status: 405 });
    }
    const key = url.searchParams.get("__frsh_c");
    if (key !== null && key !== cache.buildId) {
      url.searchParams.delete("__frsh_c");
      return new Response(null, { status: 307, headers: { location: url.pathname + url.search } });
    }

    const immutable = config.mode === "production" &&
      (key !== null || path.startsWith(`/_fresh/js/${cache.buildId}/`));
    const headers = new Headers({
      "Content-Type": TYPES[extname(path).toLowerCase()] ?? "text/plain",
      "Cache-Control": immutable
        ? "public, max-age=31536000, immutable"
        : "no-cache, no-store, max-age=0, must-revalidate",
      "ETag": `W/"${file.hash}"`,
      "Vary": "If-None-Match" +
        (file.encodings.length > 0 ? ", Accept-Encoding" : ""),
    });
    if (matches(req.headers.get("If-None-Match"), file.hash)) {
      return new Response(null, { status: 304, headers });
    }
    const encoding = choose(req.headers.get("Accept-Encoding"), file.encodings);
    if (encoding !== null) headers.set("Content-Encoding", encoding);
    const body = await file.read(encoding);
    headers.set("Content-Length", String(body.byteLength));
    return new Response(req.method === "HEAD" ? null : body, { headers });
  };
}

function decodePath(path: string): string | null {
  try {
    return decodeURIComponent(path);
  } catch {
    return null;
  }
}

function matches(header: string | null, hash: string): boolean {
  if (header === null) return false;
  return header.split(",").some((tag) => {
    const value = tag.trim();
    return value === "*" ||
      value.replace(/^W\//, "").replaceAll('"', "") === hash;
  });
}

/** The best encoding that exists and that the client accepts with a quality above zero. */
function choose(header: string | null, encodings: readonly Encoding[]): Encoding | null {
  const refused = new Set<string>();
  const accepted = new Set<string>();
  for (const part of (header ?? "").toLowerCase().split(",")) {
    const [name = "", ...parameters] = part.split(";").map((text) => text.trim());
    const zero = parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
    (zero ? refused : accepted).add(name);
  }
  return ENCODINGS.find((encoding) =>
    encodings.includes(encoding) &&
    (accepted.has(encoding) || accepted.has("*") && !refused.has(encoding))
  ) ?? null;
}
