import { type Cookie, getCookies, setCookie } from "@std/http/cookie";
import { ifNoneMatch } from "@std/http/etag";
import { acceptsEncodings } from "@std/http/negotiation";
import { STATUS_TEXT } from "@std/http/status";
import { assertEquals, assertThrows } from "@std/assert";

Deno.test("getCookies() reads names and values as they are", () => {
  const headers = new Headers({ cookie: 'a=1; b=2=3;c ; d="x"; a=9; __proto__=1; e=%20' });
  const cookies = getCookies(headers);
  assertEquals(Object.entries(cookies), [
    ["a", "9"],
    ["b", "2=3"],
    ["c", ""],
    ["d", '"x"'],
    ["__proto__", "1"],
    ["e", "%20"],
  ]);
  assertEquals(Object.keys(getCookies(new Headers())), []);
});

function written(cookie: Cookie): string | null {
  const headers = new Headers();
  setCookie(headers, cookie);
  return headers.get("set-cookie");
}

Deno.test("setCookie() writes its attributes, and those that a prefix requires", () => {
  const name = "a";
  const cases: [cookie: Cookie, header: string | null][] = [
    [{ name, value: "1" }, "a=1"],
    [
      {
        name,
        value: "1",
        path: "/",
        maxAge: 5,
        httpOnly: true,
        sameSite: "Strict",
        secure: true,
      },
      "a=1; Secure; HttpOnly; Max-Age=5; SameSite=Strict; Path=/",
    ],
    [{ name: "__Host-a", value: "1", path: "/b" }, "__Host-a=1; Secure; Path=/"],
    [{ name: "__Secure-a", value: "1" }, "__Secure-a=1; Secure"],
    [{ name, value: "1", maxAge: 1.5 }, "a=1"],
    [{ name: "", value: "1" }, null],
  ];
  for (const [cookie, header] of cases) assertEquals(written(cookie), header);
});

Deno.test("setCookie() refuses what would be read differently", () => {
  const wrong: Cookie[] = [
    { name: "a b", value: "1" },
    { name: "a", value: "x;y" },
    { name: "a", value: "ü" },
    { name: "a", value: "1", path: "/;b" },
  ];
  for (const cookie of wrong) assertThrows(() => written(cookie), SyntaxError);
  assertThrows(() => written({ name: "a", value: "1", maxAge: -1 }), RangeError);
});

Deno.test("ifNoneMatch() is false if the tag is known already", () => {
  const cases: [header: string | null, etag: string | undefined, sent: boolean][] = [
    ['"x", W/"y"', 'W/"x"', false],
    ['W/"x"', '"x"', false],
    ["*", '"x"', false],
    ['"z"', '"x"', true],
    [null, '"x"', true],
    ['"x"', undefined, true],
  ];
  for (const [header, etag, sent] of cases) {
    assertEquals(ifNoneMatch(header, etag), sent, `${header} ${etag}`);
  }
});

Deno.test("acceptsEncodings() takes the most preferred one, and the first of equals", () => {
  const cases: [header: string | undefined, encoding: string | undefined][] = [
    ["gzip, deflate, br, zstd", "gzip"],
    ["br, gzip", "br"],
    ["gzip;q=0.5, br", "br"],
    ["br;q=0, gzip;q=0.5", "gzip"],
    ["*", "br"],
    ["*, br;q=0.0", "gzip"],
    ["identity", "identity"],
    ["x", "identity"],
    [undefined, "br"],
    ["", "br"],
  ];
  for (const [header, encoding] of cases) {
    const headers = new Headers(header === undefined ? {} : { "accept-encoding": header });
    assertEquals(acceptsEncodings({ headers }, "br", "gzip", "identity"), encoding, header);
  }
  const headers = new Headers({ "accept-encoding": "identity" });
  assertEquals(acceptsEncodings({ headers }, "br", "gzip"), undefined);
});

Deno.test("STATUS_TEXT knows the codes of errors", () => {
  assertEquals([STATUS_TEXT[404], STATUS_TEXT[418], STATUS_TEXT[500]], [
    "Not Found",
    "I'm a teapot",
    "Internal Server Error",
  ]);
});
