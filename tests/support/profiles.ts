/**
 * Color profiles that change what is displayed, with planted names, for tests that check that
 * colors stay and names are removed.
 *
 * @module
 */
import { PLANTED } from "./notes.ts";

const u16 = (n: number) => [n >>> 8 & 0xff, n & 0xff];
const u32 = (n: number) => [n >>> 24 & 0xff, n >>> 16 & 0xff, n >>> 8 & 0xff, n & 0xff];
const ascii = (text: string) => Array.from(text, (character) => character.charCodeAt(0));
const fixed = (n: number) => u32(Math.round(n * 65_536));
const type = (name: string, ...content: readonly (readonly number[])[]) => [
  ...ascii(name),
  ...u32(0),
  ...content.flat(),
];

type Tag = readonly [name: string, content: readonly number[]];

interface Header {
  readonly version: number;
  readonly kind?: string;
  readonly space?: string;
  readonly connection?: string;
}

function profile(
  { version, kind = "mntr", space = "RGB ", connection = "XYZ " }: Header,
  tags: readonly Tag[],
): Uint8Array<ArrayBuffer> {
  const noted: readonly Tag[] = [
    ["desc", type("desc", u32(PLANTED.length + 1), ascii(PLANTED), new Array<number>(79).fill(0))],
    ["cprt", type("text", ascii(`${PLANTED}\0`))],
    ...tags,
    ["mmod", type("mmod", ascii(PLANTED))],
    ["dmdd", type("desc", u32(PLANTED.length + 1), ascii(PLANTED), new Array<number>(79).fill(0))],
  ];
  let at = 128 + 4 + 12 * noted.length;
  const table: number[] = [];
  const body: number[] = [];
  for (const [name, content] of noted) {
    table.push(...ascii(name), ...u32(at), ...u32(content.length));
    const padded = [...content, ...new Array<number>((4 - content.length % 4) % 4).fill(0)];
    body.push(...padded);
    at += padded.length;
  }
  const header = [
    ...u32(at),
    ...ascii("appl"),
    ...[version, 0x20, 0, 0],
    ...ascii(kind),
    ...ascii(space),
    ...ascii(connection),
    ...[2026, 11, 24, 12, 30, 59].flatMap(u16),
    ...ascii("acspAPPL"),
    ...u32(0),
    ...ascii("MAKRMODL"),
    ...[0, 0, 0, 0, 0, 0, 0, 0],
    ...u32(1),
    ...[0x0000f6d6, 0x00010000, 0x0000d32d].flatMap(u32),
    ...ascii("MAKR"),
    ...new Array<number>(16).fill(0x77),
    ...ascii(PLANTED.padEnd(28, "!")),
  ];
  return Uint8Array.from([...header, ...u32(noted.length), ...table, ...body]);
}

const xyz = (x: number, y: number, z: number) => type("XYZ ", fixed(x), fixed(y), fixed(z));
const WHITE: Tag = ["wtpt", xyz(0.9642, 1, 0.8249)];
/** Adobe RGB's primaries with red and blue exchanged, so that it can't be taken for sRGB. */
const PRIMARIES: readonly Tag[] = [
  ["bXYZ", xyz(0.60974, 0.31111, 0.01947)],
  ["gXYZ", xyz(0.20528, 0.62567, 0.06087)],
  ["rXYZ", xyz(0.14919, 0.06322, 0.74457)],
];

function curves(curve: readonly number[]): Tag[] {
  return ["rTRC", "gTRC", "bTRC"].map((name) => [name, curve] as const);
}

/** A curve of 256 points that is not a power function. */
const TABLE = type(
  "curv",
  u32(256),
  Array.from(
    { length: 256 },
    (_, i) => u16(Math.round(65_535 * (1 - Math.cos(i / 255 * 1.5)) / (1 - Math.cos(1.5)))),
  ).flat(),
);

/** Device to Lab, by a grid of 2 points in each direction, with 8 bits. */
function grid(inputs: number): readonly number[] {
  const line = Array.from({ length: 256 }, (_, i) => i);
  const points = Array.from({ length: 2 ** inputs }, (_, i) => {
    const ink = i / (2 ** inputs - 1);
    return [
      Math.round(255 * (inputs === 4 ? 1 - ink : ink)),
      (37 * i + 90) % 256,
      (91 * i + 60) % 256,
    ];
  });
  const matrix = [1, 0, 0, 0, 1, 0, 0, 0, 1].flatMap(fixed);
  const many = (count: number) => Array.from({ length: count }, () => line).flat();
  return type("mft1", [inputs, 3, 2, 0], matrix, many(inputs), points.flat(), many(3));
}

/** The same with 16 bits. */
function fineGrid(): readonly number[] {
  const line = [...u16(0), ...u16(65_535)];
  const points = Array.from(
    { length: 8 },
    (_, i) => [8_000 * i, (9_000 * i + 30_000) % 65_280, (23_000 * i + 20_000) % 65_280],
  );
  const matrix = [1, 0, 0, 0, 1, 0, 0, 0, 1].flatMap(fixed);
  const many = (count: number) => Array.from({ length: count }, () => line).flat();
  return type(
    "mft2",
    [3, 3, 2, 0],
    matrix,
    u16(2),
    u16(2),
    many(3),
    points.flat().flatMap(u16),
    many(3),
  );
}

/** One profile of each kind that decoders treat differently. */
export const PROFILES = {
  "version 2, a power": profile({ version: 2 }, [
    WHITE,
    ...PRIMARIES,
    ...curves(type("curv", u32(1), u16(0x0233))),
  ]),
  "version 2, a table": profile({ version: 2 }, [WHITE, ...PRIMARIES, ...curves(TABLE)]),
  "version 4, a formula": profile({ version: 4 }, [
    WHITE,
    [
      "chad",
      type(
        "sf32",
        [1.048, 0.0229, -0.0502, 0.0296, 0.9905, -0.0171, -0.0092, 0.0151, 0.7517].flatMap(fixed),
      ),
    ],
    ...PRIMARIES,
    ...curves(
      type(
        "para",
        u16(3),
        u16(0),
        [2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045].flatMap(fixed),
      ),
    ),
  ]),
  "version 2, a grid": profile({ version: 2, connection: "Lab " }, [WHITE, ["A2B0", grid(3)]]),
  "version 2, a fine grid": profile({ version: 2, connection: "Lab " }, [WHITE, [
    "A2B0",
    fineGrid(),
  ]]),
  "version 4, grey": profile({ version: 4, space: "GRAY" }, [WHITE, [
    "kTRC",
    type("curv", u32(1), u16(0x0300)),
  ]]),
  "version 2, a printer's": profile(
    { version: 2, kind: "prtr", space: "CMYK", connection: "Lab " },
    [WHITE, ["A2B0", grid(4)]],
  ),
} as const;
