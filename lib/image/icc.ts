/**
 * Removes identifying data from ICC profiles (ICC.1:2022, ICC.1:2001-04 for version 2): display,
 * owner, maker, date. What determines colors stays, bit by bit.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { ascii, u32 } from "./collector.ts";
import { latin1, uint } from "./headers.ts";

const HEADER = 128;
const ENTRY = 12;

/** Printer profiles have half a megabyte; nobody needs more. */
const MAX_BYTES = 4 * 1024 * 1024;
const MAX_TAGS = 256;

/** The tags that colors are calculated from. */
const TAGS: readonly string[] = (
  "wtpt chad rXYZ gXYZ bXYZ rTRC gTRC bTRC kTRC cicp A2B0 A2B1 A2B2 B2A0 B2A1 B2A2 gamt"
).split(" ");

/** Classes of profiles that pictures have: scanner, display, printer, color space. */
const CLASSES: readonly string[] = ["scnr", "mntr", "prtr", "spac"];
const SPACES: readonly string[] = ["RGB ", "GRAY", "CMYK"];

/**
 * The only illuminant that a profile may have, in s15Fixed16; decoders refuse values far from it.
 */
const D50 = [0x0000f6d6, 0x00010000, 0x0000d32d];
const NEAR = 0x0290;

/** The name of every profile that is sent. */
export const NAME = "ICC profile";
const COPYRIGHT = "None";

/**
 * The profile reduced to what determines colors; a profile returned by this function stays the
 * same. `null` if the profile can't be parsed, because decoders may then read it differently.
 */
export function neutralProfile(bytes: Uint8Array): Uint8Array<ArrayBuffer> | null {
  const size = uint(bytes, 0, 4);
  if (size < HEADER + 4 || size > bytes.length || size > MAX_BYTES) return null;
  const profile = bytes.subarray(0, size);
  const header = neutralHeader(profile);
  const count = uint(profile, HEADER, 4);
  const tableEnd = HEADER + 4 + ENTRY * count;
  if (header === null || count > MAX_TAGS || tableEnd > size) return null;
  const contents = new Map<string, Uint8Array>();
  // Tags that share their bytes still do so afterwards.
  const shared = new Map<string, Uint8Array>();
  const old = (profile[8] ?? 0) < 4;
  contents.set("desc", Uint8Array.from(old ? description(NAME) : localized(NAME)));
  contents.set("cprt", Uint8Array.from(old ? plainText(COPYRIGHT) : localized(COPYRIGHT)));
  for (let at = HEADER + 4; at < tableEnd; at += ENTRY) {
    const name = latin1(profile, at, 4);
    const start = uint(profile, at + 4, 4);
    const end = start + uint(profile, at + 8, 4);
    // A single such tag, whatever its name, makes decoders ignore the whole profile.
    if (start < tableEnd || end > size || end < start + 4) return null;
    if (!TAGS.includes(name) || contents.has(name)) continue;
    const key = `${start} ${end}`;
    const content = shared.get(key) ?? exactTag(profile.subarray(start, end));
    if (content === null) return null;
    shared.set(key, content);
    contents.set(name, content);
  }
  return assemble(header, contents);
}

/** The header reduced to what determines colors; the rest of its 128 bytes is zero. */
function neutralHeader(profile: Uint8Array): Uint8Array | null {
  const text = (at: number) => latin1(profile, at, 4);
  const [kind, space, connection] = [text(12), text(16), text(20)];
  if (text(36) !== "acsp" || !CLASSES.includes(kind) || !SPACES.includes(space)) return null;
  if (connection !== "XYZ " && connection !== "Lab ") return null;
  const isD50 = D50.every((value, i) => Math.abs(uint(profile, 68 + 4 * i, 4) - value) < NEAR);
  if (!isD50) return null;
  const header = new Uint8Array(HEADER);
  header.set(profile.subarray(8, 10), 8);
  header.set(profile.subarray(12, 24), 12);
  header.set(ascii("acsp"), 36);
  // The rendering intent, one of four.
  header[67] = (profile[67] ?? 0) & 3;
  header.set(D50.flatMap(u32), 68);
  return header;
}

/**
 * A tag cut to its known length; `null` if it is shorter, or of a kind that none of
 * {@linkcode TAGS} has.
 */
function exactTag(tag: Uint8Array): Uint8Array | null {
  const length = tagLength(tag);
  if (length === null || length > tag.length) return null;
  const exact = tag.slice(0, length);
  // These bytes are reserved in every tag.
  exact.fill(0, 4, 8);
  return exact;
}

const PARAMETERS = [1, 3, 4, 5, 7];

function tagLength(tag: Uint8Array): number | null {
  switch (latin1(tag, 0, 4)) {
    case "XYZ ":
      return 20;
    case "sf32":
      return 8 + 9 * 4;
    case "cicp":
      return 12;
    case "curv":
      return 12 + 2 * uint(tag, 8, 4);
    case "para": {
      const count = PARAMETERS[uint(tag, 8, 2)];
      return count === undefined ? null : 12 + 4 * count;
    }
    case "mft1":
      return 48 + 256 * inputs(tag) + gridSize(tag) + 256 * outputs(tag);
    case "mft2": {
      const values = uint(tag, 48, 2) * inputs(tag) + gridSize(tag) +
        uint(tag, 50, 2) * outputs(tag);
      return 52 + 2 * values;
    }
    case "mAB ":
    case "mBA ":
      // The parts of this kind may be anywhere inside the tag.
      return tag.length < 32 ? null : tag.length;
    default:
      return null;
  }
}

function inputs(tag: Uint8Array): number {
  return tag[8] ?? 0;
}

function outputs(tag: Uint8Array): number {
  return tag[9] ?? 0;
}

function gridSize(tag: Uint8Array): number {
  return (tag[10] ?? 0) ** inputs(tag) * outputs(tag);
}

/** Assembles header, table and contents, each content aligned to 4 bytes. */
function assemble(
  header: Uint8Array,
  contents: ReadonlyMap<string, Uint8Array>,
): Uint8Array<ArrayBuffer> {
  const table: number[] = [...u32(contents.size)];
  const places = new Map<Uint8Array, number>();
  let end = HEADER + 4 + ENTRY * contents.size;
  for (const [name, content] of contents) {
    const place = places.get(content) ?? end;
    if (place === end) end += Math.ceil(content.length / 4) * 4;
    places.set(content, place);
    table.push(...ascii(name), ...u32(place), ...u32(content.length));
  }
  const result = new Uint8Array(end);
  result.set(header);
  result.set(u32(end));
  result.set(table, HEADER);
  for (const [content, place] of places) result.set(content, place);
  return result;
}

/** `textDescriptionType` of version 2: the text, without its Unicode and Macintosh forms. */
function description(text: string): number[] {
  const rest = new Array<number>(4 + 4 + 2 + 1 + 67).fill(0);
  return [...ascii("desc"), ...u32(0), ...u32(text.length + 1), ...ascii(text), 0, ...rest];
}

/** `textType`. */
function plainText(text: string): number[] {
  return [...ascii("text"), ...u32(0), ...ascii(text), 0];
}

/** `multiLocalizedUnicodeType` with one text. */
function localized(text: string): number[] {
  const wide = ascii(text).flatMap((code) => [0, code]);
  const record = [...ascii("enUS"), ...u32(wide.length), ...u32(28)];
  return [...ascii("mluc"), ...u32(0), ...u32(1), ...u32(12), ...record, ...wide];
}
