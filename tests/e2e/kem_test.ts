import { CT_LENGTH, EK_LENGTH, javascriptKem, loadKem, nativeKem } from "../../lib/e2e/kem.ts";
import { ProtocolError } from "../../lib/e2e/suite.ts";
import { assert, assertEquals, assertRejects } from "../support/assert.ts";

const kems = [["WebCrypto", await nativeKem()], ["JavaScript", await javascriptKem()]] as const;

for (const [name, kem] of kems) {
  Deno.test(`ML-KEM-768 in ${name}: both ends share 32 bytes`, async () => {
    assert(kem !== null, "this runtime is expected to have ML-KEM");
    const pair = await kem.generate();
    assertEquals(pair.encapsulationKey.length, EK_LENGTH);
    const { ciphertext, secret } = await kem.encapsulate(pair.encapsulationKey);
    assertEquals([ciphertext.length, secret.length], [CT_LENGTH, 32]);
    assertEquals(await pair.decapsulate(ciphertext), secret);
  });

  Deno.test(`ML-KEM-768 in ${name}: bad encapsulation keys are refused`, async () => {
    assert(kem !== null, "this runtime is expected to have ML-KEM");
    const short = new Uint8Array(EK_LENGTH - 1);
    // FIPS 203 §7.2: coefficients have to be below 3329; all ones are not.
    const overflowing = new Uint8Array(EK_LENGTH).fill(0xff);
    await assertRejects(() => kem.encapsulate(short), ProtocolError);
    await assertRejects(() => kem.encapsulate(overflowing), ProtocolError);
  });
}

Deno.test("loadKem() finds one once, and falls back to JavaScript without a native", async () => {
  const original = crypto.subtle.generateKey;
  const refuse = (): Promise<never> => Promise.reject(new DOMException("no", "NotSupportedError"));
  crypto.subtle.generateKey = refuse;
  try {
    assertEquals(await nativeKem(), null);
    const kem = await loadKem();
    assertEquals(kem, await loadKem());
    const pair = await kem.generate();
    const { ciphertext, secret } = await kem.encapsulate(pair.encapsulationKey);
    assertEquals(await pair.decapsulate(ciphertext), secret);
  } finally {
    crypto.subtle.generateKey = original;
  }
});
