/**
 * The decode worker: answers each request once. Works as a classic script, since it needs nothing of modules and those
 * are what older browsers lack in workers.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { decode } from "./decode.ts";
import type { DecodeRequest, DecodeResponse } from "./decode_messages.ts";
import { ImageError } from "./errors.ts";

async function answer(request: DecodeRequest): Promise<void> {
  try {
    const bitmap = await decode(request);
    send({ ok: true, bitmap }, [bitmap]);
  } catch (error) {
    send({ ok: false, reason: error instanceof ImageError ? error.reason : "undecodable" }, []);
  }
}

function send(response: DecodeResponse, transfer: Transferable[]): void {
  globalThis.postMessage(response, { transfer });
}

globalThis.addEventListener("message", (event: MessageEvent<DecodeRequest>) => {
  void answer(event.data);
});
