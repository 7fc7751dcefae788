/**
 * The size of a JPEG XL, for browsers that show it: ISO/IEC 18181-1, SizeHeader; 18181-2, its
 * container.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { boxAt, type Header, latin1, type Parser } from "./headers.ts";

/** Ratios of width to height: a file may store one of them instead of the width. */
const RATIOS: readonly (readonly [number, number])[] = [
  [1, 1],
  [12, 10],
  [4, 3],
  [3, 2],
  [16, 9],
  [5, 4],
  [2, 1],
];
/** Number of bits of a side, selected by two bits. */
const SIDE_BITS = [9, 13, 18, 30] as const;
/** Number of boxes in which the codestream is searched: it is among the first ones. */
const MOST_BOXES = 32;

/** Size in coded pixels. `truncated` if there is no codestream. */
export function* parseJxl(): Parser<Header | "truncated"> {
  const head = yield { at: 0, length: 2 };
  const at = latin1(head, 0, 2) === "\xff\x0a" ? 0 : yield* findCodestream();
  // Two bytes of signature, then at most 2 × 33 + 3 bits.
  const bytes = at === null ? new Uint8Array() : yield { at: at + 2, length: 10 };
  if (bytes.length < 10) return "truncated";
  const read = bitReader(bytes);
  const isSmall = read(1) === 1;
  const side = () => 1 + (isSmall ? 8 * read(5) + 7 : read(SIDE_BITS[read(2)] ?? 9));
  const height = side();
  const ratio = RATIOS[read(3) - 1];
  const width = ratio === undefined ? side() : Math.floor(height * ratio[0] / ratio[1]);
  return { type: "image/jxl", width, height, next: 12 };
}

function* findCodestream(): Parser<number | null> {
  for (let at = 0, count = 0; count < MOST_BOXES; count++) {
    const box = yield* boxAt(at);
    if (box === null) return null;
    if (box.kind === "jxlc") return box.at;
    // The codestream's first part, after the number of the part.
    if (box.kind === "jxlp") return box.at + 4;
    at = box.end;
  }
  return null;
}

/** Reads bits, from the lowest of each byte on. */
function bitReader(bytes: Uint8Array): (count: number) => number {
  let at = 0;
  return (count) => {
    let value = 0;
    for (let i = 0; i < count; i++, at++) value += ((bytes[at >> 3] ?? 0) >> (at & 7) & 1) * 2 ** i;
    return value;
  };
}
