/**
 * A Map of bounded size. This module is browser compatible.
 *
 * @module
 */

/** Keeps `maxSize` entries: beyond that the one goes that was read or written longest ago. */
export class LruCache<K, V> extends Map<K, V> {
  readonly #maxSize: number;

  /**
   * @throws {RangeError} where `maxSize` is no integer from 1 on
   */
  constructor(maxSize: number) {
    super();
    if (!Number.isInteger(maxSize) || maxSize < 1) {
      throw new RangeError("Cannot create LruCache: maxSize must be a positive integer");
    }
    this.#maxSize = maxSize;
  }

  /** How many entries there may be. */
  get maxSize(): number {
    return this.#maxSize;
  }

  /** The value of `key`, which thereby was used last. */
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

  /** A Map keeps the order in which its keys came. */
  #renew(key: K, value: V): void {
    super.delete(key);
    super.set(key, value);
  }
}
