import { SignalOpener, SignalSealer } from "../../lib/e2e/signal_seal.ts";
import { aesKey, ProtocolError, randomBytes } from "../../lib/e2e/suite.ts";
import type { Bytes } from "../../lib/protocol/bytes.ts";
import { HANDSHAKE } from "../../lib/protocol/handshake.ts";
import { assert, assertEquals, assertRejects } from "../support/assert.ts";

const SDP = "v=0\r\na=candidate:1 1 udp 1 192.0.2.7 9 typ host";

async function ends() {
  const raw = randomBytes(32);
  const [out, into] = await Promise.all([aesKey(raw, "encrypt"), aesKey(raw, "decrypt")]);
  return { sealer: new SignalSealer(out), opener: () => new SignalOpener(into) };
}

Deno.test("sealed messages open in order, and show neither text nor repetition", async () => {
  const { sealer, opener } = await ends();
  const texts = [SDP, SDP, ""];
  const sealed: Bytes[] = [];
  for (const text of texts) sealed.push(await sealer.seal(HANDSHAKE.candidate, text));
  const reader = opener();
  for (const [i, message] of sealed.entries()) assertEquals(await reader.open(message), texts[i]);
  assert(!new TextDecoder("latin1").decode(sealed[0]).includes("192.0.2.7"), "an address shows");
  assert(sealed[0]?.join() !== sealed[1]?.join(), "two that say the same can be told");
});

Deno.test("cleartext before the ciphertext is left out", async () => {
  const { sealer, opener } = await ends();
  const message = await sealer.seal(HANDSHAKE.offer, SDP, randomBytes(32));
  assertEquals(await opener().open(message, 34), SDP);
});

Deno.test("a changed, cut, repeated, missing or reordered message is refused", async () => {
  const { sealer, opener } = await ends();
  const first = await sealer.seal(HANDSHAKE.offer, SDP);
  const second = await sealer.seal(HANDSHAKE.candidate, "a");
  const refused = async (...messages: readonly Bytes[]) => {
    const reader = opener();
    for (const message of messages.slice(0, -1)) await reader.open(message);
    await assertRejects(() => reader.open(messages.at(-1)!), ProtocolError);
  };
  for (let at = 0; at < first.length; at++) await refused(first.with(at, first[at]! ^ 1));
  for (const length of [0, 1, 2, 17, first.length - 1]) await refused(first.slice(0, length));
  await refused(second);
  await refused(first, first);
  await refused(first.with(0, HANDSHAKE.answer));
});
