import { type ImageInfo, inspectBlob, inspectFile, inspectImage } from "../../lib/image/inspect.ts";
import { MAX_IMAGE_BYTES, MAX_IMAGE_SIDE } from "../../lib/protocol/limits.ts";
import { assert, assertEquals, assertRejects } from "../support/assert.ts";
import { animatedGif, avif, flatPng, pngBomb, svg, withExif } from "../support/image_bytes.ts";
import { seededRandom } from "../support/random.ts";
import { ImageError } from "../../lib/image/errors.ts";

type Bytes = Uint8Array<ArrayBuffer>;

function join(...parts: readonly (string | readonly number[] | Uint8Array)[]): Bytes {
  return Uint8Array.from(
    parts.flatMap((part) =>
      typeof part === "string" ? Array.from(part, (char) => char.charCodeAt(0)) : [...part]
    ),
  );
}

const u16 = (n: number) => [n >>> 8, n & 0xff];
const u32 = (n: number) => [n >>> 24, (n >>> 16) & 0xff, (n >>> 8) & 0xff, n & 0xff];
const le = (bytes: readonly number[]) => [...bytes].reverse();

/** Start of image, the segments, a frame header, one scan, end of image. */
function jpeg(
  { width = 640, height = 480, marker = 0xc0, before = [] as readonly (readonly number[])[] } = {},
): Bytes {
  const frame = [0xff, marker, 0, 11, 8, ...u16(height), ...u16(width), 1, 1, 0x11, 0];
  const scan = [0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0, 1, 2, 0xff, 0, 3];
  const segments = before.flatMap((
    payload,
  ) => [0xff, 0xe2, ...u16(payload.length + 2), ...payload]);
  return join([0xff, 0xd8], segments, frame, scan, [0xff, 0xd9]);
}

function webp(chunk: string, payload: readonly number[]): Bytes {
  const body = join("WEBP", chunk, le(u32(payload.length)), payload);
  return join("RIFF", le(u32(body.length)), body);
}

const VP8 = webp("VP8 ", [
  0,
  0,
  0,
  0x9d,
  1,
  0x2a,
  ...le(u16(640)),
  ...le(u16(480)),
  ...new Array<number>(20).fill(1),
]);
const VP8L = webp("VP8L", [0x2f, ...le(u32(639 | (479 << 14))), 0, 0, 0, 0, 0]);
const VP8X = webp("VP8X", [0, 0, 0, 0, 0x7f, 2, 0, 0xdf, 1, 0]);

const GOOD = {
  jpeg: jpeg(),
  exif: join(withExif(jpeg(), { orientation: 6, latitude: 1, longitude: 2 })),
  png: join(flatPng(64, 48)),
  gif: join(animatedGif(64, 48, 1)),
  avif: join(avif()),
  vp8: VP8,
  vp8l: VP8L,
  vp8x: VP8X,
};

function box(kind: string, ...content: readonly (readonly number[] | Uint8Array)[]): Bytes {
  const body = join(...content);
  return join(u32(body.length + 8), kind, body);
}

/** Two items: a thumbnail and one of `size`. */
function avifOfItems(size: readonly [number, number]): Bytes {
  const ispe = (w: number, h: number) => box("ispe", u32(0), u32(w), u32(h));
  const ipco = box("ipco", ispe(160, 120), box("pixi", u32(0)), ispe(...size));
  const meta = box("meta", u32(0), box("pitm", u32(0), u16(2)), box("iprp", ipco));
  const ftyp = box("ftyp", join("mif1"), u32(0), join("mif1avif"));
  return join(ftyp, meta, box("mdat", [1, 2, 3]));
}

function refusal(info: ImageInfo): string {
  return info.ok ? `${info.type} ${info.width}×${info.height}` : info.reason;
}

async function both(bytes: Bytes): Promise<string> {
  const said = refusal(inspectImage(bytes));
  assertEquals(refusal(await inspectBlob(new Blob([bytes]))), said);
  return said;
}

Deno.test("inspectImage() reads type and size of all five formats", async () => {
  assertEquals(await both(GOOD.jpeg), "image/jpeg 640×480");
  assertEquals(await both(jpeg({ marker: 0xc2 })), "image/jpeg 640×480");
  assertEquals(await both(GOOD.png), "image/png 64×48");
  assertEquals(await both(GOOD.gif), "image/gif 64×48");
  assertEquals(await both(GOOD.avif), "image/avif 64×48");
  for (const bytes of [VP8, VP8L, VP8X]) assertEquals(await both(bytes), "image/webp 640×480");
});

Deno.test("inspectImage() reads the EXIF orientation of a JPEG and ignores nonsense there", () => {
  for (const orientation of [0, 1, 6, 8, 9]) {
    const info = inspectImage(withExif(jpeg(), { orientation, latitude: 1, longitude: 2 }));
    assert(info.ok);
    const said = orientation >= 1 && orientation <= 8 ? orientation : undefined;
    assertEquals([info.orientation, info.width, info.height], [said, 640, 480]);
  }
});

Deno.test("inspectImage() reads big-endian EXIF", () => {
  const exif = join("Exif\0\0MM", [0, 42], u32(8), u16(1), u16(0x112), u16(3), u32(1), u16(8), [
    0,
    0,
  ]);
  const bytes = join([0xff, 0xd8, 0xff, 0xe1], u16(exif.length + 2), exif, jpeg().subarray(2));
  const info = inspectImage(bytes);
  assert(info.ok);
  assertEquals(info.orientation, 8);
});

Deno.test("an AVIF has the size of its largest item", async () => {
  assertEquals(await both(avifOfItems([640, 480])), "image/avif 640×480");
  assertEquals(await both(avifOfItems([80, 60])), "image/avif 160×120");
  assertEquals(await both(avifOfItems([9_000, 9_000])), "too_many_pixels");
});

Deno.test("an AVIF of tracks has its largest one's size; a short form is unread", async () => {
  const track = (w: number, h: number) =>
    box("trak", box("tkhd", new Array<number>(76).fill(0), u16(w), u16(0), u16(h), u16(0)));
  const ftyp = box("ftyp", join("avis"), u32(0), join("avismsf1"));
  const film = (w: number, h: number) =>
    join(ftyp, box("moov", box("mvhd", [0]), track(w, h), track(16, 16)), box("mdat", [1]));
  assertEquals(await both(film(480, 270)), "image/avif 480×270");
  assertEquals(await both(film(9_000, 9_000)), "too_many_pixels");
  assertEquals(await both(join(ftyp, box("moov", box("mvhd", [0])))), "unsupported");
  assertEquals(await both(join(ftyp, box("mini", [1, 2, 3]))), "unsupported");
});

Deno.test("a GIF's frame may not exceed the limits although its screen is small", () => {
  const header = 13 + 3 * 128;
  for (const side of [5, 7]) {
    const bytes = animatedGif(64, 48, 1);
    const frame = bytes.indexOf(0x2c, header);
    bytes.set([0xff, 0xff], frame + side);
    assertEquals(refusal(inspectImage(bytes)), "too_long");
  }
});

Deno.test("a picture with more pixels than the limit is refused by its header", () => {
  assertEquals(refusal(inspectImage(pngBomb())), "too_many_pixels");
  const side = MAX_IMAGE_SIDE;
  assertEquals(refusal(inspectImage(jpeg({ width: side, height: 1 }))), `image/jpeg ${side}×1`);
  assertEquals(refusal(inspectImage(jpeg({ width: side + 1, height: 1 }))), "too_long");
  assertEquals(
    refusal(inspectImage(jpeg({ width: 8_000, height: 5_000 }))),
    "image/jpeg 8000×5000",
  );
  assertEquals(refusal(inspectImage(jpeg({ width: 8_001, height: 5_000 }))), "too_many_pixels");
});

Deno.test("a picture without pixels is not a picture", () => {
  assertEquals(refusal(inspectImage(jpeg({ width: 0 }))), "not_an_image");
  assertEquals(refusal(inspectImage(jpeg({ height: 0 }))), "not_an_image");
});

Deno.test("a file of more bytes than the limit is refused unread", async () => {
  const large = new Blob([new Uint8Array(MAX_IMAGE_BYTES + 1)]);
  large.slice = () => {
    throw new Error("read");
  };
  assertEquals(refusal(await inspectBlob(large)), "too_large");
});

Deno.test("what is not a picture is named, so that the right sentence is shown", async () => {
  const cases: readonly [string, Bytes][] = [
    ["empty", join()],
    ["svg", join(svg())],
    ["svg", join("\xef\xbb\xbf\n<?xml version='1.0'?><!-- a --><svg:svg/>")],
    ["not_an_image", join("<!doctype html><p>about svg</p>")],
    ["not_an_image", join("I like <svg> in text")],
    ["not_an_image", join("%PDF-1.7 and so on")],
    ["not_an_image", join([0])],
    ["video", box("ftyp", join("isom"), u32(0), join("mp42"))],
    ["video", box("ftyp", join("qt  "), u32(0), join("qt  "))],
    ["video", join([0x1a, 0x45, 0xdf, 0xa3, 1, 0, 0, 0])],
    ["video", join("RIFF", u32(9), "AVI LIST")],
    ["not_an_image", box("ftyp", join("M4A "), u32(0), join("isom"))],
    ["heic", box("ftyp", join("heic"), u32(0), join("mif1"))],
    ["unsupported", join("BM", u32(0x12345678), u32(0), u32(0))],
    ["unsupported", join("II*\0", u32(8))],
    ["unsupported", join("MM\0*", u32(8))],
    ["unsupported", join("8BPS\0\x01")],
    ["unsupported", join([0xff, 0x0a, 0xf8, 0x3e, 0x90, 0x20, 0xe4, 0xcc, 0xa8, 0x28, 0xe2, 0x25])],
    ["truncated", join([0, 0, 1, 0, 1, 0, 16, 16])],
    ["unsupported", jpeg({ marker: 0xc3 })],
  ];
  for (const [reason, bytes] of cases) assertEquals(await both(bytes), reason);
});

Deno.test("a header that is cut off is truncated at every length", () => {
  for (const [name, bytes] of Object.entries(GOOD)) {
    let cut = 0;
    for (
      let length = name === "jpeg" ? 3 : 12;
      !inspectImage(bytes.subarray(0, length)).ok;
      length++
    ) {
      assertEquals(
        refusal(inspectImage(bytes.subarray(0, length))),
        "truncated",
        `${name} ${length}`,
      );
      cut++;
    }
    assert(cut > 0, name);
  }
});

Deno.test("a file that lacks its end is truncated; appended bytes do not matter", async () => {
  for (const [name, bytes] of Object.entries(GOOD)) {
    for (const less of [3, 4, bytes.length >>> 2]) {
      const info = await inspectBlob(new Blob([bytes.subarray(0, bytes.length - less)]));
      assertEquals(refusal(info), "truncated", `${name} less ${less}`);
    }
    for (const more of [new Uint8Array(1), new Uint8Array(200_000), join("film", svg())]) {
      const info = await inspectBlob(new Blob([bytes, more]));
      assert(info.ok, `${name} and ${more.length} more: ${refusal(info)}`);
    }
  }
});

Deno.test("a GIF is whole when its first frame is", async () => {
  const bytes = join(animatedGif(64, 48, 3));
  const info = await inspectBlob(new Blob([bytes.subarray(0, bytes.length >>> 1)]));
  assertEquals(refusal(info), "image/gif 64×48");
});

Deno.test("a JPEG's frame header behind a megabyte is found with few reads", async () => {
  const before = Array.from({ length: 20 }, () => new Array<number>(65_000).fill(7));
  const bytes = jpeg({ before });
  assertEquals(refusal(inspectImage(bytes.subarray(0, 65_536))), "truncated");
  const blob = new Blob([bytes]);
  let read = 0;
  let most = 0;
  const slice = blob.slice.bind(blob);
  blob.slice = (start = 0, end = blob.size) => {
    const length = Math.min(end, blob.size) - start;
    read += length;
    most = Math.max(most, length);
    return slice(start, end);
  };
  assertEquals(refusal(await inspectBlob(blob)), "image/jpeg 640×480");
  assert(read <= 22 * 65_536, `${read} bytes`);
  assert(most <= 65_537, `${most} bytes at once`);
});

Deno.test("a file that can no longer be read is unreadable", async () => {
  const blob = new Blob([GOOD.jpeg]);
  blob.slice = () => {
    throw new DOMException("gone", "NotFoundError");
  };
  const error = await assertRejects(() => inspectBlob(blob), ImageError);
  assertEquals(error.reason, "unreadable");
});

Deno.test("hostile bytes get an answer within the limits, never an exception", async () => {
  const random = seededRandom(7);
  for (const [name, bytes] of Object.entries(GOOD)) {
    for (let round = 0; round < 1_500; round++) {
      const hostile = bytes.slice(0, round % 3 === 0 ? random() % (bytes.length + 1) : undefined);
      for (let change = 1 + random() % 6; change > 0 && hostile.length > 0; change--) {
        // Headers matter most; 0 and 255 are the values that break parsers.
        const at = random() % Math.min(hostile.length, random() % 2 === 0 ? 64 : 4_096);
        hostile[at] = [0, 255, random() & 0xff][random() % 3] ?? 0;
      }
      const started = performance.now();
      const head = inspectImage(hostile);
      const whole = await inspectBlob(new Blob([hostile]));
      assert(performance.now() - started < 500, `${name} ${round} is slow`);
      for (const info of [head, whole]) {
        if (!info.ok) continue;
        assert(info.width > 0 && info.height > 0 && info.width * info.height <= 40_000_000);
        assert(Number.isInteger(info.width) && Number.isInteger(info.height));
        assert(Math.max(info.width, info.height) <= MAX_IMAGE_SIDE);
      }
      if (whole.ok) assertEquals(whole, head);
    }
  }
});

Deno.test("files made to keep a parser busy are bounded", async () => {
  const MIB = 1024 * 1024;
  const cases: readonly [string, Bytes][] = [
    ["JPEG of fill bytes", join([0xff, 0xd8], new Uint8Array(MIB).fill(0xff))],
    [
      "JPEG of empty segments",
      join([0xff, 0xd8], new Array(MIB / 4).fill([0xff, 0xe2, 0, 2]).flat()),
    ],
    [
      "GIF of one-byte blocks",
      join(animatedGif(64, 48, 1).subarray(0, 13 + 384), [0x21, 0xfe], new Uint8Array(MIB).fill(1)),
    ],
    ["PNG of empty chunks", join(flatPng(8, 8).subarray(0, 33), new Uint8Array(MIB))],
    [
      "AVIF of empty boxes",
      join(
        GOOD.avif.subarray(0, 32),
        new Array(MIB / 8).fill([...u32(8), 102, 114, 101, 101]).flat(),
      ),
    ],
  ];
  for (const [name, bytes] of cases) {
    const started = performance.now();
    assert(!(await inspectBlob(new Blob([bytes]))).ok, name);
    const ms = performance.now() - started;
    assert(ms < 1_000, `${name}: ${ms} ms`);
  }
});

async function chosen(bytes: Bytes): Promise<string> {
  const info = await inspectFile(new Blob([bytes]));
  return info.ok ? `${info.type} ${info.width}×${info.height}` : info.reason;
}

/** The two headers of a BMP. */
function bmp(...head: readonly (readonly number[])[]): Bytes {
  const length = head.flat().length + 4;
  return join("BM", le(u32(14 + length)), u32(0), le(u32(14 + length)), le(u32(length)), ...head);
}

Deno.test("what may be chosen is larger than what is sent, but limited", async () => {
  assertEquals(await chosen(jpeg({ width: 20_000, height: 10_000 })), "image/jpeg 20000×10000");
  assertEquals(await chosen(jpeg({ width: 20_001, height: 10_000 })), "too_many_pixels");
  assertEquals(await chosen(jpeg({ width: 1_080, height: 24_000 })), "image/jpeg 1080×24000");
  const large = new Blob([]);
  Object.defineProperty(large, "size", { value: 512 * 1024 * 1024 + 1 });
  assertEquals(await inspectFile(large), { ok: false, reason: "too_large" });
});

Deno.test("formats that are redrawn may be chosen, and are never sent", async () => {
  const int = (value: number) => le(u32(value >>> 0));
  const rest = new Array<number>(28).fill(0);
  const entry = [48, 32, 0, 0, 1, 0, 32, 0, ...int(40), ...int(22)];
  const inside = [...int(40), ...int(64), ...int(96), ...rest];
  const directory = (type: number) => [
    ...u16(2),
    ...[...u16(0x100), ...u16(type), ...u32(1), ...(type === 3 ? [...u16(640), 0, 0] : u32(640))],
    ...[...u16(0x101), ...u16(type), ...u32(1), ...(type === 3 ? [...u16(480), 0, 0] : u32(480))],
  ];
  const jxl = [0xff, 0x0a, 0xf8, 0x3e, 0x90, 0x20, 0xe4, 0xcc, 0xa8, 0x28, 0xe2, 0x25];
  const container = [...u32(12), ...new TextEncoder().encode("JXL "), 0x0d, 0x0a, 0x87, 0x0a];
  const cases: readonly [string, Bytes][] = [
    ["image/bmp 640×480", bmp(int(640), int(480), rest)],
    ["image/bmp 640×480", bmp(int(640), int(-480), rest)],
    ["image/bmp 640×480", bmp([...le(u16(640)), ...le(u16(480)), 1, 0, 24, 0])],
    ["too_many_pixels", bmp(int(-0x80000000), int(480), rest)],
    // What is inside does not count: a decoder knows its real size.
    ["image/x-icon 48×32", join([0, 0, 1, 0, 1, 0], entry, inside)],
    ["image/x-icon 48×32", join([0, 0, 2, 0, 1, 0], entry)],
    ["image/tiff 640×480", join("MM\0*", u32(8), directory(3))],
    ["image/tiff 640×480", join("MM\0*", u32(8), directory(4))],
    // Both signatures were written by cjxl.
    ["image/jxl 640×480", join(jxl)],
    [
      "image/jxl 601×333",
      join([0xff, 0x0a, 0x60, 0x8a, 0xb0, 4, 0x48, 0x10, 0x72, 0x66, 0x54, 0x14]),
    ],
    ["image/jxl 640×480", join(container, u32(18), "jxlc", jxl)],
    ["image/jxl 640×480", join(container, u32(22), "jxlp", u32(0), jxl)],
    ["truncated", join(container, u32(18), "jxlc", jxl.slice(0, 6))],
  ];
  for (const [said, bytes] of cases) {
    assertEquals(await chosen(bytes), said);
    const sent = await both(bytes);
    assert(["unsupported", "too_many_pixels", "truncated"].includes(sent), sent);
  }
});

Deno.test("bytes between the segments of a JPEG are skipped, as decoders do", async () => {
  const bytes = jpeg({ before: [[7, 7]] });
  const end = 2 + 6;
  for (const gap of [[0], [0, 0], [0xff, 0xff], [0xff, 0, 7], new Array<number>(5_000).fill(1)]) {
    const other = join(bytes.subarray(0, end), gap, bytes.subarray(end));
    assertEquals(await both(other), "image/jpeg 640×480");
  }
});
