/**
 * What remains of a picture's metadata: nothing that an independent reader finds, and nothing of
 * what was planted.
 *
 * @module
 */
import { deflateSync, inflateSync } from "node:zlib";
import { inspectImage } from "../../lib/image/inspect.ts";
import { ImageError } from "../../lib/image/errors.ts";
import type { MetadataKind } from "../../lib/image/metadata.ts";
import { stripMetadata } from "../../lib/image/strip.ts";
import type { ImageType } from "../../lib/protocol/control.ts";
import { assert, assertEquals, assertRejects } from "../support/assert.ts";
import { readMetadata } from "../support/exifr.ts";
import { caseBytes } from "../support/cases.ts";
import { animatedGif, avif, flatPng } from "../support/image_bytes.ts";
import {
  avifNotes,
  gifNotes,
  jpegNotes,
  noted,
  plainJpeg,
  plainWebp,
  PLANTED,
  pngChunk,
  pngNotes,
  segment,
  webpNotes,
} from "../support/notes.ts";
import { PROFILES } from "../support/profiles.ts";
import { seededRandom } from "../support/random.ts";

type Bytes = Uint8Array<ArrayBuffer>;

async function strip(
  bytes: Uint8Array,
): Promise<{ bytes: Bytes; removed: readonly MetadataKind[] }> {
  const facts = inspectImage(bytes);
  assert(facts.ok, "a picture");
  const { type, orientation } = facts;
  const { parts, removed } = await stripMetadata(bytes, { type, orientation });
  const pieces = parts.map((part) => "start" in part ? bytes.subarray(part.start, part.end) : part);
  return { bytes: Uint8Array.from(pieces.flatMap((piece) => [...piece])), removed };
}

function contains(bytes: Uint8Array, text: string): boolean {
  return new TextDecoder("latin1").decode(bytes).includes(text);
}

/** A picture with all kinds of metadata, and what is to be reported about it. */
const NOTED: readonly {
  readonly type: ImageType;
  readonly make: () => Uint8Array;
  readonly plain: () => Uint8Array;
  readonly kinds: readonly MetadataKind[];
}[] = [
  {
    type: "image/jpeg",
    make: () => noted(plainJpeg(), jpegNotes({ orientation: 6 })),
    plain: plainJpeg,
    kinds: ["location", "device", "time", "author", "text", "preview", "other"],
  },
  {
    type: "image/png",
    make: () => pngNotes(flatPng()),
    plain: flatPng,
    kinds: ["location", "device", "time", "author", "text", "preview", "other"],
  },
  {
    type: "image/webp",
    make: () => webpNotes(),
    plain: plainWebp,
    kinds: ["location", "device", "time", "author", "text", "preview", "other"],
  },
  {
    type: "image/gif",
    make: () => gifNotes(animatedGif()),
    plain: animatedGif,
    kinds: ["location", "device", "time", "author", "text", "other"],
  },
  {
    type: "image/avif",
    make: () => avifNotes(),
    plain: avif,
    kinds: ["location", "device", "time", "author", "text", "preview", "other"],
  },
];

for (const { type, make, plain, kinds } of NOTED) {
  Deno.test(`${type}: planted metadata is gone, and reported by kind`, async () => {
    const before = make();
    assert(contains(before, PLANTED), "it was there");
    const { bytes, removed } = await strip(before);
    assert(!contains(bytes, PLANTED), "it is still there");
    assertEquals(removed, kinds);
    const facts = inspectImage(bytes);
    assert(facts.ok);
    assertEquals(facts.type, type);
    // Formats that the other reader does not support; exiftool, run by hand, found nothing either.
    if (type === "image/gif" || type === "image/webp") return;
    assert((await readMetadata(before)).length > 40, await readMetadata(before));
    assertEquals(await readMetadata(bytes), "{}");
  });

  // An AVIF is rewritten: strip_avif_test.ts.
  if (type !== "image/avif") {
    Deno.test(`${type}: a picture without metadata stays as it is, byte by byte`, async () => {
      const bytes = Uint8Array.from(plain());
      const { bytes: after, removed } = await strip(bytes);
      assertEquals([after, removed], [bytes, []]);
    });
  }

  Deno.test(`${type}: stripping a second time changes nothing`, async () => {
    const { bytes } = await strip(make());
    assertEquals(await strip(bytes), { bytes, removed: [] });
  });

  Deno.test(`${type}: damage is refused, or planted metadata is gone all the same`, async () => {
    const whole = make();
    const random = seededRandom(7);
    for (let i = 0; i < 400; i++) {
      const bytes = Uint8Array.from(whole);
      if (i % 2 === 0) {
        // The structure is at the beginning.
        const place = random() % Math.min(bytes.length, 900);
        bytes[place] = random() % 256;
      }
      const cut = i % 2 === 0 ? bytes : bytes.slice(0, random() % bytes.length);
      const facts = inspectImage(cut);
      if (!facts.ok) continue;
      try {
        const { parts } = await stripMetadata(cut, facts);
        for (const part of parts) {
          if ("start" in part) assert(part.start >= 0 && part.end <= cut.length);
        }
      } catch (error) {
        assert(error instanceof ImageError, String(error));
      }
    }
  });
}

Deno.test("the orientation of a JPEG is kept, and nothing else of its EXIF", async () => {
  for (let orientation = 1; orientation <= 8; orientation++) {
    const { bytes } = await strip(noted(plainJpeg(), jpegNotes({ orientation })));
    const facts = inspectImage(bytes);
    assert(facts.ok);
    assertEquals(facts.orientation ?? 1, orientation);
  }
});

Deno.test("colors stay: Adobe's transform is kept, the rest of its segment not", async () => {
  const adobe = (...rest: readonly number[]) => {
    const payload = [...new TextEncoder().encode("Adobe"), ...rest];
    return Uint8Array.from([0xff, 0xee, 0, payload.length + 2, ...payload]);
  };
  const plain = noted(plainJpeg(), adobe(0, 100, 0, 0, 0, 0, 1));
  assertEquals(await strip(plain), { bytes: plain, removed: [] });
  const planted = new TextEncoder().encode(PLANTED);
  const full = noted(plainJpeg(), adobe(0, 101, 9, 9, 9, 9, 1, ...planted));
  assertEquals(await strip(full), { bytes: plain, removed: ["other"] });
});

Deno.test("a GIF keeps no plain text, and of its loops only their number", async () => {
  const planted = [...new TextEncoder().encode(PLANTED)];
  const block = (content: readonly number[]) => [content.length, ...content];
  const text = [0x21, 0x01, ...block(new Array<number>(12).fill(1)), ...block(planted), 0];
  const loops = (...further: readonly (readonly number[])[]) => [
    ...[0x21, 0xff, ...block([...new TextEncoder().encode("NETSCAPE2.0")])],
    ...[...block([1, 7, 0]), ...further.flatMap(block), 0],
  ];
  const gif = animatedGif();
  const at = 13 + 3 * 2 ** ((gif[10]! & 7) + 1);
  const withBlocks = (...blocks: readonly (readonly number[])[]) =>
    Uint8Array.from([...gif.subarray(0, at), ...blocks.flat(), ...gif.subarray(at)]);
  const { bytes: clean } = await strip(withBlocks(loops()));
  assertEquals(await strip(withBlocks(loops(planted), text)), {
    bytes: clean,
    removed: ["text", "other"],
  });
});

Deno.test("names of a color profile are gone from each format that stores it", async () => {
  const profile = [...PROFILES["version 2, a power"]];
  const [png, jpeg] = [flatPng(), plainJpeg()];
  const part = segment(0xe2, [...new TextEncoder().encode("ICC_PROFILE\0"), 1, 1, ...profile]);
  const packed = deflateSync(Uint8Array.from(profile));
  const chunk = pngChunk("iCCP", [...new TextEncoder().encode(`${PLANTED}\0\0`), ...packed]);
  const picture = [...caseBytes("plain_lossless.webp").subarray(12)];
  const files: Record<string, Bytes> = {
    png: Uint8Array.from([...png.subarray(0, 33), ...chunk, ...png.subarray(33)]),
    jpeg: Uint8Array.from([...jpeg.subarray(0, 2), ...part, ...jpeg.subarray(2)]),
    webp: riff(
      riffChunk("VP8X", [0x20, 0, 0, 0, 47, 0, 0, 35, 0, 0]),
      riffChunk("ICCP", profile),
      picture,
    ),
  };
  for (const [name, bytes] of Object.entries(files)) {
    const { bytes: clean, removed } = await strip(bytes);
    const said = new TextDecoder("latin1").decode(name === "png" ? unpacked(clean) : clean);
    assert(said.includes("acsp"), `${name} has a profile`);
    assert(!said.includes(PLANTED), name);
    assertEquals([name, ...removed], [name, "other"]);
  }
});

/** The name and the content of a PNG's color profile. */
function unpacked(png: Uint8Array): Uint8Array {
  const text = new TextDecoder("latin1").decode(png);
  const from = text.indexOf("iCCP") + 4;
  const zero = text.indexOf("\0", from);
  return Uint8Array.from([...png.subarray(from, zero), ...inflateSync(png.subarray(zero + 2))]);
}

Deno.test("of several color profiles of a PNG, the first is kept, as decoders do", async () => {
  const png = flatPng();
  const profiles = [PROFILES["version 2, a power"], PROFILES["version 4, a formula"]];
  const chunks = profiles.map((profile) =>
    pngChunk("iCCP", [...new TextEncoder().encode("p"), 0, 0, ...deflateSync(profile)])
  );
  const withChunks = (...chunks: readonly (readonly number[])[]) =>
    Uint8Array.from([
      ...png.subarray(0, 33),
      ...chunks.flat(),
      ...png.subarray(33),
    ]);
  const { bytes: one } = await strip(withChunks(...chunks.slice(0, 1)));
  const { bytes: both, removed } = await strip(withChunks(...chunks));
  assertEquals([both, removed], [one, ["other"]]);
});

Deno.test("a simple WebP, without a header that could announce more, is unchanged", async () => {
  for (const name of ["plain_lossy.webp", "plain_lossless.webp"] as const) {
    const bytes = caseBytes(name);
    assertEquals(await strip(bytes), { bytes, removed: [] });
  }
});

/** A chunk of a WebP. */
function riffChunk(name: string, payload: readonly number[]): number[] {
  const size = [payload.length & 0xff, payload.length >>> 8 & 0xff, 0, 0];
  const padding = payload.length % 2 === 0 ? [] : [0];
  return [...new TextEncoder().encode(name), ...size, ...payload, ...padding];
}

function riff(...chunks: readonly (readonly number[])[]): Bytes {
  const body = chunks.flat();
  return Uint8Array.from(riffChunk("RIFF", [...new TextEncoder().encode("WEBP"), ...body]));
}

Deno.test("only known chunks of a WebP are kept, in frames too", async () => {
  const planted = [...new TextEncoder().encode(PLANTED)];
  const picture = [...caseBytes("plain_lossless.webp").subarray(12)];
  const head = [0, 0, 0, 47, 0, 0, 35, 0, 0];
  const frame = [...new Array<number>(6).fill(0), 47, 0, 0, 35, 0, 0, 100, 0, 0, 0];
  const full = riff(
    riffChunk("VP8X", [0x12, ...head, ...planted]),
    riffChunk("ANIM", [0, 0, 0, 0, 0, 0, ...planted]),
    riffChunk("ANMF", [...frame, ...picture, ...riffChunk("NOTE", planted)]),
    riffChunk("ANMF", [...frame, ...picture]),
    riffChunk("VP8L", planted),
  );
  const clean = riff(
    riffChunk("VP8X", [0x12, ...head]),
    riffChunk("ANIM", [0, 0, 0, 0, 0, 0]),
    riffChunk("ANMF", [...frame, ...picture]),
    riffChunk("ANMF", [...frame, ...picture]),
  );
  assertEquals(await strip(full), { bytes: clean, removed: ["other"] });
});

Deno.test("a WebP with a wrong length is corrected, unless its picture is cut off", async () => {
  const bytes = caseBytes("plain_lossy.webp");
  const wrong = bytes.slice();
  wrong[5] = 0x40;
  assertEquals((await strip(wrong)).bytes, bytes);
  const error = await assertRejects(() => strip(bytes.slice(0, -20)), ImageError);
  assertEquals(error.reason, "truncated");
});
