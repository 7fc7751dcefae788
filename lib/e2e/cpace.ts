/**
 * CPace (draft-irtf-cfrg-cpace), suite CPACE-P256_XMD:SHA-256_SSWU_NU_-SHA256. Two people who know
 * the same few words agree on a key. Anybody else learns only whether one guess was right.
 * `@noble/curves` does the computing in the group. Loaded only where a code is used.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { p256, p256_hasher } from "@noble/curves/nist.js";
import { ascii, type Bytes, concat } from "../protocol/bytes.ts";
import { SHARE_LENGTH } from "../protocol/handshake.ts";
import { KEY_LENGTH, ProtocolError, randomBytes, sha256, take, wipe } from "./suite.ts";

const DSI = "CPaceP256_XMD:SHA-256_SSWU_NU_";

/**
 * Input block size of SHA-256 in bytes. The password is padded to the first block, so that its
 * length does not show.
 */
const BLOCK_LENGTH = 64;

/**
 * Bytes of randomness for one scalar: 16 more than its length make it practically uniform (FIPS
 * 186-5 A.2.1).
 */
const SEED_LENGTH = 48;

/** What both sides have to agree on. */
export interface CpaceInput {
  /** PRS, the password. */
  readonly password: Bytes;
  /** CI, who talks to whom over what. */
  readonly channel: Bytes;
  /** sid, unique for each run. */
  readonly session: Bytes;
}

/** Both shares with the data that they authenticate (ADa, ADb), the initiator's first. */
export interface CpaceTranscript {
  readonly shareA: Bytes;
  readonly dataA: Bytes;
  readonly shareB: Bytes;
  readonly dataB: Bytes;
}

/**
 * lv_cat of the draft: each item, prefixed by its length. Throws `RangeError` above 127 bytes,
 * where LEB128 would need a second byte.
 */
function lengthPrefixed(...items: readonly Bytes[]): Bytes {
  return concat(...items.flatMap((item) => {
    if (item.length > 127) throw new RangeError("Cannot encode for CPace: item is too long");
    return [new Uint8Array([item.length]), item];
  }));
}

/**
 * generator_string of the draft, which is mapped to the curve. Throws `RangeError` for an item of
 * over 127 bytes.
 */
export function generatorString({ password, channel, session }: CpaceInput): Bytes {
  const padding = Math.max(0, BLOCK_LENGTH - 1 - (password.length + 1) - (DSI.length + 1));
  return lengthPrefixed(ascii(DSI), password, new Uint8Array(padding), channel, session);
}

/** calculate_generator of the draft: an uncompressed point of 65 bytes. */
export function generator(input: CpaceInput): Bytes {
  const point = p256_hasher.encodeToCurve(generatorString(input), { DST: `${DSI}_DST` });
  return point.toBytes(false).slice();
}

/**
 * scalar_mult_vfy of the draft: the x coordinate, 32 bytes. Throws {@linkcode ProtocolError} if
 * `point` is not a point of the curve.
 */
export function multiplyVerified(scalar: Bytes, point: Bytes): Bytes {
  if (point.length !== SHARE_LENGTH || point[0] !== 0x04) throw new ProtocolError();
  try {
    // P-256 has no small subgroup: every point on the curve except the neutral one has the full
    // order.
    const product = p256.Point.fromBytes(point).multiply(p256.Point.Fn.fromBytes(scalar));
    return take(product.toBytes(false), 1, KEY_LENGTH);
  } catch {
    throw new ProtocolError();
  }
}

/** ISK for the order initiator, responder: 32 bytes. */
export function sessionKey(
  session: Bytes,
  k: Bytes,
  { shareA, dataA, shareB, dataB }: CpaceTranscript,
): Promise<Bytes> {
  return sha256(concat(
    lengthPrefixed(ascii(`${DSI}_ISK`), session, k),
    lengthPrefixed(shareA, dataA),
    lengthPrefixed(shareB, dataB),
  ));
}

/** Draws a scalar, 32 bytes, and overwrites the randomness that it was made of. */
function drawScalar(): Bytes {
  const seed = randomBytes(SEED_LENGTH);
  const drawn = p256.utils.randomSecretKey(seed);
  const scalar = drawn.slice();
  wipe(seed, drawn);
  return scalar;
}

/** One side of one run: its scalar is drawn here and used once. */
export class CpaceRun {
  /** Ya or Yb, 65 bytes. */
  readonly share: Bytes;
  readonly #session: Bytes;
  readonly #scalar: Bytes;

  /** Only tests with known answers pass `scalar`, 32 bytes big-endian. */
  constructor(input: CpaceInput, scalar: Bytes = drawScalar()) {
    this.#session = input.session;
    this.#scalar = scalar;
    const point = p256.Point.fromBytes(generator(input));
    this.share = point.multiply(p256.Point.Fn.fromBytes(scalar)).toBytes(false).slice();
  }

  /** Overwrites the scalar of an unfinished run. */
  end(): void {
    wipe(this.#scalar);
  }

  /**
   * Computes ISK from the peer's share, which has to be one of the transcript's, and overwrites the
   * scalar. Throws {@linkcode ProtocolError} if the share is not a point of the curve.
   */
  async finish(peerShare: Bytes, transcript: CpaceTranscript): Promise<Bytes> {
    let k: Bytes;
    try {
      k = multiplyVerified(this.#scalar, peerShare);
    } finally {
      wipe(this.#scalar);
    }
    const isk = await sessionKey(this.#session, k, transcript);
    wipe(k);
    return isk;
  }
}
