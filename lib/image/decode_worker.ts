/**
 * The decode worker. Works as a classic script, since it needs nothing of modules and those are what older browsers lack in
 * workers.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { decode } from "./decode.ts";
import type { DecodeRequest } from "./decode_messages.ts";
import { answerEach } from "./image_worker.ts";

answerEach<DecodeRequest, ImageBitmap>(async (request) => {
  const bitmap = await decode(request);
  return { result: bitmap, transfer: [bitmap] };
});
