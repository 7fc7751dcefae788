import { CHUNK_SIZE } from "../../lib/protocol/record.ts";
import { ChunkReader } from "../../lib/pictures/chunk_reader.ts";
import { assertEquals, assertRejects } from "../support/assert.ts";

/** A file whose stream yields pieces of these lengths; `size` is what it claims. */
function file(pieces: readonly number[], size = pieces.reduce((sum, length) => sum + length, 0)) {
  let next = 0;
  const state = { cancelled: false };
  const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      for (const length of pieces) {
        controller.enqueue(Uint8Array.from({ length }, () => next++ % 251));
      }
      controller.close();
    },
    cancel() {
      state.cancelled = true;
    },
  }, { highWaterMark: 0 });
  const blob = new Blob([]);
  Object.defineProperty(blob, "size", { value: size });
  Object.defineProperty(blob, "stream", { value: () => stream });
  return { blob, state };
}

async function lengths(blob: Blob): Promise<number[]> {
  const found: number[] = [];
  let next = 0;
  for await (const chunk of new ChunkReader(blob)) {
    assertEquals(chunk.every((byte) => byte === next++ % 251), true, "the bytes are in order");
    found.push(chunk.length);
  }
  return found;
}

for (
  const [what, pieces] of [
    ["one byte", [1]],
    ["exactly one chunk", [CHUNK_SIZE]],
    ["a chunk and a byte", [CHUNK_SIZE + 1]],
    ["pieces smaller than a chunk", [10_000, 50_000, 70_000, 3]],
    ["pieces larger than a chunk", [3 * CHUNK_SIZE + 7, 2 * CHUNK_SIZE - 7, 100]],
    ["a piece that ends where a chunk ends", [CHUNK_SIZE, CHUNK_SIZE, 5]],
  ] as const
) {
  Deno.test(`a file in ${what} is cut into whole chunks, the last one shorter`, async () => {
    const size = pieces.reduce((sum, length) => sum + length, 0);
    const whole: number[] = Array(Math.floor(size / CHUNK_SIZE)).fill(CHUNK_SIZE);
    const rest = size % CHUNK_SIZE;
    assertEquals(await lengths(file(pieces).blob), rest === 0 ? whole : [...whole, rest]);
  });
}

Deno.test("a file that became shorter is an error, one that became longer is cut off", async () => {
  await assertRejects(() => lengths(file([100], 101).blob), RangeError);
  assertEquals(await lengths(file([100, 100], 150).blob), [150]);
});

Deno.test("a reader that stops releases the file", async () => {
  const { blob, state } = file([CHUNK_SIZE, CHUNK_SIZE, CHUNK_SIZE]);
  for await (const _chunk of new ChunkReader(blob)) break;
  assertEquals(state.cancelled, true);
  const other = file([1]);
  new ChunkReader(other.blob).cancel();
  await Promise.resolve();
  assertEquals(other.state.cancelled, true);
});
