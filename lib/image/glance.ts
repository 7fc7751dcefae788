/**
 * A look at the first bytes of a file, cheap enough to be taken before anything else: does it begin
 * as pictures do?
 *
 * This module is browser compatible.
 *
 * @module
 */

import { encodeHex } from "@std/encoding/hex";

/** How many bytes tell formats apart. */
const HEAD_BYTES = 12;

/** How files begin that are worth a try, in hex. A film is an `ftyp` file too, of another brand. */
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
 * True where a file may be a picture: it is the picture worker that says whether it is one. Never
 * throws; a file that can't be read is none.
 */
export async function mayBePicture(file: Blob): Promise<boolean> {
  try {
    const head = encodeHex(new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer()));
    return BEGINNINGS.some((beginning) => beginning.test(head));
  } catch {
    return false;
  }
}
