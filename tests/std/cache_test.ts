import { LruCache } from "@std/cache/lru-cache";
import { assert, assertEquals, assertThrows } from "@std/assert";

Deno.test("LruCache forgets the least recently read or written entry", () => {
  const cache = new LruCache<string, number>(2);
  cache.set("a", 1).set("b", 2);
  assertEquals(cache.get("a"), 1);
  cache.set("c", 3);
  assertEquals([...cache], [["a", 1], ["c", 3]]);
  cache.set("a", 4);
  cache.set("d", 5);
  assertEquals([...cache], [["a", 4], ["d", 5]]);
  // has() does not count as a use.
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

Deno.test("LruCache holds at least one entry", () => {
  for (const size of [0, -1, 1.5, NaN]) assertThrows(() => new LruCache(size), RangeError);
});
