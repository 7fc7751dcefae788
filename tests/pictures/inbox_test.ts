import { DEFAULT_RULES } from "../../lib/protocol/display_options.ts";
import { Inbox, type IncomingPicture } from "../../lib/pictures/inbox.ts";
import { dispatch } from "../../lib/pictures/picture_messages.ts";
import { PictureScreen } from "../../lib/viewer/picture_screen.ts";
import type { Incoming } from "../../lib/pictures/incoming.ts";
import { ImageSealer } from "../../lib/e2e/image_stream.ts";
import { randomBytes, sha256 } from "../../lib/e2e/suite.ts";
import type { OpenPicture } from "../../lib/image/decoder.ts";
import { ImageError } from "../../lib/image/errors.ts";
import { encodeHex } from "@std/encoding/hex";
import { type Bytes, toBase64Url } from "../../lib/protocol/bytes.ts";
import type { ControlMessage, MetaMessage } from "../../lib/protocol/control.ts";
import { CHUNK_SIZE, encodeHeader, RECORD } from "../../lib/protocol/record.ts";
import { STEADY } from "../connection/keys.ts";
import { linkPair } from "../connection/link_pair.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { FakeTime, settle, until, withGlobals } from "../support/fake_time.ts";
import { unexpected } from "./handlers.ts";
import { bigPng, FakeBitmap, prepared, smallPng } from "./pictures.ts";

/** A decoder that keeps what it was given, and answers when a test allows it. */
class FakeDecoder {
  readonly given: Bytes[] = [];
  readonly bitmaps: FakeBitmap[] = [];
  answer: () => Promise<void> = () => Promise.resolve();

  /** Pictures that were closed. */
  closes = 0;

  async open(bytes: Bytes): Promise<OpenPicture> {
    this.given.push(bytes);
    await this.answer();
    const bitmap = new FakeBitmap();
    this.bitmaps.push(bitmap);
    return {
      bitmap,
      width: 4,
      height: 3,
      wide: false,
      render: () => Promise.reject(new ImageError("aborted")),
      close: () => void this.closes++,
    };
  }
}

/** A picture that is ready to be sent, or to be tampered with. */
interface Goods {
  readonly meta: MetaMessage;
  readonly records: Bytes[];
  readonly digest: string;
  readonly key: string;
}

/**
 * An inbox on a real link, and at the other end an owner of pictures who sends whatever a test
 * wants.
 */
async function start() {
  const { s, r } = await linkPair();
  const decoder = new FakeDecoder();
  const changes: IncomingPicture[] = [];
  const heard: ControlMessage[] = [];
  const ends: string[] = [];
  const inbox = new Inbox({
    link: r.link,
    answers: () => true,
    screen: new PictureScreen(decoder),
    defaultMark: "today",
    onChange: (picture) => void changes.push(picture),
  });
  r.link.listen({
    ...STEADY,
    onControl: (opened) => dispatch(opened, { inbox, outbox: unexpected(), session: unexpected() }),
    onRecord: (record) => inbox.receiveRecord(record),
    onEnd: (why) => void ends.push(why),
  });
  s.link.listen({
    ...STEADY,
    onControl: ({ message }) => void heard.push(message),
    onRecord: () => {},
    onEnd: () => {},
  });
  const say = (message: ControlMessage) => s.link.sendControl(message);
  const send = async (...records: readonly Bytes[]) => {
    for (const record of records) await s.link.sendRecord(record);
  };
  return {
    inbox,
    decoder,
    changes,
    heard,
    ends,
    say,
    send,
    /** Announces and seals; `lie` changes the announcement. */
    async announce(bytes = smallPng(), { n = 0, lie = {} }: Lie = {}): Promise<Goods> {
      const { type, size, width, height } = prepared(bytes);
      const view = { ...DEFAULT_RULES, seconds: 5 };
      const meta = { t: "meta", n, type, size, w: width, h: height, view, ...lie } as const;
      const metaHash = await sha256(await say(meta));
      return { meta, ...await seal(bytes, { n, metaHash }) };
    },
    state: () => inbox.picture.peek()?.state,
    at: () => inbox.picture.peek()?.state.at,
  };
}

interface Lie {
  readonly n?: number;
  readonly lie?: Partial<MetaMessage>;
}

async function seal(bytes: Bytes, { n, metaHash }: { n: number; metaHash: Bytes }) {
  const sealer = await ImageSealer.create({ image: n, size: bytes.length, metaHash });
  const records: Bytes[] = [];
  for (let at = 0; at < bytes.length; at += CHUNK_SIZE) {
    records.push(await sealer.seal(bytes.slice(at, at + CHUNK_SIZE)));
  }
  const digest = toBase64Url(await sealer.finish());
  return { records, digest, key: toBase64Url(sealer.exportKey()) };
}

type Stand = Awaited<ReturnType<typeof start>>;

const PAGE = {
  innerWidth: 800,
  innerHeight: 600,
  screen: { width: 800, height: 600 },
  devicePixelRatio: 2,
};

/** What a page knows about its screen. */
function test(name: string, body: (stand: Stand) => Promise<void>): void {
  Deno.test(name, async () => {
    using _globals = withGlobals(PAGE);
    await body(await start());
  });
}

async function ended(stand: Stand): Promise<void> {
  await until(() => stand.ends.length > 0, "the link ended");
  assertEquals(stand.ends, ["protocol"]);
}

const REACH = {
  receiving: async (stand: Stand) => {
    const goods = await stand.announce(bigPng(200_000));
    await until(() => stand.at() === "receiving", "it is announced");
    return goods;
  },
  delivered: async (stand: Stand, bytes = smallPng(), options: Lie = {}) => {
    const goods = await stand.announce(bytes, options);
    await stand.send(...goods.records);
    await stand.say({ t: "end", n: goods.meta.n, digest: goods.digest });
    await until(() => stand.at() === "delivered", "it is delivered");
    return goods;
  },
  opening: async (stand: Stand, bytes = smallPng(), options: Lie = {}) => {
    const goods = await REACH.delivered(stand, bytes, options);
    stand.inbox.open();
    await until(() => stand.heard.at(-1)?.t === "open", "it was asked for");
    return goods;
  },
} as const;

type Unfinished = keyof typeof REACH;

const UNFINISHED: readonly Unfinished[] = ["receiving", "delivered", "opening"];

/** Sends the key and waits for its effect. */
async function unlock(stand: Stand, { meta: { n }, key }: Goods): Promise<void> {
  await stand.say({ t: "key", n, key });
}

test("a picture is received, reported, requested, and decoded byte by byte", async (stand) => {
  const bytes = bigPng(3 * CHUNK_SIZE + 5);
  const goods = await REACH.delivered(stand, bytes);
  await until(() => stand.heard.length === 1, "it is reported");
  assertEquals(stand.heard, [{ t: "got", n: 0 }]);
  await settle(20);
  assertEquals(stand.decoder.given, []);
  stand.inbox.open();
  assertEquals(stand.at(), "opening");
  await unlock(stand, goods);
  await until(() => stand.decoder.given.length === 1, "it is decoded");
  assertEquals(encodeHex(await sha256(stand.decoder.given[0]!)), encodeHex(await sha256(bytes)));
  assertEquals([stand.heard.at(-1), stand.ends], [{ t: "open", n: 0 }, []]);
});

test("a digest that overtakes the last chunk waits for it", async (stand) => {
  const goods = await stand.announce(bigPng(200_000));
  await stand.say({ t: "end", n: 0, digest: goods.digest });
  await settle(20);
  assertEquals(stand.at(), "receiving");
  await stand.send(...goods.records);
  await until(() => stand.heard.at(-1)?.t === "got", "it is reported");
});

test("a person opens what is delivered: not before, and once", async (stand) => {
  stand.inbox.open();
  await REACH.receiving(stand);
  stand.inbox.open();
  await settle();
  assertEquals([stand.at(), stand.heard], ["receiving", []]);
  const other = await start();
  await REACH.opening(other);
  other.inbox.open();
  await settle();
  assertEquals(other.heard.filter(({ t }) => t === "open").length, 1);
});

// Out of turn

for (const at of ["receiving", "delivered"] as const) {
  test(`an unrequested key for a picture that is ${at} ends the link undecoded`, async (stand) => {
    const goods = await REACH[at](stand);
    await unlock(stand, goods);
    await ended(stand);
    assertEquals(stand.decoder.given, []);
  });
}

test("a second key ends the link", async (stand) => {
  const goods = await REACH.opening(stand);
  await unlock(stand, goods);
  await unlock(stand, goods);
  await ended(stand);
});

for (
  const message of [
    { t: "end", n: 0, digest: toBase64Url(randomBytes(32)) },
    { t: "key", n: 0, key: toBase64Url(randomBytes(32)) },
    { t: "revoke", n: 0 },
    { t: "extend", n: 0, seconds: 5 },
    { t: "key", n: 19, key: toBase64Url(randomBytes(32)) },
  ] as const satisfies readonly ControlMessage[]
) {
  test(`\`${message.t}\` for an unknown picture ${message.n} ends the link`, async (stand) => {
    await stand.say(message);
    await ended(stand);
    assertEquals(stand.changes, []);
  });
}

test("a second announcement while a picture is on its way ends the link", async (stand) => {
  await REACH.receiving(stand);
  await stand.announce(smallPng(), { n: 1 });
  await ended(stand);
  assertEquals(stand.inbox.picture.peek()?.meta.n, 0);
});

/** Sends all of a picture that is sent ahead of its turn. */
async function sendAhead(stand: Stand, n: number): Promise<Goods> {
  const goods = await stand.announce(bigPng(200_000), { n });
  await stand.send(...goods.records);
  await stand.say({ t: "end", n, digest: goods.digest });
  await until(() => stand.heard.some((message) => message.t === "got" && message.n === n), "got");
  return goods;
}

for (const at of ["delivered", "opening"] as const) {
  test(`while a picture is ${at} one more may be sent, but no third one`, async (stand) => {
    await REACH[at](stand);
    await sendAhead(stand, 1);
    assertEquals([stand.at(), stand.inbox.picture.peek()?.meta.n, stand.ends], [at, 0, []]);
    await stand.announce(smallPng(), { n: 2 });
    await ended(stand);
  });
}

test("a picture sent ahead is there, locked, soon after the one before it", async (stand) => {
  await REACH.delivered(stand);
  await sendAhead(stand, 1);
  await stand.say({ t: "revoke", n: 0 });
  await until(() => stand.at() === "revoked", "the first one is gone");
  assert(!stand.inbox.idle);
  await until(() => stand.at() === "delivered", "the second one's turn came");
  assertEquals([stand.inbox.picture.peek()?.meta.n, stand.decoder.given], [1, []]);
  stand.inbox.open();
  await until(() => stand.heard.at(-1)?.t === "open", "it was asked for");
  assertEquals(stand.heard.at(-1), { t: "open", n: 1 });
});

test("an owner whose clock is faster finds the next picture in its turn", async (stand) => {
  await REACH.delivered(stand);
  await sendAhead(stand, 1);
  await stand.say({ t: "revoke", n: 0 });
  // No time at all for the moment between two pictures.
  await sendAhead(stand, 2);
  assertEquals([stand.at(), stand.inbox.picture.peek()?.meta.n, stand.ends], ["delivered", 1, []]);
  await stand.announce(smallPng(), { n: 3 });
  await ended(stand);
});

test("a key for a picture sent ahead ends the link, and opens nothing", async (stand) => {
  await REACH.opening(stand);
  const { key } = await sendAhead(stand, 1);
  await stand.say({ t: "key", n: 1, key });
  await ended(stand);
  assertEquals(stand.decoder.given, []);
});

for (const all of [true, false]) {
  test(`what was sent ahead is revoked ${all ? "with everything" : "by itself"}`, async (stand) => {
    await REACH.delivered(stand);
    await sendAhead(stand, 1);
    await stand.say(all ? { t: "revoke", all: true } : { t: "revoke", n: 1 });
    await stand.say({ t: "revoke", n: 0 });
    await until(() => stand.inbox.idle, "nothing is left");
    assertEquals([stand.at(), stand.inbox.picture.peek()?.meta.n], ["revoked", 0]);
    assertEquals(stand.ends, []);
  });
}

test("chunks of consecutive pictures are not mixed up", async (stand) => {
  const first = await stand.announce(bigPng(200_000));
  await stand.send(...first.records.slice(0, 2));
  await stand.send(...(await seal(bigPng(200_000), { n: 1, metaHash: randomBytes(32) })).records);
  await stand.send(...first.records.slice(2));
  await stand.say({ t: "end", n: 0, digest: first.digest });
  await until(() => stand.at() === "delivered", "the first one is whole");
  assertEquals(stand.ends, []);
});

for (const n of [1, 2, 19]) {
  test(`a first picture with number ${n} ends the link`, async (stand) => {
    await stand.announce(smallPng(), { n });
    await ended(stand);
    assertEquals(stand.changes, []);
  });
}

test("a picture's number can't be used again", async (stand) => {
  await REACH.delivered(stand);
  await stand.say({ t: "revoke", n: 0 });
  await stand.announce();
  await ended(stand);
});

test("20 pictures can be announced, and no 21st", async (stand) => {
  for (let n = 0; n < 20; n++) {
    await stand.announce(smallPng(), { n });
    await stand.say({ t: "revoke", n });
  }
  await until(() => stand.inbox.picture.peek() !== null && stand.inbox.idle, "all came");
  assertEquals(stand.ends, []);
  await stand.announce(smallPng(), { n: 20 });
  await ended(stand);
});

// Chunks

const RAW: readonly [name: string, change: (records: readonly Bytes[]) => readonly Bytes[]][] = [
  ["repeated", ([a]) => [a!, a!]],
  ["reordered", ([a, b]) => [b!, a!]],
  ["left out", ([a, _b, c]) => [a!, c!]],
  ["cut", ([a]) => [a!.slice(0, -1)]],
  ["cut to a header", ([a]) => [a!.slice(0, 8)]],
  ["lengthened", ([a, b, c, d]) => [a!, b!, c!, new Uint8Array([...d!, 0])]],
  ["appended after the last", ([a, b, c, d]) => [a!, b!, c!, d!, d!]],
  ["of a picture to come", ([a]) => [a!.with(3, 2)]],
  ["marked as the last", ([a]) => [a!.with(1, 1)]],
  ["with unknown flags", ([a]) => [a!.with(1, 2)]],
  ["of another type", ([a]) => [a!.with(0, RECORD.control)]],
];

for (const [name, change] of RAW) {
  test(`a chunk that is ${name} ends the link; nothing is reported or decoded`, async (stand) => {
    const { records } = await REACH.receiving(stand);
    assertEquals(records.length, 4);
    await stand.send(...change(records)).catch(() => {});
    await ended(stand);
    assertEquals([stand.heard, stand.decoder.given], [[], []]);
  });
}

test("a chunk after a picture was delivered ends the link", async (stand) => {
  const { records } = await REACH.delivered(stand);
  await stand.send(records[0]!);
  await ended(stand);
});

for (const place of [9, 30_000, -1]) {
  test(`a bit flipped at ${place} of a chunk is found before decoding`, async (stand) => {
    const goods = await REACH.receiving(stand);
    const [first, ...others] = goods.records;
    await stand.send(first!.with(place, first!.at(place)! ^ 1), ...others);
    await stand.say({ t: "end", n: 0, digest: goods.digest });
    await until(() => stand.at() !== "receiving", "it is whole");
    if (stand.at() === "delivered") {
      stand.inbox.open();
      await until(() => stand.heard.at(-1)?.t === "open", "it was asked for");
      await unlock(stand, goods);
    }
    await until(() => stand.heard.at(-1)?.t === "abort", "it was found");
    assertEquals(stand.heard.at(-1), { t: "abort", code: "corrupt", n: 0 });
    assertEquals([stand.state(), stand.decoder.given], [{ at: "failed", code: "corrupt" }, []]);
  });
}

test("a wrong digest is found before the picture can be opened", async (stand) => {
  const { records } = await REACH.receiving(stand);
  await stand.send(...records);
  await stand.say({ t: "end", n: 0, digest: toBase64Url(randomBytes(32)) });
  await until(() => stand.heard.length > 0, "it was found");
  assertEquals(stand.heard, [{ t: "abort", code: "corrupt", n: 0 }]);
  stand.inbox.open();
  assertEquals(stand.state(), { at: "failed", code: "corrupt" });
});

test("chunks of one picture can't be passed off as another's", async (stand) => {
  const first = await REACH.delivered(stand);
  await stand.say({ t: "revoke", n: 0 });
  const second = await stand.announce(smallPng(), { n: 1 });
  const header = encodeHeader({ type: RECORD.chunk, flags: 1, image: 1, seq: 0 });
  const moved = new Uint8Array([...header, ...first.records[0]!.subarray(8)]);
  await stand.send(moved);
  // The owner may make any digest; the seal itself proves where a chunk belongs.
  const tag = moved.slice(-16);
  await stand.say({ t: "end", n: 1, digest: toBase64Url(await sha256(tag)) });
  const turn = () => stand.inbox.picture.peek()?.meta.n === 1;
  await until(() => turn() && stand.at() !== "receiving", "it is whole");
  if (stand.at() === "delivered") {
    stand.inbox.open();
    await stand.say({ t: "key", n: 1, key: first.key });
  }
  await until(() => stand.heard.at(-1)?.t === "abort", "it was found");
  assertEquals(stand.state(), { at: "failed", code: "corrupt" });
  assertEquals([stand.decoder.given, second.meta.n], [[], 1]);
});

// Keys

for (
  const [name, change] of [
    ["another one", () => toBase64Url(randomBytes(32))],
    ["all zeros", () => toBase64Url(new Uint8Array(32))],
  ] as const
) {
  test(`a key that is ${name} opens nothing: the picture is corrupt, undecoded`, async (stand) => {
    const goods = await REACH.opening(stand);
    await unlock(stand, { ...goods, key: change() });
    await until(() => stand.heard.at(-1)?.t === "abort", "it was found");
    assertEquals(stand.state(), { at: "failed", code: "corrupt" });
    assertEquals([stand.decoder.given, stand.ends], [[], []]);
  });
}

// Announcements that lie

const LIES: readonly [name: string, bytes: Bytes, lie: Partial<MetaMessage>][] = [
  ["its type", smallPng(), { type: "image/jpeg" }],
  ["its width", smallPng(), { w: 41 }],
  ["its height", smallPng(), { h: 3 }],
  ["both sides, swapped", smallPng(), { w: 30, h: 40 }],
];

for (const [name, bytes, lie] of LIES) {
  test(`a picture whose announcement is wrong about ${name} is never decoded`, async (stand) => {
    const goods = await REACH.opening(stand, bytes, { lie });
    await unlock(stand, goods);
    await until(() => stand.heard.at(-1)?.t === "abort", "it was found");
    assertEquals(stand.state(), { at: "failed", code: "corrupt" });
    assertEquals(stand.decoder.given, []);
  });
}

for (const off of [-1, 1, CHUNK_SIZE]) {
  test(`an announcement off by ${off} bytes is refused before the end`, async (stand) => {
    const bytes = bigPng(200_000);
    const { records } = await stand.announce(bytes, { lie: { size: bytes.length + off } });
    await stand.send(...records);
    await ended(stand);
    assertEquals([stand.heard, stand.decoder.given], [[], []]);
  });
}

for (
  const [name, bytes] of [
    ["text", new TextEncoder().encode("no picture, although it says so ".repeat(4))],
    ["SVG", new TextEncoder().encode(`<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>`)],
  ] as const
) {
  test(`what is ${name} but was announced as a PNG is never decoded`, async (stand) => {
    const view = { ...DEFAULT_RULES, seconds: 5 };
    const size = bytes.length;
    const meta = { t: "meta", n: 0, type: "image/png", size, w: 40, h: 30, view } as const;
    const goods = await seal(bytes, { n: 0, metaHash: await sha256(await stand.say(meta)) });
    await stand.send(...goods.records);
    await stand.say({ t: "end", n: 0, digest: goods.digest });
    await until(() => stand.at() === "delivered", "it is delivered");
    stand.inbox.open();
    await unlock(stand, { ...goods, meta });
    await until(() => stand.heard.at(-1)?.t === "abort", "it was found");
    assertEquals([stand.at(), stand.decoder.given], ["failed", []]);
  });
}

test("what was decrypted and contradicts its announcement is overwritten", async (stand) => {
  const fill = Uint8Array.prototype.fill;
  const wiped: number[] = [];
  Uint8Array.prototype.fill = function (...args) {
    if (args[0] === 0 && this[1] === 0x50) wiped.push(this.length);
    return Reflect.apply(fill, this, args);
  };
  try {
    // Several chunks: each of them is overwritten as well, and must not be mistaken for the whole.
    const goods = await REACH.opening(stand, bigPng(200_000), { lie: { w: 7 } });
    await unlock(stand, goods);
    await until(() => stand.at() === "failed", "it was found");
    assert(wiped.includes(goods.meta.size), "the plaintext was left in memory");
  } finally {
    Uint8Array.prototype.fill = fill;
  }
});

test("a picture that can't be decoded is reported as such", async (stand) => {
  stand.decoder.answer = () => Promise.reject(new ImageError("undecodable"));
  const goods = await REACH.opening(stand);
  await unlock(stand, goods);
  await until(() => stand.heard.at(-1)?.t === "abort", "it was told");
  assertEquals(stand.heard.at(-1), { t: "abort", code: "undecodable", n: 0 });
  assertEquals(stand.state(), { at: "failed", code: "undecodable" });
});

test("waiting for a key has a timeout, and its owner is told", async (stand) => {
  using time = new FakeTime();
  await REACH.opening(stand);
  await time.advance(14_999);
  assertEquals(stand.at(), "opening");
  await time.advance(1);
  assertEquals(stand.state(), { at: "failed", code: "timeout" });
  await until(() => stand.heard.at(-1)?.t === "abort", "it was told");
});

// Floods

test("chunks before their announcement wait for it, and are read in order", async (stand) => {
  const bytes = bigPng(10 * CHUNK_SIZE);
  const { type, size, width, height } = prepared(bytes);
  const view = { ...DEFAULT_RULES, seconds: 5 };
  const meta = { t: "meta", n: 0, type, size, w: width, h: height, view } as const;
  const { encodeControl } = await import("../../lib/e2e/control_record.ts");
  const goods = await seal(bytes, { n: 0, metaHash: await sha256(encodeControl(meta)) });
  await stand.send(...goods.records.slice(0, 5));
  await settle();
  await stand.say(meta);
  await stand.send(...goods.records.slice(5));
  await stand.say({ t: "end", n: 0, digest: goods.digest });
  await until(() => stand.at() === "delivered", "it is whole");
});

test("at most 256 chunks wait for an announcement", async (stand) => {
  const header = encodeHeader({ type: RECORD.chunk, flags: 0, image: 0, seq: 0 });
  const record = new Uint8Array([...header, ...new Uint8Array(32)]);
  for (let i = 0; i < 256; i++) await stand.send(record);
  await settle();
  assertEquals(stand.ends, []);
  await stand.send(record);
  await ended(stand);
});

test("no chunk waits for the announcement after next", async (stand) => {
  const header = encodeHeader({ type: RECORD.chunk, flags: 0, image: 1, seq: 0 });
  await stand.send(new Uint8Array([...header, ...new Uint8Array(32)]));
  await ended(stand);
});

test("chunks of a picture taken back midway are dropped; the next arrives", async (stand) => {
  const { records } = await REACH.receiving(stand);
  await stand.send(records[0]!);
  await stand.say({ t: "revoke", n: 0 });
  await until(() => stand.inbox.idle, "it was taken back");
  await stand.send(...records.slice(1));
  await REACH.delivered(stand, smallPng(), { n: 1 });
  assertEquals([stand.ends, stand.inbox.picture.peek()?.meta.n], [[], 1]);
});

// Taking back

for (const at of UNFINISHED) {
  for (const how of [{ n: 0 }, { all: true }] as const) {
    test(`a picture that is ${at} can be taken back by ${JSON.stringify(how)}`, async (stand) => {
      const goods = await REACH[at](stand);
      await stand.say({ t: "revoke", ...how });
      await until(() => stand.inbox.idle, "it was taken back");
      assertEquals(stand.state(), { at: "revoked" });
      const word = stand.heard.filter(({ t }) => t === "closed");
      await unlock(stand, goods);
      stand.inbox.open();
      await settle(20);
      assertEquals([stand.decoder.given, stand.at(), stand.ends], [[], "revoked", []]);
      // A viewer who may have the key already still owes the owner a report.
      await until(() => stand.heard.some(({ t }) => t === "closed") === (at === "opening"), "told");
      assert(word.length <= 1);
    });
  }
}

test("a picture taken back while it is decoded is freed, and never painted", async (stand) => {
  const gate = Promise.withResolvers<void>();
  stand.decoder.answer = () => gate.promise;
  const goods = await REACH.opening(stand);
  await unlock(stand, goods);
  await until(() => stand.decoder.given.length === 1, "it is being decoded");
  await stand.say({ t: "revoke", all: true });
  await until(() => stand.inbox.idle, "it was taken back");
  gate.resolve();
  await until(() => stand.decoder.bitmaps[0]?.closes === 1, "the bitmap is freed");
  assertEquals(stand.decoder.closes, 1);
  await until(() => stand.heard.at(-1)?.t === "closed", "its owner is told");
  assertEquals(stand.heard.at(-1), { t: "closed", n: 0, why: "revoked", ms: 0 });
});

test("a decoded picture whose canvas never appears is freed at the end", async (stand) => {
  const goods = await REACH.opening(stand);
  await unlock(stand, goods);
  await until(() => stand.decoder.bitmaps.length === 1, "it is decoded");
  await settle();
  stand.inbox.end();
  await until(() => stand.decoder.bitmaps[0]?.closes === 1, "the bitmap is freed");
  assertEquals(stand.decoder.closes, 1);
  assertEquals(stand.heard.filter(({ t }) => t === "shown"), []);
});

test("an old picture that fails late does not harm the next one", async (stand) => {
  const gate = Promise.withResolvers<void>();
  stand.decoder.answer = () => gate.promise;
  const goods = await REACH.opening(stand);
  await unlock(stand, goods);
  await until(() => stand.decoder.given.length === 1, "it is being decoded");
  await stand.say({ t: "revoke", n: 0 });
  await REACH.delivered(stand, smallPng(), { n: 1 });
  gate.reject(new ImageError("crashed"));
  await settle(20);
  assertEquals([stand.state(), stand.heard.filter(({ t }) => t === "abort")], [
    { at: "delivered" },
    [],
  ]);
});

// Ends

for (const at of UNFINISHED) {
  test(`a session that ends while a picture is ${at} forgets it`, async (stand) => {
    const goods = await REACH[at](stand);
    stand.inbox.end();
    stand.inbox.end();
    const state: Incoming = at === "opening"
      ? { at: "closed", why: "left", ms: 0 }
      : { at: "lost" };
    assertEquals(stand.state(), state);
    await unlock(stand, goods);
    stand.inbox.open();
    await settle(20);
    assertEquals([stand.decoder.given, stand.state()], [[], state]);
  });
}

test("leaving while a picture is being opened tells its owner", async (stand) => {
  await REACH.opening(stand);
  stand.inbox.close("user");
  await until(() => stand.heard.at(-1)?.t === "closed", "it was told");
  assertEquals(stand.heard.at(-1), { t: "closed", n: 0, why: "user", ms: 0 });
});

// Asking for permission

test("an owner who wants to be asked is waited for, and can refuse", async (stand) => {
  const view = { ...DEFAULT_RULES, seconds: 5, ask: true };
  const goods = await REACH.delivered(stand, smallPng(), { lie: { view } });
  stand.inbox.open();
  assertEquals(stand.state(), { at: "opening", waits: "owner" });
  await stand.say({ t: "revoke", n: goods.meta.n });
  await until(() => stand.at() === "revoked", "the owner refused");
});

test("a viewer who asked to see it can leave, and says so", async (stand) => {
  const view = { ...DEFAULT_RULES, seconds: 5, ask: true };
  await REACH.delivered(stand, smallPng(), { lie: { view } });
  stand.inbox.open();
  stand.inbox.close("user");
  await until(() => stand.heard.at(-1)?.t === "closed", "it is said");
  assertEquals(stand.heard.at(-1), { t: "closed", n: 0, why: "user", ms: 0 });
});

test("the timeout for a key is long where a person decides, short otherwise", async () => {
  for (const [ask, least, most] of [[true, 60_000, 600_000], [false, 1_000, 60_000]] as const) {
    using _globals = withGlobals(PAGE);
    const stand = await start();
    const view = { ...DEFAULT_RULES, seconds: 5, ask };
    await REACH.delivered(stand, smallPng(), { lie: { view } });
    using time = new FakeTime();
    stand.inbox.open();
    const [wait = 0] = time.waiting;
    assert(wait > least && wait <= most, `${wait} ms`);
    await time.advance(wait);
    assertEquals(stand.state(), { at: "failed", code: "timeout" });
  }
});
