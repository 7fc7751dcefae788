import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { Builder } from "fresh/dev";
import { asset } from "fresh/runtime";
import { buildFixture, type BuiltApp, FIXTURE } from "./fixture.ts";

let app: BuiltApp;
let css: Uint8Array;
Deno.test.beforeAll(async () => {
  app = await buildFixture();
  css = await Deno.readFile(`${FIXTURE}/static/styles.css`);
});
Deno.test.afterAll(() => Deno.remove(app.out, { recursive: true }));

async function bytes(response: Response): Promise<Uint8Array> {
  return new Uint8Array(await response.arrayBuffer());
}

Deno.test("a static file comes with type, length and entity tag, not to be cached", async () => {
  const response = await app.get("/styles.css");
  equal(response.status, 200);
  match(response.headers.get("content-type") ?? "", /^text\/css/);
  equal(response.headers.get("content-length"), String(css.byteLength));
  match(response.headers.get("etag") ?? "", /^W\/"[0-9a-f]{64}"$/);
  match(response.headers.get("cache-control") ?? "", /no-cache/);
  deepEqual(await bytes(response), css);
});

Deno.test("the same entity tag is answered with 304 and nothing else", async () => {
  const etag = (await app.get("/styles.css")).headers.get("etag") ?? "";
  for (const tag of [etag, etag.slice(2), `"other", ${etag}`]) {
    const response = await app.get("/styles.css", { headers: { "If-None-Match": tag } });
    equal(response.status, 304, tag);
    equal(response.body, null);
  }
  const other = await app.get("/styles.css", { headers: { "If-None-Match": `W/"0"` } });
  equal(other.status, 200);
});

Deno.test("brotli is preferred to gzip, and what the client refuses is not sent", async () => {
  const cases: [accept: string | null, encoding: string | null][] = [
    ["gzip, deflate, br, zstd", "br"],
    ["gzip", "gzip"],
    ["br;q=0, gzip;q=0.5", "gzip"],
    ["*", "br"],
    ["*, br;q=0.0", "gzip"],
    ["identity", null],
    [null, null],
  ];
  for (const [accept, encoding] of cases) {
    const headers: HeadersInit = accept === null ? {} : { "Accept-Encoding": accept };
    const response = await app.get("/styles.css", { headers });
    equal(response.headers.get("content-encoding"), encoding, `${accept}`);
    match(response.headers.get("vary") ?? "", /Accept-Encoding/);
    const body = await bytes(response);
    equal(response.headers.get("content-length"), String(body.byteLength));
    const plain = encoding === "br"
      ? brotliDecompressSync(body)
      : encoding === "gzip"
      ? gunzipSync(body)
      : body;
    deepEqual(new Uint8Array(plain), css);
    if (encoding !== null) ok(body.byteLength < css.byteLength / 4);
  }
});

Deno.test("a file that does not get smaller, or is compressed already, is sent as it is", async () => {
  for (const path of ["/tiny.txt", "/a%20picture.png"]) {
    const response = await app.get(path, { headers: { "Accept-Encoding": "br" } });
    equal(response.status, 200);
    equal(response.headers.get("content-encoding"), null);
    ok(!response.headers.get("vary")?.includes("Accept-Encoding"));
  }
});

Deno.test("HEAD has the headers of GET and no body; other methods are refused", async () => {
  const response = await app.get("/styles.css", { method: "HEAD" });
  equal(response.headers.get("content-length"), String(css.byteLength));
  equal(response.body, null);
  equal((await app.get("/styles.css", { method: "POST" })).status, 405);
});

Deno.test("asset() names the build, and what it names may be kept for ever", async () => {
  const url = asset("/styles.css");
  equal(url, `/styles.css?__frsh_c=${app.buildId}`);
  const response = await app.get(url);
  equal(response.headers.get("cache-control"), "public, max-age=31536000, immutable");
});

Deno.test("asset() keeps query and hash, and leaves alone what is not of this site", () => {
  equal(asset("/a.svg?x=1#y"), `/a.svg?x=1&__frsh_c=${app.buildId}#y`);
  for (
    const path of ["https://example.com/a", "//example.com/a", "a.svg", "/a.svg?__frsh_c=other"]
  ) {
    equal(asset(path), path);
  }
});

Deno.test("the address of another build leads to the present file", async () => {
  const response = await app.get("/styles.css?__frsh_c=old&x=1");
  equal(response.status, 307);
  equal(response.headers.get("location"), "/styles.css?x=1");
});

Deno.test("client bundles may be kept for ever", async () => {
  const response = await app.get(`/_fresh/js/${app.buildId}/fresh-runtime.js`);
  equal(response.headers.get("cache-control"), "public, max-age=31536000, immutable");
  match(response.headers.get("content-type") ?? "", /^text\/javascript/);
});

Deno.test("hidden files are not served, except .well-known", async () => {
  equal((await app.get("/.hidden/secret.txt")).status, 404);
  equal(await app.text("/.well-known/security.txt"), "contact");
});

Deno.test("paths can't climb out of the build", async () => {
  for (const path of ["/%2e%2e/server.js", "/..%2fserver.js", "/static/../server.js", "/%"]) {
    equal((await app.get(path)).status, 404, path);
  }
});

Deno.test("a missing favicon is a short 404", async () => {
  const response = await app.get("/favicon.ico");
  equal(response.status, 404);
  equal(await response.text(), "");
});

/** Every file below a directory with its bytes as text, sorted by path. */
async function contents(dir: string, below = ""): Promise<[string, string][]> {
  const found: [string, string][] = [];
  for (const { name, isDirectory } of Deno.readDirSync(`${dir}/${below}`)) {
    const path = `${below}/${name}`;
    if (isDirectory) found.push(...await contents(dir, path));
    else found.push([path, (await Deno.readFile(dir + path)).toBase64()]);
  }
  return found.sort(([a], [b]) => a < b ? -1 : 1);
}

Deno.test("the same input makes the same bytes, and says nothing about the machine", async () => {
  const out = await Deno.makeTempDir({ prefix: "fresh_test_" });
  try {
    await new Builder({ root: FIXTURE, outDir: out }).build();
    const first = await contents(app.out);
    ok(first.length > 10);
    deepEqual(await contents(out), first);
    for (const [path, base64] of first) {
      if (/\.(br|gz|js)$/.test(path) && path !== "/server.js") {
        const text = new TextDecoder().decode(Uint8Array.fromBase64(base64));
        ok(!text.includes(FIXTURE), path);
      }
    }
  } finally {
    await Deno.remove(out, { recursive: true });
  }
});

Deno.test("other content makes another build id", async () => {
  const root = await Deno.makeTempDir({ prefix: "fresh_test_" });
  try {
    await Deno.mkdir(`${root}/static`);
    const ids: string[] = [];
    for (const text of ["one", "two"]) {
      await Deno.writeTextFile(`${root}/static/a.txt`, text);
      await new Builder({ root }).build();
      ids.push(
        /buildId: "(\w+)"/.exec(await Deno.readTextFile(`${root}/_fresh/server.js`))?.[1] ?? "",
      );
    }
    match(ids[0] ?? "", /^[0-9a-f]{16}$/);
    notEqual(ids[0], ids[1]);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
