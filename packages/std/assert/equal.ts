/**
 * Deep equality. This module is browser compatible.
 *
 * @module
 */

/** Classes whose contents can't be inspected: two such objects can't be compared. */
const CLOSED = [WeakMap, WeakSet, WeakRef];

/**
 * True if both values are equal: objects of the same class with the same own properties, elements,
 * entries or bytes. The order of properties, and of entries in sets and maps, does not matter. 0
 * equals -0, NaN equals itself, and a property that is `undefined` differs from a missing one.
 *
 * @throws {TypeError} for weak collections, which can't be compared
 */
export function equal(a: unknown, b: unknown): boolean {
  return compare(a, b, new Map());
}

/** `seen` has the pairs whose comparison is in progress, so that circular references end. */
function compare(a: unknown, b: unknown, seen: Map<object, Set<object>>): boolean {
  if (a === b || Object.is(a, b)) return true;
  if (!isObject(a) || !isObject(b) || typeof a !== typeof b || !sameClass(a, b)) return false;
  if (typeof a === "function") return false;
  if (CLOSED.some((type) => a instanceof type)) {
    throw new TypeError("Cannot compare weak collections");
  }
  const partners = seen.get(a) ?? new Set();
  if (partners.has(b)) return true;
  seen.set(a, partners.add(b));
  const same = sameContent(a, b, (x, y) => compare(x, y, seen));
  partners.delete(b);
  return same;
}

/** Whether two objects of one class have the same content; `same` compares what they contain. */
function sameContent(
  a: object,
  b: object,
  same: (x: unknown, y: unknown) => boolean,
): boolean {
  if (ArrayBuffer.isView(a) && ArrayBuffer.isView(b)) return sameBytes(bytesOf(a), bytesOf(b));
  if (isBuffer(a) && isBuffer(b)) return sameBytes(new Uint8Array(a), new Uint8Array(b));
  if (a instanceof Date && b instanceof Date) return Object.is(a.getTime(), b.getTime());
  if (a instanceof RegExp || a instanceof URL) return String(a) === String(b);
  if (a instanceof Set && b instanceof Set) return a.size === b.size && pair([...a], [...b], same);
  if (a instanceof Map && b instanceof Map) return a.size === b.size && pair([...a], [...b], same);
  if (isBoxed(a) && !same(a.valueOf(), b.valueOf())) return false;

  const keys = Reflect.ownKeys(a);
  return keys.length === Reflect.ownKeys(b).length &&
    keys.every((key) => Object.hasOwn(b, key) && same(Reflect.get(a, key), Reflect.get(b, key)));
}

function isObject(value: unknown): value is object {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}

/** An object without a prototype counts as a plain one. */
function sameClass(a: object, b: object): boolean {
  return classOf(a) === classOf(b);
}

function classOf({ constructor }: object): unknown {
  return constructor ?? Object;
}

function isBuffer(value: object): value is ArrayBufferLike {
  return value instanceof ArrayBuffer || value instanceof SharedArrayBuffer;
}

function isBoxed(value: object): boolean {
  return [Number, String, Boolean, BigInt, Symbol].some((type) => value instanceof type);
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** True if each element of `a` can be paired with one of `b`, each of them used once. */
function pair(
  a: readonly unknown[],
  b: readonly unknown[],
  same: (x: unknown, y: unknown) => boolean,
): boolean {
  const left = new Set(b.keys());
  return a.every((x, i) => {
    // Usually they are in the same order.
    const found = left.has(i) && same(x, b[i]) ? i : [...left].find((j) => same(x, b[j]));
    return found !== undefined && left.delete(found);
  });
}
