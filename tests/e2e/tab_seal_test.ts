import { randomBytes } from "../../lib/e2e/suite.ts";
import { ProtocolError } from "../../lib/e2e/suite.ts";
import { openForTab, sealForTab } from "../../lib/e2e/tab_seal.ts";
import { assert, assertEquals, assertRejects } from "../support/assert.ts";

const HALVES = { tab: randomBytes(32), salt: randomBytes(32) };

Deno.test("what a tab sealed it can open, and it never looks the same", async () => {
  const [first, second] = [
    await sealForTab(HALVES, "ünïcode"),
    await sealForTab(HALVES, "ünïcode"),
  ];
  assertEquals(await openForTab(HALVES, first), "ünïcode");
  assert(first.join() !== second.join(), "two nonces");
});

Deno.test("each half of the key needs the right other half, and no bit can change", async () => {
  const sealed = await sealForTab(HALVES, "secret");
  await assertRejects(
    () => openForTab({ ...HALVES, salt: randomBytes(32) }, sealed),
    ProtocolError,
  );
  await assertRejects(() => openForTab({ ...HALVES, tab: randomBytes(32) }, sealed), ProtocolError);
  for (const at of [0, 12, sealed.length - 1]) {
    const changed = sealed.with(at, (sealed[at] ?? 0) ^ 1);
    await assertRejects(() => openForTab(HALVES, changed), ProtocolError);
  }
  await assertRejects(() => openForTab(HALVES, sealed.slice(0, 20)), ProtocolError);
});
