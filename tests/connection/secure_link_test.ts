import { DEFAULT_RULES } from "../../lib/protocol/display_options.ts";
import { type LinkEnd, type SecureLink, toBytes } from "../../lib/connection/secure_link.ts";
import { ControlSealer, encodeControl } from "../../lib/e2e/control_record.ts";
import { ProtocolError } from "../../lib/e2e/suite.ts";
import type { Bytes } from "../../lib/protocol/bytes.ts";
import type { ControlMessage } from "../../lib/protocol/control.ts";
import { encodeHeader, RECORD } from "../../lib/protocol/record.ts";
import { SEAT_GRACE_MS } from "../../lib/protocol/limits.ts";
import { parseFrame, RelayTransport } from "../../lib/connection/relay_transport.ts";
import { ChannelClosedError } from "../../lib/connection/flow_channel.ts";
import { assert, assertEquals, assertRejects } from "../support/assert.ts";
import { FakeTime, settle, until } from "../support/fake_time.ts";
import { withSlowCrypto } from "../support/slow_crypto.ts";
import type { FakeDataChannel, Tamper } from "./fake_channel.ts";
import { STEADY } from "./keys.ts";
import { linkPair } from "./link_pair.ts";

/** Collects what a link reports. */
class Heard {
  readonly control: ControlMessage[] = [];
  readonly records: Bytes[] = [];
  readonly ends: LinkEnd[] = [];
  /** How often the other page closed its transport. */
  away = 0;

  constructor(link: SecureLink) {
    link.listen({
      ...STEADY,
      onControl: ({ message }) => void this.control.push(message),
      onRecord: (record) => void this.records.push(record),
      onAway: () => void this.away++,
      onEnd: (why) => void this.ends.push(why),
    });
  }
}

async function start() {
  const { s, r, keys } = await linkPair();
  return { s, r, keys, atS: new Heard(s.link), atR: new Heard(r.link) };
}

const SAYINGS: readonly ControlMessage[] = Array.from({ length: 20 }, (_, n) => ({ t: "got", n }));

Deno.test("control messages arrive both ways, whole and in order", async () => {
  const { s, r, atS, atR } = await start();
  for (const message of SAYINGS) {
    s.link.sendControl(message);
    r.link.sendControl(message);
  }
  await until(() => atS.control.length + atR.control.length === 40, "all arrived");
  assertEquals([atS.control, atR.control], [[...SAYINGS], [...SAYINGS]]);
  assertEquals([atS.ends, atR.ends], [[], []]);
});

Deno.test("control records tell nothing: all have one length, and none repeats", async () => {
  const { s, atR } = await start();
  for (const message of [SAYINGS[0]!, SAYINGS[0]!, { t: "more", n: 0 } as const]) {
    await s.link.sendControl(message);
  }
  await until(() => atR.control.length === 3, "all arrived");
  assertEquals(new Set(s.control.sent.map((record) => record.length)).size, 1);
  const texts = new Set(s.control.sent.map((record) => record.subarray(8).join()));
  assertEquals(texts.size, 3);
});

Deno.test("a slow handler delays the next control message, not the next record", async () => {
  const { s, r } = await linkPair();
  const seen: string[] = [];
  const gate = Promise.withResolvers<void>();
  r.link.listen({
    ...STEADY,
    async onControl({ message }) {
      seen.push(`begin ${message.t}`);
      if (message.t === "more") await gate.promise;
      seen.push(`end ${message.t}`);
    },
    onRecord: () => void seen.push("record"),
    onEnd: () => {},
  });
  s.link.sendControl({ t: "more", n: 0 });
  s.link.sendControl({ t: "keep", on: true });
  await until(() => seen.length === 1, "the first is being handled");
  await s.link.sendRecord(new Uint8Array(10));
  await until(() => seen.length === 2, "the record came through");
  gate.resolve();
  await until(() => seen.length === 5, "all were handled");
  assertEquals(seen, ["begin more", "record", "end more", "begin keep", "end keep"]);
});

// Each attacker is between S and R, and tampers with the second of three messages.

function nth(n: number, change: (message: Bytes) => readonly (Bytes | string)[]): Tamper {
  let count = 0;
  return (message) => ++count === n ? change(message) : [message];
}

function flip(at: number): (message: Bytes) => readonly Bytes[] {
  return (message) => [message.with(at, (message.at(at) ?? 0) ^ 1)];
}

function swap(): Tamper {
  let held: Bytes | null = null;
  let count = 0;
  return (message) => {
    count++;
    if (count === 2) {
      held = message;
      return [];
    }
    return held !== null && count === 3 ? [message, held] : [message];
  };
}

const ATTACKS: readonly [name: string, make: () => Tamper][] = [
  ["repeated", () => nth(2, (message) => [message, message])],
  ["left out", () => nth(2, () => [])],
  ["reordered", swap],
  ["cut", () => nth(2, (message) => [message.slice(0, -1)])],
  ["lengthened", () => nth(2, (message) => [new Uint8Array([...message, 0])])],
  ["made empty", () => nth(2, () => [new Uint8Array(0)])],
  ["replaced by text", () => nth(2, () => ["bye"])],
  ["replaced by something of 64 KiB", () => nth(2, () => [new Uint8Array(65_536).fill(0x20)])],
  ["flipped in its type", () => nth(2, flip(0))],
  ["flipped in its flags", () => nth(2, flip(1))],
  ["flipped in its picture's number", () => nth(2, flip(3))],
  ["flipped in its sequence number", () => nth(2, flip(7))],
  ["flipped in its ciphertext", () => nth(2, flip(20))],
  ["flipped in its tag", () => nth(2, flip(-1))],
];

for (const [name, make] of ATTACKS) {
  Deno.test(`a control record that was ${name} ends the link; the rest is not read`, async () => {
    const { s, r, atS, atR } = await start();
    s.control.tamper = make();
    for (const message of SAYINGS.slice(0, 4)) s.link.sendControl(message).catch(() => {});
    await until(() => atR.ends.length > 0, "the link ended");
    await settle();
    // The first of two equal ones is the honest one.
    const read = name === "repeated" ? SAYINGS.slice(0, 2) : SAYINGS.slice(0, 1);
    assertEquals([atR.control, atR.ends, r.pc.closes], [read, ["protocol"], 1]);
    await until(() => atS.away > 0, "the other side noticed");
    assertEquals([atS.away, atS.ends], [1, []]);
  });
}

Deno.test("a control record that is reflected to its sender ends the link", async () => {
  const { s, atS } = await start();
  await s.link.sendControl(SAYINGS[0]!);
  for (const record of s.control.sent) s.control.deliver(record);
  await until(() => atS.ends.length > 0, "the link ended");
  assertEquals([atS.control, atS.ends], [[], ["protocol"]]);
});

Deno.test("a control record of another session ends the link", async () => {
  const { r, atR } = await start();
  const other = await linkPair();
  await other.s.link.sendControl(SAYINGS[0]!);
  for (const record of other.s.control.sent) r.control.deliver(record);
  await until(() => atR.ends.length > 0, "the link ended");
  assertEquals([atR.control, atR.ends], [[], ["protocol"]]);
});

Deno.test("a sealed record whose content is no control message ends the link", async () => {
  for (const text of ["", "{}", `{"t":"delete everything"}`, `{"t":"open","n":20}`, "[]", "null"]) {
    const { r, keys, atR } = await start();
    const plaintext = encodeControl({ t: "more", n: 0 }).fill(0x20);
    plaintext.set(new TextEncoder().encode(text));
    r.control.deliver(await new ControlSealer(keys.s.controlOut).seal(plaintext));
    await until(() => atR.ends.length > 0, "the link ended");
    assertEquals([atR.control, atR.ends, r.pc.closes], [[], ["protocol"], 1]);
  }
});

Deno.test("records on the wrong channel are not taken for the other kind", async () => {
  const { r, atR } = await start();
  const header = encodeHeader({ type: RECORD.chunk, flags: 0, image: 0, seq: 0 });
  r.control.deliver(new Uint8Array([...header, ...new Uint8Array(256 + 16)]));
  await until(() => atR.ends.length > 0, "the link ended");
  assertEquals([atR.control, atR.records, atR.ends], [[], [], ["protocol"]]);
});

Deno.test("text on the file channel ends the link", async () => {
  const { r, atR } = await start();
  r.files.deliver("hello");
  assertEquals([atR.records, atR.ends, r.pc.closes], [[], ["protocol"], 1]);
});

Deno.test("a message over 64 KiB ends the link on either channel, unbuffered", async () => {
  for (const channel of ["control", "files"] as const) {
    const { r, atR } = await start();
    r[channel].deliver(new Uint8Array(65_537));
    await until(() => atR.ends.length > 0, "the link ended");
    assertEquals([atR.control, atR.records, atR.ends], [[], [], ["protocol"]]);
  }
});

Deno.test("an owner who throws ends the link on either channel, and gets no more", async () => {
  for (const channel of ["control", "files"] as const) {
    const { s, r } = await linkPair();
    const seen: string[] = [];
    const breach = () => {
      seen.push("heard");
      throw new ProtocolError();
    };
    r.link.listen({
      ...STEADY,
      onControl: breach,
      onRecord: breach,
      onEnd: (why) => void seen.push(why),
    });
    for (let i = 0; i < 3; i++) {
      if (channel === "control") s.link.sendControl({ t: "more", n: 0 }).catch(() => {});
      else s.link.sendRecord(new Uint8Array(40)).catch(() => {});
    }
    await until(() => seen.length >= 2, "the link ended");
    await settle();
    assertEquals([seen, r.pc.closes], [["heard", "protocol"], 1]);
  }
});

Deno.test("a closed channel is reported once; the link is lost after a grace period", async () => {
  const { s, atS } = await start();
  using time = new FakeTime();
  s.files.close();
  s.control.close();
  s.pc.become("failed");
  await settle();
  assertEquals([atS.away, atS.ends, s.link.steady], [1, [], false]);
  await time.advance(SEAT_GRACE_MS - 1);
  assertEquals(atS.ends, []);
  await time.advance(1);
  assertEquals([atS.away, atS.ends], [1, ["lost"]]);
});

Deno.test("sending on a closed link is refused each time, and does not hang", async () => {
  const { s } = await start();
  s.link.giveUp();
  await settle();
  for (let i = 0; i < 2; i++) {
    await assertRejects(() => s.link.sendControl({ t: "more", n: 0 }), ChannelClosedError);
    await assertRejects(() => s.link.sendRecord(new Uint8Array(10)), ChannelClosedError);
  }
});

Deno.test("a control message that is too long is refused, and the next one arrives", async () => {
  const { s, atR } = await start();
  const name = "\u0001".repeat(255);
  const alt = "\u0001".repeat(2_000);
  const view = { ...DEFAULT_RULES, seconds: 0 };
  await assertRejects(
    () =>
      Promise.resolve().then(() =>
        s.link.sendControl({
          ...{ t: "meta", n: 0, type: "image/png", size: 1, w: 1, h: 1, view },
          ...{ name, alt },
        })
      ),
    RangeError,
  );
  await s.link.sendControl({ t: "more", n: 0 });
  await until(() => atR.control.length === 1, "the next one arrived");
  assertEquals([atR.control, atR.ends], [[{ t: "more", n: 0 }], []]);
});

Deno.test("a record waits for its queue, and an aborted wait sends nothing", async () => {
  const { s } = await start();
  s.files.stuck = true;
  s.files.bufferedAmount = 1_000_000;
  const controller = new AbortController();
  const sending = s.link.sendRecord(new Uint8Array(10), controller.signal);
  controller.abort();
  await assertRejects(() => sending, DOMException);
  assertEquals(s.files.sent.length, 0);
});

Deno.test("a control message does not wait behind pictures", async () => {
  const { s, atR } = await start();
  s.files.stuck = true;
  s.files.bufferedAmount = 1_000_000;
  const sending = s.link.sendRecord(new Uint8Array(10));
  sending.catch(() => {});
  s.link.sendControl({ t: "revoke", all: true });
  await until(() => atR.control.length === 1, "the message arrived");
  assertEquals(s.files.sent.length, 0);
});

// The underlying connection

Deno.test("a link that was replaced reports nothing, and leaves nothing running", async () => {
  const { s, atS } = await start();
  using time = new FakeTime();
  s.pc.become("disconnected");
  s.link.drop();
  assertEquals([atS.ends, s.pc.closes, time.waiting], [[], 1, []]);
});

for (const state of ["disconnected", "failed"] as const) {
  Deno.test(`a connection that ${state} has a grace period, after which it is lost`, async () => {
    const { s, atS } = await start();
    using time = new FakeTime();
    s.pc.become(state);
    await time.advance(SEAT_GRACE_MS - 1);
    s.pc.become("connected");
    await time.advance(SEAT_GRACE_MS);
    assertEquals([atS.ends, s.pc.closes], [[], 0]);
    s.pc.become(state);
    await time.advance(SEAT_GRACE_MS - 1);
    assertEquals(atS.ends, []);
    await time.advance(1);
    assertEquals([atS.ends, s.pc.closes], [["lost"], 1]);
  });
}

Deno.test("nothing is left running after a link has ended", async () => {
  const { s, r } = await start();
  using time = new FakeTime();
  s.pc.become("disconnected");
  s.link.giveUp();
  await settle();
  // The other end waits for this one to return.
  r.link.drop();
  assertEquals(time.waiting, []);
});

// Closing

Deno.test("close() sends the last message, closes, and does not call onEnd", async () => {
  const { s, atS, atR } = await start();
  using time = new FakeTime();
  s.control.stuck = true;
  s.link.sendControl({ t: "more", n: 0 });
  const closing = s.link.close();
  await until(() => s.control.sent.length === 1 && time.waiting.length > 0, "it was sent");
  await settle(20);
  await time.advance(200);
  assertEquals(s.pc.closes, 0, "closed although the queue is not empty");
  s.control.drain(Infinity);
  await time.advance(1_000);
  await closing;
  assertEquals([s.pc.closes, atS.ends, atR.control], [1, [], [{ t: "more", n: 0 }]]);
});

Deno.test("close() does not wait for ever for a queue that never drains", async () => {
  const { s } = await start();
  using time = new FakeTime();
  s.control.stuck = true;
  s.link.sendControl({ t: "more", n: 0 });
  const closing = s.link.close();
  await until(() => s.control.sent.length === 1 && time.waiting.length > 0, "it was sent");
  await settle(20);
  await time.advance(5_000);
  await closing;
  assertEquals(s.pc.closes, 1);
});

Deno.test("a link that is closing reads nothing any more", async () => {
  const { s, r, atS } = await start();
  const closing = s.link.close();
  r.link.sendControl({ t: "more", n: 0 }).catch(() => {});
  r.link.sendRecord(new Uint8Array(40)).catch(() => {});
  await closing;
  await s.link.close();
  await settle();
  assertEquals([atS.control, atS.records, atS.ends, s.pc.closes], [[], [], [], 1]);
});

/** Lets go of everything that a network held back. */
function release(end: { control: FakeDataChannel }, held: Bytes[]): void {
  end.control.tamper = (message) => [message];
  for (const message of held.splice(0)) end.control.other?.deliver(message);
}

/** Holds back what `end` sends, as a network does that lost it: it is sent again later. */
function holdBack(end: { control: FakeDataChannel }): Bytes[] {
  const held: Bytes[] = [];
  end.control.tamper = (message) => {
    held.push(message);
    return [];
  };
  return held;
}

Deno.test("a goodbye that the network lost is not taken back by closing", async () => {
  const { s, r, atS, atR } = await start();
  using time = new FakeTime();
  const held = holdBack(s);
  s.link.sendControl({ t: "bye", why: "done" });
  const closing = s.link.close();
  await until(() => held.length === 1, "it was sent");
  await settle(20);
  await time.advance(2_000);
  assertEquals([s.pc.closes, atR.ends], [0, []]);
  release(s, held);
  await until(() => atR.control.length === 1, "the goodbye was heard");
  // The peer's page answers with its own, as lib/pages/session.ts does.
  r.link.sendControl({ t: "bye", why: "left" });
  const answering = r.link.close();
  await settle(20);
  // The peer waits for nothing but its queue, and the first side only for that goodbye.
  await time.advance(50);
  await Promise.all([closing, answering]);
  assertEquals([atR.control, atR.ends], [[{ t: "bye", why: "done" }], []]);
  assertEquals([atS.control, atS.ends], [[], []]);
});

for (const how of ["says nothing", "closes"] as const) {
  Deno.test(`closing after a goodbye ends where the peer ${how}`, async () => {
    const { s, r } = await start();
    using time = new FakeTime();
    holdBack(s);
    s.link.sendControl({ t: "bye", why: "left" });
    let closed = false;
    s.link.close().then(() => closed = true);
    await settle(20);
    await time.advance(1_000);
    assertEquals(closed, false);
    if (how === "closes") r.link.drop();
    else await time.advance(4_000);
    await settle(20);
    assertEquals(closed, true);
    r.link.drop();
    assertEquals(time.waiting, []);
  });
}

for (const event of ["the transport closes", "the room is gone"] as const) {
  Deno.test(`a goodbye that is being opened while ${event} is heard`, async () => {
    const { s, r, atR } = await start();
    using slow = withSlowCrypto({ "": 30 });
    await s.link.sendControl({ t: "bye", why: "done" });
    await settle();
    assertEquals(atR.control, []);
    if (event === "the transport closes") s.link.drop();
    r.link.giveUp();
    await until(() => atR.ends.length > 0, "the link ended");
    assertEquals([atR.control, atR.ends], [[{ t: "bye", why: "done" }], ["lost"]]);
    slow[Symbol.dispose]();
  });
}

// Whether the peer's page is there

Deno.test("a link answers while the peer's page is there, and its owner sees nothing", async () => {
  const { s, r, atS, atR } = await start();
  assertEquals(await Promise.all([s.link.answers(), r.link.answers()]), [true, true]);
  assertEquals(await s.link.answers(), true);
  await settle();
  assertEquals([atS.control, atR.control, atS.ends, atR.ends], [[], [], [], []]);
});

Deno.test("a link whose peer is gone does not answer, and is left as it is", async () => {
  const { s, atS } = await start();
  using time = new FakeTime();
  holdBack(s);
  const answer = s.link.answers();
  await settle();
  await time.advance(1_500);
  assertEquals([await answer, s.link.steady, atS.ends], [false, true, []]);
  s.pc.become("disconnected");
  assertEquals(await s.link.answers(), false);
});

Deno.test("the answer to an earlier probe does not count, nor does a repeated one", async () => {
  const { s, r } = await start();
  using time = new FakeTime();
  const late = holdBack(r);
  const first = s.link.answers();
  await until(() => late.length === 1, "it was answered");
  await time.advance(1_500);
  assertEquals(await first, false);
  const second = s.link.answers();
  await until(() => late.length === 2, "the second was answered as well");
  r.control.other?.deliver(late[0]!);
  r.control.other?.deliver(late[0]!);
  await settle();
  await time.advance(1_500);
  assertEquals(await second, false);
});

for (const how of ["reflected", "forged", "cut"] as const) {
  Deno.test(`a probe that is ${how} ends the link, unanswered`, async () => {
    const { s, r, atS } = await start();
    const from = how === "reflected" ? s : r;
    const held = holdBack(from);
    from.link.answers();
    await until(() => held.length === 1, "the probe was sent");
    const probe = held[0]!;
    const changed = { reflected: probe, forged: probe.with(-1, probe.at(-1)! ^ 1) };
    s.control.deliver(how === "cut" ? probe.slice(0, -1) : changed[how]);
    await until(() => atS.ends.length > 0, "it was noticed");
    assertEquals(atS.ends, ["protocol"]);
    assertEquals(s.control.sent.filter(([type]) => type === RECORD.alive), []);
  });
}

Deno.test("toBytes() takes buffers and views of them, and nothing else", () => {
  const buffer = new Uint8Array([1, 2, 3]).buffer;
  assertEquals(toBytes(buffer), new Uint8Array([1, 2, 3]));
  assertEquals(toBytes(new Uint8Array(buffer, 1)), new Uint8Array([2, 3]));
  for (const other of ["text", null, undefined, 3, new Blob(), [1, 2]]) {
    assertEquals(toBytes(other), null);
  }
  assert(toBytes(new Uint8Array(65_536)) !== null);
});

// Another transport

/** Two ends of a relay without a server between them; nothing arrives before `open()`. */
function relayPair(k: number): [RelayTransport, RelayTransport, open: () => void] {
  const gate = Promise.withResolvers<void>();
  const ends: RelayTransport[] = [];
  const make = (to: number) =>
    new RelayTransport(k, (bytes) => {
      const frame = parseFrame(bytes.slice());
      gate.promise.then(() => frame !== null && ends[to]?.receive(frame));
      return true;
    });
  ends.push(make(1), make(0));
  return [ends[0]!, ends[1]!, gate.resolve];
}

Deno.test("a link changes its transport; the old one closes once both left it", async () => {
  const { s, r, atS, atR } = await start();
  const [one, two, open] = relayPair(1);
  const moved = s.link.move(one, 1);
  await settle();
  // A side that still uses the old one would take its closing for the end.
  assertEquals([s.pc.closes, r.pc.closes, atR.ends], [0, 0, []]);
  s.link.sendControl(SAYINGS[0]!);
  const followed = r.link.move(two, 1);
  open();
  assertEquals([await followed, await moved], [true, true]);
  assertEquals([s.pc.closes, r.pc.closes], [1, 1]);
  r.link.sendControl(SAYINGS[1]!);
  await until(() => atS.control.length + atR.control.length === 2, "both arrived");
  assertEquals([atR.control, atS.control, atS.ends, atR.ends], [
    [SAYINGS[0]],
    [SAYINGS[1]],
    [],
    [],
  ]);
});

Deno.test("a transport that sends anything before its binding ends the link, unread", async () => {
  const { s, r, atR } = await start();
  const [one, two, open] = relayPair(1);
  one.listen({ onMessage() {}, onState() {} });
  await s.link.sendControl(SAYINGS[0]!);
  await until(() => atR.control.length === 1, "it came on the way that was there");
  r.link.move(two, 1);
  open();
  await s.link.sendControl(SAYINGS[1]!);
  await one.send("control", s.control.sent.at(-1)!);
  await until(() => atR.ends.length > 0, "the link ended");
  assertEquals([atR.control.length, atR.ends], [1, ["protocol"]]);
});

Deno.test("a binding of another number, or one's own, is not accepted", async () => {
  for (const mirrored of [false, true]) {
    const { s, r, atR } = await start();
    const [one, two, open] = relayPair(1);
    r.link.move(two, mirrored ? 1 : 2);
    open();
    if (mirrored) {
      one.listen({ onMessage: (lane, data) => void one.send(lane, data as Bytes), onState() {} });
    } else s.link.move(one, 1);
    await until(() => atR.ends.length > 0, "the link ended");
    assertEquals(atR.ends, ["protocol"]);
  }
});

Deno.test("what arrived before a change of transport counts, however it is read", async () => {
  const { s, r } = await linkPair();
  const heard: ControlMessage[] = [];
  const gate = Promise.withResolvers<void>();
  r.link.listen({
    ...STEADY,
    async onControl({ message }) {
      await gate.promise;
      heard.push(message);
    },
    onRecord: () => {},
    onEnd: () => {},
  });
  s.link.listen({ ...STEADY, onControl() {}, onRecord() {}, onEnd() {} });
  for (const message of SAYINGS.slice(0, 3)) await s.link.sendControl(message);
  await settle();
  const [one, two, open] = relayPair(1);
  const moved = Promise.all([s.link.move(one, 1), r.link.move(two, 1)]);
  open();
  gate.resolve();
  assertEquals(await moved, [true, true]);
  await s.link.sendControl(SAYINGS[3]!);
  await until(() => heard.length >= 4, "all were heard");
  assertEquals(heard, SAYINGS.slice(0, 4));
});
