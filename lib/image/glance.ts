/**
 * Checks the first bytes of a file: does it begin as pictures do? Cheap enough to run before
 * anything else.
 *
 * This module is browser compatible.
 *
 * @module
 */

import { encodeHex } from "@std/encoding/hex";

/** Number of bytes that tell formats apart. */
const HEAD_BYTES = 12;

/**
 * Beginnings of files that are worth a try, in hex. Videos also begin with `ftyp`, but with other
 * brands.
 */
const BEGINNINGS = [
  /^ffd8ff/, // JPEG
  /^89504e47/, // PNG
  /^47494638/, // GIF
  /^52494646.{8}57454250/, // WebP
  /^.{8}66747970(617669(66|73)|6d69663[12]|6d736631|6865(69|76)(63|6d|73|78))/, // AVIF, HEIF
  /^424d/, // BMP
  /^0000(01|02)00/, // icons
  /^(49492a00|4d4d002a)/, // TIFF
  /^(ff0a|0000000c4a584c20)/, // JPEG XL
];

/**
 * True if a file may be a picture; the picture worker decides whether it is one. Never throws:
 * false for a file that can't be read.
 */
export async function mayBePicture(file: Blob): Promise<boolean> {
  try {
    const head = encodeHex(new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer()));
    return BEGINNINGS.some((beginning) => beginning.test(head));
  } catch {
    return false;
  }
}
