/**
 * deploy/nginx.conf in a real nginx, with the real app behind it, as an operator would run them.
 *
 * @module
 */
import { SUBPROTOCOL } from "../../lib/protocol/limits.ts";
import { assertUndisturbed, newAccess, pair } from "../rooms/room_server.ts";
import { startApp, type TestApp } from "../support/app.ts";
import { assert, assertEquals, assertMatch, assertRejects } from "../support/assert.ts";
import { withBrowser } from "../support/browser.ts";
import { withGlobals } from "../support/fake_time.ts";
import { fixture } from "../support/fixtures.ts";
import { deliver } from "../support/flow.ts";
import { futureOrigin, Nginx, NO_NGINX } from "../support/nginx.ts";

/** How long to wait for connections that nginx closes: longer than its default timeout. */
const PATIENCE_MS = 30_000;

const SECURITY_HEADERS = [
  "content-security-policy",
  "cross-origin-opener-policy",
  "cross-origin-embedder-policy",
  "cross-origin-resource-policy",
  "referrer-policy",
  "x-content-type-options",
  "strict-transport-security",
  "permissions-policy",
] as const;

interface Scene {
  readonly app: TestApp;
  readonly nginx: Nginx;
}

function test(
  name: string,
  body: (scene: Scene) => Promise<void>,
  settings: Readonly<Record<string, string>> = {},
): void {
  Deno.test({
    name: `${name}${NO_NGINX === null ? "" : ` (${NO_NGINX})`}`,
    ignore: NO_NGINX !== null,
    async fn() {
      const { port, origin } = futureOrigin();
      const env = { PUBLIC_ORIGIN: origin, TRUSTED_PROXIES: "127.0.0.1", ...settings };
      await using app = await startApp({ env });
      await using nginx = await Nginx.start({ port, appPort: app.port });
      await body({ app, nginx });
    },
  });
}

/** Headers without the nonce of the page. */
function securityOf({ headers }: Response): Record<string, string | null> {
  return Object.fromEntries(SECURITY_HEADERS.map((name) => {
    return [name, headers.get(name)?.replace(/'nonce-[^']+'/, "'nonce'") ?? null];
  }));
}

/** All WebSockets use nginx from here on, with its certificate and the Origin of its pages. */
function throughNginx({ client, origin }: Nginx): Disposable {
  return withGlobals({
    WebSocket: new Proxy(WebSocket, {
      construct(target, [url, { protocols }]) {
        const options = { protocols, headers: { origin }, client };
        return Reflect.construct(target, [String(url).replace("ws:", "wss:"), options]);
      },
    }),
  });
}

/**
 * Sends `request` over TLS. Returns the head of the answer, or what there is of it when nginx
 * closes.
 */
async function raw(nginx: Nginx, request: string): Promise<string> {
  using conn = await Deno.connectTls({
    hostname: "localhost",
    port: nginx.port,
    caCerts: [nginx.certificate],
  });
  await conn.write(new TextEncoder().encode(request));
  return await readUntil(conn, "\r\n\r\n");
}

async function readUntil(conn: Deno.Conn, end?: string): Promise<string> {
  const decoder = new TextDecoder();
  const chunk = new Uint8Array(4_096);
  let text = "";
  try {
    for (let n = await conn.read(chunk); n !== null; n = await conn.read(chunk)) {
      text += decoder.decode(chunk.subarray(0, n), { stream: true });
      if (end !== undefined && text.includes(end)) break;
    }
  } catch {
    // Closed without TLS's close_notify, or reset: both are an end as well.
  }
  return text;
}

function upgradeLines(host: string, room: string, headers: readonly string[] = []): string {
  return [
    `GET /ws/${room} HTTP/1.1`,
    `Host: ${host}`,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    `Sec-WebSocket-Protocol: ${SUBPROTOCOL}`,
    ...headers,
    "\r\n",
  ].join("\r\n");
}

test("behind nginx answers are the app's, each header once", async ({ app, nginx }) => {
  const page = await (await nginx.fetch("/")).text();
  const files = [...page.matchAll(/(?:href|src)="(\/[^"]+\.(?:css|svg|js)[^"]*)"/g)].map(
    ([, path = ""]) => path,
  );
  assert(files.length > 1, "the page names files");
  for (const path of ["/", "/join", "/no/such/page", ...files]) {
    const [behind, direct] = [await nginx.fetch(path), await fetch(`${app.url}${path}`)];
    assertEquals(behind.status, direct.status, path);
    assertEquals(securityOf(behind), securityOf(direct), path);
    // Nobody is held to HTTPS for "localhost", which is another computer everywhere.
    assertEquals(behind.headers.get("strict-transport-security"), null, path);
    const [text, other] = [await behind.text(), await direct.text()];
    if (!behind.headers.get("content-type")?.startsWith("text/html")) assertEquals(text, other);
  }
});

test("nginx speaks HTTP/2 over TLS, and redirects plain HTTP there", async ({ nginx }) => {
  using conn = await Deno.connectTls({
    hostname: "localhost",
    port: nginx.port,
    caCerts: [nginx.certificate],
    alpnProtocols: ["h2", "http/1.1"],
  });
  assertEquals((await conn.handshake()).alpnProtocol, "h2");
  const options = { redirect: "manual" } as const;
  const answer = await fetch(`http://localhost:${nginx.httpPort}/join`, options);
  await answer.body?.cancel();
  assertEquals([answer.status, answer.headers.get("location")], [301, "https://localhost/join"]);
});

test("two people meet through nginx; no log or error names their room", async ({ app, nginx }) => {
  const access = newAccess();
  {
    using _globals = throughNginx(nginx);
    const { sender, viewer } = await pair(nginx, access);
    await assertUndisturbed(sender, viewer);
    sender.send({ t: "delete", otok: access.otok });
    assertEquals((await viewer.next()).t, "gone");
    await sender[Symbol.asyncDispose]();
    await viewer[Symbol.asyncDispose]();
  }
  const lines = upgradeLines(nginx.host, access.room, [`Origin: ${nginx.origin}`]);
  await app.stop();
  assertMatch(await raw(nginx, lines.replace("Upgrade\r\n", "close\r\n")), /^HTTP\/1\.1 502 /);
  const down = await nginx.fetch("/");
  assertEquals([down.status, down.headers.get("retry-after")], [502, "5"]);
  await down.body?.cancel();
  const logs = await nginx.logs();
  // nginx does log errors of pages, so this log has its message.
  assertMatch(logs, /connect\(\) failed .*"GET \/ HTTP/);
  assert(!logs.includes(access.room) && !logs.includes("/ws/"), logs);
});

test("a picture is shown through nginx in a browser, over https and wss", async ({ nginx }) => {
  await withBrowser(async (browser) => {
    const pages = { sender: await browser.newPage(), viewer: await browser.newPage() };
    const { sender, viewer } = await deliver(pages, nginx.origin, await fixture("small"));
    await viewer.look();
    await sender.waitPhase("shown");
  }, { args: ["--ignore-certificate-errors"] });
});

test("a wrong name gets no certificate, a wrong Host or Origin no answer", async ({ nginx }) => {
  await assertRejects(async () => {
    using conn = await Deno.connectTls({
      hostname: "127.0.0.1",
      port: nginx.port,
      unsafelyDisableHostnameVerification: true,
      caCerts: [nginx.certificate],
    });
    await conn.handshake();
  }, Error);
  assertEquals(await raw(nginx, "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n"), "");
  const { room } = newAccess();
  const ask = async (origin: string) => {
    const answer = await raw(nginx, upgradeLines(nginx.host, room, [`Origin: ${origin}`, "X: y"]));
    return answer.slice(0, 12);
  };
  assertEquals(await ask("https://evil.example"), "HTTP/1.1 403");
  assertEquals(await ask(nginx.origin.replace("https", "http")), "HTTP/1.1 403");
});

test("what a client claims as its address is replaced, not forwarded", async () => {
  const seen: (string | null)[][] = [];
  await using echo = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (req) => {
    seen.push(["x-forwarded-for", "forwarded"].map((name) => req.headers.get(name)));
    return new Response("ok");
  });
  await using nginx = await Nginx.start({ port: futureOrigin().port, appPort: echo.addr.port });
  const headers = { "x-forwarded-for": "192.0.2.7, 192.0.2.8", forwarded: "for=192.0.2.9" };
  for (const path of ["/", "/ws/AAAAAAAAAAAAAAAAAAAAAA"]) {
    await (await nginx.fetch(path, { headers })).body?.cancel();
  }
  const client = seen[0]?.[0] ?? "";
  assertMatch(client, /^(?:127\.0\.0\.1|::1)$/);
  assertEquals(seen, [[client, null], [client, null]]);
});

test(
  "the app's limits of a client can't be bypassed by claiming another address",
  async ({ nginx }) => {
    const held: Deno.Conn[] = [];
    try {
      const answers: string[] = [];
      for (const last of ["1", "2", "3"]) {
        const conn = await Deno.connectTls({
          hostname: "localhost",
          port: nginx.port,
          caCerts: [nginx.certificate],
        });
        held.push(conn);
        const headers = [`Origin: ${nginx.origin}`, `X-Forwarded-For: 192.0.2.${last}`];
        const request = upgradeLines(nginx.host, newAccess().room, headers);
        await conn.write(new TextEncoder().encode(request));
        answers.push((await readUntil(conn, "\r\n\r\n")).slice(0, 12));
      }
      assertEquals(answers, ["HTTP/1.1 101", "HTTP/1.1 101", "HTTP/1.1 429"]);
    } finally {
      for (const conn of held) conn.close();
    }
  },
  { LIMIT_SOCKETS_PER_IP: "2" },
);

test("slow headers are cut off, and a body may be as large as a key", async ({ nginx }) => {
  using conn = await Deno.connectTls({
    hostname: "localhost",
    port: nginx.port,
    caCerts: [nginx.certificate],
  });
  const end = performance.now() + PATIENCE_MS;
  let open = true;
  const reading = readUntil(conn).finally(() => open = false);
  const bytes = new TextEncoder().encode("GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ");
  await conn.write(bytes);
  while (open && performance.now() < end) {
    await conn.write(new Uint8Array([0x61])).catch(() => open = false);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert(!open, "nginx still waits for the headers");
  await reading;

  const large = await nginx.fetch("/", { method: "POST", body: "x".repeat(20_000) });
  assertEquals(large.status, 413);
  assertEquals(
    large.headers.get("content-security-policy"),
    "default-src 'none'; frame-ancestors 'none'",
  );
  assertEquals(large.headers.get("strict-transport-security"), "max-age=31536000");
  await large.body?.cancel();
  const shared = await nginx.fetch("/share", {
    method: "POST",
    body: "x".repeat(20_000),
    redirect: "manual",
  });
  assertEquals(shared.status, 303);
  assertMatch(shared.headers.get("location") ?? "", /\/share$/);
  await shared.body?.cancel();
});

/** The status of the answer to a path as it is written, which no URL parser has touched. */
async function statusOf(nginx: Nginx, path: string): Promise<number> {
  const lines = [`GET ${path} HTTP/1.1`, `Host: ${nginx.host}`, "Connection: close", "", ""];
  return Number((await raw(nginx, lines.join("\r\n"))).split(" ")[1]);
}

test("/metrics and /readyz are not public, and hasty clients have to wait", async ({ nginx }) => {
  for (
    const [path, status] of [
      ["/readyz", 403],
      ["//readyz", 403],
      ["/ws/../readyz", 403],
      ["/%72eadyz", 403],
      ["/readyz/", 308],
      ["/\\readyz", 400],
      ["/ws/..\\readyz", 400],
      ["/metrics", 404],
      ["/metrics/", 308],
      ["/\\metrics", 400],
      ["/ws/..\\metrics", 400],
    ] as const
  ) assertEquals([path, await statusOf(nginx, path)], [path, status]);
  const answers = await Promise.all(Array.from({ length: 300 }, () => nginx.fetch("/styles.css")));
  const late = answers.find(({ status }) => status === 429);
  await Promise.all(answers.map(({ body }) => body?.cancel()));
  assert(late !== undefined, "nobody was told to wait");
  assertEquals(late.headers.get("retry-after"), "10");
  assertEquals(late.headers.get("x-content-type-options"), "nosniff");
});
