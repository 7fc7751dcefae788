/**
 * Pictures with metadata of every kind, each containing the same planted words, for tests that
 * check whether any of it is left.
 *
 * @module
 */
import { avif } from "./image_bytes.ts";

/** Contained in every piece of metadata that is made here. */
export const PLANTED = "planted words";

type Bytes = Uint8Array<ArrayBuffer>;

function ascii(text: string): number[] {
  return Array.from(text, (character) => character.charCodeAt(0));
}

const u16 = (n: number) => [n >>> 8 & 0xff, n & 0xff];
const u32 = (n: number) => [...u16(n >>> 16), ...u16(n & 0xffff)];
const le32 = (n: number) => u32(n).reverse();

const ASCII = 2, SHORT = 3, LONG = 4, RATIONAL = 5, UNDEFINED = 7;

interface Entry {
  readonly tag: number;
  readonly type: number;
  readonly count: number;
  /** Big-endian; up to four bytes are stored in the entry itself. */
  readonly value: readonly number[];
}

const text = (tag: number, value: string): Entry => ({
  tag,
  type: ASCII,
  count: value.length + 1,
  value: [...ascii(value), 0],
});

/** A TIFF block: main directory, EXIF, GPS, and a thumbnail. */
export function exifTiff(orientation: number): number[] {
  const out: number[] = [0x4d, 0x4d, 0, 42, ...u32(8)];
  const main: Entry[] = [
    text(0x010e, `${PLANTED} title`),
    text(0x010f, `${PLANTED} camera`),
    { tag: 0x0112, type: SHORT, count: 1, value: u16(orientation) },
    text(0x0132, "2026:11:24 12:00:00"),
    text(0x013b, `${PLANTED} artist`),
    { tag: 0x8769, type: LONG, count: 1, value: [] },
    { tag: 0x8825, type: LONG, count: 1, value: [] },
  ];
  const exif: Entry[] = [
    text(0x9003, "2026:11:24 12:00:00"),
    { tag: 0x927c, type: UNDEFINED, count: 13, value: ascii(PLANTED) },
    text(0xa431, `${PLANTED} serial`),
  ];
  const place = [...u32(52), ...u32(1), ...u32(30), ...u32(1), ...u32(0), ...u32(1)];
  const gps: Entry[] = [
    text(0x0001, "N"),
    { tag: 0x0002, type: RATIONAL, count: 3, value: place },
    text(0x0003, "E"),
    { tag: 0x0004, type: RATIONAL, count: 3, value: place },
  ];
  const thumbnail: Entry[] = [text(0x010e, `${PLANTED} thumbnail`)];
  /** Appends a directory; returns its position. */
  const write = (entries: readonly Entry[]) => {
    const start = out.length;
    let values = start + 2 + 12 * entries.length + 4;
    const behind: number[] = [];
    out.push(...u16(entries.length));
    for (const { tag, type, count, value } of entries) {
      out.push(...u16(tag), ...u16(type), ...u32(count));
      if (value.length <= 4) out.push(...[...value, 0, 0, 0, 0].slice(0, 4));
      else {
        out.push(...u32(values));
        behind.push(...value);
        values += value.length;
      }
    }
    out.push(...u32(0), ...behind);
    return start;
  };
  const point = (at: number, target: number) => out.splice(at, 4, ...u32(target));
  const mainAt = write(main);
  point(mainAt + 2 + 12 * 5 + 8, write(exif));
  point(mainAt + 2 + 12 * 6 + 8, write(gps));
  point(mainAt + 2 + 12 * main.length, write(thumbnail));
  return out;
}

/** An XMP packet. */
export const XMP_PACKET = `<x:xmpmeta xmlns:x="adobe:ns:meta/">` +
  `<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">` +
  `<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" ` +
  `xmlns:exif="http://ns.adobe.com/exif/1.0/" ` +
  `xmlns:xmp="http://ns.adobe.com/xap/1.0/" ` +
  `xmlns:tiff="http://ns.adobe.com/tiff/1.0/" exif:GPSLatitude="52,30N" ` +
  `tiff:Make="${PLANTED}" xmp:CreateDate="2026-11-24" ` +
  `dc:creator="${PLANTED}" dc:title="${PLANTED}"/>` +
  `</rdf:RDF></x:xmpmeta>`;

/** A segment of a JPEG. */
export function segment(marker: number, payload: readonly number[]): number[] {
  return [0xff, marker, ...u16(payload.length + 2), ...payload];
}

/** A JPEG of one gray block, which decodes, with a JFIF header. */
export function plainJpeg(): Bytes {
  const jfif = segment(0xe0, [...ascii("JFIF\0"), 1, 1, 0, 0, 1, 0, 1, 0, 0]);
  const dqt = segment(0xdb, [0, ...Array.from({ length: 64 }, () => 1)]);
  const frame = segment(0xc0, [8, 0, 8, 0, 8, 1, 1, 0x11, 0]);
  const lengths = [0, 1, ...Array.from({ length: 14 }, () => 0)];
  const dc = segment(0xc4, [0x00, ...lengths, 0]);
  const ac = segment(0xc4, [0x10, ...lengths, 0]);
  const scan = [...segment(0xda, [1, 1, 0, 0, 63, 0]), 0x0f];
  return Uint8Array.from([
    0xff,
    0xd8,
    ...jfif,
    ...dqt,
    ...frame,
    ...dc,
    ...ac,
    ...scan,
    0xff,
    0xd9,
  ]);
}

/** Metadata segments of every kind that applications write. */
export function jpegNotes({ orientation }: { orientation: number }): Bytes {
  const iptc = [...u16(0x1c02), 0x78, ...u16(PLANTED.length), ...ascii(PLANTED)];
  const photoshop = [...ascii("Photoshop 3.0\x008BIM"), 4, 4, 0, 0, ...u32(iptc.length), ...iptc];
  return Uint8Array.from([
    ...segment(0xe1, [...ascii("Exif\0\0"), ...exifTiff(orientation)]),
    ...segment(0xe1, [...ascii("http://ns.adobe.com/xap/1.0/\0"), ...ascii(XMP_PACKET)]),
    ...segment(0xe2, [...ascii("MPF\0"), ...ascii(PLANTED)]),
    ...segment(0xe5, ascii(PLANTED)),
    ...segment(0xed, photoshop),
    ...segment(0xfe, ascii(PLANTED)),
  ]);
}

/** A JPEG with segments after its start, and a film after its end. */
export function noted(jpeg: Uint8Array, segments: Uint8Array): Bytes {
  const film = segments.length > 100 ? ascii(`${PLANTED} film`.repeat(300)) : [];
  return Uint8Array.from([...jpeg.subarray(0, 2), ...segments, ...jpeg.subarray(2), ...film]);
}

function crc32(bytes: readonly number[]): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
}

/** A chunk of a PNG. */
export function pngChunk(name: string, payload: readonly number[]): number[] {
  const body = [...ascii(name), ...payload];
  return [...u32(payload.length), ...body, ...u32(crc32(body))];
}

/** A PNG with metadata after its header, and extra bytes after its end. */
export function pngNotes(png: Uint8Array): Bytes {
  return Uint8Array.from([
    ...png.subarray(0, 33),
    ...pngChunk("eXIf", exifTiff(1)),
    ...pngChunk("tEXt", ascii(`Comment\0${PLANTED}`)),
    ...pngChunk("iTXt", ascii(`XML:com.adobe.xmp\0\0\0\0\0${XMP_PACKET}`)),
    ...pngChunk("iTXt", ascii(`Title\0\0\0\0\0${PLANTED}`)),
    ...pngChunk("tIME", [7, 234, 11, 24, 12, 0, 0]),
    ...pngChunk("prVt", ascii(PLANTED)),
    ...png.subarray(33),
    ...ascii(PLANTED),
  ]);
}

const VP8L = [0x2f, 0, 0, 0, 0, 0x88, 0x88, 8];

function webpChunk(name: string, payload: readonly number[]): number[] {
  return [...ascii(name), ...le32(payload.length), ...payload, ...(payload.length % 2 ? [0] : [])];
}

function riff(chunks: readonly number[]): Bytes {
  return Uint8Array.from([
    ...ascii("RIFF"),
    ...le32(chunks.length + 4),
    ...ascii("WEBP"),
    ...chunks,
  ]);
}

/** A WebP of one pixel, with the extended header (VP8X). */
export function plainWebp(): Bytes {
  return riff([...webpChunk("VP8X", [0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), ...webpChunk("VP8L", VP8L)]);
}

/** The same with metadata. */
export function webpNotes(): Bytes {
  const inside = riff([
    ...webpChunk("VP8X", [0x0c, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
    ...webpChunk("VP8L", VP8L),
    ...webpChunk("EXIF", exifTiff(1)),
    ...webpChunk("XMP ", ascii(XMP_PACKET)),
    ...webpChunk("NOTE", ascii(PLANTED)),
  ]);
  return Uint8Array.from([...inside, ...ascii(PLANTED)]);
}

function gifBlocks(text: string): number[] {
  const out: number[] = [];
  for (let at = 0; at < text.length; at += 255) {
    const piece = ascii(text.slice(at, at + 255));
    out.push(piece.length, ...piece);
  }
  return [...out, 0];
}

/** A GIF with a comment and an XMP packet before its end. */
export function gifNotes(gif: Uint8Array): Bytes {
  return Uint8Array.from([
    ...gif.subarray(0, -1),
    0x21,
    0xfe,
    ...gifBlocks(PLANTED),
    0x21,
    0xff,
    11,
    ...ascii("XMP DataXMP"),
    ...gifBlocks(XMP_PACKET),
    0x21,
    0xff,
    11,
    ...ascii("SOMETHING99"),
    ...gifBlocks(PLANTED),
    0x3b,
  ]);
}

function box(kind: string, ...content: readonly (readonly number[])[]): number[] {
  const inside = content.flat();
  return [...u32(inside.length + 8), ...ascii(kind), ...inside];
}

/** Lists the boxes in a range of a well-formed file. */
function boxesOf(bytes: Uint8Array, start: number, end: number) {
  const found: { kind: string; start: number; end: number }[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  for (let at = start; at < end;) {
    const size = view.getUint32(at);
    found.push({
      kind: String.fromCharCode(...bytes.subarray(at + 4, at + 8)),
      start: at,
      end: at + size,
    });
    at += size;
  }
  return found;
}

/**
 * An AVIF with an added EXIF block and XMP packet, in a second `mdat`. The offsets in its `iloc`
 * count from the beginning of the file, so they increase by as much as `meta` grows.
 */
export function avifNotes(): Bytes {
  const file = Uint8Array.from(avif());
  const top = boxesOf(file, 0, file.length);
  const meta = top.find(({ kind }) => kind === "meta");
  if (meta === undefined) throw new Error("No meta in the AVIF");
  const inside = boxesOf(file, meta.start + 12, meta.end);
  const part = (kind: string) => {
    const found = inside.find((item) => item.kind === kind);
    if (found === undefined) throw new Error(`No ${kind} in the AVIF`);
    return file.subarray(found.start + 8, found.end);
  };
  const [iinf, iloc] = [part("iinf"), part("iloc")];
  const sizes = (iloc[4] ?? 0) << 8 | (iloc[5] ?? 0);
  if (iloc[0] !== 0 || sizes >> 12 !== 4 || (sizes >> 8 & 15) !== 4 || (sizes >> 4 & 15) !== 0) {
    throw new Error(`An iloc of another make: ${iloc.subarray(0, 8).join()}`);
  }
  const exif = [...u32(0), ...exifTiff(1)];
  const xmp = ascii(XMP_PACKET);
  const infe = (id: number, type: string, more: readonly number[]) =>
    box("infe", [2, 0, 0, 0], u16(id), u16(0), ascii(type), [0], more);
  const items = [
    ...infe(901, "Exif", []),
    ...infe(902, "mime", [...ascii("application/rdf+xml"), 0]),
  ];
  const newIinf = box("iinf", [0, 0, 0, 0], u16(((iinf[4] ?? 0) << 8 | (iinf[5] ?? 0)) + 2), [
    ...iinf.subarray(6),
    ...items,
  ]);
  const count = (iloc[6] ?? 0) << 8 | (iloc[7] ?? 0);
  const growth = items.length + 2 * 14;
  const old = iloc.slice(8);
  // Per item: id 2, data reference 2, extents 2, then offset 4 and length 4 of each extent.
  for (let at = 0, i = 0; i < count; i++) {
    const view = new DataView(old.buffer, old.byteOffset);
    const extents = view.getUint16(at + 4);
    for (let j = 0; j < extents; j++) {
      const place = at + 6 + 8 * j;
      view.setUint32(place, view.getUint32(place) + growth);
    }
    at += 6 + 8 * extents;
  }
  const dataAt = file.length + growth + 8;
  const entry = (id: number, offset: number, length: number) => [
    ...u16(id),
    ...u16(0),
    ...u16(1),
    ...u32(offset),
    ...u32(length),
  ];
  const newIloc = box("iloc", [...iloc.subarray(0, 6)], u16(count + 2), [
    ...old,
    ...entry(901, dataAt, exif.length),
    ...entry(902, dataAt + exif.length, xmp.length),
  ]);
  const newMeta = box("meta", [...file.subarray(meta.start + 8, meta.start + 12)], [
    ...inside.flatMap(({ kind, start, end }) =>
      kind === "iinf" ? newIinf : kind === "iloc" ? newIloc : [...file.subarray(start, end)]
    ),
  ]);
  const others = (from: number, to: number) => [...file.subarray(from, to)];
  return Uint8Array.from([
    ...others(0, meta.start),
    ...newMeta,
    ...others(meta.end, file.length),
    ...box("mdat", exif, xmp),
    ...box("uuid", [...ascii("0123456789abcdef"), ...ascii(PLANTED)]),
  ]);
}
