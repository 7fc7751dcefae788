import { SAS_EMOJI, sasEmoji, sasIndices } from "../../lib/e2e/sas.ts";
import { assertEquals, assertThrows } from "../support/assert.ts";

Deno.test("the SAS has 64 emoji, all different, with names all different", () => {
  assertEquals(SAS_EMOJI.length, 64);
  assertEquals(new Set(SAS_EMOJI.map(([emoji]) => emoji)).size, 64);
  assertEquals(new Set(SAS_EMOJI.map(([, name]) => name)).size, 64);
});

Deno.test("the SAS is the top 42 bits, six at a time", () => {
  assertEquals(sasIndices(new Uint8Array([0xff, 0xff, 0xff, 0xff, 0xff, 0xff])), Array(7).fill(63));
  assertEquals(sasIndices(new Uint8Array([0, 0, 0, 0, 0, 0x3f])), Array(7).fill(0));
  assertEquals(sasEmoji(new Uint8Array([0x04, 0, 0, 0, 0, 0])).map(([, name]) => name)[0], "cat");
});

Deno.test("the SAS wants six bytes", () => {
  assertThrows(() => sasIndices(new Uint8Array(5)), RangeError);
});
