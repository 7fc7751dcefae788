import { RepairOpener, RepairSealer } from "../../lib/e2e/repair_seal.ts";
import { aesKey, ProtocolError, randomBytes } from "../../lib/e2e/suite.ts";
import { assertEquals, assertRejects } from "../support/assert.ts";

async function ends() {
  const raw = randomBytes(32);
  const [out, into] = await Promise.all([aesKey(raw, "encrypt"), aesKey(raw, "decrypt")]);
  return { sealer: new RepairSealer(out), opener: new RepairOpener(into) };
}

Deno.test("what was sealed is opened, in order, and what is missing is no breach", async () => {
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

Deno.test("what was said before, or was overtaken, is refused, and what comes next is opened", async () => {
  const { sealer, opener } = await ends();
  const [first, second] = [await sealer.seal("a"), await sealer.seal("b")];
  await opener.open(second);
  for (const old of [first, second]) await assertRejects(() => opener.open(old), ProtocolError);
  assertEquals(await opener.open(await sealer.seal("c")), "c");
});

Deno.test("one that was said twice at once is opened once", async () => {
  const { sealer, opener } = await ends();
  const message = await sealer.seal("a");
  const results = await Promise.allSettled([opener.open(message), opener.open(message)]);
  assertEquals(results.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
});

Deno.test("a change anywhere, a cut, and a message of another type are refused", async () => {
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
