/**
 * Sealed signaling: SDP and ICE candidates inside M4, M5 and M6, so that the server that relays
 * them learns no address. `type ver [‖ prefix] ‖ ciphertext ‖ tag 16`, nonce = 4 zero bytes ‖
 * u64be(seq), AAD = `type ver`.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { type Bytes, concat } from "../protocol/bytes.ts";
import { PROTOCOL_VERSION } from "../protocol/limits.ts";
import { counterNonce, decodeText, decrypt, encrypt, ProtocolError, take } from "./suite.ts";

/** Seals this side's signaling; the sequence number is counted here and never sent. */
export class SignalSealer {
  readonly #key: CryptoKey;
  #seq = 0;

  constructor(key: CryptoKey) {
    this.#key = key;
  }

  /**
   * Seals `text` as a message of `type`; `prefix` is sent in the clear between the two header bytes
   * and the ciphertext.
   */
  async seal(type: number, text: string, prefix: Bytes = new Uint8Array(0)): Promise<Bytes> {
    const aad = new Uint8Array([type, PROTOCOL_VERSION]);
    const nonce = counterNonce(this.#seq++);
    const plaintext = new TextEncoder().encode(text);
    return concat(aad, prefix, await encrypt(this.#key, plaintext, { nonce, aad }));
  }
}

/** Opens the peer's signaling, in exactly the order in which it was sealed. */
export class SignalOpener {
  readonly #key: CryptoKey;
  #seq = 0;

  constructor(key: CryptoKey) {
    this.#key = key;
  }

  /**
   * Opens a message whose ciphertext starts at byte `at`. Throws {@linkcode ProtocolError} if the
   * message was changed, repeated or reordered, or if one before it is missing.
   */
  async open(message: Bytes, at = 2): Promise<string> {
    const nonce = counterNonce(this.#seq++);
    if (message[1] !== PROTOCOL_VERSION) throw new ProtocolError();
    const aad = take(message, 0, 2);
    const sealed = take(message, at, message.length - at);
    const plaintext = await decrypt(this.#key, sealed, { nonce, aad });
    return decodeText(plaintext);
  }
}
