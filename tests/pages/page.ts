/**
 * What the models need of a page: an address, a history, a worker that says that every picture can
 * be decoded.
 *
 * @module
 */
import type { ImageError } from "../../lib/image/errors.ts";
import type { PrepareRequest } from "../../lib/image/prepared.ts";
import { IdleWorker, made } from "../pictures/pictures.ts";

/** Finds every picture decodable that has a good header. */
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

/**
 * The globals of a page at `url` whose server listens at `server`; `replaced` gets what the address
 * bar is changed to.
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
