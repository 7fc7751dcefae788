/**
 * STUN, as much of it as tells a browser which address its packets come from: the Binding method of
 * RFC 8489, without authentication, and attributes only where a response must have them.
 *
 * @module
 */

/** Two zero bits, then the type: a Binding request, its success and its error response. */
const REQUEST = 0x0001;
const SUCCESS = 0x0101;
const ERROR = 0x0111;

const MAGIC_COOKIE = 0x2112a442;

/** Type 2, length 2, cookie 4, transaction id 12. */
const HEADER_LENGTH = 20;
const TRANSACTION_LENGTH = 12;

/** Longest request that is read: what fits into a packet that no network fragments. */
const MAX_REQUEST_LENGTH = 548;

const XOR_MAPPED_ADDRESS = 0x0020;
const ERROR_CODE = 0x0009;
const UNKNOWN_ATTRIBUTES = 0x000a;

/** 420, Unknown Attribute, as class and number. */
const UNKNOWN_ATTRIBUTE_CODE = 0x0414;

/** From here on attributes may be ignored by whoever does not know them. */
const OPTIONAL = 0x8000;

/**
 * Attributes below {@linkcode OPTIONAL} that a request may have and that change nothing here:
 * USERNAME, MESSAGE-INTEGRITY, MESSAGE-INTEGRITY-SHA256, REALM, NONCE, USERHASH, and PRIORITY and
 * USE-CANDIDATE of ICE.
 */
const IGNORED: readonly number[] = [
  ...[0x0006, 0x0008, 0x001c, 0x0014, 0x0015, 0x001e, 0x0024, 0x0025],
];

/** At most this many unknown attributes are named, so that a response stays small. */
const MAX_NAMED = 4;

/** A Binding request. */
export interface BindingRequest {
  /** 12 bytes that the client drew, for its response. */
  readonly transaction: Uint8Array;
  /** Types of attributes that the client demands to be understood. */
  readonly unknown: readonly number[];
}

/** Parses a packet; `null` if it is anything but one whole Binding request. */
export function parseBindingRequest(packet: Uint8Array): BindingRequest | null {
  const { length } = packet;
  if (length < HEADER_LENGTH || length > MAX_REQUEST_LENGTH) return null;
  const view = new DataView(packet.buffer, packet.byteOffset, length);
  if (view.getUint16(0) !== REQUEST || view.getUint32(4) !== MAGIC_COOKIE) return null;
  if (view.getUint16(2) !== length - HEADER_LENGTH) return null;
  const unknown: number[] = [];
  let at = HEADER_LENGTH;
  while (at < length) {
    if (at + 4 > length) return null;
    const type = view.getUint16(at);
    if (type < OPTIONAL && !IGNORED.includes(type) && unknown.length < MAX_NAMED) {
      unknown.push(type);
    }
    // Values are padded to 32 bits.
    at += 4 + Math.ceil(view.getUint16(at + 2) / 4) * 4;
  }
  if (at !== length) return null;
  return { transaction: packet.slice(8, 8 + TRANSACTION_LENGTH), unknown };
}

/**
 * The response to `request` from a client at `address`, of 4 or 16 bytes, and `port`: 32 or 44
 * bytes, or for unknown attributes 36 to 40.
 */
export function formatBindingResponse(
  { transaction, unknown }: BindingRequest,
  address: readonly number[],
  port: number,
): Uint8Array {
  if (unknown.length > 0) return formatUnknown(transaction, unknown);
  const packet = begin(SUCCESS, transaction, 8 + address.length);
  const view = new DataView(packet.buffer);
  view.setUint16(HEADER_LENGTH, XOR_MAPPED_ADDRESS);
  view.setUint16(HEADER_LENGTH + 2, 4 + address.length);
  packet[HEADER_LENGTH + 5] = address.length === 4 ? 1 : 2;
  view.setUint16(HEADER_LENGTH + 6, port ^ (MAGIC_COOKIE >>> 16));
  // Masked with the cookie and the transaction id, so that no router translates it on the way.
  for (const [i, byte] of address.entries()) packet[HEADER_LENGTH + 8 + i] = byte ^ packet[4 + i]!;
  return packet;
}

function formatUnknown(transaction: Uint8Array, unknown: readonly number[]): Uint8Array {
  const listed = Math.ceil(unknown.length / 2) * 4;
  const packet = begin(ERROR, transaction, 8 + 4 + listed);
  const view = new DataView(packet.buffer);
  view.setUint16(HEADER_LENGTH, ERROR_CODE);
  view.setUint16(HEADER_LENGTH + 2, 4);
  view.setUint16(HEADER_LENGTH + 6, UNKNOWN_ATTRIBUTE_CODE);
  view.setUint16(HEADER_LENGTH + 8, UNKNOWN_ATTRIBUTES);
  view.setUint16(HEADER_LENGTH + 10, unknown.length * 2);
  for (const [i, type] of unknown.entries()) view.setUint16(HEADER_LENGTH + 12 + i * 2, type);
  return packet;
}

function begin(type: number, transaction: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const packet = new Uint8Array(HEADER_LENGTH + length);
  const view = new DataView(packet.buffer);
  view.setUint16(0, type);
  view.setUint16(2, length);
  view.setUint32(4, MAGIC_COOKIE);
  packet.set(transaction, 8);
  return packet;
}
