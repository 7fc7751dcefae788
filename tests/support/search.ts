/**
 * Searches recorded data for secrets: as they are, and in any encoding in which they could have
 * been written.
 *
 * @module
 */
import { Buffer } from "node:buffer";

/** Latin-1 maps each byte to one character, so that regular expressions work on any bytes. */
export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

/** The inverse of {@linkcode latin1}. */
export function latin1Bytes(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "latin1"));
}

/** A piece of a record. */
export interface Part {
  /** Which piece it is, for messages. */
  readonly where: string;
  readonly bytes: Uint8Array;
}

/**
 * What is searched for: bytes, of which any {@linkcode RUN} consecutive ones count as found, or a
 * pattern, which `sample` matches.
 */
export type Needle =
  | { readonly what: string; readonly bytes: Uint8Array }
  | { readonly what: string; readonly pattern: RegExp; readonly sample: string };

/** What was found, and where. */
export interface Finding {
  readonly what: string;
  readonly where: string;
}

/**
 * This many consecutive bytes of a secret are a disclosure; shorter secrets have to occur
 * completely.
 */
export const RUN = 16;

/**
 * A run of {@linkcode RUN} bytes contains at least one complete block of this size whose offset is
 * a multiple of it.
 */
const BLOCK = 8;

/** Encodings may be nested: base64url of JSON that contains base64url. */
const DEPTH = 2;

interface Block {
  readonly what: string;
  readonly text: string;
  readonly at: number;
}

/**
 * Lists every needle found in a part, with the part; each pair once. `depth` is how many nested
 * encodings are decoded.
 */
export function search(
  parts: readonly Part[],
  needles: readonly Needle[],
  depth = DEPTH,
): Finding[] {
  const index = new Index(needles);
  return parts.flatMap(({ where, bytes }) => {
    const found = new Set<string>();
    for (const view of views(latin1(bytes), depth)) index.look(view, found);
    return [...found].map((what) => ({ what, where }));
  });
}

/** Finds all needles in one pass over a Latin-1 text. */
class Index {
  readonly #blocks = new Map<string, Block[]>();
  /** Whether a block begins with these two bytes, which rules out most positions quickly. */
  readonly #starts = new Uint8Array(65_536);
  readonly #short: { readonly what: string; readonly text: string }[] = [];
  readonly #patterns: { readonly what: string; readonly pattern: RegExp }[] = [];

  constructor(needles: readonly Needle[]) {
    for (const needle of needles) {
      if ("pattern" in needle) this.#patterns.push(needle);
      else this.#add(needle.what, latin1(needle.bytes));
    }
  }

  #add(what: string, text: string): void {
    if (text.length === 0) throw new RangeError(`Cannot look for ${what}: it is empty`);
    if (text.length < RUN) {
      this.#short.push({ what, text });
      return;
    }
    for (let at = 0; at + BLOCK <= text.length; at += BLOCK) {
      const key = text.slice(at, at + BLOCK);
      const blocks = this.#blocks.get(key) ?? [];
      blocks.push({ what, text, at });
      this.#blocks.set(key, blocks);
      this.#starts[key.charCodeAt(0) << 8 | key.charCodeAt(1)] = 1;
    }
  }

  look(view: string, found: Set<string>): void {
    for (const { what, text } of this.#short) {
      if (!found.has(what) && view.includes(text)) found.add(what);
    }
    for (const { what, pattern } of this.#patterns) {
      if (!found.has(what) && pattern.test(view)) found.add(what);
    }
    for (let i = 0; i + BLOCK <= view.length; i++) {
      if (this.#starts[view.charCodeAt(i) << 8 | view.charCodeAt(i + 1)] === 0) continue;
      for (const block of this.#blocks.get(view.slice(i, i + BLOCK)) ?? []) {
        if (!found.has(block.what) && runLength(view, i, block) >= RUN) found.add(block.what);
      }
    }
  }
}

/** How many characters around a common block are equal. */
function runLength(view: string, i: number, { text, at }: Block): number {
  let before = 0;
  while (before < Math.min(i, at) && view[i - before - 1] === text[at - before - 1]) before++;
  let after = BLOCK;
  const most = Math.min(view.length - i, text.length - at);
  while (after < most && view[i + after] === text[at + after]) after++;
  return before + after;
}

/** A text, and everything that it could encode. */
function* views(text: string, depth: number): Generator<string> {
  yield text;
  if (depth === 0) return;
  for (const decoded of decodings(text)) yield* views(decoded, depth - 1);
}

/**
 * Every way to decode what a text contains; each result joins the decoded pieces with line ends.
 */
function* decodings(text: string): Generator<string> {
  if (text.includes("\0")) {
    // UTF-16: every other byte.
    yield text.replace(/(.)./gs, "$1");
    yield text.slice(1).replace(/(.)./gs, "$1");
  }
  if (/%[0-9a-f]{2}/i.test(text)) {
    yield text.replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
  }
  const base64 = text.match(/[\w+/-]{6,}/g) ?? [];
  // A secret may begin anywhere in a run.
  for (let skip = 0; skip < 4; skip++) yield join(base64, (run) => fromBase64(run.slice(skip)));
  const hex = text.match(/(?:[0-9a-f]{2}[: -]?){4,}[0-9a-f]?/gi) ?? [];
  yield join(hex, fromHex);
  yield join(hex, (run) => fromHex(run.slice(1)));
  // An array of bytes in JSON, or an object with the indices as keys.
  yield join(text.match(/(?:(?:"\d+":)?\d{1,3},\s*){3,}(?:"\d+":)?\d{1,3}/g) ?? [], fromDecimals);
}

function join(runs: readonly string[], read: (run: string) => string): string {
  return runs.map(read).filter((decoded) => decoded !== "").join("\n");
}

function fromBase64(run: string): string {
  // Node's decoder accepts both alphabets.
  return Buffer.from(run, "base64").toString("latin1");
}

function fromHex(run: string): string {
  return Buffer.from(run.replace(/[: -]/g, ""), "hex").toString("latin1");
}

function fromDecimals(run: string): string {
  const numbers = run.split(",").map((item) => Number(item.replace(/^\s*"\d+":/, "")));
  return String.fromCharCode(...numbers.map((value) => value & 0xff));
}

/**
 * The ways in which careless code might write bytes, by name: planted by tests to prove that the
 * search finds them.
 */
export const ENCODINGS: Readonly<Record<string, (bytes: Uint8Array) => Uint8Array>> = {
  "as it is": (bytes) => bytes,
  "base64": (bytes) => latin1Bytes(Buffer.from(bytes).toString("base64")),
  "base64url": (bytes) => latin1Bytes(Buffer.from(bytes).toString("base64url")),
  "base64url behind one byte": (bytes) => latin1Bytes(Buffer.of(1, ...bytes).toString("base64url")),
  "base64url behind two bytes": (bytes) =>
    latin1Bytes(Buffer.of(1, 2, ...bytes).toString("base64url")),
  "base64url inside of a path": (bytes) =>
    latin1Bytes(`/ws/${Buffer.from(bytes).toString("base64url")}/x`),
  "base64url twice": (bytes) =>
    latin1Bytes(Buffer.from(Buffer.from(bytes).toString("base64url")).toString("base64url")),
  "hex": (bytes) => latin1Bytes(Buffer.from(bytes).toString("hex")),
  "HEX, at an odd place": (bytes) =>
    latin1Bytes(`a${Buffer.from(bytes).toString("hex").toUpperCase()}`),
  "hex with colons": (bytes) => latin1Bytes(hexPairs(bytes).join(":")),
  "percent signs": (bytes) => latin1Bytes(hexPairs(bytes).map((pair) => `%${pair}`).join("")),
  "a list of numbers": (bytes) => latin1Bytes(JSON.stringify([...bytes])),
  "an object of numbers": (bytes) => latin1Bytes(JSON.stringify({ ...bytes })),
  "UTF-16": (bytes) => new Uint8Array(Buffer.from(latin1(bytes), "utf16le")),
};

function hexPairs(bytes: Uint8Array): string[] {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"));
}
