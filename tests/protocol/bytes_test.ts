import { encodeHex } from "@std/encoding/hex";
import {
  ascii,
  concat,
  enc,
  equalBytes,
  fromBase64Url,
  isBase64Url,
  toBase64Url,
} from "../../lib/protocol/bytes.ts";
import { assert, assertEquals, assertThrows } from "../support/assert.ts";

const bytes = (...values: number[]) => new Uint8Array(values);

Deno.test("ascii() encodes ASCII and refuses everything else", () => {
  assertEquals(ascii("A~\0"), bytes(0x41, 0x7e, 0));
  assertEquals(ascii(""), bytes());
  for (const text of ["é", "\u0080", "👋"]) assertThrows(() => ascii(text), RangeError);
});

Deno.test("concat() makes a new byte string", () => {
  const part = bytes(1, 2);
  const joined = concat(part);
  assertEquals(concat(part, bytes(), bytes(3)), bytes(1, 2, 3));
  assertEquals(concat(), bytes());
  joined[0] = 9;
  assertEquals(part, bytes(1, 2));
});

Deno.test("enc() prefixes items with their length in two bytes, so no two lists are equal", () => {
  assertEquals(enc("ab", bytes(7)), bytes(0, 2, 0x61, 0x62, 0, 1, 7));
  assertEquals(enc(), bytes());
  assertEquals(enc(""), bytes(0, 0));
  assertEquals(enc(new Uint8Array(0x0102)).slice(0, 2), bytes(1, 2));
  assert(encodeHex(enc("a", "bc")) !== encodeHex(enc("ab", "c")));
  assertEquals(enc(new Uint8Array(0xffff)).length, 0xffff + 2);
  assertThrows(() => enc(new Uint8Array(0x10000)), RangeError);
});

Deno.test("toBase64Url() writes the vectors of RFC 4648 without padding", () => {
  const vectors = {
    "": "",
    f: "Zg",
    fo: "Zm8",
    foo: "Zm9v",
    foob: "Zm9vYg",
    fooba: "Zm9vYmE",
    foobar: "Zm9vYmFy",
  };
  for (const [text, encoded] of Object.entries(vectors)) {
    assertEquals(toBase64Url(ascii(text)), encoded);
    assertEquals(fromBase64Url(encoded), ascii(text));
  }
  assertEquals(toBase64Url(bytes(0xfb, 0xff, 0xbf)), "-_-_");
});

Deno.test("base64url round-trips every length and byte, as the platform does", () => {
  for (let length = 0; length < 300; length++) {
    const value = new Uint8Array(length).map((_, i) => (i * 7 + length) & 255);
    const text = toBase64Url(value);
    assertEquals(fromBase64Url(text), value);
    const standard = btoa(String.fromCharCode(...value));
    assertEquals(text, standard.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", ""));
  }
});

Deno.test("fromBase64Url() accepts one text for each byte string and no other", () => {
  const wrong = [
    "A",
    "AAAAA",
    "Zg==",
    "Zh",
    "Zm9",
    "Zm8=",
    "Zm9v\n",
    " Zm9v",
    "Zm+v",
    "Zm/v",
    "Zmé",
  ];
  for (const text of wrong) {
    assertEquals({ text, value: fromBase64Url(text) }, { text, value: null });
  }
  for (const last of "BCDEFGHIJKLMNOP") assertEquals(fromBase64Url(`A${last}`), null);
});

Deno.test("isBase64Url() is true for canonical text of exactly that many bytes", () => {
  assert(isBase64Url("Zm8", 2));
  const wrong: [unknown, number][] = [
    ["Zm8", 1],
    ["Zm8", 3],
    ["Zm9", 2],
    ["Zm8=", 2],
    ["", 1],
    [undefined, 0],
    [null, 0],
    [7, 1],
    [["Zm8"], 2],
    [{ length: 3 }, 2],
  ];
  for (const [text, length] of wrong) assertEquals(isBase64Url(text, length), false);
});

Deno.test("equalBytes() compares all of both", () => {
  assert(equalBytes(bytes(), bytes()));
  assert(equalBytes(bytes(1, 2, 3), bytes(1, 2, 3)));
  for (const other of [bytes(1, 2), bytes(1, 2, 3, 0), bytes(0, 2, 3), bytes(1, 2, 131)]) {
    assertEquals(equalBytes(bytes(1, 2, 3), other), false);
    assertEquals(equalBytes(other, bytes(1, 2, 3)), false);
  }
});
