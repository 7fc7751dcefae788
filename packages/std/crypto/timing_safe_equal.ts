/**
 * True if both contain the same bytes. For a given length the comparison takes constant time; the
 * length is not a secret. This module is browser compatible.
 *
 * @throws {TypeError} if their lengths differ
 */
export function timingSafeEqual(
  a: ArrayBufferView | ArrayBufferLike,
  b: ArrayBufferView | ArrayBufferLike,
): boolean {
  const left = bytesOf(a);
  const right = bytesOf(b);
  if (left.length !== right.length) {
    throw new TypeError("Cannot compare: lengths differ");
  }
  let difference = 0;
  for (let i = 0; i < left.length; i++) difference |= (left[i] ?? 0) ^ (right[i] ?? 0);
  return difference === 0;
}

function bytesOf(data: ArrayBufferView | ArrayBufferLike): Uint8Array {
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
}
