/** Joins byte arrays into a new one. This module is browser compatible. */
export function concat(buffers: Iterable<Uint8Array>): Uint8Array<ArrayBuffer> {
  const parts = [...buffers];
  let length = 0;
  for (const part of parts) length += part.length;
  const out = new Uint8Array(length);
  for (const part of parts.reverse()) out.set(part, length -= part.length);
  return out;
}
