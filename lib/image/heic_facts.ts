/**
 * Facts about the picture in a HEIC or HEIF: its size, its colors, its metadata.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { itemFacts, itemNotes } from "./avif_items.ts";
import { ImageError } from "./errors.ts";
import { neutralProfile } from "./icc.ts";
import { boxes, Cursor } from "./isobmff.ts";
import { METADATA_KINDS, type MetadataKind } from "./metadata.ts";

/** Facts about the primary item, which is the picture that is shown. */
export interface HeicFacts {
  /** Coded pixels. */
  readonly width: number;
  readonly height: number;
  /** The color profile, without names. */
  readonly profile: Uint8Array<ArrayBuffer> | null;
  /** Without a profile: whether the primaries are given as those of Display P3. */
  readonly isP3: boolean;
  readonly removed: readonly MetadataKind[];
}

/** Primaries of SMPTE EG 432-1, in ITU-T H.273. */
const P3 = 12;

/** Throws `ImageError` (`heic`) if the picture can't be determined. */
export function heicFacts(bytes: Uint8Array): HeicFacts {
  try {
    const meta = boxes(bytes, { start: 0, end: bytes.length }).find(({ kind }) => kind === "meta");
    if (meta === undefined) throw new ImageError("heic");
    let [width, height] = [0, 0];
    let profile: Uint8Array<ArrayBuffer> | null = null;
    let isP3 = false;
    for (const property of itemFacts(bytes, meta)) {
      const cursor = new Cursor(bytes, property);
      if (property.kind === "ispe") {
        cursor.skip(4);
        [width, height] = [cursor.take(4), cursor.take(4)];
      }
      if (property.kind !== "colr") continue;
      const type = cursor.word();
      if (type === "nclx") isP3 = cursor.take(2) === P3;
      else profile = neutralProfile(bytes.subarray(cursor.at, cursor.end)) ?? profile;
    }
    const told = itemNotes(bytes, meta);
    return {
      width,
      height,
      profile,
      isP3,
      removed: METADATA_KINDS.filter((kind) => told.has(kind)),
    };
  } catch (cause) {
    if (cause instanceof ImageError) throw new ImageError("heic", { cause });
    throw cause;
  }
}
