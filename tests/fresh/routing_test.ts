import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { App, HttpError, page } from "fresh";
import { buildFixture, type BuiltApp } from "./fixture.ts";

let app: BuiltApp;
Deno.test.beforeAll(async () => {
  app = await buildFixture();
});
Deno.test.afterAll(() => Deno.remove(app.out, { recursive: true }));

/** Middlewares in the order in which they returned. */
function left(response: Response): string | null {
  return response.headers.get("x-left");
}

Deno.test("a fixed route precedes a parameter, which precedes a wildcard", async () => {
  equal(await app.text("/notes/latest"), "latest by GET");
  match(await app.text("/notes/7"), /note 7 via/);
  equal(await app.text("/notes/7/more"), "rest 7/more at /notes/:rest*");
});

Deno.test("a parameter arrives decoded", async () => {
  match(await app.text("/notes/caf%C3%A9"), /note café via/);
});

Deno.test("broken percent escapes in a parameter make handler() throw", async () => {
  await rejects(app.get("/notes/%E0%A4%A"), URIError);
});

Deno.test("a trailing slash leads to the same fixed route", async () => {
  equal((await app.get("/notes/latest/")).status, 200);
});

Deno.test("repeated slashes count as one", async () => {
  equal(await app.text("/notes///latest"), "latest by GET");
});

Deno.test("a route group is not part of the path", async () => {
  match(await app.text("/grouped"), /grouped/);
});

Deno.test("a folder like (_lib) holds no routes", async () => {
  equal((await app.get("/helper")).status, 404);
});

Deno.test("middlewares run from the outside in and return from the inside out", async () => {
  const response = await app.get("/notes/deep");
  deepEqual(await response.json(), ["app", "root 1", "root 2", "notes", "deep"]);
  equal(left(response), "deep, notes, root 2, root 1, app");
});

Deno.test("a middleware of a directory does not run for its siblings", async () => {
  match(await app.text("/"), />app > root 1 > root 2<\/main>/);
});

Deno.test("a middleware wraps what is added after it, and nothing before it", async () => {
  const order: string[] = [];
  const handler = new App()
    .get("/early", () => new Response("ok"))
    .use((ctx) => {
      order.push(ctx.url.pathname);
      return ctx.next();
    })
    .get("/late", () => new Response("ok"))
    .handler();
  await handler(new Request("http://localhost/early"));
  await handler(new Request("http://localhost/late"));
  deepEqual(order, ["/late"]);
});

Deno.test("use() with a path concerns only what is below it", async () => {
  const seen: string[] = [];
  const handler = new App()
    .use("/in", (ctx) => {
      seen.push(ctx.url.pathname);
      return ctx.next();
    })
    .get("/in/side", () => new Response("ok"))
    .get("/out", () => new Response("ok"))
    .handler();
  await handler(new Request("http://localhost/in/side"));
  await handler(new Request("http://localhost/out"));
  deepEqual(seen, ["/in/side"]);
});

Deno.test("page() sets status and headers and gives data to the component", async () => {
  const response = await app.get("/notes/1");
  equal(response.status, 203);
  equal(response.headers.get("x-note"), "yes");
  equal(response.headers.get("content-type"), "text/html; charset=utf-8");
});

Deno.test("page() without arguments is a page without data", () => {
  equal(page().data, undefined);
  const { data, status } = page(1, { status: 201 });
  deepEqual([data, status], [1, 201]);
});

Deno.test("each method has its own handler", async () => {
  const response = await app.get("/notes/1", { method: "POST", body: "it" });
  equal(await response.text(), "posted it");
});

Deno.test("a function handles every method", async () => {
  equal(await (await app.get("/notes/latest", { method: "PUT" })).text(), "latest by PUT");
});

Deno.test("a file without a handler for the method does not exist for it", async () => {
  for (const method of ["DELETE", "OPTIONS"]) {
    const response = await app.get("/notes/1", { method });
    equal(response.status, 404);
    match(await response.text(), /No page at \/notes\/1/);
  }
});

Deno.test("a method without handler is a 405 elsewhere, and OPTIONS lists the others", async () => {
  const handler = new App().get("/a", () => new Response("ok")).post("/a", () => new Response("ok"))
    .handler();
  const ask = (method: string) => handler(new Request("http://localhost/a", { method }));
  equal((await ask("DELETE")).status, 405);
  const options = await ask("OPTIONS");
  equal(options.status, 204);
  equal(options.headers.get("allow"), "GET, POST");
});

Deno.test("HEAD answers like GET without the body", async () => {
  const response = await app.get("/notes/1", { method: "HEAD" });
  equal(response.status, 203);
  equal(response.headers.get("x-note"), "yes");
  equal(response.body, null);
});

Deno.test("what does not exist is answered by _404 inside _app", async () => {
  const response = await app.get("/nowhere");
  equal(response.status, 404);
  const html = await response.text();
  match(html, /No page at \/nowhere/);
  match(html, /<title>App title<\/title>/);
});

Deno.test("HttpError 404 of a handler is answered by _404 too", async () => {
  const response = await app.get("/notes/missing");
  equal(response.status, 404);
  match(await response.text(), /No page at \/notes\/missing/);
});

Deno.test("the nearest _error answers with the status of the HttpError", async () => {
  const response = await app.get("/notes/gone");
  equal(response.status, 410);
  match(await response.text(), /Notes failed/);
  const gone = await app.get("/gone");
  equal(gone.status, 410);
  match(await gone.text(), /Failed: 410/);
});

Deno.test("a route that was added before fsRoutes() has neither _error nor _app", async () => {
  const teapot = await app.get("/teapot");
  equal(teapot.status, 418);
  equal(await teapot.text(), "short and stout");
});

Deno.test("an unexpected error is a 500 without details", async () => {
  const response = await app.get("/notes/broken");
  equal(response.status, 500);
  ok(!(await response.text()).includes("internal detail"));
});

Deno.test("an error page renders outside of the middlewares that the error passed", async () => {
  equal(left(await app.get("/notes/gone")), "root 2, root 1, app");
  equal(left(await app.get("/nowhere")), null);
});

Deno.test("without error pages an HttpError is its message or the status text", async () => {
  const handler = new App()
    .get("/said", () => {
      throw new HttpError(409, "taken");
    })
    .get("/silent", () => {
      throw new HttpError(409);
    })
    .handler();
  equal(await (await handler(new Request("http://localhost/said"))).text(), "taken");
  equal(await (await handler(new Request("http://localhost/silent"))).text(), "Conflict");
  equal((await handler(new Request("http://localhost/none"))).status, 404);
});

Deno.test("each request has its own state and gets the connection's info", async () => {
  const seen: unknown[] = [];
  const handler = new App<{ n?: number }>()
    .all("/", (ctx) => {
      seen.push(ctx.state.n, ctx.info.remoteAddr);
      ctx.state.n = 1;
      return ctx.text("ok");
    })
    .handler();
  const remoteAddr: Deno.NetAddr = { transport: "tcp", hostname: "192.0.2.1", port: 9 };
  const info = { remoteAddr, completed: Promise.resolve() };
  await handler(new Request("http://localhost/"), info);
  await handler(new Request("http://localhost/"), info);
  deepEqual(seen, [undefined, remoteAddr, undefined, remoteAddr]);
});

Deno.test("redirect() can't be made to leave the site", async () => {
  const handler = new App().get("/go", (ctx) => ctx.redirect("//evil.example//x?to=//y")).handler();
  const response = await handler(new Request("http://localhost/go"));
  equal(response.status, 302);
  equal(response.headers.get("location"), "/evil.example/x?to=//y");
});

Deno.test("skipAppWrapper and routeOverride in a route's config are obeyed", async () => {
  const html = await app.text("/without/app");
  match(html, /^<!DOCTYPE html><html><head><meta charset="utf-8"\/><\/head><body><p>bare<\/p>/);
  equal((await app.get("/bare")).status, 404);
});

Deno.test("an async page is awaited, and may answer with a Response instead", async () => {
  match(await app.text("/async"), /Awaited/);
  equal((await app.get("/async?away")).status, 303);
});
