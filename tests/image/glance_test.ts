import { mayBePicture } from "../../lib/image/glance.ts";
import { animatedGif, avif, flatPng, svg } from "../support/image_bytes.ts";
import { assertEquals } from "../support/assert.ts";

function file(bytes: Uint8Array | string): Blob {
  return new Blob([typeof bytes === "string" ? bytes : new Uint8Array(bytes)]);
}

/** An ISO file of this brand. */
function iso(brand: string): Blob {
  return file(`\0\0\0\x18ftyp${brand}\0\0\0\0`);
}

Deno.test("what begins as a picture may be one", async () => {
  const jpeg = new Uint8Array([0xff, 0xd8, 0xff, 0xe0]);
  const webp = "RIFF\x10\0\0\0WEBPVP8 ";
  for (
    const bytes of [
      jpeg,
      flatPng(),
      animatedGif(),
      avif(),
      webp,
      "BM......",
      "\0\0\x02\0\x01\0",
      "II*\0",
    ]
  ) {
    assertEquals(await mayBePicture(file(bytes)), true);
  }
  for (const brand of ["avif", "avis", "heic", "heix", "mif1", "msf1"]) {
    assertEquals(await mayBePicture(iso(brand)), true, brand);
  }
});

Deno.test("anything else is left to the picture worker: films, drawings, text", async () => {
  for (const brand of ["isom", "mp42", "qt  ", "M4A "]) {
    assertEquals(await mayBePicture(iso(brand)), false, brand);
  }
  for (const bytes of [svg(), "This is not a picture.", "", "\xff\xd8", "RIFF\x10\0\0\0WAVE"]) {
    assertEquals(await mayBePicture(file(bytes)), false);
  }
});

Deno.test("a file that can't be read any more is no picture", async () => {
  const gone = Object.assign(file("x"), {
    slice: () => ({ arrayBuffer: () => Promise.reject(new DOMException("", "NotReadableError")) }),
  });
  assertEquals(await mayBePicture(gone), false);
});
