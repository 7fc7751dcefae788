/** What the stand-in does with files beyond what Fresh itself does. */
import { deepEqual, equal, match, notEqual, ok } from "node:assert/strict";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { Builder } from "fresh/dev";
import { buildFixture, type BuiltApp, FIXTURE } from "../fixture.ts";

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

Deno.test("a list of entity tags is answered with 304 as well", async () => {
  const etag = (await app.get("/styles.css")).headers.get("etag") ?? "";
  for (const tag of [etag.slice(2), `"other", ${etag}`, "*"]) {
    const response = await app.get("/styles.css", { headers: { "If-None-Match": tag } });
    equal(response.status, 304, tag);
  }
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

Deno.test("a file that would not get smaller is sent uncompressed", async () => {
  for (const path of ["/tiny.txt", "/a%20picture.png"]) {
    const response = await app.get(path, { headers: { "Accept-Encoding": "br" } });
    equal(response.status, 200);
    equal(response.headers.get("content-encoding"), null);
    ok(!response.headers.get("vary")?.includes("Accept-Encoding"));
  }
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

Deno.test("the same input makes the same bytes, independent of the machine", async () => {
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
