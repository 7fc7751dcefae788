/**
 * The properties of an AVIF that decoders need to show its coded picture. Each is rewritten with
 * its known length.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { ascii } from "./collector.ts";
import { ImageError } from "./errors.ts";
import { neutralProfile } from "./icc.ts";
import { type Box, box, Cursor, fullBox } from "./isobmff.ts";

/**
 * Properties with a fixed length (23008-12, 14496-12, AVIF, MIAF), which includes four bytes of
 * version and flags where a property has them.
 */
const FIXED: ReadonlyMap<string, number> = new Map([
  // Size, pixel aspect ratio, the visible part, rotation, mirroring.
  ["ispe", 12],
  ["pasp", 8],
  ["clap", 32],
  ["irot", 1],
  ["imir", 1],
  // The codec's settings. Whole units may follow their four bytes; the samples contain these
  // anyway.
  ["av1C", 4],
  // Operating point and layer.
  ["a1op", 1],
  ["lsel", 2],
  // Brightness.
  ["clli", 4],
  ["mdcv", 24],
  ["amve", 8],
  // Coding constraints of a track's samples.
  ["ccst", 8],
]);

const ALPHA: readonly string[] = [
  "urn:mpeg:mpegB:cicp:systems:auxiliary:alpha",
  "urn:mpeg:hevc:2015:auxid:1",
];

/**
 * The property as a new box, or `null` if no decoder needs it. Throws `truncated` if it is too
 * short.
 */
export function knownProperty(bytes: Uint8Array, property: Box): number[] | null {
  const { kind } = property;
  const cursor = new Cursor(bytes, property);
  const length = FIXED.get(kind);
  if (length !== undefined) return box(kind, cursor.raw(length));
  switch (kind) {
    case "pixi": {
      cursor.skip(4);
      const count = cursor.take(1);
      return fullBox(kind, {}, [count], cursor.raw(count));
    }
    case "a1lx": {
      const [large = 0] = cursor.raw(1);
      return box(kind, [large & 1], cursor.raw(large & 1 ? 12 : 6));
    }
    case "colr":
      return colour(cursor);
    case "auxC":
    case "auxi": {
      const name = alphaName(bytes, property);
      return name === null ? null : fullBox(kind, {}, ascii(`${name}\0`));
    }
    default:
      return null;
  }
}

/** The type name of an auxiliary picture, if it is a transparency. */
export function alphaName(bytes: Uint8Array, property: Box): string | null {
  const cursor = new Cursor(bytes, property);
  cursor.skip(4);
  const name = cursor.text();
  return ALPHA.includes(name) ? name : null;
}

function colour(cursor: Cursor): number[] | null {
  const type = cursor.word();
  switch (type) {
    case "nclx": {
      const numbers = cursor.raw(6);
      return box("colr", ascii(type), numbers, [cursor.take(1) & 0x80]);
    }
    case "prof":
    case "rICC": {
      const profile = neutralProfile(cursor.bytes.subarray(cursor.at, cursor.end));
      if (profile === null) throw new ImageError("unsupported");
      return box("colr", ascii(type), [...profile]);
    }
    default:
      return null;
  }
}
