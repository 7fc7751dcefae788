import { decodeBase64Url, encodeBase64Url } from "@std/encoding/base64url";
import { encodeHex } from "@std/encoding/hex";
import { assertEquals, assertThrows } from "@std/assert";

Deno.test("encodeBase64Url() takes bytes, buffers and texts, and pads nothing", () => {
  assertEquals(encodeBase64Url(new Uint8Array([251, 255])), "-_8");
  assertEquals(encodeBase64Url(new Uint8Array([0, 251, 255]).subarray(1)), "-_8");
  assertEquals(encodeBase64Url(new Uint8Array([1]).buffer), "AQ");
  assertEquals(encodeBase64Url("hé"), "aMOp");
  assertEquals(encodeBase64Url(new Uint8Array()), "");
});

Deno.test("decodeBase64Url() takes it with and without padding, canonical or not", () => {
  const cases: [text: string, bytes: number[]][] = [
    ["", []],
    ["AA", [0]],
    ["AB", [0]],
    ["AA=", [0]],
    ["AA==", [0]],
    ["A-_w", [3, 239, 240]],
  ];
  for (const [text, bytes] of cases) {
    assertEquals(decodeBase64Url(text), new Uint8Array(bytes), text);
  }
});

Deno.test("decodeBase64Url() refuses other characters and impossible lengths", () => {
  for (const text of ["A", "AAAAA"]) assertThrows(() => decodeBase64Url(text), RangeError);
  for (const text of ["A+/w", "AA A", "üAA", "AA\n\n"]) {
    assertThrows(() => decodeBase64Url(text), TypeError);
  }
});

Deno.test("both directions round-trip, for every length", () => {
  for (let length = 0; length < 300; length++) {
    const bytes = crypto.getRandomValues(new Uint8Array(length));
    assertEquals(decodeBase64Url(encodeBase64Url(bytes)), bytes);
  }
});

Deno.test("encodeHex() writes two lower-case digits per byte", () => {
  assertEquals(encodeHex(new Uint8Array([0, 10, 255])), "000aff");
  assertEquals(encodeHex(new Uint8Array([171]).buffer), "ab");
  assertEquals(encodeHex("a"), "61");
});
