/**
 * Writes chunks of a PNG (3rd edition).
 *
 * This module is browser compatible.
 *
 * @module
 */
import { ascii, u32 } from "./collector.ts";
import { NAME } from "./icc.ts";
import { deflate } from "./inflate.ts";

/** Length, name, content, checksum. */
export function pngChunk(name: string, payload: readonly number[]): Uint8Array<ArrayBuffer> {
  const body = Uint8Array.from([...ascii(name), ...payload]);
  return Uint8Array.from([...u32(payload.length), ...body, ...u32(crc32(body))]);
}

/** A color profile, under the same name as in the profile itself. */
export async function profileChunk(profile: Uint8Array<ArrayBuffer>) {
  return pngChunk("iCCP", [...ascii(NAME), 0, 0, ...await deflate(profile)]);
}

/** PNG 3rd edition, annex D; bit by bit, because it is used for few bytes. */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
}
