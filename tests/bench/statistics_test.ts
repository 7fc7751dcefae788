import { median, rounded } from "../../bench/statistics.ts";
import { assertEquals, assertThrows } from "../support/assert.ts";

Deno.test("median() is the middle, or the mean of the two middles", () => {
  assertEquals(median([3]), 3);
  assertEquals(median([10, 1, 3]), 3);
  assertEquals(median([4, 1, 10, 2]), 3);
});

Deno.test("median() of nothing is an error", () => {
  assertThrows(() => median([]), RangeError);
});

Deno.test("rounded() keeps one digit unless asked for others", () => {
  assertEquals(rounded(1.25), 1.3);
  assertEquals(rounded(1.2346, 3), 1.235);
});
