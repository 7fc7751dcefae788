/**
 * Inflates and deflates the zlib streams inside of pictures with the browser's own decompressor,
 * and never inflates more than requested.
 *
 * This module is browser compatible.
 *
 * @module
 */

// Size of a piece in bytes. Browsers inflate a piece in one go, to up to a thousand times its size.
const PIECE = 8 * 1024;

/** What was found in a zlib stream. */
export interface Inflated {
  /** Number of bytes inflated, at most a chunk more than requested. */
  readonly length: number;
  /** True if it ended with its checksum, and nothing followed. */
  readonly whole: boolean;
}

/** False in browsers from before 2020 to 2023. */
export function canInflate(): boolean {
  return "DecompressionStream" in globalThis && "CompressionStream" in globalThis;
}

/**
 * Inflates the pieces of a zlib stream, one after the other, and passes the output to `take`, until
 * it exceeds `most` bytes. Never throws.
 */
export async function inflate(
  pieces: Iterable<Uint8Array<ArrayBuffer>>,
  most: number,
  take: (bytes: Uint8Array) => void = () => {},
): Promise<Inflated> {
  const stream = new DecompressionStream("deflate");
  const writer = stream.writable.getWriter();
  const writing = writeAll(writer, pieces).catch(() => {});
  const reader = stream.readable.getReader();
  let length = 0;
  try {
    while (length <= most) {
      const { done, value } = await reader.read();
      if (done) return { length, whole: true };
      length += value.length;
      take(value);
    }
    return { length, whole: false };
  } catch {
    return { length, whole: false };
  } finally {
    await reader.cancel().catch(() => {});
    await writing;
  }
}

async function writeAll(
  writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>,
  pieces: Iterable<Uint8Array<ArrayBuffer>>,
): Promise<void> {
  for (const piece of pieces) {
    for (let at = 0; at < piece.length; at += PIECE) {
      await writer.ready;
      await writer.write(piece.subarray(at, at + PIECE));
    }
  }
  await writer.close();
}

/** Compresses bytes into a zlib stream. */
export async function deflate(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
