import { DEFAULT_RULES } from "../../lib/protocol/display_options.ts";
import { Outbox } from "../../lib/pictures/outbox.ts";
import { OutboxFullError, type OutgoingPicture } from "../../lib/pictures/outgoing_list.ts";
import { dispatch } from "../../lib/pictures/picture_messages.ts";
import { ImageOpener, ImageSealer } from "../../lib/e2e/image_stream.ts";
import { sha256 } from "../../lib/e2e/suite.ts";
import { HIGH_WATERMARK } from "../../lib/connection/flow_channel.ts";
import type { Prepared } from "../../lib/image/prepared.ts";
import { encodeHex } from "@std/encoding/hex";
import { type Bytes, fromBase64Url, toBase64Url } from "../../lib/protocol/bytes.ts";
import type { ControlMessage } from "../../lib/protocol/control.ts";
import { CHUNK_SIZE } from "../../lib/protocol/record.ts";
import { STEADY } from "../connection/keys.ts";
import { linkPair } from "../connection/link_pair.ts";
import { assert, assertEquals, assertThrows } from "../support/assert.ts";
import { FakeTime, settle, until } from "../support/fake_time.ts";
import { unexpected } from "./handlers.ts";
import { bigPng, prepared, smallPng } from "./pictures.ts";

const RULES = { ...DEFAULT_RULES, seconds: 5 };

/** An outbox on a real link, and a peer at the other end. */
async function start() {
  const { s, r } = await linkPair();
  const changes: OutgoingPicture[] = [];
  const heard: ControlMessage[] = [];
  const plaintexts: Bytes[] = [];
  const records: Bytes[] = [];
  const ends: string[] = [];
  const outbox = new Outbox({
    onChange: () => {},
    answers: () => true,
  });
  outbox.pictures.subscribe((pictures) => void changes.push(...pictures));
  s.link.listen({
    ...STEADY,
    onControl: (opened) => dispatch(opened, { outbox, inbox: unexpected(), session: unexpected() }),
    onRecord: () => {},
    onEnd: (why) => void ends.push(why),
  });
  r.link.listen({
    ...STEADY,
    onControl({ message, plaintext }) {
      heard.push(message);
      plaintexts.push(plaintext);
    },
    onRecord: (record) => void records.push(record),
    onEnd: () => {},
  });
  return {
    outbox,
    s,
    r,
    changes,
    heard,
    plaintexts,
    records,
    ends,
    add(picture: Prepared = prepared(), name = "holiday.png") {
      outbox.list.add({ name, prepared: picture, rules: RULES });
    },
    say: (message: ControlMessage) => r.link.sendControl(message),
    state: (n = 0) => outbox.pictures.peek()[n]?.state.at,
    keys: () => heard.filter(({ t }) => t === "key"),
  };
}

type Stand = Awaited<ReturnType<typeof start>>;

/** Keeps every raw key that a sealer draws or copies while this is installed. */
function watchKeys(): { readonly keys: Bytes[] } & Disposable {
  const keys: Bytes[] = [];
  const { create } = ImageSealer;
  const { exportKey } = ImageSealer.prototype;
  const { importKey } = SubtleCrypto.prototype;
  ImageSealer.create = async (identity) => {
    SubtleCrypto.prototype.importKey = function (...args: unknown[]) {
      const [, raw] = args;
      if (raw instanceof Uint8Array && raw.buffer instanceof ArrayBuffer) {
        keys.push(new Uint8Array(raw.buffer));
      }
      return Reflect.apply(importKey, this, args);
    };
    try {
      // Imports its key in the same microtask.
      return await create.call(ImageSealer, identity);
    } finally {
      SubtleCrypto.prototype.importKey = importKey;
    }
  };
  ImageSealer.prototype.exportKey = function () {
    const copy = exportKey.call(this);
    keys.push(copy);
    return copy;
  };
  return {
    keys,
    [Symbol.dispose]() {
      ImageSealer.create = create;
      ImageSealer.prototype.exportKey = exportKey;
      SubtleCrypto.prototype.importKey = importKey;
    },
  };
}

function allZero(keys: readonly Bytes[]): boolean {
  return keys.every((key) => key.every((byte) => byte === 0));
}

async function delivered(stand: Stand, picture?: Prepared): Promise<void> {
  stand.add(picture);
  stand.outbox.attach(stand.s.link);
  await until(() => stand.heard.some(({ t }) => t === "end"), "all was sent");
  await stand.say({ t: "got", n: 0 });
  await until(() => stand.state() === "delivered", "it is delivered");
}

async function opened(stand: Stand): Promise<void> {
  await delivered(stand);
  await stand.say({ t: "open", n: 0 });
  await until(() => stand.keys().length === 1, "the key came");
}

Deno.test("a picture is announced, sent, and readable with its key, byte by byte", async () => {
  const stand = await start();
  const bytes = bigPng(3 * CHUNK_SIZE + 77);
  await delivered(stand, prepared(bytes));
  assertEquals(stand.heard.map(({ t }) => t), ["meta", "end"]);
  const [meta, end] = stand.heard;
  assert(meta?.t === "meta" && end?.t === "end");
  assertEquals([meta.size, meta.type, meta.view, meta.n], [bytes.length, "image/png", RULES, 0]);
  const plaintext = stand.plaintexts[0] ?? new Uint8Array(0);
  const opener = new ImageOpener({
    image: 0,
    size: meta.size,
    metaHash: await sha256(plaintext),
  });
  for (const record of stand.records) opener.add(record);
  assert(await opener.matches(fromBase64Url(end.digest) ?? new Uint8Array(0)));
  await stand.say({ t: "open", n: 0 });
  await until(() => stand.keys().length === 1, "the key came");
  const [key] = stand.keys();
  assert(key?.t === "key");
  const opening = await opener.open(fromBase64Url(key.key) ?? new Uint8Array(0));
  assertEquals(encodeHex(await sha256(opening)), encodeHex(await sha256(bytes)));
});

Deno.test("the key is nowhere on the wire before the viewer asked for it", async () => {
  using watch = watchKeys();
  const stand = await start();
  await delivered(stand);
  await settle(20);
  const [key] = watch.keys;
  assert(key !== undefined && !allZero([key]), "the watch saw no key");
  assertEquals(stand.keys(), []);
  const clear = [...stand.plaintexts, ...stand.records].map((bytes) => encodeHex(bytes)).join();
  const text = stand.plaintexts.map((bytes) => new TextDecoder().decode(bytes)).join();
  assert(!clear.includes(encodeHex(key)) && !text.includes(toBase64Url(key)));
});

Deno.test("the key is overwritten as soon as it was handed over, its copy too", async () => {
  using watch = watchKeys();
  const stand = await start();
  await opened(stand);
  await until(() => watch.keys.length === 2 && allZero(watch.keys), "both are overwritten");
});

Deno.test("a file's name is not sent", async () => {
  const stand = await start();
  stand.add(prepared(), "me at the clinic.png");
  stand.outbox.attach(stand.s.link);
  await until(() => stand.heard.length > 0, "it was announced");
  const text = stand.plaintexts.map((bytes) => new TextDecoder().decode(bytes)).join();
  assert(!text.includes("clinic"), text);
});

Deno.test("the file channel queues at most the high mark and one record", async () => {
  const stand = await start();
  const { files } = stand.s;
  files.stuck = true;
  stand.add(prepared(bigPng(2 * 1024 * 1024)));
  stand.outbox.attach(stand.s.link);
  await until(() => {
    files.drain(50_000);
    return stand.heard.some(({ t }) => t === "end");
  }, "all was sent");
  assert(files.mostBuffered < HIGH_WATERMARK + 65_536, `${files.mostBuffered} bytes`);
  assertEquals(files.listeners, 0);
});

Deno.test("progress only grows, and ends below or at the size", async () => {
  const stand = await start();
  await delivered(stand, prepared(bigPng(500_000)));
  const sent = stand.changes.flatMap(({ state }) => state.at === "sending" ? [state.sent] : []);
  assertEquals(sent, sent.toSorted((a, b) => a - b));
  assert((sent.at(-1) ?? 0) <= 500_000);
  assertEquals(sent[0], 0);
});

Deno.test("rules can be changed until the announcement, and not secretly later", async () => {
  const stand = await start();
  stand.add();
  stand.add();
  stand.outbox.list.setRules({ ...RULES, seconds: 30 });
  stand.outbox.attach(stand.s.link);
  await until(() => stand.heard.length > 0, "the first was announced");
  stand.outbox.list.setRules({ ...RULES, seconds: 60 });
  const [meta] = stand.heard;
  assert(meta?.t === "meta");
  assertEquals(meta.view.seconds, 30);
  assertEquals(stand.outbox.pictures.peek().map(({ rules }) => rules.seconds), [30, 60]);
});

Deno.test("a session takes 20 pictures, and refuses the next with a known error", async () => {
  const { outbox, add } = await start();
  for (let i = 0; i < 20; i++) add();
  assertThrows(() => add(), OutboxFullError);
  assertEquals(outbox.pictures.peek().length, 20);
});

/** How many pictures were announced. */
function announced({ heard }: Stand): number {
  return heard.filter(({ t }) => t === "meta").length;
}

Deno.test("the next picture is sent ahead once one is delivered; others wait", async () => {
  const stand = await start();
  for (let i = 0; i < 3; i++) stand.add();
  stand.outbox.attach(stand.s.link);
  await until(() => stand.heard.some(({ t }) => t === "end"), "all of the first was sent");
  await settle(20);
  assertEquals(announced(stand), 1);
  await stand.say({ t: "got", n: 0 });
  await until(() => announced(stand) === 2, "the second goes ahead");
  await until(() => stand.heard.at(-1)?.t === "end", "all of it was sent");
  await stand.say({ t: "got", n: 1 });
  await until(() => stand.state(1) === "delivered", "it is there");
  await settle(20);
  assertEquals([announced(stand), stand.keys().length, stand.outbox.at.peek()], [2, 0, 0]);
  await stand.say({ t: "open", n: 0 });
  await stand.say({ t: "shown", n: 0 });
  await stand.say({ t: "closed", n: 0, why: "timer", ms: 0 });
  await until(() => announced(stand) === 3, "the third goes ahead");
  assertEquals([stand.state(0), stand.outbox.at.peek(), stand.ends], ["closed", 1, []]);
});

Deno.test("what was sent ahead is opened in its turn, and not before", async () => {
  const stand = await start();
  stand.add();
  stand.add();
  stand.outbox.attach(stand.s.link);
  for (const n of [0, 1]) {
    await until(
      () => stand.heard.some((message) => message.t === "end" && message.n === n),
      "sent",
    );
    await stand.say({ t: "got", n });
  }
  await until(() => stand.state(1) === "delivered", "both are there");
  await stand.say({ t: "open", n: 1 });
  await until(() => stand.ends.length > 0, "the link ended");
  assertEquals([stand.ends, stand.keys()], [["protocol"], []]);
});

// Out-of-order messages

const RECEIPTS = {
  got: { t: "got", n: 0 },
  open: { t: "open", n: 0 },
  shown: { t: "shown", n: 0 },
  closed: { t: "closed", n: 0, why: "user", ms: 10 },
} as const satisfies Record<string, ControlMessage>;

const REACH = {
  /** Chosen, and never announced: the picture before it blocks it. */
  queued: async (stand: Stand) => {
    stand.s.files.stuck = true;
    stand.add(prepared(bigPng(500_000)));
    stand.add();
    stand.outbox.attach(stand.s.link);
    await until(() => stand.records.length > 0, "the first is on its way");
  },
  sending: async (stand: Stand) => {
    stand.s.files.stuck = true;
    stand.add(prepared(bigPng(500_000)));
    stand.outbox.attach(stand.s.link);
    await until(() => stand.records.length > 0, "it is on its way");
  },
  delivered,
  opened,
  shown: async (stand: Stand) => {
    await opened(stand);
    await stand.say(RECEIPTS.shown);
    await until(() => stand.state() === "shown", "it is shown");
  },
} as const;

/** What may be sent in each state; everything else is a violation. */
const ALLOWED: Record<keyof typeof REACH, readonly (keyof typeof RECEIPTS)[]> = {
  queued: [],
  sending: [],
  delivered: ["open"],
  opened: ["shown", "closed"],
  shown: ["closed"],
};

for (const [name, reach] of Object.entries(REACH)) {
  const at = name as keyof typeof REACH;
  for (const [kind, receipt] of Object.entries(RECEIPTS)) {
    if (ALLOWED[at].some((allowed) => allowed === kind)) continue;
    Deno.test(`\`${kind}\` for a picture that is ${at} ends the link without the key`, async () => {
      const stand = await start();
      await reach(stand);
      const keys = stand.keys().length;
      await stand.say({ ...receipt, n: at === "queued" ? 1 : 0 });
      await until(() => stand.ends.length > 0, "the link ended");
      await settle();
      assertEquals([stand.ends, stand.keys().length], [["protocol"], keys]);
    });
  }
}

for (const [kind, receipt] of Object.entries(RECEIPTS)) {
  Deno.test(`\`${kind}\` for an unknown picture ends the link`, async () => {
    const stand = await start();
    await delivered(stand);
    await stand.say({ ...receipt, n: 1 });
    await until(() => stand.ends.length > 0, "the link ended");
    assertEquals([stand.ends, stand.keys()], [["protocol"], []]);
  });

  Deno.test(`\`${kind}\` that crossed a burn changes nothing, and no key is sent`, async () => {
    const stand = await start();
    await delivered(stand);
    stand.outbox.burn();
    await stand.say(receipt);
    await stand.say({ t: "more", n: 0 });
    await settle(20);
    assertEquals([stand.state(), stand.ends, stand.keys()], ["burned", [], []]);
  });
}

Deno.test("a picture that the viewer can't use is refused with their reason", async () => {
  const stand = await start();
  await delivered(stand);
  await stand.say({ t: "abort", n: 0, code: "undecodable" });
  await until(() => stand.state() === "refused", "it is refused");
  assertEquals(stand.outbox.pictures.peek()[0]?.state, {
    at: "refused",
    code: "undecodable",
    opened: false,
  });
  const other = await start();
  await REACH.queued(other);
  await other.say({ t: "abort", n: 1, code: "undecodable" });
  await until(() => other.ends.length > 0, "the link ended");
  assertEquals([other.ends, other.state(1)], [["protocol"], "queued"]);
});

// Taking back

for (const at of ["sending", "delivered"] as const) {
  Deno.test(`burn while ${at} destroys the unsent key, reports it, and stops`, async () => {
    using watch = watchKeys();
    const stand = await start();
    await REACH[at](stand);
    assert(!allZero(watch.keys));
    stand.outbox.burn();
    assert(allZero(watch.keys), "the key is still there");
    assertEquals(stand.state(), "burned");
    const sent = stand.records.length;
    stand.s.files.drain(Infinity);
    await until(() => stand.heard.at(-1)?.t === "revoke", "the viewer was told");
    await settle(20);
    assertEquals([stand.records.length, stand.keys()], [sent, []]);
    assertEquals(stand.heard.at(-1), { t: "revoke", all: true });
    assert(stand.outbox.done && !stand.outbox.open);
  });
}

for (const at of ["opened", "shown"] as const) {
  Deno.test(`burn while ${at} reports it, and waits for the viewer's report`, async () => {
    const stand = await start();
    await REACH[at](stand);
    stand.outbox.burn();
    assert(stand.outbox.open && !stand.outbox.done);
    await stand.say({ t: "closed", n: 0, why: "revoked", ms: 0 });
    await until(() => stand.outbox.done, "the word came");
    assertEquals(stand.outbox.pictures.peek()[0]?.state, { at: "closed", why: "revoked", ms: 0 });
  });
}

Deno.test("a picture counts as seen no longer than its key was out", async () => {
  const before = Date.now();
  const stand = await start();
  await REACH.shown(stand);
  await stand.say({ t: "closed", n: 0, why: "user", ms: 86_400_000 });
  await until(() => stand.outbox.done, "the word came");
  const state = stand.outbox.pictures.peek()[0]?.state;
  assert(state?.at === "closed" && state.ms <= Date.now() - before, JSON.stringify(state));
});

Deno.test("a viewer who reports a burn that never happened ends the link", async () => {
  const stand = await start();
  await REACH.shown(stand);
  await stand.say({ t: "closed", n: 0, why: "revoked", ms: 0 });
  await until(() => stand.ends.length > 0, "the link ended");
  assertEquals([stand.ends, stand.state()], [["protocol"], "shown"]);
});

Deno.test("burn in the moment of the announcement leaves no key, and nothing is sent", async () => {
  using watch = watchKeys();
  const stand = await start();
  stand.add();
  stand.outbox.attach(stand.s.link);
  stand.outbox.burn();
  await until(() => stand.heard.some(({ t }) => t === "revoke"), "it was taken back");
  await settle(20);
  assert(allZero(watch.keys));
  assertEquals([stand.records, stand.keys(), stand.ends], [[], [], []]);
});

Deno.test("burn before there is a link leaves nothing to send", async () => {
  const stand = await start();
  stand.add();
  stand.outbox.burn();
  stand.outbox.attach(stand.s.link);
  await settle(20);
  assertEquals([stand.state(), stand.heard, stand.records], ["burned", [], []]);
});

for (
  const [at, outcome] of [
    ["sending", "unseen"],
    ["delivered", "unseen"],
    ["opened", "unconfirmed"],
    ["shown", "unconfirmed"],
  ] as const
) {
  Deno.test(`a session that ends with a picture ${at} leaves it ${outcome}, no key`, async () => {
    using watch = watchKeys();
    const stand = await start();
    await REACH[at](stand);
    stand.outbox.end();
    stand.outbox.end();
    assert(watch.keys.length > 0 && allZero(watch.keys));
    assertEquals(stand.state(), outcome);
    const keys = stand.keys().length;
    await stand.say(RECEIPTS.open);
    await settle(20);
    assertEquals([stand.keys().length, stand.ends], [keys, []]);
  });
}

Deno.test("`open` on a link that is gone sends nothing and keeps no copy of the key", async () => {
  using watch = watchKeys();
  const stand = await start();
  await delivered(stand);
  stand.s.control.send = () => {
    throw new DOMException("not open", "InvalidStateError");
  };
  await stand.say(RECEIPTS.open);
  await until(() => stand.ends.length > 0, "the link ended");
  stand.outbox.end();
  assertEquals([watch.keys.length, allZero(watch.keys), stand.keys()], [2, true, []]);
});

Deno.test("a file that can't be read any more is taken back; the next one goes on", async () => {
  const stand = await start();
  const gone = prepared(smallPng());
  const fail = () => Promise.reject(new DOMException("", "NotReadableError"));
  Object.assign(gone.blob, {
    stream: () => new ReadableStream({ pull: fail }),
    slice: () => ({ arrayBuffer: fail }),
  });
  stand.add(gone);
  stand.add();
  stand.outbox.attach(stand.s.link);
  await until(() => stand.heard.some(({ t }) => t === "end"), "the second came");
  assertEquals(stand.heard.map((message) => "n" in message ? [message.t, message.n] : []), [
    ["meta", 0],
    ["revoke", 0],
    ["meta", 1],
    ["end", 1],
  ]);
  assertEquals(stand.state(0), "unreadable");
});

Deno.test("thumbnails are freed once finished, except those of unseen pictures", async () => {
  const stand = await start();
  const [burned, unseen] = [prepared(), prepared()];
  stand.add(burned);
  stand.outbox.burn();
  stand.add(unseen);
  assertEquals([burned, unseen].map(({ thumbnail }) => thumbnail.closes), [1, 0]);
  assertEquals(stand.outbox.takeUnseen().map(({ n }) => n), [1]);
  assertEquals([unseen.thumbnail.closes, stand.outbox.pictures.peek().length], [0, 0]);
});

Deno.test("a picture that is added after the end is unseen, and never sent", async () => {
  const stand = await start();
  stand.outbox.attach(stand.s.link);
  stand.outbox.end();
  stand.add();
  await settle(20);
  assertEquals([stand.state(), stand.heard], ["unseen", []]);
});

for (
  const [at, ms] of [
    // From the key to the first frame; then the seconds of the rules and a margin.
    ["opened", 30_000],
    ["shown", RULES.seconds * 1_000 + 10_000],
  ] as const
) {
  Deno.test(`a picture that stays ${at} without a report becomes unconfirmed`, async () => {
    using time = new FakeTime();
    const stand = await start();
    await REACH[at](stand);
    await time.advance(ms - 1);
    assertEquals(stand.state(), at);
    await time.advance(1);
    assertEquals(stand.state(), "unconfirmed");
    await until(() => stand.heard.at(-1)?.t === "revoke", "the viewer was told");
    assertEquals(stand.heard.at(-1), { t: "revoke", n: 0 });
  });
}

// Before the announcement

function texts({ outbox }: Stand): unknown[] {
  return outbox.pictures.peek().map(({ n, caption }) => [n, caption]);
}

/** Pictures with the captions a, b, c …, none of which was announced. */
async function unannounced(count: number): Promise<Stand & { ids: number[] }> {
  const stand = await start();
  for (let i = 0; i < count; i++) {
    const caption = String.fromCharCode(97 + i);
    stand.outbox.list.add({ name: "holiday.png", prepared: prepared(), rules: RULES, caption });
  }
  return { ...stand, ids: stand.outbox.pictures.peek().map(({ id }) => id) };
}

Deno.test("pictures can be moved and removed, and are numbered in their order", async () => {
  const stand = await unannounced(3);
  const [a = 0, b = 0, c = 0] = stand.ids;
  assert(stand.outbox.list.move(c, -2));
  assertEquals(texts(stand), [[0, "c"], [1, "a"], [2, "b"]]);
  assert(!stand.outbox.list.move(c, -1));
  assert(stand.outbox.list.remove(a) !== null);
  assertEquals(stand.outbox.list.remove(a), null);
  assertEquals(texts(stand), [[0, "c"], [1, "b"]]);
  assert(stand.outbox.list.change(b, { caption: "B", named: true }));
  stand.outbox.attach(stand.s.link);
  await until(() => stand.heard.some(({ t }) => t === "end"), "the first was sent");
  await stand.say({ t: "got", n: 0 });
  await until(() => announced(stand) === 2, "the second goes ahead");
  const metas = stand.heard.flatMap((message) => message.t === "meta" ? [message] : []);
  assertEquals(metas.map(({ n, caption, name }) => [n, caption, name]), [
    [0, "c", undefined],
    [1, "B", "holiday.png"],
  ]);
  // What was announced stays as it was.
  assert(!stand.outbox.list.change(c, { caption: "late" }));
  assert(!stand.outbox.list.move(b, -1));
  assertEquals(stand.outbox.list.remove(c), null);
  assert(!stand.outbox.list.replace(c, prepared()));
});

Deno.test("a picture that is being edited is not sent, nor are those behind it", async () => {
  const stand = await unannounced(2);
  const [a = 0] = stand.ids;
  stand.outbox.list.edit(a, true);
  stand.outbox.attach(stand.s.link);
  await settle(20);
  assertEquals(announced(stand), 0);
  const other = prepared(bigPng(300_000));
  assert(stand.outbox.list.replace(a, other));
  stand.outbox.list.edit(a, false);
  await until(() => announced(stand) === 1, "it is announced");
  const [meta] = stand.heard;
  assertEquals(meta?.t === "meta" ? meta.size : 0, other.size);
});

Deno.test("texts are cut to the protocol's length, but not within a character", async () => {
  const stand = await start();
  const caption = ` ${"c".repeat(299)}\u{1f600}`;
  stand.outbox.list.add({ name: "n", prepared: prepared(), rules: RULES, caption, alt: "  " });
  stand.outbox.attach(stand.s.link);
  await until(() => announced(stand) === 1, "it is announced");
  const [meta] = stand.heard;
  assert(meta?.t === "meta");
  assertEquals([meta.caption, meta.alt, meta.name], ["c".repeat(299), undefined, undefined]);
});

// Asking, and more time

const ASK = { ...RULES, ask: true };

async function asked(): Promise<Stand & { id: number }> {
  const stand = await start();
  stand.outbox.list.add({ name: "n", prepared: prepared(), rules: ASK });
  stand.outbox.attach(stand.s.link);
  await until(() => stand.heard.some(({ t }) => t === "end"), "all was sent");
  await stand.say({ t: "got", n: 0 });
  await stand.say({ t: "open", n: 0 });
  await until(() => stand.state() === "asked", "it is asked for");
  return { ...stand, id: stand.outbox.pictures.peek()[0]?.id ?? -1 };
}

Deno.test("with “ask me”, the key is kept until the sender agrees", async () => {
  const stand = await asked();
  await settle(20);
  assertEquals(stand.keys(), []);
  await stand.outbox.allow(stand.id);
  await until(() => stand.keys().length === 1, "the key came");
  assertEquals(stand.state(), "opened");
  await stand.outbox.allow(stand.id);
  await settle(20);
  assertEquals(stand.keys().length, 1);
});

Deno.test("after a refusal the key is kept for good", async () => {
  const stand = await asked();
  stand.outbox.revoke(stand.id);
  assertEquals(stand.state(), "burned");
  await until(() => stand.heard.at(-1)?.t === "revoke", "it is said");
  await stand.outbox.allow(stand.id);
  await stand.say({ t: "open", n: 0 });
  await settle(20);
  assertEquals([stand.keys(), stand.ends], [[], []]);
});

for (const message of [{ t: "open", n: 0 }, { t: "shown", n: 0 }] as const) {
  Deno.test(`\`${message.t}\` while the sender decides ends the link without the key`, async () => {
    const stand = await asked();
    await stand.say(message);
    await until(() => stand.ends.length > 0, "the link ended");
    assertEquals([stand.ends, stand.keys()], [["protocol"], []]);
  });
}

async function shown(seconds: number): Promise<Stand & { id: number }> {
  const stand = await start();
  stand.outbox.list.add({ name: "n", prepared: prepared(), rules: { ...RULES, seconds } });
  await delivered({ ...stand, add: () => {} });
  await stand.say({ t: "open", n: 0 });
  await stand.say({ t: "shown", n: 0 });
  await until(() => stand.state() === "shown", "it is shown");
  return { ...stand, id: stand.outbox.pictures.peek()[0]?.id ?? -1 };
}

Deno.test("more time is requested once, granted up to the limit, requested anew", async () => {
  const stand = await shown(595);
  const { outbox, id } = stand;
  assert(outbox.request(0, "more")?.request === "more");
  assertEquals(outbox.request(0, "more"), null);
  assertEquals(outbox.grant(id, 10), 5);
  await until(() => stand.heard.at(-1)?.t === "extend", "it is granted");
  assertEquals(stand.heard.at(-1), { t: "extend", n: 0, seconds: 5 });
  assertEquals(outbox.pictures.peek()[0]?.request, null);
  // The limit is reached.
  assertEquals([outbox.request(0, "more"), outbox.grant(id, 10)], [null, 0]);
});

Deno.test("without a time limit or a shown picture more time can't be requested", async () => {
  const open = await shown(0);
  assertEquals([open.outbox.request(0, "more"), open.outbox.grant(open.id, 10)], [null, 0]);
  const locked = await start();
  await delivered(locked);
  assertEquals(locked.outbox.request(0, "more"), null);
  assertThrows(() => locked.outbox.request(1, "more"), Error);
});
