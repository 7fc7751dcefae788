/**
 * What the models need from a page: an address, a history, and a worker that can decode every
 * picture.
 *
 * @module
 */
import type { ImageError } from "../../lib/image/errors.ts";
import type { PrepareRequest } from "../../lib/image/prepared.ts";
import { IdleWorker, made } from "../pictures/pictures.ts";

/** Finds every picture with a valid header decodable. */
class YesWorker extends IdleWorker {
  override postMessage(message?: unknown): void {
    const { source } = message as PrepareRequest;
    made(source).then(
      (result) => this.#answer({ ok: true, result }),
      ({ reason }: ImageError) => this.#answer({ ok: false, reason }),
    );
  }

  #answer(data: unknown): void {
    this.dispatchEvent(new MessageEvent("message", { data }));
  }
}

// A model warms its worker up after a second, when the test that made it may be over.
globalThis.Worker = YesWorker;

/**
 * The globals of a page at `url` whose server listens at `server`; `replaced` receives the new
 * address on each change of the address bar.
 */
export function pageAt(url: string, server: string, replaced: string[] = []) {
  const { hash, pathname } = new URL(url);
  const location = {
    protocol: "http:",
    host: new URL(server).host,
    origin: "https://example.org",
    pathname,
    hash,
  };
  const history = {
    replaceState(_state: unknown, _title: string, path: string) {
      replaced.push(path);
      location.hash = "";
    },
  };
  return { Worker: YesWorker, location, history };
}
