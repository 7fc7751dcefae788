/**
 * Pictures as a stream of chunk records, sealed under a key that only their owner has until it is
 * released. `21 flags image u16 seq u32 ‖ ciphertext ‖ tag 16`; nonce = 7 zero bytes ‖ u32be(index)
 * ‖ final (the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár), AAD = header ‖
 * H(meta plaintext).
 *
 * This module is browser compatible.
 *
 * @module
 */
import { type Bytes, concat, equalBytes } from "../protocol/bytes.ts";
import {
  CHUNK_SIZE,
  chunkCount,
  chunkLength,
  encodeHeader,
  FLAG_FINAL,
  HEADER_LENGTH,
  parseHeader,
  RECORD,
  TAG_LENGTH,
} from "../protocol/record.ts";
import {
  aesKey,
  decrypt,
  encrypt,
  KEY_LENGTH,
  ProtocolError,
  randomBytes,
  sha256,
  take,
  wipe,
} from "./suite.ts";

/** How many chunks are decrypted at once; enough to keep the engine's crypto threads busy. */
const OPEN_WINDOW = 8;

const HASH_LENGTH = 32;

/** What both ends know of a picture before its first chunk. */
export interface ImageIdentity {
  /** The picture's number. */
  readonly image: number;
  /** Bytes of plaintext, at least 1. */
  readonly size: number;
  /** SHA-256 of the plaintext of its `meta` record, padding included. */
  readonly metaHash: Bytes;
}

function streamNonce(index: number, final: boolean): Bytes {
  const nonce = new Uint8Array(12);
  const view = new DataView(nonce.buffer);
  view.setUint32(7, index);
  view.setUint8(11, final ? 1 : 0);
  return nonce;
}

/**
 * SHA-256 over the tags of all chunk records, in order. It identifies the picture's records before
 * anybody can read them. Whether their ciphertext is unchanged is checked by the tags themselves,
 * once the key is there. A hash over all of it would cost both sides as much again as the
 * encryption.
 */
function digestTags(tags: readonly Bytes[]): Promise<Bytes> {
  return sha256(concat(...tags));
}

/** The tag of a record, copied. */
function tagOf(record: Bytes): Bytes {
  return take(record, record.length - TAG_LENGTH, TAG_LENGTH);
}

/**
 * The owner's side of one picture: draws its key, seals its chunks, releases or destroys the key.
 */
export class ImageSealer {
  readonly #identity: ImageIdentity;
  readonly #raw: Bytes;
  readonly #key: CryptoKey;
  readonly #tags: Bytes[] = [];
  #next = 0;

  private constructor(identity: ImageIdentity, raw: Bytes, key: CryptoKey) {
    this.#identity = identity;
    this.#raw = raw;
    this.#key = key;
  }

  /** Draws a fresh key for the picture. */
  static async create(identity: ImageIdentity): Promise<ImageSealer> {
    const raw = randomBytes(KEY_LENGTH);
    return new ImageSealer(identity, raw, await aesKey(raw, "encrypt"));
  }

  /**
   * Seals the next chunk, which has to have exactly the expected length: 65,512 bytes, or what is
   * left. Throws `RangeError` for any other length, because the file is not what was announced, and
   * for a chunk that has changed since it was sealed before. If `into` is given, of at least 64
   * KiB, the record is written to its beginning: allocating a thousand fresh buffers for 64 MB
   * takes 42 ms.
   */
  async seal(plaintext: Bytes, into?: Bytes): Promise<Bytes> {
    const { image, size, metaHash } = this.#identity;
    const index = this.#next++;
    if (index >= chunkCount(size) || plaintext.length !== chunkLength(size, index)) {
      throw new RangeError("Cannot seal picture: it is not as long as announced");
    }
    const final = index === chunkCount(size) - 1;
    const flags = final ? FLAG_FINAL : 0;
    const header = encodeHeader({ type: RECORD.chunk, flags, image, seq: index });
    const aad = concat(header, metaHash);
    const sealed = await encrypt(this.#key, plaintext, { nonce: streamNonce(index, final), aad });
    const tag = tagOf(sealed);
    const before = this.#tags[index];
    // Two plaintexts under one nonce would reveal both.
    if (before !== undefined && !equalBytes(before, tag)) {
      throw new RangeError("Cannot seal picture: the file has changed");
    }
    this.#tags[index] = tag;
    const length = HEADER_LENGTH + sealed.length;
    const record = into?.subarray(0, length) ?? new Uint8Array(length);
    record.set(header);
    record.set(sealed, HEADER_LENGTH);
    return record;
  }

  /**
   * Goes back to chunk `index`, because records from there on were lost. The same bytes yield the
   * same records; `seal` refuses others. Throws {@linkcode ProtocolError} for a chunk that was
   * never sealed.
   */
  rewind(index: number): void {
    if (index > this.#tags.length) throw new ProtocolError();
    this.#next = index;
  }

  /** The digest of all sealed records, 32 bytes. */
  finish(): Promise<Bytes> {
    return digestTags(this.#tags);
  }

  /** Copies the raw key for its release, 32 bytes; the caller overwrites it after use. */
  exportKey(): Bytes {
    return concat(this.#raw);
  }

  /** Overwrites the raw key: what was sent stays unreadable for good. */
  destroy(): void {
    wipe(this.#raw);
  }
}

/** The viewer's side of one picture: collects ciphertext, and decrypts it once the key is there. */
export class ImageOpener {
  readonly #identity: ImageIdentity;
  readonly #tags: Bytes[] = [];
  #records: Bytes[] = [];
  #received = 0;

  constructor(identity: ImageIdentity) {
    this.#identity = identity;
  }

  /** Plaintext bytes that have arrived as ciphertext. */
  get received(): number {
    return this.#received;
  }

  /** The next chunk that is expected. */
  get next(): number {
    return this.#tags.length;
  }

  /** True once every chunk has arrived. */
  get complete(): boolean {
    return this.#records.length === chunkCount(this.#identity.size);
  }

  /**
   * Takes the next record. Throws {@linkcode ProtocolError} if it is not exactly the expected one:
   * number, length, flag, nothing after the last one. Keeps the array, not a copy.
   */
  add(record: Bytes): void {
    const { image, size } = this.#identity;
    // Not the number of records: `open` releases those, and nothing may follow then either.
    const index = this.#tags.length;
    const last = chunkCount(size) - 1;
    const header = parseHeader(record);
    if (header === null || index > last) throw new ProtocolError();
    const length = chunkLength(size, index);
    if (
      header.type !== RECORD.chunk || header.image !== image || header.seq !== index ||
      header.flags !== (index === last ? FLAG_FINAL : 0) ||
      record.length !== HEADER_LENGTH + length + TAG_LENGTH
    ) throw new ProtocolError();
    this.#records.push(record);
    this.#tags.push(tagOf(record));
    this.#received += length;
  }

  /** Checks that all records have arrived and are the ones that the owner sent. */
  async matches(digest: Bytes): Promise<boolean> {
    if (!this.complete || digest.length !== HASH_LENGTH) return false;
    return equalBytes(await digestTags(this.#tags), digest);
  }

  /**
   * Decrypts the picture, and releases each chunk's ciphertext on the way. Throws
   * {@linkcode ProtocolError} if any chunk does not verify; then nothing of it is left. Can be
   * called once. `rawKey` is overwritten.
   */
  async open(rawKey: Bytes): Promise<Bytes> {
    const { size, metaHash } = this.#identity;
    if (!this.complete) throw new ProtocolError();
    const records = this.#records;
    this.#records = [];
    const key = await aesKey(rawKey, "decrypt");
    wipe(rawKey);
    const out = new Uint8Array(size);
    const openOne = async (record: Bytes, index: number) => {
      const aad = concat(record.subarray(0, HEADER_LENGTH), metaHash);
      const nonce = streamNonce(index, index === records.length - 1);
      const chunk = await decrypt(key, record.subarray(HEADER_LENGTH), { nonce, aad });
      out.set(chunk, index * CHUNK_SIZE);
      wipe(chunk);
    };
    let next = 0;
    // Each worker takes the next record until none is left.
    const worker = async () => {
      while (next < records.length) {
        const index = next++;
        const record = records[index];
        if (record === undefined) throw new ProtocolError();
        records[index] = new Uint8Array(0);
        await openOne(record, index);
      }
    };
    // Waits for all before anything is wiped, or a late chunk would be written after the wipe.
    const results = await Promise.allSettled(Array.from({ length: OPEN_WINDOW }, worker));
    if (results.some((result) => result.status === "rejected")) {
      wipe(out);
      throw new ProtocolError();
    }
    return out;
  }

  /** Drops the ciphertext. */
  discard(): void {
    this.#records = [];
  }
}
