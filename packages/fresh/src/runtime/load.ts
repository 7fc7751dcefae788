/**
 * What the Builder puts in the place of `import()`. This module is browser compatible.
 */

const loading = new Map<string, Promise<unknown>>();

/**
 * Imports `file`, a bundle beside this one, once all that it needs has come: itself and `others`,
 * the bundles that it imports. By HTML's module map an engine never asks again for a module that
 * it could not fetch, which Chromium does to version 153 at least: whoever lost the server for a
 * moment would have to reload the page. So `fetch` asks first, which leaves no mark when it fails,
 * and `import()` finds the answers in the HTTP cache.
 *
 * @throws {TypeError} when one of them did not come; the next call asks anew
 */
export function load(file: string, others: readonly string[]): Promise<unknown> {
  let module = loading.get(file);
  if (module === undefined) {
    module = importWhole(file, others);
    loading.set(file, module);
    module.catch(() => loading.delete(file));
  }
  return module;
}

async function importWhole(file: string, others: readonly string[]): Promise<unknown> {
  await Promise.all([file, ...others].map(ask));
  return await import(addressOf(file));
}

async function ask(file: string): Promise<void> {
  const response = await fetch(addressOf(file));
  if (!response.ok) throw new TypeError(`Cannot load ${file}: status ${response.status}`);
  // Nothing is in the cache before its last byte came.
  await response.arrayBuffer();
}

function addressOf(file: string): string {
  return new URL(file, import.meta.url).href;
}
