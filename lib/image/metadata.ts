/**
 * What the metadata of a picture reveals, in kinds that people understand. Nothing here decides
 * what is removed: all of it is.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { latin1, uint, uintLe } from "./headers.ts";

/** Kinds of metadata, in the order in which they are listed. */
export const METADATA_KINDS = [
  "location",
  "device",
  "time",
  "author",
  /** Titles, captions, comments, keywords. */
  "text",
  /** Smaller or other pictures, videos. */
  "preview",
  "other",
] as const;

/** One of {@linkcode METADATA_KINDS}. */
export type MetadataKind = typeof METADATA_KINDS[number];

/** EXIF tags (CIPA DC-008, TIFF 6) by the kind that they reveal. */
const TAGS: ReadonlyMap<number, MetadataKind> = new Map([
  ...[0x010f, 0x0110, 0x0131, 0x013c, 0x927c, 0xa431, 0xa432, 0xa433, 0xa434, 0xa435, 0xc614]
    .map((tag) => [tag, "device"] as const),
  ...[0x0132, 0x9003, 0x9004, 0x9010, 0x9011, 0x9012, 0x9290, 0x9291, 0x9292]
    .map((tag) => [tag, "time"] as const),
  ...[0x013b, 0x8298, 0x9c9d, 0xa430].map((tag) => [tag, "author"] as const),
  ...[0x010d, 0x010e, 0x9286, 0x9c9b, 0x9c9c, 0x9c9e, 0x9c9f].map((tag) => [tag, "text"] as const),
]);

const EXIF_IFD = 0x8769;
const GPS_IFD = 0x8825;

/** Nobody writes more directories, or more entries in one. */
const MAX_IFDS = 8;
const MAX_ENTRIES = 1_024;

/**
 * The kinds in an EXIF block (TIFF header first). Empty if it reveals none, for example if it holds
 * only the orientation; `other` if it can't be read.
 */
export function exifKinds(tiff: Uint8Array): Set<MetadataKind> {
  const found = new Set<MetadataKind>();
  const order = latin1(tiff, 0, 2);
  if (order !== "II" && order !== "MM") return found.add("other");
  const read = order === "II" ? uintLe : uint;
  const due: { at: number; kind: "main" | "exif" | "gps" | "thumbnail" }[] = [
    { at: read(tiff, 4, 4), kind: "main" },
  ];
  for (let count = 0; count < MAX_IFDS; count++) {
    const ifd = due.shift();
    if (ifd === undefined) break;
    const entries = Math.min(read(tiff, ifd.at, 2), MAX_ENTRIES);
    if (ifd.kind === "gps" && entries > 0) found.add("location");
    if (ifd.kind === "thumbnail" && entries > 0) found.add("preview");
    for (let i = 0; i < entries; i++) {
      const at = ifd.at + 2 + 12 * i;
      const tag = read(tiff, at, 2);
      if (tag === EXIF_IFD) due.push({ at: read(tiff, at + 8, 4), kind: "exif" });
      else if (tag === GPS_IFD) due.push({ at: read(tiff, at + 8, 4), kind: "gps" });
      else {
        const kind = TAGS.get(tag);
        if (kind !== undefined) found.add(kind);
      }
    }
    const next = read(tiff, ifd.at + 2 + 12 * entries, 4);
    if (ifd.kind === "main" && next !== 0) due.push({ at: next, kind: "thumbnail" });
  }
  return found;
}

/** The orientation in a TIFF block; `undefined` if it has none. */
export function exifOrientation(tiff: Uint8Array): number | undefined {
  const read = latin1(tiff, 0, 2) === "II" ? uintLe : uint;
  const ifd = read(tiff, 4, 4);
  const entries = Math.min(read(tiff, ifd, 2), 512);
  for (let i = 0; i < entries; i++) {
    const at = ifd + 2 + 12 * i;
    if (read(tiff, at, 2) === 0x0112) return read(tiff, at + 8, 2);
  }
  return undefined;
}

/** Words of XMP by the kind that they reveal. */
const WORDS: readonly (readonly [RegExp, MetadataKind])[] = [
  [/exif:GPS|photoshop:(City|State|Country)|Iptc4xmp\w+:(Location|City|Country)/, "location"],
  [/tiff:(Make|Model)|\baux:|exifEX:|xmp:CreatorTool|SerialNumber/, "device"],
  [/(Create|Modify|Metadata)Date|DateCreated|DateTimeOriginal/, "time"],
  [/dc:(creator|rights|publisher)|photoshop:(Credit|AuthorsPosition)|xmpRights:/, "author"],
  [/dc:(description|title|subject)|photoshop:(Headline|Instructions)|exif:UserComment/, "text"],
  [/xmp:Thumbnails|GContainer|Container:Directory|MotionPhoto|MicroVideo/, "preview"],
];

/** The kinds in an XMP packet. */
export function xmpKinds(xmp: Uint8Array): Set<MetadataKind> {
  const text = decoder.decode(xmp);
  const found = new Set(WORDS.flatMap(([word, kind]) => word.test(text) ? [kind] : []));
  return found.size === 0 ? found.add("other") : found;
}

const decoder = new TextDecoder("latin1");
