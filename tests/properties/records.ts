/**
 * What an attacker on the path can do to sealed data: drop, repeat, move, truncate, extend, flip,
 * and splice in what was sealed elsewhere, with a matching header. Nothing but the original may
 * ever be opened, and without a change it has to be.
 *
 * @module
 */
import { type Bytes, concat, equalBytes } from "../../lib/protocol/bytes.ts";
import type { ControlMessage } from "../../lib/protocol/control.ts";
import { HANDSHAKE } from "../../lib/protocol/handshake.ts";
import { CHUNK_SIZE, HEADER_LENGTH } from "../../lib/protocol/record.ts";
import { ControlOpener, ControlSealer, encodeControl } from "../../lib/e2e/control_record.ts";
import { type ImageIdentity, ImageOpener, ImageSealer } from "../../lib/e2e/image_stream.ts";
import { SignalOpener, SignalSealer } from "../../lib/e2e/signal_seal.ts";
import { aesKey, ProtocolError, randomBytes } from "../../lib/e2e/suite.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { fc } from "../support/fast_check.ts";
import { seededRandom } from "../support/random.ts";
import { anyText, controlMessage } from "./messages.ts";
import type { Property } from "./property.ts";

/** One manipulation of what is in transit; numbers are taken modulo the number of candidates. */
type Attack =
  | { readonly do: "drop"; readonly at: number }
  | { readonly do: "repeat" | "move"; readonly at: number; readonly to: number }
  | { readonly do: "cut"; readonly at: number; readonly length: number }
  | { readonly do: "lengthen"; readonly at: number; readonly tail: Bytes }
  | { readonly do: "flip"; readonly at: number; readonly bit: number }
  | {
    readonly do: "splice";
    readonly at: number;
    /** Which foreign stream, and which of its packets. */
    readonly from: number;
    readonly packet: number;
    /** Gives it the header of the packet that was expected there. */
    readonly relabel: boolean;
    readonly replace: boolean;
  };

const place = fc.nat(7);

/** Bits of the header, of the tag (counted from the end) and of everything. */
const bit = fc.oneof(fc.nat(63), fc.integer({ min: -128, max: -1 }), fc.nat(8 * 65_536));

const attack: fc.Arbitrary<Attack> = fc.oneof(
  fc.record({ do: fc.constant("drop" as const), at: place }),
  fc.record({ do: fc.constantFrom("repeat", "move"), at: place, to: place }),
  fc.record({
    do: fc.constant("cut" as const),
    at: place,
    length: fc.oneof(fc.nat(40), fc.nat(70_000)),
  }),
  fc.record({
    do: fc.constant("lengthen" as const),
    at: place,
    tail: fc.uint8Array({ minLength: 1, maxLength: 300 }).map((bytes) => concat(bytes)),
  }),
  fc.record({ do: fc.constant("flip" as const), at: place, bit }),
  fc.record({
    do: fc.constant("splice" as const),
    at: place,
    from: place,
    packet: place,
    relabel: fc.boolean(),
    replace: fc.boolean(),
  }),
);

/** Often none and often one: two that hide each other's effect are rare. */
const attacks = fc.oneof(
  { weight: 1, arbitrary: fc.constant<Attack[]>([]) },
  { weight: 4, arbitrary: fc.array(attack, { minLength: 1, maxLength: 1 }) },
  { weight: 5, arbitrary: fc.array(attack, { minLength: 1, maxLength: 6 }) },
);

/** Applies `attack` to `packets`; `header` is the number of bytes that identify a packet. */
function strike(
  packets: readonly Bytes[],
  attack: Attack,
  { foreign, header }: { foreign: readonly (readonly Bytes[])[]; header: number },
): Bytes[] {
  const out = [...packets];
  const at = attack.at % Math.max(1, out.length);
  const here = out[at];
  if (here === undefined) return out;
  switch (attack.do) {
    case "drop":
      out.splice(at, 1);
      return out;
    case "repeat":
    case "move":
      if (attack.do === "move") out.splice(at, 1);
      out.splice(attack.to % (out.length + 1), 0, here);
      return out;
    case "cut":
      return out.with(at, here.slice(0, attack.length % Math.max(1, here.length)));
    case "lengthen":
      return out.with(at, concat(here, attack.tail));
    case "flip": {
      const bits = here.length * 8;
      if (bits === 0) return out;
      const index = ((attack.bit % bits) + bits) % bits;
      const byte = index >> 3;
      return out.with(at, here.with(byte, (here[byte] ?? 0) ^ (1 << (index & 7))));
    }
    case "splice": {
      const stream = foreign[attack.from % foreign.length] ?? [];
      const found = stream[attack.packet % Math.max(1, stream.length)];
      if (found === undefined) return out;
      const packet = attack.relabel
        ? concat(here.subarray(0, header), found.subarray(header))
        : found;
      out.splice(at, attack.replace ? 1 : 0, packet);
      return out;
    }
  }
}

/**
 * What `open` resolves to, or `null` if it throws. Fails if that is not the one error without
 * details.
 */
async function orNothing<T>(open: () => T | Promise<T>): Promise<T | null> {
  try {
    return await open();
  } catch (error) {
    assertSilent(error);
    return null;
  }
}

function assertSilent(error: unknown): void {
  assert(error instanceof ProtocolError, String(error));
  assertEquals(error.message, new ProtocolError().message);
  assertEquals(error.cause, undefined);
  assertEquals(Object.keys(error), ["name"]);
}

// Pictures

/** A sealed picture, with what opens it. */
interface Stream {
  readonly identity: ImageIdentity;
  readonly plaintext: Bytes;
  readonly records: readonly Bytes[];
  readonly digest: Bytes;
  readonly key: Bytes;
}

/** Bytes that are the same at every run. */
function noise(length: number, seed: number): Bytes {
  const random = seededRandom(seed);
  const out = new Uint8Array(Math.ceil(length / 4) * 4);
  new Uint32Array(out.buffer).forEach((_, i, words) => words[i] = random());
  return out.slice(0, length);
}

async function seal(identity: ImageIdentity, seed: number): Promise<Stream> {
  const plaintext = noise(identity.size, seed);
  const sealer = await ImageSealer.create(identity);
  const records: Bytes[] = [];
  for (let at = 0; at < identity.size; at += CHUNK_SIZE) {
    records.push(await sealer.seal(plaintext.slice(at, at + CHUNK_SIZE)));
  }
  return { identity, plaintext, records, digest: await sealer.finish(), key: sealer.exportKey() };
}

const size = fc.oneof(
  fc.integer({ min: 1, max: 400 }),
  fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: -1, max: 1 }))
    .map(([chunks, more]) => chunks * CHUNK_SIZE + more),
);

/** What the viewer takes the picture for: mostly what it is. */
const belief = fc.constantFrom<(identity: ImageIdentity) => ImageIdentity>(
  ...new Array(8).fill((identity: ImageIdentity) => identity),
  (identity) => ({ ...identity, image: identity.image + 1 }),
  (identity) => ({ ...identity, size: Math.max(1, identity.size - 1) }),
  (identity) => ({ ...identity, size: Math.max(1, identity.size - CHUNK_SIZE) }),
  (identity) => ({ ...identity, size: Math.min(CHUNK_SIZE, identity.size) }),
  (identity) => ({ ...identity, metaHash: identity.metaHash.with(5, 0) }),
);

function sameIdentity(a: ImageIdentity, b: ImageIdentity): boolean {
  return a.image === b.image && a.size === b.size && equalBytes(a.metaHash, b.metaHash);
}

function sameList(a: readonly Bytes[], b: readonly Bytes[]): boolean {
  return a.length === b.length && a.every((item, i) => equalBytes(item, b[i] ?? new Uint8Array(0)));
}

/**
 * What a viewer gets; a stubborn one continues after a record that was refused, which no page does.
 */
async function view(
  identity: ImageIdentity,
  delivered: readonly Bytes[],
  { key, stubborn }: { key: Bytes; stubborn: boolean },
): Promise<Bytes | null> {
  const opener = new ImageOpener(identity);
  for (const record of delivered) {
    const taken = await orNothing(() => {
      opener.add(record);
      return true;
    });
    if (taken === null && !stubborn) return null;
  }
  return await orNothing(() => opener.open(key));
}

const pictures = fc.asyncProperty(
  fc.record({
    size,
    seed: fc.nat(),
    image: fc.nat(18),
    attacks,
    belief,
    /** Whose key is released: the picture's own (0), or another one's. */
    key: fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(3) }),
    stubborn: fc.boolean(),
  }),
  async ({ size, seed, image, attacks, belief, key, stubborn }) => {
    const identity = { image, size, metaHash: noise(32, seed) };
    const [own, again, next, elsewhere] = await Promise.all([
      seal(identity, seed + 1),
      // With the same announcement: only its key differs.
      seal(identity, seed + 2),
      seal({ ...identity, image: image + 1, metaHash: noise(32, seed + 3) }, seed + 3),
      seal({ ...identity, metaHash: noise(32, seed + 4) }, seed + 4),
    ]);
    const streams = [own, again, next, elsewhere];
    const world = { foreign: streams.map(({ records }) => records), header: HEADER_LENGTH };
    const delivered = attacks.reduce<readonly Bytes[]>(
      (packets, attack) => strike(packets, attack, world),
      own.records,
    );
    const believed = belief(identity);
    const owner = streams[key] ?? own;
    const opened = await view(believed, delivered, { key: concat(owner.key), stubborn });

    const untouched = sameList(delivered, owner.records) && sameIdentity(believed, owner.identity);
    if (untouched) assert(opened !== null, "nothing was changed, and nothing came out");
    if (opened === null) return;
    assert(sameIdentity(believed, owner.identity), "opened under another announcement");
    assert(untouched || stubborn, "something was changed, and something came out");
    assert(equalBytes(opened, owner.plaintext), "something else than the original came out");
  },
);

const digests = fc.asyncProperty(
  fc.record({ size, seed: fc.nat(), attacks }),
  async ({ size, seed, attacks }) => {
    const identity = { image: 0, size, metaHash: noise(32, seed) };
    const [own, again] = await Promise.all([seal(identity, seed + 1), seal(identity, seed + 2)]);
    const delivered = attacks.reduce<readonly Bytes[]>(
      (packets, attack) =>
        strike(packets, attack, { foreign: [again.records], header: HEADER_LENGTH }),
      own.records,
    );
    const opener = new ImageOpener(identity);
    const taken = await orNothing(() => {
      delivered.forEach((record) => opener.add(record));
      return true;
    });
    if (taken === null) return;
    const tags = (records: readonly Bytes[]) => records.map((record) => record.slice(-16));
    assertEquals(await opener.matches(own.digest), sameList(tags(delivered), tags(own.records)));
  },
);

// Control records

async function controlStream(messages: readonly ControlMessage[]) {
  const raw = randomBytes(32);
  const sealer = new ControlSealer(await aesKey(raw, "encrypt"));
  const packets: Bytes[] = [];
  for (const message of messages) packets.push(await sealer.seal(encodeControl(message)));
  return { packets, opener: new ControlOpener(await aesKey(raw, "decrypt")) };
}

const controlMessages = fc.array(controlMessage, { minLength: 1, maxLength: 5 });

const controls = fc.asyncProperty(
  fc.record({
    messages: controlMessages,
    reflected: controlMessages,
    elsewhere: controlMessages,
    attacks,
    stubborn: fc.boolean(),
  }),
  async ({ messages, reflected, elsewhere, attacks, stubborn }) => {
    const { packets, opener } = await controlStream(messages);
    const foreign = [
      packets,
      (await controlStream(reflected)).packets,
      (await controlStream(elsewhere)).packets,
      // The very same messages of another session.
      (await controlStream(messages)).packets,
    ];
    const delivered = attacks.reduce<readonly Bytes[]>(
      (sent, attack) => strike(sent, attack, { foreign, header: HEADER_LENGTH }),
      packets,
    );
    for (const [i, record] of delivered.entries()) {
      const message = messages[i];
      const original = packets[i];
      const untouched = original !== undefined && equalBytes(record, original);
      const opened = await orNothing(() => opener.open(record));
      assertEquals(
        opened !== null,
        untouched,
        `message ${i} came out changed, or did not come out unchanged`,
      );
      if (opened === null && !stubborn) return;
      if (opened === null || message === undefined) continue;
      assertEquals(opened.message, message);
      assertEquals(opened.plaintext, encodeControl(message));
    }
  },
);

// Sealed signaling

const MAC_LENGTH = 32;

async function signalStream(texts: readonly string[]) {
  const raw = randomBytes(32);
  const sealer = new SignalSealer(await aesKey(raw, "encrypt"));
  const [first = "", ...rest] = texts;
  const packets = [await sealer.seal(HANDSHAKE.offer, first, randomBytes(MAC_LENGTH))];
  for (const text of rest) packets.push(await sealer.seal(HANDSHAKE.candidate, text));
  return { packets, opener: new SignalOpener(await aesKey(raw, "decrypt")) };
}

/** Decoders tend to swallow a byte order mark. */
const texts = fc.array(fc.oneof(anyText(600), anyText(5).map((text) => `\ufeff${text}`)), {
  minLength: 1,
  maxLength: 5,
});

const signals = fc.asyncProperty(
  fc.record({ texts, reflected: texts, attacks, stubborn: fc.boolean() }),
  async ({ texts, reflected, attacks, stubborn }) => {
    const { packets, opener } = await signalStream(texts);
    const foreign = [
      packets,
      (await signalStream(reflected)).packets,
      (await signalStream(texts)).packets,
    ];
    const delivered = attacks.reduce<readonly Bytes[]>(
      (sent, attack) => strike(sent, attack, { foreign, header: 2 }),
      packets,
    );
    for (const [i, message] of delivered.entries()) {
      // The first one carries a MAC in clear, which is checked by whoever opens it.
      const at = i === 0 ? 2 + MAC_LENGTH : 2;
      const sealed = (bytes: Bytes) => concat(bytes.subarray(0, 2), bytes.subarray(at));
      const original = packets[i];
      const untouched = original !== undefined && equalBytes(sealed(message), sealed(original));
      const opened = await orNothing(() => opener.open(message, at));
      assertEquals(
        opened !== null,
        untouched,
        `message ${i} came out changed, or did not come out unchanged`,
      );
      if (opened === null && !stubborn) return;
      // Lone surrogates have no UTF-8; no honest side signals any.
      if (opened !== null) assertEquals(opened, texts[i]?.toWellFormed());
    }
  },
);

/** The properties of everything that is sealed. */
export const RECORD_PROPERTIES: readonly Property[] = [
  {
    name: "a picture is opened whole and unchanged, or not at all, under any attack",
    runs: 400,
    property: pictures,
  },
  {
    name: "a digest matches the records that were sealed, in their order, and no others",
    runs: 300,
    property: digests,
  },
  {
    name: "a control message is opened unchanged and in order, or not at all",
    runs: 400,
    property: controls,
  },
  {
    name: "sealed signaling is opened unchanged and in order, or not at all",
    runs: 400,
    property: signals,
  },
];
