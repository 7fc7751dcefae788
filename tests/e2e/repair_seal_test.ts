import { RepairOpener, RepairSealer } from "../../lib/e2e/repair_seal.ts";
import { aesKey, ProtocolError, randomBytes } from "../../lib/e2e/suite.ts";
import { assertEquals, assertRejects } from "../support/assert.ts";

async function ends() {
  const raw = randomBytes(32);
  const [out, into] = await Promise.all([aesKey(raw, "encrypt"), aesKey(raw, "decrypt")]);
  return { sealer: new RepairSealer(out), opener: new RepairOpener(into) };
}

Deno.test("sealed messages open in order, and missing ones are no violation", async () => {
  const { sealer, opener } = await ends();
  const [first, , third, fourth] = [
    await sealer.seal("a"),
    await sealer.seal("b"),
    await sealer.seal("c"),
    await sealer.seal("d"),
  ];
  assertEquals(
    [await opener.open(first), await opener.open(third), await opener.open(fourth)],
    ["a", "c", "d"],
  );
});

Deno.test("repeated and overtaken messages are refused, and the next one opens", async () => {
  const { sealer, opener } = await ends();
  const [first, second] = [await sealer.seal("a"), await sealer.seal("b")];
  await opener.open(second);
  for (const old of [first, second]) await assertRejects(() => opener.open(old), ProtocolError);
  assertEquals(await opener.open(await sealer.seal("c")), "c");
});

Deno.test("a message that arrives twice at once is opened once", async () => {
  const { sealer, opener } = await ends();
  const message = await sealer.seal("a");
  const results = await Promise.allSettled([opener.open(message), opener.open(message)]);
  assertEquals(results.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
});

Deno.test("a change, a truncation, and a message of another type are refused", async () => {
  const { sealer, opener } = await ends();
  const message = await sealer.seal("a candidate");
  for (let at = 0; at < message.length; at++) {
    const changed = message.with(at, message[at]! ^ 1);
    await assertRejects(() => opener.open(changed), ProtocolError);
  }
  for (const length of [0, 5, 6, message.length - 1]) {
    await assertRejects(() => opener.open(message.slice(0, length)), ProtocolError);
  }
  assertEquals(await opener.open(message), "a candidate");
});
