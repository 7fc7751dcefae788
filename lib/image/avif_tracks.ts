/**
 * The animation of an AVIF: finds the tracks of its `moov` box (ISO/IEC 14496-12) that hold the
 * picture and its transparency.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { u32 } from "./collector.ts";
import type { Placed } from "./avif_items.ts";
import { alphaName, knownProperty } from "./avif_properties.ts";
import { ImageError } from "./errors.ts";
import { latin1, uint } from "./headers.ts";
import {
  type Box,
  box,
  child,
  children,
  Cursor,
  fullBox,
  handler,
  MAX_COUNT,
  type Span,
} from "./isobmff.ts";
import type { MetadataKind } from "./metadata.ts";

/** Maximum number of samples: over half an hour at 30 frames per second. */
const MAX_SAMPLES = 65_536;

/** Durations are copied as they are written, in 8 bytes: the largest one means “forever”. */
type Duration = readonly number[];

/** A track that is kept. */
export interface PictureTrack {
  readonly handler: "pict" | "vide" | "auxv";
  readonly flags: number;
  readonly duration: Duration;
  /** Fixed point, 16.16. */
  readonly width: readonly number[];
  readonly height: readonly number[];
  /** The edit list, which determines how often the track is played. */
  readonly edit: { readonly flags: number; readonly content: readonly number[] } | null;
  readonly timescale: number;
  readonly mediaDuration: Duration;
  /** The single box in `stsd`. */
  readonly entry: readonly number[];
  readonly durations: readonly { readonly count: number; readonly delta: number }[];
  /** Frames that don't depend on others, counted from 1; `null` = all. */
  readonly sync: readonly number[] | null;
  readonly samples: readonly Span[];
  /** Kind of the link, and its target as an index into `tracks`. */
  readonly links: readonly { readonly kind: string; readonly to: number }[];
}

/** The tracks, and the kinds of metadata found beside them. */
export interface Film {
  readonly timescale: number;
  readonly duration: Duration;
  readonly tracks: readonly PictureTrack[];
  readonly removed: ReadonlySet<MetadataKind>;
}

interface Found {
  readonly id: number;
  readonly kind: string;
  readonly trak: Box;
  readonly entry: Box | undefined;
  /** The tracks that it refers to, by kind. */
  readonly links: readonly { readonly kind: string; readonly to: number }[];
}

/**
 * Finds the picture's tracks; `null` if there are none. Throws `ImageError` if one can't be parsed.
 */
export function readFilm(bytes: Uint8Array, moov: Box): Film | null {
  const removed = new Set<MetadataKind>();
  const inside = children(bytes, moov);
  const mvhd = inside.find(({ kind }) => kind === "mvhd");
  if (mvhd === undefined) throw new ImageError("unsupported");
  const found = inside.filter(({ kind }) => kind === "trak").map((trak) => lookAt(bytes, trak));
  const isPicture = ({ kind, entry, links }: Found) =>
    (kind === "pict" || kind === "vide") && entry !== undefined &&
    !links.some((link) => link.kind === "auxl");
  const colour = found.find(isPicture);
  if (colour === undefined) return null;
  const alpha = found.find(({ entry, links }) =>
    entry !== undefined && isAlpha(bytes, entry) &&
    links.some(({ kind, to }) => kind === "auxl" && to === colour.id)
  );
  const kept = found.filter((track) => track === colour || track === alpha);
  for (const track of found) {
    if (!kept.includes(track)) removed.add(track.kind === "soun" ? "other" : "preview");
  }
  const noted = [...inside, ...kept.flatMap(({ trak }) => children(bytes, trak))];
  if (noted.some(({ kind }) => ["udta", "meta", "uuid"].includes(kind))) removed.add("other");
  const header = new Cursor(bytes, mvhd);
  const version = header.take(1);
  header.skip(3);
  if (readTimes(header, version)) removed.add("time");
  const timescale = header.take(4);
  const duration = readDuration(header, version);
  const ids = kept.map(({ id }) => id);
  const tracks = kept.map((track) => readTrack(bytes, track, { ids, removed }));
  return { timescale, duration, tracks, removed };
}

/** Reads creation and modification time; returns true if one is set. */
function readTimes(cursor: Cursor, version: number): boolean {
  return cursor.raw(version === 1 ? 16 : 8).some((byte) => byte !== 0);
}

function readDuration(cursor: Cursor, version: number): Duration {
  if (version === 1) return cursor.raw(8);
  const short = cursor.raw(4);
  // All ones mean “unknown” in either length.
  const fill = short.every((byte) => byte === 0xff) ? 0xff : 0;
  return [fill, fill, fill, fill, ...short];
}

function lookAt(bytes: Uint8Array, trak: Box): Found {
  const tkhd = need(bytes, trak, "tkhd");
  const hdlr = child(bytes, need(bytes, trak, "mdia"), "hdlr");
  const tref = child(bytes, trak, "tref");
  const version = bytes[tkhd.start] ?? 0;
  const stsd = find(bytes, trak, ["mdia", "minf", "stbl", "stsd"]);
  const entries = stsd === undefined ? [] : children(bytes, stsd, 8);
  return {
    id: uint(bytes, tkhd.start + 4 + (version === 1 ? 16 : 8), 4),
    kind: hdlr === undefined ? "" : latin1(bytes, hdlr.start + 8, 4),
    trak,
    // With several entries, each sample would have to name its own.
    entry: entries.length === 1 && entries[0]?.kind === "av01" ? entries[0] : undefined,
    links: tref === undefined ? [] : children(bytes, tref).flatMap((link) => {
      const count = Math.min((link.end - link.start) >>> 2, MAX_COUNT);
      return Array.from({ length: count }, (_, i) => ({
        kind: link.kind,
        to: uint(bytes, link.start + 4 * i, 4),
      }));
    }),
  };
}

function isAlpha(bytes: Uint8Array, entry: Box): boolean {
  const auxi = children(bytes, entry, ENTRY_BYTES).find(({ kind }) => kind === "auxi");
  // Older encoders mark transparency only by the reference.
  return auxi === undefined || alphaName(bytes, auxi) !== null;
}

function find(bytes: Uint8Array, from: Box, path: readonly string[]): Box | undefined {
  let at: Box | undefined = from;
  for (const kind of path) at = at === undefined ? undefined : child(bytes, at, kind);
  return at;
}

function need(bytes: Uint8Array, from: Box, ...path: readonly string[]): Box {
  const found = find(bytes, from, path);
  if (found === undefined) throw new ImageError("unsupported");
  return found;
}

function readTrack(
  bytes: Uint8Array,
  { trak, kind, entry, links }: Found,
  { ids, removed }: { ids: readonly number[]; removed: Set<MetadataKind> },
): PictureTrack {
  if (entry === undefined) throw new ImageError("unsupported");
  const tkhd = new Cursor(bytes, need(bytes, trak, "tkhd"));
  const version = tkhd.take(1);
  const flags = tkhd.take(3) & 7;
  let timed = readTimes(tkhd, version);
  tkhd.skip(8);
  const duration = readDuration(tkhd, version);
  // Skips layer, group, volume and the matrix. Rotation is in the picture's `irot`.
  tkhd.skip(16 + 36);
  const [width, height] = [tkhd.raw(4), tkhd.raw(4)];
  const mdhd = new Cursor(bytes, need(bytes, trak, "mdia", "mdhd"));
  const mediaVersion = mdhd.take(1);
  mdhd.skip(3);
  timed = readTimes(mdhd, mediaVersion) || timed;
  if (timed) removed.add("time");
  const timescale = mdhd.take(4);
  const mediaDuration = readDuration(mdhd, mediaVersion);
  const stbl = need(bytes, trak, "mdia", "minf", "stbl");
  const samples = readSamples(bytes, stbl);
  return {
    handler: kind === "pict" || kind === "vide" ? kind : "auxv",
    flags,
    duration,
    width,
    height,
    edit: readEdit(bytes, trak),
    timescale,
    mediaDuration,
    entry: sampleEntry(bytes, entry),
    durations: readDurations(bytes, need(bytes, stbl, "stts")),
    sync: readSync(bytes, child(bytes, stbl, "stss")),
    samples,
    links: links.filter(({ kind, to }) => ["auxl", "prem"].includes(kind) && ids.includes(to))
      .map(({ kind, to }) => ({ kind, to: ids.indexOf(to) })),
  };
}

/** A single edit over the whole track with the repeat flag: this is how AVIF stores loops. */
function readEdit(bytes: Uint8Array, trak: Box): PictureTrack["edit"] {
  const elst = find(bytes, trak, ["edts", "elst"]);
  if (elst === undefined) return null;
  const cursor = new Cursor(bytes, elst);
  const version = cursor.take(1);
  const flags = cursor.take(3) & 1;
  if (cursor.take(4) !== 1) return null;
  const duration = readDuration(cursor, version);
  const time = cursor.raw(version === 1 ? 8 : 4);
  const sign = (time[0] ?? 0) & 0x80 ? 0xff : 0;
  const fill = new Array<number>(8 - time.length).fill(sign);
  return { flags, content: [...duration, ...fill, ...time, 0, 1, 0, 0] };
}

/** Length of the fields before the boxes of a visual sample entry. */
const ENTRY_BYTES = 78;

function sampleEntry(bytes: Uint8Array, entry: Box): number[] {
  const cursor = new Cursor(bytes, entry);
  cursor.skip(24);
  const size = cursor.raw(4);
  const properties = children(bytes, entry, ENTRY_BYTES).flatMap((property) =>
    knownProperty(bytes, property) ?? []
  );
  return box(
    "av01",
    [0, 0, 0, 0, 0, 0, 0, 1],
    new Array<number>(16).fill(0),
    size,
    // 72 dpi, one frame per sample, no name, 24 bits, no color table.
    [0, 72, 0, 0, 0, 72, 0, 0, 0, 0, 0, 0, 0, 1],
    new Array<number>(32).fill(0),
    [0, 24, 0xff, 0xff],
    properties,
  );
}

function readDurations(bytes: Uint8Array, stts: Box): PictureTrack["durations"] {
  const cursor = new Cursor(bytes, stts);
  cursor.skip(4);
  const count = bounded(cursor.take(4));
  return Array.from({ length: count }, () => ({ count: cursor.take(4), delta: cursor.take(4) }));
}

function readSync(bytes: Uint8Array, stss: Box | undefined): readonly number[] | null {
  if (stss === undefined) return null;
  const cursor = new Cursor(bytes, stss);
  cursor.skip(4);
  return Array.from({ length: bounded(cursor.take(4)) }, () => cursor.take(4));
}

function bounded(count: number): number {
  if (count > MAX_SAMPLES) throw new ImageError("unsupported");
  return count;
}

function readSamples(bytes: Uint8Array, stbl: Box): Span[] {
  const sizes = readSizes(bytes, need(bytes, stbl, "stsz"));
  const chunks = readChunks(bytes, stbl);
  const runs = readRuns(bytes, need(bytes, stbl, "stsc"));
  const samples: Span[] = [];
  let run = 0;
  for (let chunk = 0; chunk < chunks.length && samples.length < sizes.length; chunk++) {
    while ((runs[run + 1]?.first ?? Infinity) <= chunk + 1) run++;
    const each = runs[run]?.count ?? 0;
    let at = chunks[chunk] ?? 0;
    for (let i = 0; i < each && samples.length < sizes.length; i++) {
      const end = at + (sizes[samples.length] ?? 0);
      if (end > bytes.length) throw new ImageError("truncated");
      samples.push({ start: at, end });
      at = end;
    }
  }
  if (samples.length === 0 || samples.length < sizes.length) throw new ImageError("unsupported");
  return samples;
}

function readSizes(bytes: Uint8Array, stsz: Box): number[] {
  const cursor = new Cursor(bytes, stsz);
  cursor.skip(4);
  const same = cursor.take(4);
  const count = bounded(cursor.take(4));
  return Array.from({ length: count }, () => same === 0 ? cursor.take(4) : same);
}

function readChunks(bytes: Uint8Array, stbl: Box): number[] {
  const short = child(bytes, stbl, "stco");
  const cursor = new Cursor(bytes, short ?? need(bytes, stbl, "co64"));
  cursor.skip(4);
  const count = bounded(cursor.take(4));
  return Array.from({ length: count }, () => cursor.take(short === undefined ? 8 : 4));
}

function readRuns(bytes: Uint8Array, stsc: Box): { first: number; count: number }[] {
  const cursor = new Cursor(bytes, stsc);
  cursor.skip(4);
  const count = bounded(cursor.take(4));
  return Array.from({ length: count }, () => {
    const run = { first: cursor.take(4), count: cursor.take(4) };
    cursor.skip(4);
    return run;
  });
}

/** Identity: not rotated, not scaled. */
// deno-fmt-ignore
const MATRIX = [
  0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0,
  0, 0, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0,
];

const NO_TIMES = new Array<number>(16).fill(0);

/**
 * The new `moov`. `placed` is where each track's samples are in the new file; each sample is a
 * chunk of its own.
 */
export function writeFilm(film: Film, placed: readonly (readonly Placed[])[]): number[] {
  const { timescale, duration, tracks } = film;
  return box(
    "moov",
    fullBox(
      "mvhd",
      { version: 1 },
      NO_TIMES,
      u32(timescale),
      duration,
      [0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
      MATRIX,
      new Array<number>(24).fill(0),
      u32(tracks.length + 1),
    ),
    tracks.flatMap((track, i) => writeTrack(track, { id: i + 1, placed: placed[i] ?? [] })),
  );
}

function writeTrack(
  track: PictureTrack,
  { id, placed }: { id: number; placed: readonly Placed[] },
): number[] {
  const { edit, links } = track;
  return box(
    "trak",
    fullBox(
      "tkhd",
      { version: 1, flags: track.flags },
      NO_TIMES,
      u32(id),
      u32(0),
      track.duration,
      new Array<number>(16).fill(0),
      MATRIX,
      track.width,
      track.height,
    ),
    links.length === 0 ? [] : box("tref", links.flatMap(({ kind, to }) => box(kind, u32(to + 1)))),
    edit === null
      ? []
      : box("edts", fullBox("elst", { version: 1, flags: edit.flags }, u32(1), edit.content)),
    box(
      "mdia",
      fullBox(
        "mdhd",
        { version: 1 },
        NO_TIMES,
        u32(track.timescale),
        track.mediaDuration,
        // No language.
        [0x55, 0xc4, 0, 0],
      ),
      handler(track.handler),
      box(
        "minf",
        fullBox("vmhd", { flags: 1 }, new Array<number>(8).fill(0)),
        box("dinf", fullBox("dref", {}, u32(1), fullBox("url ", { flags: 1 }))),
        writeSamples(track, placed),
      ),
    ),
  );
}

function writeSamples(track: PictureTrack, placed: readonly Placed[]): number[] {
  const { entry, durations, sync } = track;
  const times = durations.flatMap(({ count, delta }) => [...u32(count), ...u32(delta)]);
  return box(
    "stbl",
    fullBox("stsd", {}, u32(1), entry),
    fullBox("stts", {}, u32(durations.length), times),
    sync === null ? [] : fullBox("stss", {}, u32(sync.length), sync.flatMap(u32)),
    fullBox("stsc", {}, u32(1), u32(1), u32(1), u32(1)),
    fullBox("stsz", {}, u32(0), u32(placed.length), placed.flatMap(({ length }) => u32(length))),
    fullBox("stco", {}, u32(placed.length), placed.flatMap(({ at }) => u32(at))),
  );
}
