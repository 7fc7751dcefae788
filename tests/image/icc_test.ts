import { neutralProfile } from "../../lib/image/icc.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { PLANTED } from "../support/notes.ts";
import { PROFILES } from "../support/profiles.ts";

function latin1(bytes: Uint8Array): string {
  return new TextDecoder("latin1").decode(bytes);
}

/** The tags of a profile, by name. */
function tagsOf(bytes: Uint8Array): Map<string, Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  assertEquals(view.getUint32(0), bytes.length);
  return new Map(Array.from({ length: view.getUint32(128) }, (_, i) => {
    const at = 132 + 12 * i;
    const start = view.getUint32(at + 4);
    assertEquals(start % 4, 0);
    return [
      latin1(bytes.subarray(at, at + 4)),
      bytes.subarray(start, start + view.getUint32(at + 8)),
    ];
  }));
}

for (const [name, bytes] of Object.entries(PROFILES)) {
  Deno.test(`neutralProfile() keeps the colors and removes names: ${name}`, () => {
    const neutral = neutralProfile(bytes);
    assert(neutral !== null);
    for (const word of [PLANTED, "appl", "APPL", "MAKR", "MODL", "mmod", "dmdd", "wwww", "!!"]) {
      assert(latin1(bytes).includes(word), word);
      assert(!latin1(neutral).includes(word), word);
    }
    const [before, after] = [tagsOf(bytes), tagsOf(neutral)];
    for (const name of ["mmod", "dmdd"]) before.delete(name);
    assertEquals([...after.keys()], [...before.keys()]);
    for (const [name, content] of before) {
      if (name !== "desc" && name !== "cprt") assertEquals(after.get(name), content, name);
    }
    // The same version, class, color spaces and rendering intent; not the date.
    assertEquals(neutral.subarray(8, 24), bytes.subarray(8, 24));
    assertEquals(neutral.subarray(24, 36), new Uint8Array(12));
    assertEquals(neutral[67], bytes[67]);
  });

  Deno.test(`neutralProfile() changes nothing a second time: ${name}`, () => {
    const neutral = neutralProfile(bytes);
    assert(neutral !== null);
    assertEquals(neutralProfile(neutral), neutral);
  });
}

Deno.test("neutralProfile() keeps shared bytes of tags shared", () => {
  const bytes = PROFILES["version 2, a table"].slice();
  const view = new DataView(bytes.buffer);
  const places = new Map(
    Array.from({ length: view.getUint32(128) }, (_, i) => {
      const at = 132 + 12 * i;
      return [latin1(bytes.subarray(at, at + 4)), at];
    }),
  );
  const [red = 0, green = 0] = [places.get("rTRC"), places.get("gTRC")];
  view.setUint32(green + 4, view.getUint32(red + 4));
  const neutral = neutralProfile(bytes);
  assert(neutral !== null);
  const tags = tagsOf(neutral);
  assertEquals(tags.get("gTRC")?.byteOffset, tags.get("rTRC")?.byteOffset);
  assert(tags.get("bTRC")?.byteOffset !== tags.get("rTRC")?.byteOffset);
});

Deno.test("neutralProfile() cuts off what follows a tag's content, or the profile", () => {
  const bytes = PROFILES["version 2, a power"];
  const view = new DataView(bytes.buffer.slice(0));
  const changed = new Uint8Array(view.buffer);
  const at = 132 + 12 * 2;
  assertEquals(latin1(changed.subarray(at, at + 4)), "wtpt");
  view.setUint32(at + 8, 40);
  assertEquals(neutralProfile(changed), neutralProfile(bytes));
  assertEquals(
    neutralProfile(Uint8Array.from([...bytes, ...new TextEncoder().encode(PLANTED)])),
    neutralProfile(bytes),
  );
});

Deno.test("neutralProfile() returns null for what decoders ignore, too", () => {
  const bytes = PROFILES["version 4, a formula"];
  const changed = (at: number, ...values: readonly number[]) => {
    const other = bytes.slice();
    other.set(values, at);
    return neutralProfile(other);
  };
  assertEquals(neutralProfile(bytes.subarray(0, -40)), null);
  assertEquals(neutralProfile(new Uint8Array()), null);
  assertEquals(changed(36, 0), null, "no signature");
  assertEquals(changed(12, 0), null, "no class");
  assertEquals(changed(16, 0), null, "no colour space");
  assertEquals(changed(68, 1), null, "another light");
  assertEquals(changed(128, 1), null, "many tags");
  const last = 132 + 12 * (bytes[131]! - 1);
  assertEquals(changed(last + 4, 0x7f), null, "a tag outside of it");
});
