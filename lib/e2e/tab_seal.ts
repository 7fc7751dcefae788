/**
 * Seals what a tab keeps for a reload: `nonce 12 ‖ ciphertext ‖ tag 16`, AES-256-GCM under K =
 * HKDF(32 random bytes of the tab, salt of the room, "tab", 32). The tab's half is stored next to
 * the sealed data, possibly on a disk. The server has the room's half, gives it to the two seats,
 * and forgets it with the room. Neither half opens anything without the other.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { type Bytes, concat } from "../protocol/bytes.ts";
import {
  aesKey,
  decodeText,
  decrypt,
  encrypt,
  hkdf,
  KEY_LENGTH,
  randomBytes,
  take,
  wipe,
} from "./suite.ts";

const NONCE_LENGTH = 12;
const NOTHING = new Uint8Array(0);

/** The two halves of the key, 32 bytes each. */
export interface TabHalves {
  readonly tab: Bytes;
  readonly salt: Bytes;
}

async function tabKey({ tab, salt }: TabHalves, usage: "encrypt" | "decrypt"): Promise<CryptoKey> {
  const raw = await hkdf(tab, salt, "tab", KEY_LENGTH);
  const key = await aesKey(raw, usage);
  wipe(raw);
  return key;
}

/** Seals a text under a random nonce. */
export async function sealForTab(halves: TabHalves, text: string): Promise<Bytes> {
  const nonce = randomBytes(NONCE_LENGTH);
  const plaintext = new TextEncoder().encode(text);
  const sealed = await encrypt(await tabKey(halves, "encrypt"), plaintext, { nonce, aad: NOTHING });
  const box = concat(nonce, sealed);
  wipe(plaintext, nonce);
  return box;
}

/** Opens a sealed text. Throws a `ProtocolError` if it was changed, or if either half is wrong. */
export async function openForTab(halves: TabHalves, sealed: Bytes): Promise<string> {
  const nonce = take(sealed, 0, NONCE_LENGTH);
  const rest = take(sealed, NONCE_LENGTH, sealed.length);
  return decodeText(await decrypt(await tabKey(halves, "decrypt"), rest, { nonce, aad: NOTHING }));
}
