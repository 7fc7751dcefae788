/**
 * What happens to good files in transit: browsers show all of these as if nothing had happened.
 *
 * @module
 */
import { concat } from "../../lib/protocol/bytes.ts";
import { pngChunk } from "./base.ts";

/** A way to damage a file of one format; `null` if it does not apply. */
export interface Mutation {
  readonly name: string;
  readonly ext: RegExp;
  readonly apply: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer> | null;
}

const SECRET = new TextEncoder().encode("taken at home by Anna Schmidt");

/** Inserts bytes before the first marker of a kind. */
function before(marker: number, inserted: readonly number[]): Mutation["apply"] {
  return (bytes) => {
    const at = bytes.findIndex((byte, i) => byte === 0xff && bytes[i + 1] === marker);
    if (at === -1) return null;
    return concat(bytes.subarray(0, at), Uint8Array.from(inserted), bytes.subarray(at));
  };
}

/** A segment with its own length and text. */
function segment(marker: number, text: Uint8Array): number[] {
  return [0xff, marker, 0, text.length + 2, ...text];
}

/** The offset of a PNG's first chunk of a type. */
function chunkAt(bytes: Uint8Array, type: string): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 8; at + 12 <= bytes.length; at += 12 + view.getUint32(at)) {
    if (new TextDecoder("latin1").decode(bytes.subarray(at + 4, at + 8)) === type) return at;
  }
  return -1;
}

function chunkBefore(type: string, chunk: Uint8Array): Mutation["apply"] {
  return (bytes) => {
    const at = chunkAt(bytes, type);
    return at === -1 ? null : concat(bytes.subarray(0, at), chunk, bytes.subarray(at));
  };
}

/** Each of them is tried on at least one picture of its format. */
export const MUTATIONS: readonly Mutation[] = [
  { name: "trailing", ext: /./, apply: (bytes) => concat(bytes, SECRET) },
  { name: "trailing_zeros", ext: /./, apply: (bytes) => concat(bytes, new Uint8Array(4_096)) },
  { name: "no_EOI", ext: /jpg/, apply: (bytes) => bytes.slice(0, -2) },
  { name: "zeros_before_DQT", ext: /jpg/, apply: before(0xdb, [0, 0]) },
  { name: "text_before_DQT", ext: /jpg/, apply: before(0xdb, [...SECRET]) },
  { name: "fill_before_DHT", ext: /jpg/, apply: before(0xc4, [0xff, 0xff, 0xff]) },
  { name: "zeros_before_SOS", ext: /jpg/, apply: before(0xda, [0, 0, 0]) },
  { name: "APP14_of_another_length", ext: /jpg/, apply: longAdobe },
  { name: "unknown_APP", ext: /jpg/, apply: before(0xdb, segment(0xe5, SECRET)) },
  { name: "comment", ext: /jpg/, apply: before(0xdb, segment(0xfe, SECRET)) },
  { name: "second_picture", ext: /jpg/, apply: (bytes) => concat(bytes, bytes) },
  { name: "no_IEND", ext: /png/, apply: (bytes) => bytes.slice(0, -12) },
  { name: "wrong_CRC_of_text", ext: /png/, apply: chunkBefore("IDAT", wrongText()) },
  { name: "private_chunk", ext: /png/, apply: chunkBefore("IDAT", pngChunk("anNa", SECRET)) },
  { name: "text_at_end", ext: /png/, apply: chunkBefore("IEND", pngChunk("tEXt", SECRET)) },
  { name: "no_trailer", ext: /gif/, apply: (bytes) => bytes.slice(0, -1) },
  { name: "comment_in_front", ext: /gif/, apply: commentInFront },
  { name: "wrong_RIFF_size", ext: /webp/, apply: (bytes) => withUint32(bytes, 4, bytes.length) },
  { name: "unknown_chunk", ext: /webp/, apply: unknownChunk },
  { name: "free_box", ext: /avif/, apply: (bytes) => concat(bytes, box("free", SECRET)) },
  { name: "uuid_box", ext: /avif/, apply: (bytes) => concat(bytes, box("uuid", SECRET)) },
];

/** Adobe's segment with an extra byte: decoders find the color transform all the same. */
function longAdobe(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | null {
  const at = bytes.findIndex((byte, i) => byte === 0xff && bytes[i + 1] === 0xee);
  if (at === -1) return null;
  const length = bytes[at + 3] ?? 0;
  const end = at + 2 + length;
  const longer = concat(bytes.subarray(0, end), Uint8Array.of(0x41), bytes.subarray(end));
  longer[at + 3] = length + 1;
  return longer;
}

function wrongText(): Uint8Array {
  const chunk = pngChunk("tEXt", SECRET);
  chunk[chunk.length - 1]! ^= 0xff;
  return chunk;
}

function commentInFront(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const flags = bytes[10] ?? 0;
  const at = 13 + (flags & 0x80 ? 3 << ((flags & 7) + 1) : 0);
  const comment = Uint8Array.of(0x21, 0xfe, SECRET.length, ...SECRET, 0);
  return concat(bytes.subarray(0, at), comment, bytes.subarray(at));
}

function withUint32(bytes: Uint8Array<ArrayBuffer>, at: number, value: number) {
  const copy = bytes.slice();
  new DataView(copy.buffer).setUint32(at, value, true);
  return copy;
}

function unknownChunk(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const chunk = new Uint8Array(8 + 30);
  chunk.set(new TextEncoder().encode("ANNA"));
  chunk.set(SECRET, 8);
  const whole = concat(bytes, withUint32(chunk, 4, 30));
  return withUint32(whole, 4, whole.length - 8);
}

function box(type: string, data: Uint8Array): Uint8Array {
  const view = new DataView(new ArrayBuffer(8));
  view.setUint32(0, 8 + data.length);
  const head = new Uint8Array(view.buffer);
  head.set(new TextEncoder().encode(type), 4);
  return concat(head, data);
}
