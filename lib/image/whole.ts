/**
 * Checks whether a JPEG without its end marker is complete otherwise.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { ImageError } from "./errors.ts";
import { onePiece } from "./one_piece.ts";

const END = Uint8Array.of(0xff, 0xd9);

/** Bytes with which no real scan would continue by chance; none of them begins a marker. */
const NOISE = Uint8Array.from({ length: 256 }, (_, i) => (i * 167 + 91) % 251);

const ROWS = 256;

/**
 * Decodes the JPEG twice, once with noise before its end. Decoders fill in missing data, and they
 * do so differently with noise. If the picture is complete, the noise is never read. `blob`
 * includes the end marker that was added.
 *
 * Throws `ImageError`: `undecodable`.
 */
export async function isWholeJpeg(blob: Blob): Promise<boolean> {
  const noisy = new Blob([blob.slice(0, blob.size - END.length), NOISE, END]);
  const before = await fingerprint(blob);
  return before === await fingerprint(noisy);
}

async function fingerprint(source: Blob): Promise<string> {
  // Not ImageDecoder: its pixels differ by one or two depending on the file's length (Chromium
  // 156).
  const bitmap = await createImageBitmap(await onePiece(source)).catch((cause) => {
    throw new ImageError("undecodable", { cause });
  });
  try {
    const { width, height } = bitmap;
    const canvas = new OffscreenCanvas(width, Math.min(ROWS, height));
    const context = canvas.getContext("2d", { willReadFrequently: true });
    if (context === null) throw new Error("Cannot compare pictures: no 2D canvas");
    const digests: string[] = [];
    for (let y = 0; y < height; y += ROWS) {
      context.drawImage(bitmap, 0, -y);
      const { data } = context.getImageData(0, 0, width, canvas.height);
      digests.push(String(new Uint32Array(await crypto.subtle.digest("SHA-256", data))));
    }
    return digests.join();
  } finally {
    bitmap.close();
  }
}
