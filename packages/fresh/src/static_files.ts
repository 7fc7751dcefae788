import { ifNoneMatch } from "@std/http/etag";
import { acceptsEncodings } from "@std/http/negotiation";
import { contentType } from "@std/media-types/content-type";
import { extname } from "@std/path";
import { type Encoding, ENCODINGS } from "./build_cache.ts";
import { internals } from "./context.ts";
import type { Middleware } from "./types.ts";

/** Serves `static/` and the bundles; anything else is left to the next middleware. */
export function staticFiles<State>(): Middleware<State> {
  return async function serveStaticFile(ctx) {
    const { req, url, config } = ctx;
    const cache = ctx[internals].cache;
    const path = decodePath(url.pathname);
    const file = path === null ? undefined : cache?.staticFiles.get(path);
    if (cache === null || file === undefined || path === null) {
      // Browsers request it by themselves; rendering a 404 page for that would be a waste.
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
    const etag = `W/"${file.hash}"`;
    const headers = new Headers({
      "Content-Type": contentType(extname(path)) ?? "text/plain",
      "Cache-Control": immutable
        ? "public, max-age=31536000, immutable"
        : "no-cache, no-store, max-age=0, must-revalidate",
      "ETag": etag,
      "Vary": "If-None-Match" +
        (file.encodings.length > 0 ? ", Accept-Encoding" : ""),
    });
    if (!ifNoneMatch(req.headers.get("If-None-Match"), etag)) {
      return new Response(null, { status: 304, headers });
    }
    const encoding = choose(req, file.encodings);
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

/**
 * The best encoding that exists and that the client accepts. Smaller ones take precedence, whatever
 * the client prefers.
 */
function choose(req: Request, encodings: readonly Encoding[]): Encoding | null {
  if (!req.headers.has("Accept-Encoding")) return null;
  return ENCODINGS.find((encoding) =>
    encodings.includes(encoding) && acceptsEncodings(req, encoding) === encoding
  ) ?? null;
}
