/**
 * Sealed recovery messages between two verified peers. They are sent over the server, whose sockets
 * may break as well, so some messages may be missing. `07 ver seq u32 ‖ ciphertext ‖ tag 16`, nonce
 * = 4 zero bytes ‖ u64be(seq), AAD = the first six bytes.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { type Bytes, concat } from "../protocol/bytes.ts";
import { HANDSHAKE } from "../protocol/handshake.ts";
import { PROTOCOL_VERSION } from "../protocol/limits.ts";
import { counterNonce, decodeText, decrypt, encrypt, ProtocolError, take } from "./suite.ts";

const HEAD_LENGTH = 6;
const MAX_SEQ = 2 ** 32 - 1;

function head(seq: number): Bytes {
  const bytes = new Uint8Array(HEAD_LENGTH);
  bytes.set([HANDSHAKE.repair, PROTOCOL_VERSION]);
  new DataView(bytes.buffer).setUint32(2, seq);
  return bytes;
}

/** Seals this side's recovery messages. */
export class RepairSealer {
  readonly #key: CryptoKey;
  #seq = 0;

  constructor(key: CryptoKey) {
    this.#key = key;
  }

  /** Seals `text`. Throws `RangeError` after 2^32 messages. */
  async seal(text: string): Promise<Bytes> {
    const seq = this.#seq++;
    if (seq > MAX_SEQ) throw new RangeError("Cannot seal: too many messages");
    const aad = head(seq);
    const plaintext = new TextEncoder().encode(text);
    return concat(aad, await encrypt(this.#key, plaintext, { nonce: counterNonce(seq), aad }));
  }
}

/** Opens the peer's recovery messages, in the order in which they were sealed. */
export class RepairOpener {
  readonly #key: CryptoKey;
  #next = 0;

  constructor(key: CryptoKey) {
    this.#key = key;
  }

  /**
   * Throws {@linkcode ProtocolError} if the message was changed, repeated or overtaken by a newer
   * one; later messages can still be opened.
   */
  async open(message: Bytes): Promise<string> {
    if (message.length < HEAD_LENGTH) throw new ProtocolError();
    const seq = new DataView(message.buffer, message.byteOffset, HEAD_LENGTH).getUint32(2);
    const aad = head(seq);
    if (!aad.every((byte, i) => byte === message[i])) throw new ProtocolError();
    const sealed = take(message, HEAD_LENGTH, message.length - HEAD_LENGTH);
    const plaintext = await decrypt(this.#key, sealed, { nonce: counterNonce(seq), aad });
    // Checked after the decryption: another message may have been opened meanwhile.
    if (seq < this.#next) throw new ProtocolError();
    this.#next = seq + 1;
    return decodeText(plaintext);
  }
}
