import { secured } from "../../lib/server/headers.ts";
import { setLevel } from "../../lib/ops/log.ts";
import { assert, assertEquals } from "../support/assert.ts";

const NONCE = Symbol.for("__freshNonce");
const REQUEST = new Request("http://pic.example/");

function page(nonce?: string): Response {
  const response = new Response("<!DOCTYPE html>", { headers: { "content-type": "text/html" } });
  return nonce === undefined ? response : Object.defineProperty(response, NONCE, { value: nonce });
}

async function policyOf(response: Response, publicOrigins: readonly string[] = []) {
  const answer = await secured(() => response, { publicOrigins, tls: false })(REQUEST);
  return answer.headers.get("content-security-policy") ?? "";
}

Deno.test("a page's policy names its nonce, and an invalid nonce is left out", async () => {
  assert((await policyOf(page("abc123"))).includes("script-src 'self' 'nonce-abc123'; "));
  for (const strange of [undefined, "a'; script-src *", "", "a b"]) {
    assert((await policyOf(page(strange))).includes("script-src 'self'; "), String(strange));
  }
});

Deno.test("no policy allows inline code, eval, or another host", async () => {
  for (const response of [page("abc"), new Response("x"), Response.json({})]) {
    const policy = await policyOf(response, ["https://pic.example"]);
    assert(policy.startsWith("default-src 'none'"), policy);
    // A sender's page compares a chosen file with what `<img>` shows of it.
    const rest = policy.replace("; img-src 'self' blob:; ", "; ");
    assert(!/unsafe|\*|https?:|data:|blob:/.test(rest), policy);
  }
});

Deno.test("a page may open WebSockets to the origins that browsers see", async () => {
  const policy = await policyOf(page(), ["https://pic.example", "http://lan.example:8080"]);
  assert(
    policy.includes("connect-src 'self' wss://pic.example ws://lan.example:8080; "),
    policy,
  );
});

Deno.test("with another signaling server a page may connect to that one only", async () => {
  const options = {
    publicOrigins: ["https://pic.example"],
    tls: false,
    signaling: "https://signal.example",
  };
  const answer = await secured(() => page(), options)(REQUEST);
  const policy = answer.headers.get("content-security-policy") ?? "";
  assert(
    policy.includes("connect-src 'self' wss://signal.example https://signal.example; "),
    policy,
  );
});

Deno.test("HSTS is sent behind TLS, of this process or a proxy, and nowhere else", async () => {
  const hsts = async (publicOrigins: string[], tls: boolean, req = REQUEST) =>
    (await secured(() => page(), { publicOrigins, tls })(req)).headers.has(
      "strict-transport-security",
    );
  assertEquals(await hsts([], false), false);
  assertEquals(await hsts(["http://pic.example"], false), false);
  assertEquals(await hsts([], true), true);
  assertEquals(await hsts(["https://pic.example"], false), true);
  // These names mean another computer in each network.
  for (const host of ["desk.local", "localhost:8443", "192.168.1.5", "[fd00::5]:8443"]) {
    assertEquals([host, await hsts([], true, new Request(`https://${host}/`))], [host, false]);
  }
  for (const host of ["local.example", "notlocal", "1.2.3.example"]) {
    assertEquals([host, await hsts([], true, new Request(`https://${host}/`))], [host, true]);
  }
});

Deno.test("pages are never stored; a file's own cache header stays", async () => {
  const file = new Response("x", { headers: { "cache-control": "public, immutable" } });
  const answer = async (response: Response) =>
    (await secured(() => response, { publicOrigins: [], tls: false })(REQUEST)).headers;
  assertEquals((await answer(page())).get("cache-control"), "no-store");
  assertEquals((await answer(file)).get("cache-control"), "public, immutable");
});

Deno.test("a response with immutable headers gets them as well", async () => {
  const redirect = Response.redirect("http://pic.example/join", 303);
  const answer = await secured(() => redirect, { publicOrigins: [], tls: false })(REQUEST);
  assertEquals([answer.status, answer.headers.get("location")], [303, "http://pic.example/join"]);
  assertEquals(answer.headers.get("x-content-type-options"), "nosniff");
});

Deno.test("errors outside of the app's own error pages have all headers too", async () => {
  setLevel("silent");
  const answer = (error: unknown) =>
    secured(() => Promise.reject(error), { publicOrigins: [], tls: false })(REQUEST);
  const cases: [error: unknown, status: number][] = [
    [new URIError("URI malformed: /ws/secret"), 400],
    [new TypeError("secret"), 500],
    ["secret", 500],
  ];
  for (const [error, status] of cases) {
    const response = await answer(error);
    assertEquals(response.status, status);
    assert(!(await response.text()).includes("secret"));
    const policy = response.headers.get("content-security-policy") ?? "";
    assert(policy.startsWith("default-src 'none'"), policy);
    assertEquals(response.headers.get("x-content-type-options"), "nosniff");
  }
});
