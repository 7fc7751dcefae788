import { readFragment } from "../../lib/e2e/find_link.ts";
import { createLinkSecret, formatFragment } from "../../lib/e2e/link.ts";
import { meantJoin, repairJoin } from "../../lib/server/join_path.ts";
import { assert, assertEquals } from "../support/assert.ts";

const SECRET = createLinkSecret();
const FRAGMENT = formatFragment(SECRET);

function meant(address: string): string | null {
  return meantJoin(new URL(`https://pic.example${address}`));
}

for (
  const path of [
    `/join${FRAGMENT.replace("#", "%23")}`,
    `/join${FRAGMENT.replace("#", "%2523")}`,
    `/JOIN${FRAGMENT.replace("#", "%23")}`,
    `/join/${FRAGMENT.replace("#", "%23")}`,
    `/join${FRAGMENT.replace("#1.", "%231%2E")}`,
    `/join${FRAGMENT.replace("#", "%23")}?fbclid=abc`,
    `/join${FRAGMENT.replace("#", "%23")}&utm_source=chat`,
    `/join${FRAGMENT.replace("#", "%23")}).`,
    `/join${FRAGMENT.replace("#", "%23")}%E2%80%8B`,
    `/join?fbclid=abc${FRAGMENT.replace("#", "%23")}`,
    `/join/${FRAGMENT.slice(1)}`,
  ]
) {
  Deno.test(`${path.replace(FRAGMENT.slice(3), "…")} leads to the link, marked as exposed`, () => {
    assertEquals(meant(path), `/join${formatFragment(SECRET, { exposed: true })}`);
  });
}

Deno.test("another case and signs behind the path lead to the page, with its query", () => {
  for (const path of ["/JOIN", "/Join", "/join/", "/join.", "/join,", "/join)", "/join%20"]) {
    assertEquals(meant(path), "/join", path);
    assertEquals(meant(`${path}?debug`), "/join?debug", path);
  }
});

Deno.test("the page itself, and other paths, are left alone", () => {
  for (
    const path of [
      ...["/join", "/join?debug", "/join?fbclid=abc", "/", "/joinery", "/join2", "/join/x"],
      ...["/share", "/ws/4821", "/api/join", "/sw.js"],
    ]
  ) assertEquals(meant(path), null, path);
});

Deno.test("what is left of a damaged link goes behind the #, for the page to explain", () => {
  const location = meant(`/join${FRAGMENT.replace("#", "%23").slice(0, -6)}`);
  assert(location?.startsWith("/join#") === true, String(location));
  assertEquals(readFragment(location.slice("/join".length)), { at: "incomplete" });
});

Deno.test("no path makes a redirect to another host, or a header of its own", () => {
  for (
    const path of [
      ...["//evil.example/join/", "/join//evil.example/", "/join/%0d%0aset-cookie:a=b"],
      ...["/join%23%0d%0aset-cookie:a=b", "/join%23//evil.example", "/join%5c%5cevil.example"],
      ...["/join?a=%231.x%0d%0ab", `/join%23${"%25".repeat(4_000)}`, "/join%23%E4%zz"],
    ]
  ) {
    const response = repairJoin(new Request(`https://pic.example${path}`));
    const location = response?.headers.get("location") ?? "/join";
    assert(/^\/join(?:[?#][^\r\n]*)?$/.test(location), location);
  }
});

Deno.test("the redirect is not stored, and a form that was posted gets none", () => {
  const url = `https://pic.example/join${FRAGMENT.replace("#", "%23")}`;
  const response = repairJoin(new Request(url));
  assertEquals([response?.status, response?.headers.get("cache-control")], [302, "no-store"]);
  assertEquals(repairJoin(new Request(url, { method: "POST" })), null);
});
