/**
 * Cryptography that takes its time, as in slower engines and on slower phones: what arrives
 * meanwhile, or was overtaken by it, shows where code relied on an order by chance.
 *
 * @module
 */
import { AsyncLocalStorage } from "node:async_hooks";

/** Extra milliseconds for each call of `crypto.subtle` at the sender (S) and the viewer (R). */
export const SLOWNESS = [
  { S: 0, R: 0 },
  { S: 0, R: 10 },
  { S: 0, R: 30 },
  { S: 30, R: 0 },
  { S: 30, R: 30 },
] as const;

/** JavaScript for a page: each call of `crypto.subtle` takes `ms` more. */
export function slowCryptoScript(ms: number): string {
  return `{
    const { prototype } = SubtleCrypto;
    for (const name of Object.getOwnPropertyNames(prototype)) {
      const { value } = Object.getOwnPropertyDescriptor(prototype, name);
      if (typeof value !== "function" || name === "constructor") continue;
      prototype[name] = async function (...args) {
        await new Promise((resolve) => setTimeout(resolve, ${ms}));
        return await value.apply(this, args);
      };
    }
  }`;
}

const side = new AsyncLocalStorage<string>();

/**
 * Runs `body` as the page of one side. Everything that follows from it, by promises, timers and
 * what {@linkcode ownContext} binds, belongs to that side as well.
 */
export function asSide<T>(name: string, body: () => T): T {
  return side.run(name, body);
}

/**
 * Returns a function that runs its argument on the side that is current now. For events of a fake,
 * which the other side's code triggers.
 */
export function ownContext(): <T>(body: () => T) => T {
  return AsyncLocalStorage.snapshot();
}

/** Slows the calls of each side down by its number of milliseconds, until it is disposed. */
export function withSlowCrypto(ms: Readonly<Record<string, number>>): Disposable {
  const { subtle } = crypto;
  const slow = new Proxy(subtle, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      return async (...args: unknown[]) => {
        const wait = ms[side.getStore() ?? ""] ?? 0;
        if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
        return await Reflect.apply(value, target, args);
      };
    },
  });
  Object.defineProperty(crypto, "subtle", { value: slow, configurable: true });
  return {
    [Symbol.dispose]() {
      Reflect.deleteProperty(crypto, "subtle");
    },
  };
}
