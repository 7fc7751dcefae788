/** The function with which the Builder replaces `import()`. This module is browser compatible. */

const loading = new Map<string, Promise<unknown>>();

/**
 * Imports `file`, a bundle beside this one, after fetching it and `others`, the bundles that it
 * imports. According to HTML's module map an engine may never retry a module that it could not
 * fetch, and Chromium up to version 153 at least does not. So after a short loss of the server
 * people would have to reload the page. Therefore `fetch` loads the files first, since its failures
 * are not remembered, and `import()` then finds them in the HTTP cache.
 *
 * @throws {TypeError} if one of them could not be fetched; the next call retries
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
  // The response is cached only after its last byte has arrived.
  await response.arrayBuffer();
}

function addressOf(file: string): string {
  return new URL(file, import.meta.url).href;
}
