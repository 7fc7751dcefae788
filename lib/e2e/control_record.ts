/**
 * Control records: JSON, padded with spaces to a multiple of 256 bytes, sealed with AES-256-GCM
 * under the direction's key. `20 00 0000 seq u32 ‖ ciphertext ‖ tag 16`; nonce = 4 zero bytes ‖
 * u64be(seq), AAD = the header.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { type Bytes, concat } from "../protocol/bytes.ts";
import { type ControlMessage, parseControlMessage } from "../protocol/control.ts";
import { CONTROL_PADDING, MAX_CONTROL_BYTES, MAX_CONTROL_RECORDS } from "../protocol/limits.ts";
import {
  encodeHeader,
  HEADER_LENGTH,
  parseHeader,
  RECORD,
  TAG_LENGTH,
} from "../protocol/record.ts";
import { counterNonce, decodeText, decrypt, encrypt, ProtocolError, take } from "./suite.ts";

const SPACE = 0x20;
const MAX_RECORD_LENGTH = HEADER_LENGTH + MAX_CONTROL_BYTES + TAG_LENGTH;

/**
 * A control message, and the exact plaintext that was sealed: that of `meta` is authenticated with
 * each chunk.
 */
export interface OpenedControl {
  readonly message: ControlMessage;
  readonly plaintext: Bytes;
}

/**
 * Encodes a control message as padded JSON. Throws `RangeError` if it does not fit into a record.
 */
export function encodeControl(message: ControlMessage): Bytes {
  const json = new TextEncoder().encode(JSON.stringify(message));
  const length = Math.ceil(json.length / CONTROL_PADDING) * CONTROL_PADDING;
  if (length > MAX_CONTROL_BYTES) throw new RangeError("Cannot send control message: too long");
  const out = new Uint8Array(length).fill(SPACE);
  out.set(json);
  return out;
}

/** Seals this side's control records with seq 0, 1, 2 … */
export class ControlSealer {
  readonly #key: CryptoKey;
  #seq = 0;

  constructor(key: CryptoKey) {
    this.#key = key;
  }

  /** Seals a plaintext of {@linkcode encodeControl}. Throws `RangeError` after 65,536 records. */
  async seal(plaintext: Bytes): Promise<Bytes> {
    const seq = this.#seq++;
    if (seq >= MAX_CONTROL_RECORDS) throw new RangeError("Cannot send control message: too many");
    const header = encodeHeader({ type: RECORD.control, flags: 0, image: 0, seq });
    const nonce = counterNonce(seq);
    return concat(header, await encrypt(this.#key, plaintext, { nonce, aad: header }));
  }
}

/** Opens the peer's control records, which have to arrive exactly in order. */
export class ControlOpener {
  readonly #key: CryptoKey;
  #seq = 0;

  constructor(key: CryptoKey) {
    this.#key = key;
  }

  /** The number of the next record that is expected. */
  get next(): number {
    return this.#seq;
  }

  /**
   * Opens and parses one record. Throws {@linkcode ProtocolError} for anything but the next valid
   * one.
   */
  async open(record: Bytes): Promise<OpenedControl> {
    const seq = this.#seq++;
    const header = record.length <= MAX_RECORD_LENGTH ? parseHeader(record) : null;
    if (header === null || seq >= MAX_CONTROL_RECORDS) throw new ProtocolError();
    if (header.type !== RECORD.control || header.flags !== 0 || header.image !== 0) {
      throw new ProtocolError();
    }
    if (header.seq !== seq) throw new ProtocolError();
    const aad = take(record, 0, HEADER_LENGTH);
    const sealed = take(record, HEADER_LENGTH, record.length - HEADER_LENGTH);
    const plaintext = await decrypt(this.#key, sealed, { nonce: counterNonce(seq), aad });
    if (plaintext.length % CONTROL_PADDING !== 0) throw new ProtocolError();
    const message = parseControlMessage(decodeText(plaintext));
    if (message === null) throw new ProtocolError();
    return { message, plaintext };
  }
}
