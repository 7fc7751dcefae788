/**
 * Removes from a JPEG (ITU T.81 B.1) what its picture does not need. That includes bytes between
 * segments, which decoders skip, and tables that are replaced before any scan uses them: neither is
 * visible in the picture.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { ascii, type Collector, EXIF, isTurned, orientationTiff, Unfollowed } from "./collector.ts";
import { ImageError } from "./errors.ts";
import { latin1, uint } from "./headers.ts";
import { neutralProfile } from "./icc.ts";
import { exifKinds, xmpKinds } from "./metadata.ts";

const XMP = "http://ns.adobe.com/xap/1.0/\0";
const XMP_EXTENSION = "http://ns.adobe.com/xmp/extension/\0";
const ICC = "ICC_PROFILE\0";

/** Maximum bytes of a profile in one segment: 65,535 less its length, name and numbers. */
const ICC_PART = 65_519;

interface Segment {
  readonly marker: number;
  /** Position of its marker. */
  readonly start: number;
  readonly end: number;
}

/**
 * A segment that is written before the next scan, and what it defines. It is dropped if all of that
 * is defined again first.
 */
interface Pending {
  readonly defines: readonly string[];
  readonly write: () => void;
}

/**
 * Returns whether the end marker was present; if not, it was added. Throws `ImageError`
 * (`truncated`) if the file is cut off before its last scan, `Unfollowed` if it is of an unknown
 * kind.
 */
export function stripJpeg(out: Collector, orientation: number | undefined): boolean {
  out.keep(0, 2);
  if (isTurned(orientation)) {
    const tiff = orientationTiff(orientation);
    const length = 2 + EXIF.length + tiff.length;
    out.add(Uint8Array.from([0xff, 0xe1, 0, length, ...ascii(EXIF), ...tiff]));
  }
  return new JpegCleaner(out).run();
}

class JpegCleaner {
  readonly #out: Collector;
  readonly #bytes: Uint8Array;
  readonly #profile: Uint8Array[] = [];
  #pending: Pending[] = [];
  #profileParts = 0;
  #hasFrame = false;
  #hasScan = false;

  constructor(out: Collector) {
    this.#out = out;
    this.#bytes = out.bytes;
  }

  run(): boolean {
    for (let at = 2;;) {
      const start = this.#nextMarker(at);
      if (start === null) return this.#endMissing();
      const marker = this.#bytes[start + 1] ?? 0;
      if (marker === 0xd9) {
        if (!this.#hasScan) throw new Unfollowed("undecodable");
        this.#out.keep(start, start + 2);
        this.#out.dropTail(start + 2);
        return true;
      }
      // Markers without a length have no meaning here.
      if (marker === 1 || (marker >= 0xd0 && marker <= 0xd7)) {
        at = start + 2;
        continue;
      }
      const end = start + 2 + uint(this.#bytes, start + 2, 2);
      if (end > this.#bytes.length || start + 4 > this.#bytes.length) {
        if (this.#hasScan && isNote(marker)) return this.#endMissing();
        throw new ImageError("truncated");
      }
      if (end < start + 4) throw new Unfollowed("undecodable");
      at = this.#segment({ marker, start, end });
    }
  }

  /** The end marker is missing: adds it, if there was a scan; decoders don't need it. */
  #endMissing(): boolean {
    if (!this.#hasScan) throw new ImageError("truncated");
    this.#out.add(Uint8Array.of(0xff, 0xd9));
    return false;
  }

  /** Where the next marker begins, found as decoders do. */
  #nextMarker(from: number): number | null {
    for (let at = this.#bytes.indexOf(0xff, from); at !== -1;) {
      const marker = this.#bytes[at + 1];
      if (marker === undefined) return null;
      if (marker !== 0 && marker !== 0xff) {
        if (this.#bytes.subarray(from, at).some((byte) => byte !== 0xff)) this.#out.drop("other");
        return at;
      }
      at = this.#bytes.indexOf(0xff, at + 1);
    }
    return null;
  }

  /** Returns the position to continue from. */
  #segment(segment: Segment): number {
    const { marker, start, end } = segment;
    if (isNote(marker)) this.#note(segment);
    else if (marker === 0xdc) {
      // Repeats the number of lines, which browsers take from the frame.
      this.#out.drop("other");
    } else this.#keepLater(segment, this.#defines(segment));
    if (marker !== 0xda) return end;
    if (!this.#hasFrame) throw new Unfollowed("undecodable");
    this.#hasScan = true;
    this.#flush();
    const next = endOfScan(this.#bytes, end);
    this.#out.keep(start, next);
    return next;
  }

  #keepLater({ marker, start, end }: Segment, defines: readonly string[]): void {
    if (marker !== 0xda) this.#pending.push({ defines, write: () => this.#out.keep(start, end) });
  }

  #flush(): void {
    const later = new Set<string>();
    const needed = this.#pending.toReversed().filter(({ defines }) => {
      const isNeeded = defines.length === 0 || defines.some((name) => !later.has(name));
      for (const name of defines) later.add(name);
      if (!isNeeded) this.#out.drop("other");
      return isNeeded;
    });
    for (const { write } of needed.reverse()) write();
    this.#pending = [];
    if (this.#profile.length > 0) throw new Unfollowed("undecodable");
  }

  /** What a segment defines; throws if it holds anything else. */
  #defines({ marker, start, end }: Segment): string[] {
    const length = end - start - 4;
    const expect = (wanted: number) => {
      if (length !== wanted) throw new Unfollowed("undecodable");
    };
    switch (marker) {
      case 0xc0:
      case 0xc1:
      case 0xc2:
        if (this.#hasFrame) throw new Unfollowed("undecodable");
        this.#hasFrame = true;
        expect(6 + 3 * (this.#bytes[start + 9] ?? 0));
        return [];
      case 0xc4:
        return this.#tables(start + 4, end, "huffman", (at) => {
          const counts = this.#bytes.subarray(at + 1, at + 17);
          return 17 + counts.reduce((sum, count) => sum + count, 0);
        });
      case 0xdb:
        return this.#tables(start + 4, end, "quantization", (at) => {
          return (this.#bytes[at] ?? 0) >> 4 === 0 ? 65 : 129;
        });
      case 0xda:
        expect(4 + 2 * (this.#bytes[start + 4] ?? 0));
        return [];
      case 0xdd:
        expect(2);
        return ["restart"];
      default:
        // Lossless, differential and arithmetic frames, and undefined markers.
        throw new Unfollowed(marker >= 0xc0 && marker <= 0xcf ? "unsupported" : "undecodable");
    }
  }

  #tables(start: number, end: number, kind: string, length: (at: number) => number): string[] {
    const names: string[] = [];
    let at = start;
    while (at < end) {
      const id = this.#bytes[at] ?? 0;
      // The precision of a quantization table is not part of its name.
      names.push(`${kind} ${kind === "huffman" ? id : id & 15}`);
      at += length(at);
    }
    if (at !== end) throw new Unfollowed("undecodable");
    return names;
  }

  /**
   * An application segment or a comment. Three kinds of application segments are part of the
   * picture.
   */
  #note({ marker, start, end }: Segment): void {
    const out = this.#out;
    const payload = this.#bytes.subarray(start + 4, end);
    const is = (name: string) => latin1(payload, 0, name.length) === name;
    if (this.#hasScan) out.drop(marker === 0xfe ? "text" : "other");
    else if (marker === 0xe0 && is("JFIF\0") && payload.length >= 14) {
      // Keeps the JFIF marker, without print density and thumbnail.
      const jfif = [0xff, 0xe0, 0, 16, ...ascii("JFIF\0"), 1, 1, 0, 0, 1, 0, 1, 0, 0];
      this.#pending.push({ defines: ["jfif"], write: () => out.put(start, jfif) });
      if (payload.length > 14) out.drop("preview");
    } else if (marker === 0xe2 && is(ICC)) this.#profilePart(payload.subarray(ICC.length));
    else if (marker === 0xee && is("Adobe") && payload.length >= 12) {
      // The color transform; decoders look at this byte alone.
      const transform = payload[11] ?? 0;
      const adobe = [0xff, 0xee, 0, 14, ...ascii("Adobe"), 0, 100, 0, 0, 0, 0, transform];
      this.#pending.push({ defines: ["adobe"], write: () => out.put(start, adobe) });
      if (payload.length > 12) out.drop("other");
    } else if (marker === 0xe1 && is(EXIF)) out.drop(...exifKinds(payload.subarray(EXIF.length)));
    else if (marker === 0xe1 && is(XMP)) out.drop(...xmpKinds(payload.subarray(XMP.length)));
    else if (marker === 0xe1 && is(XMP_EXTENSION)) out.drop(...xmpKinds(payload));
    else if (marker === 0xed || marker === 0xfe) out.drop("text");
    else out.drop(is("JFXX\0") || is("MPF\0") ? "preview" : "other");
  }

  /** Collects the numbered parts of a profile, and assembles it with the last one. */
  #profilePart(payload: Uint8Array): void {
    const [number = 0, count = 0] = payload;
    const isNext = number === this.#profile.length + 1 &&
      (this.#profileParts === count || (number === 1 && this.#profileParts === 0));
    // Decoders disagree about parts that are out of order or repeated.
    if (!isNext || number > count) throw new Unfollowed("undecodable");
    this.#profileParts = count;
    this.#profile.push(payload.subarray(2));
    if (number < count) return;
    const whole = joined(this.#profile);
    this.#profile.length = 0;
    // A second profile is refused.
    this.#profileParts = -1;
    const neutral = neutralProfile(whole);
    if (neutral === null) throw new Unfollowed("undecodable");
    if (neutral.length !== whole.length || neutral.some((byte, i) => byte !== whole[i])) {
      this.#out.drop("other");
    }
    this.#pending.push({ defines: [], write: () => this.#writeProfile(neutral) });
  }

  #writeProfile(profile: Uint8Array): void {
    const count = Math.ceil(profile.length / ICC_PART);
    for (let i = 0; i < count; i++) {
      const part = profile.subarray(i * ICC_PART, (i + 1) * ICC_PART);
      const length = 2 + ICC.length + 2 + part.length;
      const head = [0xff, 0xe2, length >> 8, length & 0xff, ...ascii(ICC), i + 1, count];
      this.#out.add(joined([Uint8Array.from(head), part]));
    }
  }
}

function isNote(marker: number): boolean {
  return (marker >= 0xe0 && marker <= 0xef) || marker === 0xfe;
}

/**
 * Where the entropy-coded data from `at` ends: at the next marker that is neither a restart nor an
 * escaped 0xff.
 */
function endOfScan(bytes: Uint8Array, at: number): number {
  for (let next = bytes.indexOf(0xff, at); next !== -1; next = bytes.indexOf(0xff, next + 1)) {
    const marker = bytes[next + 1];
    if (marker === undefined) return next;
    const inside = marker === 0 || marker === 0xff || (marker >= 0xd0 && marker <= 0xd7);
    if (!inside) return next;
  }
  return bytes.length;
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
