/**
 * What operators ask a running server: is it alive, is it ready, what has it counted.
 *
 * @module
 */
import { LagMeter, mayRead } from "../../lib/ops/metrics.ts";
import { type AppOptions, freePort, startApp } from "../support/app.ts";
import { assert, assertEquals, assertRejects } from "../support/assert.ts";
import { Client, newAccess, RawClient } from "../rooms/room_server.ts";

const TOKEN = "metrics-token-of-the-tests";

async function ask(url: string, headers: HeadersInit = {}) {
  const response = await fetch(url, { headers });
  return { status: response.status, text: await response.text(), headers: response.headers };
}

Deno.test("/healthz and /readyz answer on the app's port, and /metrics never does", async () => {
  await using app = await startApp({ env: { METRICS_TOKEN: TOKEN } });
  for (const path of ["healthz", "readyz"]) {
    const { status, headers } = await ask(`${app.url}/${path}`);
    assertEquals([path, status, headers.get("cache-control")], [path, 200, "no-store"]);
  }
  for (const headers of [{}, { authorization: "Bearer " }, { authorization: `Bearer ${TOKEN}` }]) {
    const [metrics, nothing] = await Promise.all([
      ask(`${app.url}/metrics`, headers),
      ask(`${app.url}/no-such-page`, headers),
    ]);
    // The switch of languages leads back to the previous page.
    const text = metrics.text.replace(`value="/metrics"`, `value="/no-such-page"`);
    assertEquals([metrics.status, text], [404, nothing.text]);
  }
  for (const path of ["/", "/metrics/x", "/readyz", "/healthz"]) {
    const at = app.metricsUrl.replace("/metrics", path);
    assertEquals((await ask(at, { authorization: `Bearer ${TOKEN}` })).status, 404);
  }
});

Deno.test("a port for metrics that is taken stops the start with a sentence", async () => {
  using _taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = _taken.addr as Deno.NetAddr;
  // Two of them can't listen on one port: the app's own setting comes first.
  const env = { METRICS_TOKEN: TOKEN, METRICS_HOST: "127.0.0.1", METRICS_PORT: String(port) };
  await assertRejects(() => startApp({ env }), Error, `METRICS_PORT is not valid: ${port}`);
});

/** The status of the answer to a path as it is written, which no URL parser has touched. */
async function statusOf(port: number, path: string): Promise<number> {
  using raw = await RawClient.request({ host: `127.0.0.1:${port}`, port }, [
    `GET ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    "Connection: close",
  ]);
  return Number((await raw.head())[0]?.split(" ")[1]);
}

Deno.test("a path has one spelling", async () => {
  await using app = await startApp();
  for (
    const [path, status] of [
      ["/readyz", 200],
      ["/readyz?x=/..\\", 200],
      ["/readyz/", 308],
      ["/\\readyz", 400],
      ["//readyz", 400],
      ["/./readyz", 400],
      ["/ws/../readyz", 400],
      ["/ws/..\\readyz", 400],
      ["/ws/%2e%2e/readyz", 400],
      ["/readyz/.", 400],
      ["/%72eadyz", 404],
      ["/READYZ", 404],
    ] as const
  ) assertEquals([path, await statusOf(app.port, path)], [path, status]);
});

Deno.test("without its Redis the server is alive and not ready", async () => {
  await using app = await startApp({ env: { REDIS_URL: `redis://127.0.0.1:${freePort()}` } });
  assertEquals((await ask(`${app.url}/healthz`)).status, 200);
  assertEquals((await ask(`${app.url}/readyz`)).status, 503);
});

Deno.test("/metrics requires its token, and counts what happens", async () => {
  await using app = await startApp({ env: { METRICS_TOKEN: TOKEN } });
  const url = app.metricsUrl;
  for (
    const authorization of [
      "",
      TOKEN,
      "Bearer",
      `Bearer ${TOKEN}x`,
      `Bearer ${TOKEN.slice(0, -1)}`,
      `Basic ${TOKEN}`,
    ]
  ) {
    const { status, text, headers } = await ask(url, authorization === "" ? {} : { authorization });
    assertEquals([authorization, status, text], [authorization, 401, "unauthorized\n"]);
    assertEquals(headers.get("www-authenticate"), "Bearer");
  }
  assertEquals((await ask(`${url}?token=${TOKEN}`)).status, 401);

  const { client } = await Client.create(
    { host: `127.0.0.1:${app.port}`, port: app.port },
    newAccess(),
  );
  await using _client = client;
  const { status, text, headers } = await ask(url, { authorization: `Bearer ${TOKEN}` });
  assertEquals([status, headers.get("content-type")], [
    200,
    "text/plain; version=0.0.4; charset=utf-8",
  ]);
  for (const line of ["sockets 1", "rooms 1", "ready 1", 'joins_total{by="create"} 1']) {
    assert(text.includes(`\nephemeral_${line}\n`), text);
  }
  const rss = Number(/^ephemeral_resident_memory_bytes (\d+)$/m.exec(text)?.[1]);
  assert(rss > 10_000_000, text);
  assert(/^ephemeral_event_loop_lag_seconds \d/m.test(text), text);
});

Deno.test("mayRead() accepts the token and nothing similar", () => {
  const request = (authorization: string) =>
    new Request("http://a.example", { headers: { authorization } });
  assert(mayRead(request(`Bearer ${TOKEN}`), TOKEN));
  assert(mayRead(request(`bearer ${TOKEN}`), TOKEN));
  assert(!mayRead(request(`Bearer ${TOKEN} `.replace("-", "_")), TOKEN));
  assert(!mayRead(new Request("http://a.example"), TOKEN));
});

Deno.test("LagMeter notices a process that computes, once", () => {
  const meter = new LagMeter();
  const until = performance.now() + 700;
  while (performance.now() < until);
  const lag = meter.take();
  assert(lag >= 0.15, String(lag));
  meter.stop();
});

const OTEL: AppOptions = {
  env: { OTEL_DENO: "true", OTEL_EXPORTER_OTLP_PROTOCOL: "console", OTEL_SERVICE_NAME: "picture" },
};

Deno.test("with OpenTelemetry traces on, rooms are in them and the server warns", async () => {
  for (const sampler of ["always_on", "always_off"]) {
    await using app = await startApp({ env: { ...OTEL.env, OTEL_TRACES_SAMPLER: sampler } });
    const access = newAccess();
    const { client } = await Client.create(
      { host: `127.0.0.1:${app.port}`, port: app.port },
      access,
    );
    await client[Symbol.asyncDispose]();
    // Exported when the process exits, at the latest.
    await app.stop();
    const traced = sampler === "always_on";
    assertEquals(app.output.includes("telemetry records the path"), traced, app.output);
    assertEquals([sampler, app.output.includes(access.room)], [sampler, traced]);
    assert(app.output.includes("http.server.request.duration"), app.output);
  }
});
