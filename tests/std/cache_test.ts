import { LruCache } from "@std/cache/lru-cache";
import { assert, assertEquals, assertThrows } from "@std/assert";

Deno.test("LruCache forgets what was used longest ago, by reading or writing", () => {
  const cache = new LruCache<string, number>(2);
  cache.set("a", 1).set("b", 2);
  assertEquals(cache.get("a"), 1);
  cache.set("c", 3);
  assertEquals([...cache], [["a", 1], ["c", 3]]);
  cache.set("a", 4);
  cache.set("d", 5);
  assertEquals([...cache], [["a", 4], ["d", 5]]);
  // To ask whether there is one is no use of it.
  assert(cache.has("a"));
  cache.set("e", 6);
  assertEquals([...cache.keys()], ["d", "e"]);
});

Deno.test("LruCache is a Map otherwise", () => {
  const cache = new LruCache<string, number>(2);
  assert(cache instanceof Map);
  assertEquals(cache.maxSize, 2);
  cache.set("a", 1);
  assertEquals([cache.delete("a"), cache.delete("a"), cache.size, cache.get("a")], [
    true,
    false,
    0,
    undefined,
  ]);
});

Deno.test("LruCache holds one at least", () => {
  for (const size of [0, -1, 1.5, NaN]) assertThrows(() => new LruCache(size), RangeError);
});
