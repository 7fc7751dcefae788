import { deflateSync } from "node:zlib";
import { concat } from "../../lib/protocol/bytes.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { withExif } from "../support/image_bytes.ts";
import { isAllowed } from "./allowed.ts";
import { basePng, namedProfile, pngChunk } from "./base.ts";
import { readLeft } from "./readers.ts";
import { hasTool } from "./tools.ts";

const PNG = basePng({ depth: 8, alpha: true });

/** With a chunk after its header. */
function withChunk(chunk: Uint8Array): Uint8Array {
  return concat(PNG.subarray(0, 33), chunk, PNG.subarray(33));
}

Deno.test("readLeft() names what reveals something, and nothing in a clean picture", async () => {
  const text = withChunk(pngChunk("eXIf", exif()));
  const left = await readLeft([PNG, text].map((bytes) => ({ type: "image/png", bytes })));
  assertEquals(left[0], []);
  assert(left[1] !== undefined && left[1].length > 0);
});

/** The TIFF part of an EXIF segment that contains a location. */
function exif(): Uint8Array {
  const jpeg = withExif(Uint8Array.of(0xff, 0xd8, 0xff, 0xd9), {
    orientation: 6,
    latitude: 52.5,
    longitude: 13.4,
  });
  return jpeg.subarray(12, jpeg.length - 2);
}

Deno.test({
  name: "readLeft() names the owner of a color profile",
  ignore: !await hasTool("exiftool"),
  async fn() {
    const named = concat(new TextEncoder().encode("Anna's\0\0"), deflateSync(namedProfile()));
    const bytes = withChunk(pngChunk("iCCP", named));
    const [left = []] = await readLeft([{ type: "image/png", bytes }]);
    for (const word of ["Anna's", "Anna Schmidt", "Little CMS", "2024:07:20"]) {
      assert(left.some((line) => line.includes(word)), `${word} in ${left.join(", ")}`);
    }
    assertEquals(left.filter((line) => /TRC|Column|WhitePoint/.test(line)), []);
  },
});

Deno.test("isAllowed() tells meaningless numbers from others; names must be listed", () => {
  assert(isAllowed("QuickTime:CreateDate", "0000:00:00 00:00:00"));
  assert(!isAllowed("QuickTime:CreateDate", "2024:07:20 13:26:06"));
  assert(isAllowed("PNG:ImageWidth", 48));
  assert(!isAllowed("PNG:Author", "Anna"));
  assert(!isAllowed("Unheard:Of", "something"));
});
