/**
 * Reads forms that browsers post.
 *
 * @module
 */
import { Buffer } from "node:buffer";

/** Longest form accepted, in bytes: the longest access key with every character escaped. */
const MAX_FORM_BYTES = 8_192;

/**
 * The fields of a form, or `null` if it is too long. Reading stops at the limit, so memory use is
 * bounded.
 */
export async function readForm(req: Request): Promise<URLSearchParams | null> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of req.body ?? []) {
    length += chunk.length;
    if (length > MAX_FORM_BYTES) return null;
    chunks.push(chunk);
  }
  return new URLSearchParams(Buffer.concat(chunks).toString("utf8"));
}
