/**
 * The still picture of an AVIF: finds the items of its `meta` box (ISO/IEC 23008-12) that make up
 * the picture.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { ascii, u32 } from "./collector.ts";
import { alphaName, knownProperty } from "./avif_properties.ts";
import { ImageError } from "./errors.ts";
import { latin1, uint } from "./headers.ts";
import {
  type Box,
  box,
  children,
  Cursor,
  fullBox,
  handler,
  MAX_COUNT,
  type Span,
  u16,
} from "./isobmff.ts";
import { exifKinds, type MetadataKind, xmpKinds } from "./metadata.ts";

/** Position of some bytes in the new file. */
export interface Placed {
  readonly at: number;
  readonly length: number;
}

/** An item that is kept. */
export interface PictureItem {
  readonly type: "av01" | "grid";
  readonly hidden: boolean;
  /** Where its bytes are, in order. */
  readonly spans: readonly Span[];
  readonly properties: readonly { readonly box: readonly number[]; readonly essential: boolean }[];
  /** The sizes of its layers are given in bytes, so nothing may be removed from them. */
  readonly layered: boolean;
}

/** The picture, and the links between its items, given as indexes into `items`. */
export interface Still {
  readonly items: readonly PictureItem[];
  readonly primary: number;
  readonly links: readonly {
    readonly kind: string;
    readonly from: number;
    readonly to: readonly number[];
  }[];
  readonly removed: ReadonlySet<MetadataKind>;
}

/** Links within a picture: tiles, transparency, and whether colors are premultiplied with it. */
const LINKS: readonly string[] = ["dimg", "auxl", "prem"];

/** Item names that encoders write by default. */
const USUAL_NAMES: readonly string[] = ["", "Color", "Alpha"];

interface Entry {
  readonly id: number;
  readonly type: string;
  readonly name: string;
  readonly hidden: boolean;
}

interface Link {
  readonly kind: string;
  readonly from: number;
  readonly to: readonly number[];
}

/** Finds the picture. Throws `ImageError` if that is not possible with certainty. */
export function readStill(bytes: Uint8Array, meta: Box): Still {
  const inside = children(bytes, meta, 4);
  const find = (kind: string) => inside.find((found) => found.kind === kind);
  const need = (kind: string) => {
    const found = find(kind);
    if (found === undefined) throw new ImageError("unsupported");
    return found;
  };
  const entries = readEntries(bytes, need("iinf"));
  const places = locate(bytes, { iloc: need("iloc"), idat: find("idat") });
  const iref = find("iref");
  const links = iref === undefined ? [] : readLinks(bytes, iref);
  const owned = readProperties(bytes, need("iprp"));
  const isAlpha = (id: number) =>
    owned.get(id)?.some(({ property }) =>
      property.kind === "auxC" && alphaName(bytes, property) !== null
    ) === true;
  const primary = readPrimary(bytes, need("pitm"));
  const wanted = pictureIds(primary, { entries, links, isAlpha });
  const kept = entries.filter(({ id }) => wanted.has(id));
  const ids = kept.map(({ id }) => id);
  const removed = new Set<MetadataKind>();
  const items = kept.map((entry) => {
    const { spans, lost } = places.get(entry.id) ?? { spans: [], lost: true };
    if (lost || spans.length === 0) throw new ImageError("unsupported");
    if (!USUAL_NAMES.includes(entry.name)) removed.add("text");
    return toItem(bytes, { entry, spans, owned: owned.get(entry.id) ?? [], removed });
  });
  for (const entry of entries) {
    if (wanted.has(entry.id)) continue;
    for (const kind of leftOut(bytes, entry, places.get(entry.id)?.spans ?? [])) removed.add(kind);
  }
  const known = links.filter(({ kind, from }) => LINKS.includes(kind) && wanted.has(from)).map((
    { kind, from, to },
  ) => ({
    kind,
    from: ids.indexOf(from),
    to: to.filter((id) => wanted.has(id)).map((id) => ids.indexOf(id)),
  })).filter(({ to }) => to.length > 0);
  return { items, primary: ids.indexOf(primary), links: known, removed };
}

function readPrimary(bytes: Uint8Array, pitm: Box): number {
  const cursor = new Cursor(bytes, pitm);
  const wide = cursor.take(4) >= 2 ** 24;
  return cursor.take(wide ? 4 : 2);
}

/** Ids of the primary item, its tiles, and the transparency of either. */
function pictureIds(
  primary: number,
  { entries, links, isAlpha }: {
    entries: readonly Entry[];
    links: readonly Link[];
    isAlpha: (id: number) => boolean;
  },
): ReadonlySet<number> {
  const types = new Map(entries.map(({ id, type }) => [id, type]));
  const wanted = new Set<number>();
  const add = (id: number) => {
    const type = types.get(id);
    if (type !== "av01" && type !== "grid") throw new ImageError("unsupported");
    wanted.add(id);
    if (type !== "grid") return;
    for (const { to } of links.filter(({ kind, from }) => kind === "dimg" && from === id)) {
      for (const tile of to) {
        if (types.get(tile) !== "av01") throw new ImageError("unsupported");
        wanted.add(tile);
      }
    }
  };
  add(primary);
  const seen = new Set<number>();
  const colours = new Set(wanted);
  for (const { kind, from, to } of links) {
    if (kind !== "auxl" || !isAlpha(from)) continue;
    // If one picture has several alpha items, decoders use the first.
    const of = to.filter((id) => colours.has(id) && !seen.has(id));
    if (of.length === 0) continue;
    add(from);
    for (const id of of) seen.add(id);
  }
  return wanted;
}

function toItem(
  bytes: Uint8Array,
  { entry, spans, owned, removed }: {
    entry: Entry;
    spans: readonly Span[];
    owned: readonly Owned[];
    removed: Set<MetadataKind>;
  },
): PictureItem {
  const properties = owned.flatMap(({ property, essential }) => {
    const known = knownProperty(bytes, property);
    if (known !== null) return [{ box: known, essential }];
    // Decoders don't show an item with an essential property that they don't know.
    if (essential) throw new ImageError("unsupported");
    if (property.kind !== "colr") removed.add(PROPERTY_KINDS.get(property.kind) ?? "other");
    return [];
  });
  return {
    type: entry.type === "grid" ? "grid" : "av01",
    hidden: entry.hidden,
    spans,
    properties,
    layered: owned.some(({ property }) => property.kind === "a1lx"),
  };
}

/** Properties that are descriptions or times. */
const PROPERTY_KINDS: ReadonlyMap<string, MetadataKind> = new Map([
  ["udes", "text"],
  ["altt", "text"],
  ["crtt", "time"],
  ["mdft", "time"],
]);

function leftOut(
  bytes: Uint8Array,
  { type }: Entry,
  spans: readonly Span[],
): Iterable<MetadataKind> {
  const [span] = spans;
  if (span === undefined) return ["other"];
  const content = bytes.subarray(span.start, span.end);
  // EXIF begins with the offset of its TIFF header.
  if (type === "Exif") return exifKinds(content.subarray(4 + uint(content, 0, 4)));
  if (type === "mime") return xmpKinds(content);
  return type === "uri " ? ["other"] : ["preview"];
}

function readEntries(bytes: Uint8Array, { start, end }: Box): Entry[] {
  const first = start + 4 + ((bytes[start] ?? 0) === 0 ? 2 : 4);
  return children(bytes, { start: first, end }).flatMap((found) => {
    if (found.kind !== "infe") return [];
    const cursor = new Cursor(bytes, found);
    const version = cursor.take(1);
    const flags = cursor.take(3);
    if (version < 2) return [];
    const id = cursor.take(version === 2 ? 2 : 4);
    cursor.skip(2);
    return [{ id, type: cursor.word(), name: cursor.text(), hidden: (flags & 1) === 1 }];
  });
}

function readLinks(bytes: Uint8Array, iref: Box): Link[] {
  const wide = (bytes[iref.start] ?? 0) === 0 ? 2 : 4;
  let total = 0;
  return children(bytes, iref, 4).map((found) => {
    const cursor = new Cursor(bytes, found);
    const from = cursor.take(wide);
    const count = cursor.take(2);
    total += count;
    if (total > MAX_COUNT) throw new ImageError("unsupported");
    return { kind: found.kind, from, to: Array.from({ length: count }, () => cursor.take(wide)) };
  });
}

interface Owned {
  readonly property: Box;
  readonly essential: boolean;
}

/** The properties of each item, in the order in which they apply. */
function readProperties(bytes: Uint8Array, iprp: Box): Map<number, Owned[]> {
  const parts = children(bytes, iprp);
  const ipco = parts.find(({ kind }) => kind === "ipco");
  const all = ipco === undefined ? [] : children(bytes, ipco);
  const owned = new Map<number, Owned[]>();
  let total = 0;
  for (const ipma of parts.filter(({ kind }) => kind === "ipma")) {
    const cursor = new Cursor(bytes, ipma);
    const version = cursor.take(1);
    const large = (cursor.take(3) & 1) === 1;
    const count = cursor.take(4);
    for (let i = 0; i < count; i++) {
      const id = cursor.take(version === 0 ? 2 : 4);
      const list = owned.get(id) ?? [];
      for (let left = cursor.take(1); left > 0; left--) {
        const said = cursor.take(large ? 2 : 1);
        const top = large ? 0x8000 : 0x80;
        const property = all[(said & (top - 1)) - 1];
        if (++total > 4 * MAX_COUNT) throw new ImageError("unsupported");
        if (property !== undefined) list.push({ property, essential: (said & top) !== 0 });
        else if (said > top) throw new ImageError("unsupported");
      }
      owned.set(id, list);
      if (owned.size > MAX_COUNT) throw new ImageError("unsupported");
    }
  }
  return owned;
}

interface Located {
  readonly spans: readonly Span[];
  /** The bytes are in a place that is not supported, or beyond the end of the file. */
  readonly lost: boolean;
}

/**
 * Where the bytes of each item are: in the file (method 0) or in `idat` (1). No browser shows items
 * constructed from other items (2).
 */
function locate(
  bytes: Uint8Array,
  { iloc, idat }: { iloc: Box; idat: Box | undefined },
): Map<number, Located> {
  const cursor = new Cursor(bytes, iloc);
  const version = cursor.take(1);
  cursor.skip(3);
  const sizes = cursor.take(2);
  const [offsetSize, lengthSize, baseSize] = [sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15];
  const indexSize = version === 0 ? 0 : sizes & 15;
  if ([offsetSize, lengthSize, baseSize, indexSize].some((size) => size % 4 !== 0 || size > 8)) {
    throw new ImageError("unsupported");
  }
  const wide = version === 2 ? 4 : 2;
  const found = new Map<number, Located>();
  let total = 0;
  for (let left = cursor.take(wide); left > 0; left--) {
    const id = cursor.take(wide);
    const method = version === 0 ? 0 : cursor.take(2) & 15;
    cursor.skip(2);
    const base = cursor.take(baseSize);
    const extents = cursor.take(2);
    const within = method === 0 ? { start: 0, end: bytes.length } : method === 1 ? idat : undefined;
    const spans: Span[] = [];
    let lost = within === undefined;
    for (let i = 0; i < extents; i++) {
      cursor.skip(indexSize);
      const start = (within?.start ?? 0) + base + cursor.take(offsetSize);
      const length = cursor.take(lengthSize);
      const stop = within?.end ?? 0;
      // A length of 0 means everything that is left.
      const end = length === 0 ? stop : start + length;
      if (start > end || end > stop) lost = true;
      else if (end > start) spans.push({ start, end });
      if (++total > MAX_COUNT) throw new ImageError("unsupported");
    }
    if (!found.has(id)) found.set(id, { spans: lost ? [] : spans, lost });
  }
  return found;
}

/** The properties of the primary item, whatever codec it has. */
export function itemFacts(bytes: Uint8Array, meta: Box): readonly Box[] {
  const find = (kind: string) => children(bytes, meta, 4).find((found) => found.kind === kind);
  const [pitm, iprp] = [find("pitm"), find("iprp")];
  if (pitm === undefined || iprp === undefined) throw new ImageError("unsupported");
  const owned = readProperties(bytes, iprp).get(readPrimary(bytes, pitm)) ?? [];
  return owned.map(({ property }) => property);
}

/** The kinds of metadata in EXIF and XMP items. */
export function itemNotes(bytes: Uint8Array, meta: Box): ReadonlySet<MetadataKind> {
  const find = (kind: string) => children(bytes, meta, 4).find((found) => found.kind === kind);
  const [iinf, iloc] = [find("iinf"), find("iloc")];
  const told = new Set<MetadataKind>();
  if (iinf === undefined || iloc === undefined) return told;
  const places = locate(bytes, { iloc, idat: find("idat") });
  for (const entry of readEntries(bytes, iinf)) {
    if (!["Exif", "mime"].includes(entry.type)) continue;
    for (const kind of leftOut(bytes, entry, places.get(entry.id)?.spans ?? [])) told.add(kind);
  }
  return told;
}

/** A grid's own bytes: rows, columns, size. They are rewritten, so that their length is exact. */
export function gridContent(bytes: Uint8Array, spans: readonly Span[]): number[] {
  const content = spans.flatMap(({ start, end }) => [
    ...bytes.subarray(start, Math.min(end, start + 12)),
  ]);
  const length = (content[1] ?? 0) & 1 ? 12 : 8;
  if (content.length < length) throw new ImageError("truncated");
  return [0, (content[1] ?? 0) & 1, ...content.slice(2, length)];
}

/** The new `meta`. `placed` is where each item's bytes are in the new file. */
export function writeStill(still: Still, placed: readonly Placed[]): number[] {
  const { items, primary, links } = still;
  const boxesOnce: (readonly number[])[] = [];
  const numbers = new Map<string, number>();
  const number = (property: readonly number[]) => {
    const key = latin1Of(property);
    const known = numbers.get(key);
    if (known !== undefined) return known;
    boxesOnce.push(property);
    numbers.set(key, boxesOnce.length);
    return boxesOnce.length;
  };
  const owned = items.map(({ properties }) =>
    properties.map(({ box, essential }) => ({ index: number(box), essential }))
  );
  const large = boxesOnce.length > 127;
  const associations = owned.map((list, i) =>
    [
      u16(i + 1),
      [list.length],
      list.flatMap(({ index, essential }) =>
        large ? u16(index | (essential ? 0x8000 : 0)) : [index | (essential ? 0x80 : 0)]
      ),
    ].flat()
  );
  return fullBox(
    "meta",
    {},
    handler("pict"),
    fullBox("pitm", {}, u16(primary + 1)),
    fullBox(
      "iloc",
      {},
      [0x44, 0],
      u16(items.length),
      placed.flatMap(({ at, length }, i) => [u16(i + 1), u16(0), u16(1), u32(at), u32(length)])
        .flat(),
    ),
    fullBox(
      "iinf",
      {},
      u16(items.length),
      items.flatMap(({ type, hidden }, i) =>
        fullBox("infe", { version: 2, flags: hidden ? 1 : 0 }, u16(i + 1), u16(0), ascii(type), [0])
      ),
    ),
    links.length === 0 ? [] : fullBox(
      "iref",
      {},
      links.flatMap(({ kind, from, to }) =>
        box(kind, u16(from + 1), u16(to.length), to.flatMap((index) => u16(index + 1)))
      ),
    ),
    box(
      "iprp",
      box("ipco", boxesOnce.flat()),
      fullBox("ipma", { flags: large ? 1 : 0 }, u32(items.length), associations.flat()),
    ),
  );
}

function latin1Of(numbers: readonly number[]): string {
  // In pieces, because a call accepts only so many arguments.
  const bytes = Uint8Array.from(numbers);
  let text = "";
  for (let at = 0; at < bytes.length; at += 4_096) text += latin1(bytes, at, 4_096);
  return text;
}
