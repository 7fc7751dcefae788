import { isAllowedOrigin } from "../../lib/ops/origin.ts";
import { assertEquals } from "../support/assert.ts";

function allows(
  url: string,
  origin: string | null,
  allowedOrigins: readonly string[] = [],
  rules: { local?: boolean; publicOrigins?: readonly string[] } = {},
): boolean {
  const headers: HeadersInit = origin === null ? {} : { origin };
  return isAllowedOrigin(new Request(url, { headers }), { allowedOrigins, local: false, ...rules });
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

Deno.test("isAllowedOrigin() with PUBLIC_ORIGIN accepts that alone, scheme and all", () => {
  const rules = { publicOrigins: ["https://pic.example"] };
  for (
    const [url, origin, expected] of [
      ["http://pic.example/", "https://pic.example", true],
      ["http://10.0.0.7:3000/", "https://pic.example", true],
      ["http://pic.example/", "http://pic.example", false],
      ["http://10.0.0.7:3000/", "http://10.0.0.7:3000", false],
      ["http://localhost:3000/", "http://localhost:3000", false],
      ["http://evil.example/", "http://evil.example", false],
    ] as const
  ) assertEquals([url, origin, allows(url, origin, [], rules)], [url, origin, expected]);
  assertEquals(
    allows("http://x/", "https://other.example", ["https://other.example"], rules),
    true,
  );
});

Deno.test("isAllowedOrigin() refuses a site whose name was changed to lead to this machine", () => {
  const at = (origin: string, local: boolean) => allows(`${origin}/ws/x`, origin, [], { local });
  for (
    const origin of ["http://evil.example:3000", "http://localhost.evil.example", "http://0.0.0.0"]
  ) {
    assertEquals([origin, at(origin, true), at(origin, false)], [origin, false, true]);
  }
  for (
    const origin of [
      "http://localhost:3000",
      "http://pic.localhost:3000",
      "http://127.0.0.1:3000",
      "http://127.1.2.3:3000",
      "http://[::1]:3000",
    ]
  ) assertEquals([origin, at(origin, true)], [origin, true]);
});
