/**
 * A Map of bounded size. This module is browser compatible.
 *
 * @module
 */

/** Keeps at most `maxSize` entries: beyond that it removes the one that was used longest ago. */
export class LruCache<K, V> extends Map<K, V> {
  readonly #maxSize: number;

  /** @throws {RangeError} if `maxSize` is not a positive integer */
  constructor(maxSize: number) {
    super();
    if (!Number.isInteger(maxSize) || maxSize < 1) {
      throw new RangeError("Cannot create LruCache: maxSize must be a positive integer");
    }
    this.#maxSize = maxSize;
  }

  /** Maximum number of entries. */
  get maxSize(): number {
    return this.#maxSize;
  }

  /** The value of `key`, which becomes the most recently used one. */
  override get(key: K): V | undefined {
    if (!this.has(key)) return undefined;
    const value = super.get(key);
    if (value !== undefined) this.#renew(key, value);
    return value;
  }

  override set(key: K, value: V): this {
    this.#renew(key, value);
    if (this.size > this.#maxSize) {
      for (const oldest of this.keys()) {
        this.delete(oldest);
        break;
      }
    }
    return this;
  }

  /** Moves an entry to the end: a Map is ordered by insertion. */
  #renew(key: K, value: V): void {
    super.delete(key);
    super.set(key, value);
  }
}
