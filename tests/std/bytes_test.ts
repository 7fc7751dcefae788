import { concat } from "@std/bytes/concat";
import { timingSafeEqual } from "@std/crypto/timing-safe-equal";
import { assertEquals, assertThrows } from "@std/assert";

Deno.test("concat() makes a new byte string of any number of them", () => {
  const one = new Uint8Array([1, 2]);
  assertEquals(concat([]), new Uint8Array());
  const joined = concat(new Set([one, new Uint8Array(), new Uint8Array([3])]));
  assertEquals(joined, new Uint8Array([1, 2, 3]));
  assertEquals(concat([one]).buffer === one.buffer, false);
});

Deno.test("timingSafeEqual() compares bytes, in any kind of buffer", () => {
  const bytes = new Uint8Array([1, 2]);
  assertEquals(timingSafeEqual(bytes, new Uint8Array([0, 1, 2]).subarray(1)), true);
  assertEquals(timingSafeEqual(bytes.buffer, new DataView(bytes.buffer)), true);
  for (const other of [[1, 3], [0, 2], [129, 2]]) {
    assertEquals(timingSafeEqual(bytes, new Uint8Array(other)), false);
  }
  assertEquals(timingSafeEqual(new Uint8Array(), new Uint8Array()), true);
  assertThrows(() => timingSafeEqual(bytes, new Uint8Array(3)), TypeError);
});
