/**
 * Rebuilds a GIF (GIF89a) from its picture alone: screen, colors, frames, their durations, number
 * of loops.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { ascii, type Collector, Unfollowed } from "./collector.ts";
import { ImageError } from "./errors.ts";
import { latin1 } from "./headers.ts";
import { xmpKinds } from "./metadata.ts";

const IMAGE = 0x2c;
const EXTENSION = 0x21;
const TRAILER = 0x3b;

const CONTROL = 0xf9;
const COMMENT = 0xfe;
const PLAIN_TEXT = 0x01;
const APPLICATION = 0xff;

/** Extensions that hold the number of loops of an animation. */
const LOOPS: readonly string[] = ["NETSCAPE2.0", "ANIMEXTS1.0"];

interface Run {
  /** End of the last complete block. */
  readonly end: number;
  /** Whether the terminating empty block is there. */
  readonly ended: boolean;
  /** Whether the last block is cut off. */
  readonly cut: boolean;
}

/** Throws `ImageError` (`truncated`) if its first frame is cut off, `Unfollowed` if it has none. */
export function stripGif(out: Collector): void {
  const { bytes } = out;
  const table = (flags: number) => flags & 0x80 ? 3 * 2 ** ((flags & 7) + 1) : 0;
  let at = 13 + table(bytes[10] ?? 0);
  if (at > bytes.length) throw new ImageError("truncated");
  out.keep(0, at);
  let frames = 0;
  let loops = false;
  // Position of the extension that controls the next frame.
  let control: number | null = null;
  const finish = (tail: number) => {
    if (frames === 0) throw new Unfollowed(tail >= bytes.length ? "truncated" : "undecodable");
    if (bytes[tail] === TRAILER) out.keep(tail, tail + 1);
    else out.add(Uint8Array.of(TRAILER));
    // Like decoders, this takes anything that is no block as the end of the picture.
    out.dropTail(bytes[tail] === TRAILER ? tail + 1 : tail);
  };
  for (;;) {
    const kind = bytes[at];
    if (kind === IMAGE) {
      const start = at + 11 + table(bytes[at + 9] ?? 0);
      const { end, ended, cut } = skipBlocks(bytes, start);
      // A later frame that is cut off is left out: all before it are complete.
      if (start > bytes.length || cut) {
        if (frames === 0) throw new ImageError("truncated");
        return finish(at);
      }
      if (control !== null) writeControl(out, control);
      control = null;
      out.keep(at, end);
      if (!ended) out.add(new Uint8Array(1));
      frames++;
      at = end;
    } else if (kind === EXTENSION) {
      const { end, cut } = skipBlocks(bytes, at + 2);
      const label = bytes[at + 1];
      const name = bytes[at + 2] === 11 ? latin1(bytes, at + 3, 11) : "";
      if (cut) return finish(at);
      if (label === CONTROL && (bytes[at + 2] ?? 0) >= 4) {
        if ((bytes[at + 2] ?? 0) > 4 || end > at + 8) out.drop("other");
        control = at;
      } else if (label === APPLICATION && LOOPS.includes(name)) {
        const loop = loopOf(bytes, at + 14, end);
        const rest = loop === null || loops ? [] : loop;
        if (rest.length > 0) {
          out.put(at, [EXTENSION, APPLICATION, 11, ...ascii(name), 3, ...rest, 0]);
          loops = true;
        }
        if (rest.length === 0 || end > at + 19) out.drop("other");
      } else if (label === APPLICATION && name === "XMP DataXMP") {
        out.drop(...xmpKinds(bytes.subarray(at, end)));
      } else out.drop(label === COMMENT || label === PLAIN_TEXT ? "text" : "other");
      at = end;
    } else return finish(at);
  }
}

/** Writes the four bytes that determine how a frame is shown. */
function writeControl(out: Collector, at: number): void {
  out.put(at, [EXTENSION, CONTROL, 4, ...out.bytes.subarray(at + 3, at + 7), 0]);
}

/** The sub-block with the number of loops: a 1 and the number. */
function loopOf(bytes: Uint8Array, start: number, end: number): readonly number[] | null {
  for (let at = start; at < end && (bytes[at] ?? 0) > 0; at += 1 + (bytes[at] ?? 0)) {
    if (bytes[at] === 3 && bytes[at + 1] === 1) return [...bytes.subarray(at + 1, at + 4)];
  }
  return null;
}

/** Skips length-prefixed blocks up to the empty one. */
function skipBlocks(bytes: Uint8Array, start: number): Run {
  for (let at = start;;) {
    const length = bytes[at];
    if (length === undefined) return { end: Math.min(at, bytes.length), ended: false, cut: false };
    if (length === 0) return { end: at + 1, ended: true, cut: false };
    if (at + 1 + length > bytes.length) return { end: at, ended: false, cut: true };
    at += 1 + length;
  }
}
