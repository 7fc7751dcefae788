import { deepEqual, equal, match, ok } from "node:assert/strict";
import { App, staticFiles } from "fresh";
import { Builder } from "fresh/dev";
import { app as fixture } from "./fixtures/app/main.ts";
import type { State } from "./fixtures/app/state.ts";
import { buildFixture, type BuiltApp, FIXTURE, loaded } from "./fixture.ts";

let app: BuiltApp;
Deno.test.beforeAll(async () => {
  app = await buildFixture();
});
Deno.test.afterAll(() => Deno.remove(app.out, { recursive: true }));

Deno.test("a page without islands has no script and no Link header", async () => {
  const response = await app.get("/quiet");
  equal(response.headers.get("link"), null);
  ok(!(await response.text()).includes("<script"));
});

Deno.test("islands are rendered on the server between markers", async () => {
  const html = await app.text("/islands");
  match(html, /<!--frsh:island:Counter:0:--><button [^>]*data-only-in="counter"/);
  match(html, /<!--frsh:island:Nest:1:--><section data-only-in="nest">7<button/);
  equal(html.match(/<!--\/frsh:island-->/g)?.length, 2);
});

Deno.test("one inline module with a nonce boots them, at the end of the body", async () => {
  const html = await app.text("/islands");
  equal(html.match(/<script/g)?.length, 1);
  const prefix = `/_fresh/js/${app.buildId}`;
  const boot = new RegExp(
    `<script type="module" nonce="[0-9a-f]{32}">` +
      `import { boot } from "${prefix}/fresh-runtime.js";` +
      `import Counter from "${prefix}/Counter.js";import Nest from "${prefix}/Nest.js";` +
      `boot\\({Counter,Nest},"(?:[^"\\\\]|\\\\.)*"\\);</script></body></html>$`,
  );
  match(html, boot);
});

Deno.test("the nonce is new for each page and can be read from the response", async () => {
  const nonces = new Set<unknown>();
  for (let i = 0; i < 2; i++) {
    const response = await app.get("/islands");
    const nonce: unknown = Reflect.get(response, Symbol.for("__freshNonce"));
    ok((await response.text()).includes(`nonce="${nonce}"`));
    nonces.add(nonce);
  }
  equal(nonces.size, 2);
});

Deno.test("scripts that a page writes get the nonce too", async () => {
  const response = await app.get("/");
  const nonce: unknown = Reflect.get(response, Symbol.for("__freshNonce"));
  ok((await response.text()).includes(`<script nonce="${nonce}">console.log(1)</script>`));
});

Deno.test("no prop can end the script or open a comment in it", async () => {
  const literal = /boot\({[^}]*},(.*)\);<\/script>/.exec(await app.text("/islands"))?.[1] ?? "";
  ok(literal.includes("script>"));
  ok(!/<\/script|<!--/i.test(literal), literal);
});

Deno.test("the client and a page's own islands are preloaded", async () => {
  const links = (await app.get("/islands")).headers.get("link")?.split(", ") ?? [];
  const prefix = `/_fresh/js/${app.buildId}`;
  for (const name of ["fresh-runtime", "Counter", "Nest"]) {
    ok(links.includes(`<${prefix}/${name}.js>; rel="modulepreload"; as="script"`), name);
  }
});

Deno.test("a page ships the code of its own islands only", async () => {
  const code = async (path: string) =>
    (await Promise.all((await loaded(app, await app.text(path))).map(app.text))).join("\n");
  const both = await code("/islands");
  ok(both.includes('"counter"') && both.includes('"nest"'));
  const one = await code("/nest_only");
  ok(one.includes('"nest"') && !one.includes('"counter"'));
});

Deno.test("islands of the same build find assets by the same id as the server", async () => {
  match(
    await app.text("/islands"),
    new RegExp(`data-asset="/styles.css\\?__frsh_c=${app.buildId}"`),
  );
});

Deno.test("an island in an island is part of it, even with unserializable props", async () => {
  const html = await app.text("/nest_only");
  equal(html.match(/<!--frsh:island/g)?.length, 1);
});

Deno.test("an island with unserializable props fails, and the page reports it", async () => {
  equal((await app.get("/bad_island")).status, 500);
});

Deno.test("a page's <Head> replaces what _app has and adds the rest, once", async () => {
  const html = await app.text("/async");
  const head = /<head>(.*)<\/head>/.exec(html)?.[1] ?? "";
  deepEqual(head.match(/<title>.*?<\/title>/g), ["<title>Page title</title>"]);
  deepEqual(head.match(/<meta name="description"[^>]*>/g), [
    '<meta name="description" content="from the page"/>',
  ]);
  match(head, /<meta charset="utf-8"\/>/);
  match(head, /<link rel="alternate" href="\/feed"\/>/);
  match(await app.text("/quiet"), /<title>App title<\/title>/);
});

Deno.test("build() into memory gives islands and file routes to an app under test", async () => {
  const apply = await new Builder<State>({ root: FIXTURE }).build({ snapshot: "memory" });
  apply(fixture);
  const html = await (await fixture.handler()(new Request("http://localhost/nest_only"))).text();
  match(html, /boot\({Nest}/);
});

Deno.test("an app that overrides handler() handles every answer, errors included", async () => {
  class Marked extends App<State> {
    override handler() {
      const inner = super.handler();
      return async (req: Request, info?: Deno.ServeHandlerInfo) => {
        const response = await inner(req, info);
        response.headers.set("x-marked", "yes");
        return response;
      };
    }
  }
  const marked = new Marked().use(staticFiles()).fsRoutes();
  (await new Builder<State>({ root: FIXTURE }).build({ snapshot: "memory" }))(marked);
  for (const path of ["/quiet", "/nowhere", "/bad_island", "/styles.css"]) {
    const response = await marked.handler()(new Request(new URL(path, "http://localhost")));
    equal(response.headers.get("x-marked"), "yes", path);
    await response.body?.cancel();
  }
});

Deno.test("without a build an app has its own routes and no file routes", async () => {
  const handler = new App().get("/", () => new Response("ok")).fsRoutes().handler();
  equal((await handler(new Request("http://localhost/"))).status, 200);
});
