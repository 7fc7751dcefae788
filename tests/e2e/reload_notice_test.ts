import { encodeHex } from "@std/encoding/hex";
import { makeReloadNotice, verifyReloadNotice } from "../../lib/e2e/reload_notice.ts";
import { randomBytes } from "../../lib/e2e/suite.ts";
import { HANDSHAKE, NOTICE_LENGTH } from "../../lib/protocol/handshake.ts";
import { assertEquals } from "../support/assert.ts";
import kat from "./resume_kat.json" with { type: "json" };

function hex(text: string) {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

Deno.test("known answers: the notice of a reloaded page", async () => {
  const psk = hex(kat.outputs.psk);
  const notice = await makeReloadNotice(psk, hex(kat.inputs.noticeNonce));
  assertEquals(encodeHex(notice), kat.outputs.notice);
  assertEquals([notice.length, notice[0]], [NOTICE_LENGTH, HANDSHAKE.reloaded]);
  assertEquals(encodeHex((await verifyReloadNotice(psk, notice))!), kat.inputs.noticeNonce);
});

Deno.test("a notice is of one session: with another secret it is refused", async () => {
  const notice = await makeReloadNotice(randomBytes(32));
  assertEquals(await verifyReloadNotice(randomBytes(32), notice), null);
});

Deno.test("a notice with any bit flipped, cut or prolonged is refused", async () => {
  const psk = randomBytes(32);
  const notice = await makeReloadNotice(psk);
  for (let at = 0; at < notice.length; at++) {
    assertEquals(await verifyReloadNotice(psk, notice.with(at, notice[at]! ^ 1)), null);
  }
  for (const length of [0, 1, 2, 18, NOTICE_LENGTH - 1]) {
    assertEquals(await verifyReloadNotice(psk, notice.slice(0, length)), null);
  }
  assertEquals(await verifyReloadNotice(psk, new Uint8Array([...notice, 0])), null);
});

Deno.test("each notice has a nonce of its own", async () => {
  const psk = randomBytes(32);
  const [a, b] = [await makeReloadNotice(psk), await makeReloadNotice(psk)];
  assertEquals(encodeHex(a) === encodeHex(b), false);
});
