import { isAllowedOrigin } from "../../lib/ops/origin.ts";
import { assertEquals } from "../support/assert.ts";

function allows(url: string, origin: string | null, allowed?: readonly string[]): boolean {
  const headers: HeadersInit = origin === null ? {} : { origin };
  return isAllowedOrigin(new Request(url, { headers }), allowed);
}

Deno.test("isAllowedOrigin() accepts the request's own origin and no lookalike", () => {
  const url = "http://pic.example:3000/ws/x";
  assertEquals(allows(url, "http://pic.example:3000"), true);
  const others = [
    null,
    "null",
    "",
    "*",
    "https://pic.example:3000",
    "http://pic.example",
    "http://pic.example:30000",
    "http://pic.example:3000/",
    "http://pic.example:3000.evil.example",
    "http://evil.example",
    "http://pic.example:3000@evil.example",
    "http://sub.pic.example:3000",
    "http://pic.example:3000, http://evil.example",
    "pic.example:3000",
  ];
  for (const origin of others) {
    assertEquals({ origin, allowed: allows(url, origin) }, { origin, allowed: false });
  }
});

Deno.test("isAllowedOrigin() knows that browsers omit the default port", () => {
  assertEquals(allows("http://pic.example:80/", "http://pic.example"), true);
  assertEquals(allows("https://pic.example/", "https://pic.example"), true);
  assertEquals(allows("https://pic.example/", "https://pic.example:443"), false);
});

Deno.test("isAllowedOrigin() accepts listed origins, exactly", () => {
  const url = "http://10.0.0.7:3000/";
  const allowed = ["https://pic.example"];
  assertEquals(allows(url, "https://pic.example", allowed), true);
  assertEquals(allows(url, "http://10.0.0.7:3000", allowed), true);
  assertEquals(allows(url, "http://pic.example", allowed), false);
  assertEquals(allows(url, "https://pic.example.evil.example", allowed), false);
  assertEquals(allows("null:", "null", ["null"]), false);
});
