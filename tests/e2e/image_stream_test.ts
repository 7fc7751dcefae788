import { encodeHex } from "@std/encoding/hex";
import type { Bytes } from "../../lib/protocol/bytes.ts";
import { CHUNK_SIZE, chunkCount } from "../../lib/protocol/record.ts";
import { ImageOpener, ImageSealer } from "../../lib/e2e/image_stream.ts";
import { ProtocolError, randomBytes, sha256 } from "../../lib/e2e/suite.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "../support/assert.ts";

const SIZE = 2 * CHUNK_SIZE + 1_000;

function picture(size: number): Bytes {
  const out = new Uint8Array(size);
  for (let at = 0; at < size; at += 65_536) {
    crypto.getRandomValues(out.subarray(at, Math.min(size, at + 65_536)));
  }
  return out;
}

async function sealed(size = SIZE) {
  const identity = { image: 2, size, metaHash: randomBytes(32) };
  const plaintext = picture(size);
  const sealer = await ImageSealer.create(identity);
  const records: Bytes[] = [];
  for (let at = 0; at < size; at += CHUNK_SIZE) {
    const record = await sealer.seal(plaintext.slice(at, Math.min(size, at + CHUNK_SIZE)));
    records.push(record);
  }
  return { identity, plaintext, sealer, records, digest: await sealer.finish() };
}

function deliver(opener: ImageOpener, records: readonly Bytes[]): void {
  for (const record of records) opener.add(record);
}

for (const size of [1, CHUNK_SIZE - 1, CHUNK_SIZE, CHUNK_SIZE + 1, 20 * CHUNK_SIZE + 7]) {
  Deno.test(`a picture of ${size} bytes arrives whole`, async () => {
    const { identity, plaintext, sealer, records, digest } = await sealed(size);
    assertEquals(records.length, chunkCount(size));
    const opener = new ImageOpener(identity);
    deliver(opener, records);
    assert(opener.complete && opener.received === size);
    assert(await opener.matches(digest));
    const opened = await opener.open(sealer.exportKey());
    assertEquals(encodeHex(await sha256(opened)), encodeHex(await sha256(plaintext)));
  });
}

Deno.test("a picture can't be opened with another key, and none of it remains", async () => {
  const { identity, records } = await sealed();
  const opener = new ImageOpener(identity);
  deliver(opener, records);
  await assertRejects(() => opener.open(randomBytes(32)), ProtocolError);
  await assertRejects(() => opener.open(randomBytes(32)), ProtocolError);
});

Deno.test("a picture can't be opened under another meta record", async () => {
  const { identity, records, sealer } = await sealed();
  const opener = new ImageOpener({ ...identity, metaHash: randomBytes(32) });
  deliver(opener, records);
  await assertRejects(() => opener.open(sealer.exportKey()), ProtocolError);
});

Deno.test("a flipped bit in any record is found before anything is decoded", async () => {
  for (const place of [9, 900, -1]) {
    for (const which of [0, 1, 2]) {
      const { identity, records, sealer, digest } = await sealed();
      const changed = records.map((record, index) =>
        index === which ? record.with(place, (record.at(place) ?? 0) ^ 1) : record
      );
      const opener = new ImageOpener(identity);
      deliver(opener, changed);
      // The digest covers the tags: a flip in the ciphertext is what the tag itself detects.
      assertEquals(await opener.matches(digest), place !== -1);
      await assertRejects(() => opener.open(sealer.exportKey()), ProtocolError);
    }
  }
});

Deno.test("repeated, reordered, missing or appended records are refused at once", async () => {
  const { identity, records } = await sealed();
  const [a, b, c] = records;
  assert(a !== undefined && b !== undefined && c !== undefined);
  for (const order of [[a, a], [b], [a, c], [a, b, c, c]]) {
    const opener = new ImageOpener(identity);
    assertThrows(() => deliver(opener, order), ProtocolError);
  }
});

Deno.test("a stream without its final chunk is neither complete nor readable", async () => {
  const { identity, records, sealer, digest } = await sealed();
  const opener = new ImageOpener(identity);
  deliver(opener, records.slice(0, -1));
  assert(!opener.complete);
  assert(!await opener.matches(digest));
  await assertRejects(() => opener.open(sealer.exportKey()), ProtocolError);
});

Deno.test("a middle chunk can't be passed off as the last one", async () => {
  const { records, sealer } = await sealed();
  const [a] = records;
  assert(a !== undefined);
  // Shorten the announced size so that record 0 would be the last, and set its flag.
  const opener = new ImageOpener({ image: 2, size: CHUNK_SIZE, metaHash: randomBytes(32) });
  opener.add(a.with(1, 1));
  await assertRejects(() => opener.open(sealer.exportKey()), ProtocolError);
});

Deno.test("records of another picture are refused", async () => {
  const { identity, records } = await sealed();
  const opener = new ImageOpener({ ...identity, image: 3 });
  assertThrows(() => deliver(opener, records), ProtocolError);
});

Deno.test("seal() refuses a file whose length is not as announced", async () => {
  const sealer = await ImageSealer.create({ image: 0, size: 100, metaHash: randomBytes(32) });
  await assertRejects(() => sealer.seal(picture(99)), RangeError);
  await assertRejects(() => sealer.seal(picture(100)), RangeError);
});

Deno.test("destroy() leaves no key to release", async () => {
  const { sealer } = await sealed();
  sealer.destroy();
  assertEquals(sealer.exportKey(), new Uint8Array(32));
});

Deno.test("chunks that are sealed again are the same records, with the same digest", async () => {
  const { plaintext, sealer, records, digest } = await sealed();
  sealer.rewind(1);
  assertEquals(
    encodeHex(await sealer.seal(plaintext.slice(CHUNK_SIZE, 2 * CHUNK_SIZE))),
    encodeHex(records[1]!),
  );
  assertEquals(
    encodeHex(await sealer.seal(plaintext.slice(2 * CHUNK_SIZE))),
    encodeHex(records[2]!),
  );
  assertEquals(encodeHex(await sealer.finish()), encodeHex(digest));
});

Deno.test("another text is never sealed under a used nonce", async () => {
  const { plaintext, sealer } = await sealed();
  sealer.rewind(1);
  const changed = plaintext.slice(CHUNK_SIZE, 2 * CHUNK_SIZE);
  changed[77] = changed[77]! ^ 1;
  await assertRejects(() => sealer.seal(changed), RangeError);
});

Deno.test("it is impossible to resume at a chunk that was never sealed", async () => {
  const { sealer, records } = await sealed();
  sealer.rewind(records.length);
  assertThrows(() => sealer.rewind(records.length + 1), ProtocolError);
});
