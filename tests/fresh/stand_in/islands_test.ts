/** What islands do in the stand-in beyond what Fresh itself does, and its own parts. */
import { deepEqual, equal, match, ok, throws } from "node:assert/strict";
import { computed, Signal, signal } from "@preact/signals";
import { decodeProps, encodeProps } from "../../../packages/fresh/src/runtime/props.ts";
import { buildFixture, type BuiltApp, loaded } from "../fixture.ts";

let app: BuiltApp;
Deno.test.beforeAll(async () => {
  app = await buildFixture();
});
Deno.test.afterAll(() => Deno.remove(app.out, { recursive: true }));

Deno.test("<title> inside an <svg> is left where it is", async () => {
  match(await app.text("/svg"), /<svg><title>A picture<\/title><\/svg>/);
});

Deno.test("the props survive serialization", async () => {
  const html = await app.text("/islands");
  const literal = /boot\({[^}]*},(".*")\);<\/script>/.exec(html)?.[1] ?? "";
  ok(!literal.includes("<"));
  const json: unknown = JSON.parse(literal);
  ok(typeof json === "string");
  const [counter, nest] = decodeProps(json).map((props) => new Map(Object.entries(props ?? {})));
  equal(counter?.get("label"), "</script><!--");
  deepEqual(counter?.get("bytes"), new Uint8Array([1, 2, 255]));
  ok(counter?.has("nothing"));
  const count = counter?.get("count");
  ok(count instanceof Signal && count.value === 7);
  equal(nest?.get("count"), count, "a signal that two islands share stays shared");
});

Deno.test("everything that a page imports is preloaded, and nothing else", async () => {
  const response = await app.get("/islands");
  const links = (response.headers.get("link") ?? "").split(", ").map((link) => {
    match(link, /^<[^>]+>; rel="modulepreload"; as="script"$/);
    return link.slice(1, link.indexOf(">"));
  });
  deepEqual(links.sort(), (await loaded(app, await response.text())).sort());
  ok(links.length > 3, "shared chunks are among them");
});

Deno.test("encodeProps() keeps every value that it accepts", () => {
  const values = [
    [1, -0, NaN, -Infinity, true, null, undefined, "<", [], {}],
    { $: "undefined", nested: { $: [undefined] } },
    { ["__proto__"]: 1 },
    new Uint8Array([0, 128, 255]),
  ];
  deepEqual(decodeProps(encodeProps(values)), values);
});

Deno.test("encodeProps() keeps signals writable and computed ones not", () => {
  const [plain, fixed] = decodeProps(encodeProps([signal({ a: 1 }), computed(() => 2)]));
  ok(plain instanceof Signal && fixed instanceof Signal);
  deepEqual(plain.value, { a: 1 });
  plain.value = 3;
  equal(plain.value, 3);
  equal(fixed.value, 2);
  throws(() => fixed.value = 4, TypeError);
});

Deno.test("encodeProps() refuses what would arrive changed", () => {
  for (const value of [() => {}, Symbol("x"), 1n, new Date(), new Map(), new (class A {})()]) {
    throws(() => encodeProps([{ value }]), /Cannot pass a prop to an island/);
  }
});
