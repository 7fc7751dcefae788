import { encodeHex } from "@std/encoding/hex";

import {
  aesKey,
  counterNonce,
  decrypt,
  ecdh,
  encrypt,
  generateEcdh,
  hmacKey,
  mac,
  macMatches,
  ProtocolError,
  randomBytes,
} from "../../lib/e2e/suite.ts";
import { assert, assertEquals, assertRejects } from "../support/assert.ts";

Deno.test("keys can't be exported, and have one use each", async () => {
  const pair = await generateEcdh();
  const keys = {
    "ecdh deriveBits": pair.privateKey,
    "aes encrypt": await aesKey(randomBytes(32), "encrypt"),
    "aes decrypt": await aesKey(randomBytes(32), "decrypt"),
    "hmac sign": await hmacKey(randomBytes(32), "sign"),
    "hmac verify": await hmacKey(randomBytes(32), "verify"),
  };
  for (const [name, key] of Object.entries(keys)) {
    assertEquals([name, key.extractable], [name, false]);
    assertEquals([name, key.usages.join()], [name, name.split(" ")[1]]);
    await assertRejects(() => crypto.subtle.exportKey("jwk", key), DOMException);
  }
});

Deno.test("hmacKey() overwrites the bytes that it was made of", async () => {
  const raw = randomBytes(32);
  await hmacKey(raw, "sign");
  assertEquals(raw, new Uint8Array(32));
});

Deno.test("both ends of ECDH have the same 32 bytes", async () => {
  const [a, b] = [await generateEcdh(), await generateEcdh()];
  const shared = await ecdh(a.privateKey, b.publicKey);
  assertEquals(shared.length, 32);
  assertEquals(shared, await ecdh(b.privateKey, a.publicKey));
});

Deno.test("ecdh() refuses points that are short, compressed or not on the curve", async () => {
  const { privateKey, publicKey } = await generateEcdh();
  const compressed = publicKey.slice(0, 33).with(0, 2);
  const offCurve = publicKey.with(64, (publicKey[64] ?? 0) ^ 1);
  for (const point of [publicKey.slice(0, 64), compressed, publicKey.with(0, 5), offCurve]) {
    await assertRejects(() => ecdh(privateKey, point), ProtocolError);
  }
});

Deno.test("counterNonce() encodes 4 zero bytes and u64be, beyond 32 bits too", () => {
  assertEquals(encodeHex(counterNonce(0)), "000000000000000000000000");
  assertEquals(encodeHex(counterNonce(258)), "000000000000000000000102");
  assertEquals(encodeHex(counterNonce(2 ** 32 + 3)), "000000000000000100000003");
});

Deno.test("a failed decryption never tells why", async () => {
  const raw = randomBytes(32);
  const options = { nonce: counterNonce(0), aad: randomBytes(8) };
  const sealed = await encrypt(await aesKey(raw, "encrypt"), randomBytes(100), options);
  const key = await aesKey(raw, "decrypt");
  const failures = [
    () => decrypt(key, sealed.with(0, (sealed[0] ?? 0) ^ 1), options),
    () => decrypt(key, sealed.slice(0, 5), options),
    () => decrypt(key, sealed, { ...options, aad: randomBytes(8) }),
    () => decrypt(key, sealed, { ...options, nonce: counterNonce(1) }),
  ];
  for (const failure of failures) {
    const error = await assertRejects(failure, ProtocolError);
    assertEquals([error.message, error.cause], [new ProtocolError().message, undefined]);
  }
  assertEquals((await decrypt(key, sealed, options)).length, 100);
});

Deno.test("a MAC of other data or of another key does not match", async () => {
  const raw = randomBytes(32);
  const data = randomBytes(50);
  const tag = await mac(await hmacKey(raw.slice(), "sign"), data);
  const check = await hmacKey(raw.slice(), "verify");
  assert(await macMatches(check, tag, data));
  assert(!await macMatches(check, tag, data.with(0, (data[0] ?? 0) ^ 1)));
  assert(!await macMatches(await hmacKey(randomBytes(32), "verify"), tag, data));
});
