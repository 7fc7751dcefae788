import { assertEquals } from "./assert.ts";
import { seededRandom } from "./random.ts";
import { ENCODINGS, latin1Bytes, type Needle, RUN, search } from "./search.ts";

const random = seededRandom(1);
const noise = (n: number) => Uint8Array.from({ length: n }, random);

const KEY = noise(32);
const NEEDLES: readonly Needle[] = [
  { what: "key", bytes: KEY },
  { what: "name", bytes: latin1Bytes("holiday.png") },
  { what: "SDP", pattern: /m=application/, sample: "m=application 9" },
];

function find(text: Uint8Array | string): string[] {
  const bytes = typeof text === "string" ? latin1Bytes(text) : text;
  return search([{ where: "here", bytes }], NEEDLES).map(({ what }) => what);
}

for (const [name, encode] of Object.entries(ENCODINGS)) {
  Deno.test(`search() finds bytes, texts and patterns written as ${name}`, () => {
    const around = (bytes: Uint8Array) => Uint8Array.of(...noise(7), 10, ...encode(bytes), 10, 1);
    assertEquals(find(around(KEY)), ["key"]);
    assertEquals(find(around(latin1Bytes("holiday.png"))), ["name"]);
    assertEquals(find(around(latin1Bytes("m=application 9"))), ["SDP"]);
  });
}

Deno.test("search() finds every run of 16 bytes of a secret, and no shorter one", () => {
  for (let at = 0; at + RUN <= KEY.length; at++) {
    const run = (n: number) => Uint8Array.of(0, ...KEY.subarray(at, at + n), 0);
    assertEquals(find(run(RUN)), ["key"], `from byte ${at} on`);
    assertEquals(find(run(RUN - 1)), [], `from byte ${at} on`);
  }
});

Deno.test("search() finds nothing in noise, and names each part with a finding", () => {
  assertEquals(find(noise(100_000)), []);
  const parts = ["", "holiday.png", "x", "a holiday.png, holiday.png"].map((text, i) => ({
    where: `part ${i}`,
    bytes: latin1Bytes(text),
  }));
  assertEquals(search(parts, NEEDLES).map(({ where }) => where), ["part 1", "part 3"]);
});
