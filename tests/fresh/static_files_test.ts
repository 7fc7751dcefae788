import { deepEqual, equal, match, ok } from "node:assert/strict";
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

Deno.test("a static file has type, length and entity tag, and is not cached", async () => {
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
  const response = await app.get("/styles.css", { headers: { "If-None-Match": etag } });
  equal(response.status, 304);
  equal(response.body, null);
  const other = await app.get("/styles.css", { headers: { "If-None-Match": `W/"0"` } });
  equal(other.status, 200);
});

Deno.test("HEAD has the headers of GET and no body; other methods are refused", async () => {
  const response = await app.get("/styles.css", { method: "HEAD" });
  equal(response.headers.get("content-length"), String(css.byteLength));
  equal(response.body, null);
  equal((await app.get("/styles.css", { method: "POST" })).status, 405);
});

Deno.test("asset() names the build, and the result may be cached for ever", async () => {
  const url = asset("/styles.css");
  equal(url, `/styles.css?__frsh_c=${app.buildId}`);
  const response = await app.get(url);
  equal(response.headers.get("cache-control"), "public, max-age=31536000, immutable");
});

Deno.test("asset() keeps query and hash, and leaves other sites' addresses alone", () => {
  equal(asset("/a.svg?x=1#y"), `/a.svg?x=1&__frsh_c=${app.buildId}#y`);
  for (
    const path of ["https://example.com/a", "//example.com/a", "a.svg", "/a.svg?__frsh_c=other"]
  ) {
    equal(asset(path), path);
  }
});

Deno.test("the address of another build leads to the current file", async () => {
  const response = await app.get("/styles.css?__frsh_c=old&x=1");
  equal(response.status, 307);
  equal(response.headers.get("location"), "/styles.css?x=1");
});

Deno.test("client bundles may be cached for ever", async () => {
  const response = await app.get(`/_fresh/js/${app.buildId}/fresh-runtime.js`);
  equal(response.headers.get("cache-control"), "public, max-age=31536000, immutable");
  match(response.headers.get("content-type") ?? "", /^text\/javascript/);
});

Deno.test("hidden files are not served, except .well-known", async () => {
  equal((await app.get("/.hidden/secret.txt")).status, 404);
  equal(await app.text("/.well-known/security.txt"), "contact");
});

Deno.test("paths can't escape from the build", async () => {
  for (const path of ["/%2e%2e/server.js", "/..%2fserver.js", "/static/../server.js", "/%"]) {
    equal((await app.get(path)).status, 404, path);
  }
});

Deno.test("a missing favicon is a short 404", async () => {
  const response = await app.get("/favicon.ico");
  equal(response.status, 404);
  equal(await response.text(), "");
});

Deno.test("a style sheet gets asset() addresses for this site's files only", async () => {
  const sheet = await app.text("/fonts.css");
  const key = `?__frsh_c=${app.buildId}`;
  for (const name of ["double", "single", "plain"]) {
    ok(sheet.includes(`url("/${name}.woff2${key}")`), sheet);
  }
  ok(sheet.includes(`url("https://example.com/far.woff2")`), sheet);
  ok(sheet.includes(`url("near.woff2")`), sheet);
});
