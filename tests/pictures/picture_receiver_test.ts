import { PictureReceiver } from "../../lib/pictures/picture_receiver.ts";
import { ImageSealer } from "../../lib/e2e/image_stream.ts";
import { ProtocolError, randomBytes, sha256 } from "../../lib/e2e/suite.ts";
import { type Bytes, fromBase64Url, toBase64Url } from "../../lib/protocol/bytes.ts";
import type { MetaMessage } from "../../lib/protocol/control.ts";
import { DEFAULT_RULES } from "../../lib/protocol/display_options.ts";
import { CHUNK_SIZE } from "../../lib/protocol/record.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "../support/assert.ts";
import { importsOf, sourceFiles } from "../support/imports.ts";
import { bigPng, prepared, smallPng } from "./pictures.ts";

/** A receiver, and what it told. */
function start() {
  const told: string[] = [];
  const receiver = new PictureReceiver({
    onAnnounced: ({ meta }) => void told.push(`announced ${meta.n}`),
    onProgress: () => {},
    onWhole: (n) => void told.push(`whole ${n}`),
    onCorrupt: (n) => void told.push(`corrupt ${n}`),
  });
  return { receiver, told };
}

/** Picture `n` as its owner sends it; `lie` changes the announcement. */
async function goods(n: number, bytes = smallPng(), lie: Partial<MetaMessage> = {}) {
  const { type, size, width, height } = prepared(bytes);
  const view = DEFAULT_RULES;
  const meta: MetaMessage = { t: "meta", n, type, size, w: width, h: height, view, ...lie };
  const plaintext = randomBytes(256);
  const metaHash = await sha256(plaintext);
  const sealer = await ImageSealer.create({ image: n, size: bytes.length, metaHash });
  const records: Bytes[] = [];
  for (let at = 0; at < bytes.length; at += CHUNK_SIZE) {
    records.push(await sealer.seal(bytes.slice(at, at + CHUNK_SIZE)));
  }
  const digest = toBase64Url(await sealer.finish());
  return { n, bytes, meta, plaintext, records, digest, key: sealer.exportKey() };
}

type Goods = Awaited<ReturnType<typeof goods>>;

async function receiveAll(receiver: PictureReceiver, { n, meta, plaintext, ...rest }: Goods) {
  await receiver.announce(meta, plaintext);
  for (const record of rest.records) receiver.receive(record);
  await receiver.end(n, rest.digest);
}

Deno.test("a picture is whole once all of it is there as it was sent, and opens", async () => {
  const { receiver, told } = start();
  const picture = await goods(0, bigPng(200_000));
  await receiveAll(receiver, picture);
  assertEquals(told, ["announced 0", "whole 0"]);
  assertEquals(receiver.newest?.whole, true);
  assertEquals(await receiver.open(0, picture.key), picture.bytes);
});

Deno.test("whoever announces out of turn, or a third picture, is in breach", async () => {
  const { receiver } = start();
  const first = await goods(0, bigPng(200_000));
  const [second, third] = [await goods(1), await goods(2)];
  await assertRejects(() => receiver.announce(second.meta, second.plaintext), ProtocolError);
  await receiver.announce(first.meta, first.plaintext);
  // The first one is not whole.
  await assertRejects(() => receiver.announce(second.meta, second.plaintext), ProtocolError);
  for (const record of first.records) receiver.receive(record);
  await receiver.end(0, first.digest);
  await receiveAll(receiver, second);
  await assertRejects(() => receiver.announce(third.meta, third.plaintext), ProtocolError);
  receiver.drop(0);
  await receiver.announce(third.meta, third.plaintext);
  assertEquals(receiver.newest?.meta.n, 2);
});

Deno.test("chunks may come before their announcement, 256 of them", async () => {
  const { receiver, told } = start();
  const picture = await goods(0, bigPng(200_000));
  for (const record of picture.records) receiver.receive(record);
  await receiver.announce(picture.meta, picture.plaintext);
  await receiver.end(0, picture.digest);
  assertEquals(told, ["announced 0", "whole 0"]);
  const next = await goods(1);
  const [record] = next.records;
  assert(record !== undefined);
  for (let i = 0; i < 256; i++) receiver.receive(record);
  assertThrows(() => receiver.receive(record), ProtocolError);
});

Deno.test("what did not arrive as it was sent is corrupt, whatever comes first", async () => {
  for (const early of [true, false]) {
    const { receiver, told } = start();
    const { meta, plaintext, records } = await goods(0);
    const digest = toBase64Url(randomBytes(32));
    await receiver.announce(meta, plaintext);
    if (early) await receiver.end(0, digest);
    for (const record of records) receiver.receive(record);
    if (!early) await receiver.end(0, digest);
    while (told.length < 2) await new Promise((resolve) => setTimeout(resolve));
    assertEquals(told, ["announced 0", "corrupt 0"]);
  }
});

Deno.test("bytes that are not what was announced never leave the receiver", async () => {
  for (const lie of [{ w: 41 }, { h: 3 }, { type: "image/jpeg" }] as const) {
    const { receiver } = start();
    const picture = await goods(0, smallPng(), lie);
    await receiveAll(receiver, picture);
    await assertRejects(() => receiver.open(0, picture.key), ProtocolError);
  }
});

Deno.test("a dropped picture can't be opened, and its late chunks are ignored", async () => {
  const { receiver } = start();
  const picture = await goods(0, bigPng(200_000));
  const [first, ...others] = picture.records;
  await receiver.announce(picture.meta, picture.plaintext);
  receiver.receive(first ?? new Uint8Array());
  receiver.drop(0);
  for (const record of others) receiver.receive(record);
  await receiver.end(0, picture.digest);
  assertEquals([receiver.find(0), receiver.newest], [null, null]);
  await assertRejects(() => receiver.open(0, picture.key), ProtocolError);
});

Deno.test("another transport goes on with the first chunk that is missing", async () => {
  const { receiver } = start();
  assertEquals(receiver.position(), { image: 0, chunk: 0 });
  const picture = await goods(0, bigPng(200_000));
  await receiver.announce(picture.meta, picture.plaintext);
  receiver.receive(picture.records[0] ?? new Uint8Array());
  assertEquals(receiver.position(), { image: 0, chunk: 1 });
});

Deno.test("after a reload the peer says which number is next, once", async () => {
  const { receiver } = start();
  await receiveAll(receiver, await goods(0));
  receiver.restart();
  assertThrows(() => receiver.find(0), ProtocolError);
  receiver.expect(1);
  assertThrows(() => receiver.expect(1), ProtocolError);
  await receiveAll(receiver, await goods(1));
  assertEquals(receiver.newest?.meta.n, 1);
});

Deno.test("an unknown picture can neither be found nor ended", async () => {
  const { receiver } = start();
  assertThrows(() => receiver.find(0), ProtocolError);
  await assertRejects(
    () => receiver.end(0, toBase64Url(fromBase64Url("") ?? new Uint8Array(0))),
    ProtocolError,
  );
});

Deno.test("the receiver imports nothing that knows a page", async () => {
  const imports = await importsOf(sourceFiles("lib"));
  const reached = new Set(["lib/pictures/picture_receiver.ts"]);
  for (const file of reached) {
    for (const { path } of imports.get(file) ?? []) if (path !== null) reached.add(path);
  }
  assert(reached.has("lib/e2e/image_stream.ts"));
  assertEquals([...reached].filter((file) => file.startsWith("lib/viewer/")), []);
});
