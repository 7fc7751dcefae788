/**
 * Rebuilds an AVIF from its picture alone (ISO/IEC 14496-12: boxes; 23008-12: items). Its coded
 * pixels are copied byte by byte; everything around them is written here.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { ascii, u32, Unfollowed } from "./collector.ts";
import { pictureUnits } from "./av1_units.ts";
import { gridContent, type Placed, readStill, type Still, writeStill } from "./avif_items.ts";
import { type Film, readFilm, writeFilm } from "./avif_tracks.ts";
import { ImageError } from "./errors.ts";
import { latin1 } from "./headers.ts";
import { type Box, box, boxes, children, type Span } from "./isobmff.ts";
import type { MetadataKind } from "./metadata.ts";

/** The new file, and the kinds of metadata that were left out. */
export interface Rebuilt {
  /** In order: ranges of the old file, or new bytes. */
  readonly parts: readonly (Span | Uint8Array<ArrayBuffer>)[];
  readonly removed: ReadonlySet<MetadataKind>;
}

/**
 * The brands that decoders look for in `ftyp`; which of them the file has determines whether it is
 * animated.
 */
const BRANDS: readonly string[] = (
  "avif avis mif1 msf1 miaf iso8 MA1A MA1B avio"
).split(" ");

/** Top-level boxes that are expected in an AVIF; any other one is reported as removed. */
const PLAIN: readonly string[] = ["ftyp", "meta", "moov", "mdat"];

/** Throws `Unfollowed` if the picture can't be determined with certainty; then nothing is kept. */
export function rebuildAvif(bytes: Uint8Array): Rebuilt {
  try {
    return rebuild(bytes);
  } catch (cause) {
    if (cause instanceof ImageError) throw new Unfollowed(cause.reason, { cause });
    throw cause;
  }
}

function rebuild(bytes: Uint8Array): Rebuilt {
  const top = boxes(bytes, { start: 0, end: bytes.length });
  const find = (kind: string) => top.find((found) => found.kind === kind);
  const [ftyp, meta, moov] = [find("ftyp"), find("meta"), find("moov")];
  if (ftyp === undefined) throw new ImageError("unsupported");
  const film = moov === undefined ? null : readFilm(bytes, moov);
  const still = meta === undefined || (film !== null && !hasPrimary(bytes, meta))
    ? null
    : readStill(bytes, meta);
  if (film === null && still === null) throw new ImageError("unsupported");
  const media = new Media(bytes);
  const frames = film?.tracks.map(({ samples }) => samples.map((span) => media.add([span]))) ?? [];
  const items =
    still?.items.map(({ type, spans, layered }) =>
      type === "grid" ? media.addNew(gridContent(bytes, spans)) : media.add(spans, { layered })
    ) ?? [];
  const head = (base: number) => {
    const move = ({ at, length }: Placed) => ({ at: at + base, length });
    return [
      brands(bytes, ftyp),
      still === null ? [] : writeStill(still, items.map(move)),
      film === null ? [] : writeFilm(film, frames.map((placed) => placed.map(move))),
      u32(media.size + 8),
      ascii("mdat"),
    ].flat();
  };
  // The length of the head does not depend on the numbers in it.
  const made = Uint8Array.from(head(head(0).length));
  return { parts: [made, ...media.parts], removed: leftOut(bytes, { top, film, still, media }) };
}

function hasPrimary(bytes: Uint8Array, meta: Box): boolean {
  return children(bytes, meta, 4).some(({ kind }) => kind === "pitm");
}

function brands(bytes: Uint8Array, ftyp: Box): number[] {
  const count = Math.min((ftyp.end - ftyp.start) >>> 2, 64);
  const said = Array.from({ length: count }, (_, i) => latin1(bytes, ftyp.start + 4 * i, 4));
  // The second entry is a version.
  const [major = ""] = said.splice(0, 2);
  const kept = BRANDS.filter((brand) => said.includes(brand) || brand === major);
  const first = BRANDS.includes(major) ? major : kept[0] ?? "avif";
  return box("ftyp", ascii(first), u32(0), kept.flatMap(ascii));
}

function leftOut(
  bytes: Uint8Array,
  { top, film, still, media }: {
    top: readonly Box[];
    film: Film | null;
    still: Still | null;
    media: Media;
  },
): ReadonlySet<MetadataKind> {
  const removed = new Set([...film?.removed ?? [], ...still?.removed ?? []]);
  if (film === null && top.some(({ kind }) => kind === "moov")) removed.add("preview");
  // Zeros are padding that an earlier cleaner left.
  const isSaid = ({ start, end }: Span) => bytes.subarray(start, end).some((byte) => byte !== 0);
  const rest = { start: top.at(-1)?.end ?? 0, end: bytes.length };
  const beside = top.filter(({ kind }) => !PLAIN.includes(kind));
  if (media.leftOut || [...beside, rest].some(isSaid)) removed.add("other");
  return removed;
}

/** Collects the content of `mdat`; equal ranges only once. */
class Media {
  readonly parts: (Span | Uint8Array<ArrayBuffer>)[] = [];
  size = 0;
  /** True if units were left out that are no part of the picture. */
  leftOut = false;
  readonly #bytes: Uint8Array;
  #read = 0;
  readonly #places = new Map<string, Placed>();

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /**
   * Adds coded pixels. Throws `unsupported` if a span does not consist of whole units, if all spans
   * together are longer than the file, or if units of a layered item would have to be left out.
   */
  add(spans: readonly Span[], { layered = false } = {}): Placed {
    const key = spans.map(({ start, end }) => `${start}-${end}`).join();
    const known = this.#places.get(key);
    if (known !== undefined) return known;
    for (const { start, end } of spans) this.#read += end - start;
    // Overlapping spans could turn a small file into a very large one, or into hours of work.
    if (this.#read > this.#bytes.length) throw new ImageError("unsupported");
    const kept = joined(spans).flatMap((span) => {
      const units = pictureUnits(this.#bytes, span);
      const isWhole = units.length === 1 && units[0]?.start === span.start &&
        units[0].end === span.end;
      if (!isWhole) this.leftOut = true;
      if (layered && !isWhole) throw new ImageError("unsupported");
      return units;
    });
    const length = kept.reduce((sum, { start, end }) => sum + end - start, 0);
    return this.#place(key, { parts: kept, length });
  }

  /** Adds new bytes. */
  addNew(content: readonly number[]): Placed {
    const key = `new ${content.join()}`;
    const made = Uint8Array.from(content);
    return this.#places.get(key) ?? this.#place(key, { parts: [made], length: made.length });
  }

  #place(
    key: string,
    { parts, length }: {
      parts: readonly (Span | Uint8Array<ArrayBuffer>)[];
      length: number;
    },
  ): Placed {
    const placed = { at: this.size, length };
    this.#places.set(key, placed);
    this.parts.push(...parts);
    this.size += length;
    return placed;
  }
}

/** Joins adjacent spans. */
function joined(spans: readonly Span[]): Span[] {
  const made: Span[] = [];
  for (const span of spans) {
    const last = made.at(-1);
    if (last?.end === span.start) made[made.length - 1] = { start: last.start, end: span.end };
    else made.push(span);
  }
  return made;
}
