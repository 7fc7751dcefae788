/**
 * An empty page on 127.0.0.1, which is a secure context (about:blank is not), for tests that need a
 * browser but not the app.
 *
 * @module
 */

/** A running server of one empty page. */
export interface BlankSite extends AsyncDisposable {
  readonly url: string;
}

/** Settings of {@linkcode serveBlank}. */
export interface BlankOptions {
  /** Scripts by path. */
  readonly scripts?: Readonly<Record<string, string>>;
  /** Content of the body. */
  readonly body?: string;
  /** A Content-Security-Policy. */
  readonly csp?: string;
}

/** Serves an empty page, or a very small one, on a free port. */
export function serveBlank({ scripts = {}, body = "", csp }: BlankOptions = {}): BlankSite {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    (request) => {
      const { pathname } = new URL(request.url);
      const script = scripts[pathname];
      if (script !== undefined) {
        return new Response(script, { headers: { "content-type": "text/javascript" } });
      }
      // An inline icon keeps the browser from requesting /favicon.ico and logging an error.
      const html =
        `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><body>${body}`;
      const headers = new Headers({ "content-type": "text/html" });
      if (csp !== undefined) headers.set("content-security-policy", csp);
      return new Response(html, { headers });
    },
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}/`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
