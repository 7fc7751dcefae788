import { isMoving } from "../../lib/image/motion.ts";
import type { ImageType } from "../../lib/protocol/control.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { animatedGif, avif, flatPng } from "../support/image_bytes.ts";
import { flatGif, MOVING } from "../support/moving.ts";

Deno.test("each animated format is detected as independent encoders write it", () => {
  for (const { name, type, bytes } of MOVING) assert(isMoving(bytes, type), name);
  assert(isMoving(animatedGif(), "image/gif"));
});

Deno.test("a single frame is not animated, whatever the file claims", () => {
  const still: readonly (readonly [Uint8Array, ImageType])[] = [
    [animatedGif(64, 48, 1), "image/gif"],
    [flatGif({ width: 300, height: 200, frames: 1, ms: 0 }), "image/gif"],
    [flatPng(), "image/png"],
    [avif(), "image/avif"],
    [new Uint8Array(), "image/gif"],
    [new Uint8Array(40), "image/webp"],
  ];
  for (const [bytes, type] of still) assertEquals(isMoving(bytes, type), false, type);
  // The other format's file, and a JPEG, which is never animated.
  for (const { bytes } of MOVING) assertEquals(isMoving(bytes, "image/jpeg"), false);
});

Deno.test("a WebP with the flag and one frame, or an APNG that announces one, is still", () => {
  const [, png, webp] = MOVING;
  assert(png !== undefined && webp !== undefined);
  const one = png.bytes.slice();
  const text = new TextDecoder("latin1").decode(one);
  one[text.indexOf("acTL") + 7] = 1;
  assertEquals(isMoving(one, "image/png"), false);
  const last = new TextDecoder("latin1").decode(webp.bytes);
  const second = last.indexOf("ANMF", last.indexOf("ANMF") + 4);
  assertEquals(isMoving(webp.bytes.subarray(0, second), "image/webp"), false);
});

Deno.test("a track that exceeds the limits of pictures is not played", () => {
  const moving = MOVING.find(({ type }) => type === "image/avif");
  assert(moving !== undefined);
  const bytes = moving.bytes.slice();
  const header = new TextDecoder("latin1").decode(bytes).indexOf("tkhd");
  const size = new DataView(bytes.buffer).getUint32(header - 4);
  // Its last eight bytes.
  new DataView(bytes.buffer).setUint16(header - 4 + size - 8, 16_000);
  new DataView(bytes.buffer).setUint16(header - 4 + size - 4, 16_000);
  assertEquals(isMoving(bytes, "image/avif"), false);
});

Deno.test("hostile bytes get an answer: cut anywhere, and with any byte changed", () => {
  for (const { type, bytes } of MOVING) {
    for (let end = 0; end < bytes.length; end++) isMoving(bytes.subarray(0, end), type);
    for (let at = 0; at < bytes.length; at++) {
      for (const value of [0, 0xff]) {
        const changed = bytes.slice();
        changed[at] = value;
        isMoving(changed, type);
      }
    }
  }
});
