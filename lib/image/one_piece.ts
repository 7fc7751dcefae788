/**
 * Blobs that every browser recognizes as a picture.
 *
 * This module is browser compatible.
 *
 * @module
 */

/**
 * The same bytes and type in one piece. Firefox 153 recognizes a picture by the first piece of a
 * blob alone, and refuses a JPEG whose first piece is shorter than its header.
 */
export async function onePiece(blob: Blob): Promise<Blob> {
  return new Blob([await blob.arrayBuffer()], { type: blob.type });
}
