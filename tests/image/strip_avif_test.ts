/**
 * What remains of an AVIF: its picture. The files were made by independent encoders (avifenc 0.11
 * and heif-enc 1.15 of Debian):
 *
 *     avifenc -s 6 --min 50 --max 60 --grid 2x2 gradient.png grid.avif
 *     avifenc -s 6 --irot 1 --imir 0 half_transparent.png alpha_turned.avif
 *     heif-enc -A -q 20 -t 24 gradient.png -o thumbnail.avif,
 *         then exiftool -Artist=PLANTED -XMP:Creator=PLANTED
 *     avifenc 1.0, two frames of 12 bits with transparency: animated.avif
 *
 * @module
 */
import { ascii, u32 } from "../../lib/image/collector.ts";
import { ImageError } from "../../lib/image/errors.ts";
import { inspectImage } from "../../lib/image/inspect.ts";
import { box, fullBox, handler, u16 } from "../../lib/image/isobmff.ts";
import { rebuildAvif } from "../../lib/image/strip_avif.ts";
import { assert, assertEquals, assertThrows } from "../support/assert.ts";
import { seededRandom } from "../support/random.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const NAMES = ["grid", "alpha_turned", "thumbnail", "animated"] as const;

function read(name: typeof NAMES[number]): Bytes {
  return Deno.readFileSync(new URL(`./avif/${name}.avif`, import.meta.url));
}

function rebuild(bytes: Bytes): { bytes: Bytes; removed: readonly string[] } {
  const { parts, removed } = rebuildAvif(bytes);
  const pieces = parts.map((part) => "start" in part ? bytes.subarray(part.start, part.end) : part);
  return { bytes: Uint8Array.from(pieces.flatMap((piece) => [...piece])), removed: [...removed] };
}

function text(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

/** Replaces letters by others. */
function renamed(bytes: Bytes, from: string, to: string): Bytes {
  const all = text(bytes).replaceAll(from, to.padEnd(from.length, "!"));
  return Uint8Array.from(all, (character) => character.charCodeAt(0));
}

/** Inserts a box before the end of a container; offsets of coded bytes are adjusted. */
function inserted(bytes: Bytes, container: string, added: readonly number[]): Bytes {
  const at = text(bytes).indexOf(container) - 4;
  const view = new DataView(bytes.buffer);
  const end = at + view.getUint32(at);
  const made = Uint8Array.from([...bytes.slice(0, end), ...added, ...bytes.slice(end)]);
  const moved = new DataView(made.buffer);
  moved.setUint32(at, view.getUint32(at) + added.length);
  // The offset of the coded bytes of animated.avif.
  for (let i = 0; i < end; i++) {
    if ([0x6ec, 0x6b8].includes(view.getUint32(i))) {
      moved.setUint32(i, view.getUint32(i) + added.length);
    }
  }
  return made;
}

for (const name of NAMES) {
  Deno.test(`${name}.avif: its rewritten file is valid, of the same size, and stable`, () => {
    const before = read(name);
    const { bytes } = rebuild(before);
    const [was, is] = [inspectImage(before), inspectImage(bytes)];
    assertEquals(is, was);
    assertEquals(rebuild(bytes), { bytes, removed: [] });
    assert(!/PLANTED|libavif|Color|Alpha|AOM/.test(text(bytes)), text(bytes));
  });

  Deno.test(`${name}.avif: damage leads to an answer or an ImageError, and nothing grows`, () => {
    const whole = read(name);
    const draw = seededRandom(13);
    const random = () => draw() / 2 ** 32;
    for (let i = 0; i < 800; i++) {
      const bytes = whole.slice(0, i % 5 === 0 ? Math.floor(random() * whole.length) : undefined);
      const changes = 1 + Math.floor(random() * 3);
      for (let j = 0; j < changes; j++) {
        const place = Math.floor(random() * bytes.length);
        bytes[place] = random() < 0.3 ? 0xff : Math.floor(random() * 256);
      }
      try {
        const made = rebuild(bytes);
        assert(made.bytes.length <= 2 * bytes.length + 4_096, `${made.bytes.length}`);
      } catch (error) {
        assert(error instanceof ImageError, String(error));
      }
    }
  });
}

Deno.test("a thumbnail, EXIF and XMP are left out, and reported", () => {
  const { bytes, removed } = rebuild(read("thumbnail"));
  assertEquals([...removed].sort(), ["author", "preview"]);
  // One picture.
  assertEquals(text(bytes).match(/infe/g)?.length, 1);
});

Deno.test("an animated AVIF does not reveal when it was made", () => {
  const { bytes, removed } = rebuild(read("animated"));
  assertEquals(removed, ["time"]);
  for (const [kind, at] of [["mvhd", 8], ["tkhd", 8], ["mdhd", 8]] as const) {
    for (const { index } of text(bytes).matchAll(new RegExp(kind, "g"))) {
      assertEquals([...bytes.slice(index + at, index + at + 16)], new Array(16).fill(0), kind);
    }
  }
});

Deno.test("names of items, handlers and codecs do not stay", () => {
  let bytes = read("animated");
  for (const name of ["libavif", "Color", "AOM Coding"]) {
    bytes = renamed(bytes, name, "PLANTED".slice(0, name.length));
  }
  assert(/PLANT/.test(text(bytes)));
  assert(!/PLANT/.test(text(rebuild(bytes).bytes)));
});

Deno.test("a sound track and notes in a film do not stay", () => {
  const sound = box(
    "trak",
    fullBox("tkhd", {}, u32(0), u32(0), u32(9), new Array<number>(68).fill(0)),
    box("mdia", handler("soun"), box("udta", ascii("PLANTED"))),
  );
  const more = [...sound, ...box("udta", ascii("PLANTED")), ...box("meta", ascii("PLANTED"))];
  const { bytes, removed } = rebuild(inserted(read("animated"), "moov", more));
  assert(!/PLANT|soun/.test(text(bytes)));
  assertEquals([...removed].sort(), ["other", "time"]);
  assertEquals(bytes, rebuild(read("animated")).bytes);
});

Deno.test("descriptive properties are left out; an essential one is kept", () => {
  const note = (kind: string) => fullBox(kind, {}, ascii("PLANTED\0"));
  const bytes = withProperty(note("udes"), false);
  const made = rebuild(bytes);
  assert(!text(made.bytes).includes("PLANTED"));
  assert(made.removed.includes("text"));
  const error = assertThrows(() => rebuild(withProperty(note("udes"), true)), ImageError);
  assertEquals(error.reason, "unsupported");
});

Deno.test("padding and messages within the coded picture are left out", () => {
  const bytes = withUnits([
    // Padding, then a message of ITU-T T.35, each with its size.
    [0x7a, 8, ...ascii("PLANTED!")],
    [0x2a, 9, 4, ...ascii("PLANTED!")],
  ]);
  const made = rebuild(bytes);
  assert(!text(made.bytes).includes("PLANTED"));
  assertEquals(made.removed, ["other"]);
});

Deno.test("extents that overlap do not make a large file of a small one", () => {
  const error = assertThrows(
    () => rebuild(withTiles(300, ({ start }) => [start, 4_000])),
    ImageError,
  );
  assertEquals(error.reason, "unsupported");
  // A grid of one color has the same bytes for all tiles.
  const same = rebuild(withTiles(300, () => [0, 1_000]));
  assert(same.bytes.length < 40_000, `${same.bytes.length}`);
});

Deno.test("an extent beyond the end of the file, or within another item, is refused", () => {
  for (const [method, offset] of [[0, 1e6], [2, 0], [1, 0]] as const) {
    const error = assertThrows(() => rebuild(still({ method, offset })), ImageError);
    assertEquals(error.reason, "unsupported");
  }
  const inside = rebuild(still({ method: 1, offset: 0, idat: UNITS }));
  assert(text(inside.bytes).endsWith(text(Uint8Array.from(UNITS))));
});

/** A frame unit of 6 bytes that means nothing to a decoder. */
const UNITS = [0x32, 4, 1, 2, 3, 4];

interface StillOptions {
  readonly method?: number;
  readonly offset?: number;
  readonly data?: readonly number[];
  readonly idat?: readonly number[];
  readonly properties?: readonly (readonly [content: readonly number[], essential: boolean])[];
}

/** An AVIF with one item, whose bytes are at the end. */
function still(options: StillOptions): Bytes {
  const { method = 0, offset, data = UNITS, idat, properties = [] } = options;
  const all = [[fullBox("ispe", {}, u32(8), u32(8)), false] as const, ...properties];
  const file = (at: number) => [
    ...box("ftyp", ascii("avif"), u32(0), ascii("avifmif1")),
    ...fullBox(
      "meta",
      {},
      handler("pict"),
      fullBox("pitm", {}, u16(1)),
      fullBox("iloc", { version: 1 }, [0x44, 0], u16(1), [
        ...u16(1),
        ...u16(method),
        ...u16(0),
        ...u16(1),
        ...u32(offset ?? at),
        ...u32(data.length),
      ]),
      fullBox("iinf", {}, u16(1), fullBox("infe", { version: 2 }, u16(1), u16(0), ascii("av01\0"))),
      box(
        "iprp",
        box("ipco", all.flatMap(([content]) => content)),
        fullBox("ipma", {}, u32(1), u16(1), [
          all.length,
          ...all.map(([, essential], i) => (i + 1) | (essential ? 0x80 : 0)),
        ]),
      ),
      idat === undefined ? [] : box("idat", idat),
    ),
    ...box("mdat", data),
  ];
  return Uint8Array.from(file(file(0).length - data.length));
}

function withProperty(content: readonly number[], essential: boolean): Bytes {
  return still({ properties: [[content, essential]] });
}

function withUnits(units: readonly (readonly number[])[]): Bytes {
  return still({ data: [...units.flat(), ...UNITS] });
}

/** A grid whose tiles are parts of one large unit, at the offsets that `place` returns. */
function withTiles(
  count: number,
  place: (tile: { start: number }) => readonly [number, number],
): Bytes {
  // Units of two bytes each, so that units begin at every even offset.
  const data = Array.from({ length: 20_000 }, (_, i) => i % 2 === 0 ? 0x32 : 0);
  const ids = Array.from({ length: count }, (_, i) => i + 2);
  const grid = [0, 0, 0, count - 1 & 0xff, 0, 8, 0, 8];
  const file = (at: number) => [
    ...box("ftyp", ascii("avif"), u32(0), ascii("avifmif1")),
    ...fullBox(
      "meta",
      {},
      handler("pict"),
      fullBox("pitm", {}, u16(1)),
      fullBox("iloc", {}, [0x44, 0], u16(count + 1), [
        ...[u16(1), u16(0), u16(1), u32(at), u32(8)].flat(),
        ...ids.flatMap((id, i) => {
          const [start, length] = place({ start: 2 * i });
          return [u16(id), u16(0), u16(1), u32(at + 8 + start), u32(length)].flat();
        }),
      ]),
      fullBox("iinf", {}, u16(count + 1), [
        ...fullBox("infe", { version: 2 }, u16(1), u16(0), ascii("grid\0")),
        ...ids.flatMap((id) => fullBox("infe", { version: 2 }, u16(id), u16(0), ascii("av01\0"))),
      ]),
      fullBox("iref", {}, box("dimg", u16(1), u16(count), ids.flatMap(u16))),
      box("iprp", box("ipco"), fullBox("ipma", {}, u32(0))),
    ),
    ...box("mdat", grid, data),
  ];
  return Uint8Array.from(file(file(0).length - data.length - grid.length));
}
