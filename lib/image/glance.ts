/**
 * A look at the first bytes of a file, cheap enough to be taken before anything else: does it begin as pictures do?
 *
 * This module is browser compatible.
 *
 * @module
 */

/** How many bytes tell formats apart. */
const HEAD_BYTES = 12;

/**
 * How files begin that are worth a try, as Latin-1: JPEG, PNG, GIF, WebP, AVIF and HEIF by their brand, BMP, JPEG XL.
 * A film is an `ftyp` file too, of another brand.
 */
const BEGINNINGS = [
  /^\xff\xd8\xff/,
  /^\x89PNG/,
  /^GIF8/,
  /^RIFF.{4}WEBP/s,
  /^.{4}ftyp(avi[fs]|mif[12]|msf1|he(i[cxms]|v[cxms]))/s,
  /^BM/,
  /^\xff\x0a/,
  /^\0\0\0\x0cJXL /,
];

/**
 * True where a file may be a picture: it is the picture worker that says whether it is one. Never throws; a file that can't be
 * read is none.
 */
export async function mayBePicture(file: Blob): Promise<boolean> {
  try {
    const head = new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
    const text = String.fromCharCode(...head);
    return BEGINNINGS.some((beginning) => beginning.test(text));
  } catch {
    return false;
  }
}
