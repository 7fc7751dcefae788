import { DEFAULT_RULES } from "../../lib/protocol/display_options.ts";
import type { Bytes } from "../../lib/protocol/bytes.ts";
import type { ControlMessage } from "../../lib/protocol/control.ts";
import { ControlOpener, ControlSealer, encodeControl } from "../../lib/e2e/control_record.ts";
import { aesKey, ProtocolError, randomBytes } from "../../lib/e2e/suite.ts";
import { assert, assertEquals, assertRejects, assertThrows } from "../support/assert.ts";

async function pair() {
  const raw = randomBytes(32);
  return {
    sealer: new ControlSealer(await aesKey(raw, "encrypt")),
    opener: new ControlOpener(await aesKey(raw, "decrypt")),
  };
}

const META: ControlMessage = {
  t: "meta",
  n: 0,
  type: "image/jpeg",
  size: 123,
  w: 4,
  h: 3,
  name: "Größe 🌸.jpg",
  view: DEFAULT_RULES,
};

Deno.test("control records carry messages in order, names beyond ASCII included", async () => {
  const { sealer, opener } = await pair();
  for (
    const message of [META, { t: "open", n: 0 }, {
      t: "bye",
      why: "left",
    }] satisfies ControlMessage[]
  ) {
    const record = await sealer.seal(encodeControl(message));
    assertEquals((await opener.open(record)).message, message);
  }
});

Deno.test("control records of short messages all have one length", async () => {
  const { sealer } = await pair();
  const messages: ControlMessage[] = [{ t: "bye", why: "left" }, {
    t: "closed",
    n: 3,
    why: "timer",
    ms: 10_000,
  }];
  const lengths = new Set<number>();
  for (const message of messages) lengths.add((await sealer.seal(encodeControl(message))).length);
  assertEquals([...lengths], [8 + 256 + 16]);
});

const ATTACKS: readonly [name: string, attack: (first: Bytes, second: Bytes) => Bytes][] = [
  ["left out", (_first, second) => second],
  ["flipped in the header", (first) => first.with(1, 1)],
  ["flipped in the sequence number", (first) => first.with(7, 1)],
  ["flipped in the ciphertext", (first) => first.with(20, (first[20] ?? 0) ^ 1)],
  ["flipped in the tag", (first) => first.with(-1, (first.at(-1) ?? 0) ^ 1)],
  ["cut", (first) => first.slice(0, -1)],
  ["lengthened", (first) => new Uint8Array([...first, 0])],
  ["empty", () => new Uint8Array(0)],
];

for (const [name, attack] of ATTACKS) {
  Deno.test(`control records: one that was ${name} does not open`, async () => {
    const { sealer, opener } = await pair();
    const first = await sealer.seal(encodeControl(META));
    const second = await sealer.seal(encodeControl({ t: "bye", why: "left" }));
    await assertRejects(() => opener.open(attack(first, second)), ProtocolError);
  });
}

Deno.test("control records: one that was repeated does not open", async () => {
  const { sealer, opener } = await pair();
  const record = await sealer.seal(encodeControl({ t: "bye", why: "left" }));
  await opener.open(record);
  await assertRejects(() => opener.open(record), ProtocolError);
});

Deno.test("control records: one of the other direction does not open", async () => {
  const a = await pair();
  const b = await pair();
  const record = await a.sealer.seal(encodeControl({ t: "bye", why: "left" }));
  await assertRejects(() => b.opener.open(record), ProtocolError);
});

Deno.test("encodeControl() refuses a message that no record can hold", () => {
  const long = { ...META, t: "meta", name: "\u0001".repeat(4_000) } satisfies ControlMessage;
  assertThrows(() => encodeControl(long), RangeError);
  assert(encodeControl(META).length % 256 === 0);
});
