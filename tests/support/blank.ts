/**
 * An empty page on 127.0.0.1, which is a secure context (about:blank is not), for tests that need a browser but not the app.
 *
 * @module
 */

/** A running server of one empty page. */
export interface BlankSite extends AsyncDisposable {
  readonly url: string;
}

/** Serves an empty page, and whatever `files` has by path, on a free port. */
export function serveBlank(files: Readonly<Record<string, string>> = {}): BlankSite {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    (request) => {
      const { pathname } = new URL(request.url);
      const script = files[pathname];
      if (script !== undefined) {
        return new Response(script, { headers: { "content-type": "text/javascript" } });
      }
      // The icon is inline, or the browser would ask for /favicon.ico and log an error.
      const html = `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><body>`;
      return new Response(html, { headers: { "content-type": "text/html" } });
    },
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}/`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
