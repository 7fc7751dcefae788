/**
 * The worker that decodes pictures, and prepares those that are chosen. A classic script, since it needs nothing of modules and
 * those are what older browsers lack in workers. One for both, so that it is there before a server can go away.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { decode } from "./decode.ts";
import type { PictureRequest } from "./decoder.ts";
import { answerEach } from "./image_worker.ts";
import { prepare, preview } from "./prepare.ts";

answerEach<PictureRequest>(async (request) => {
  if (request.kind === "decode") {
    const bitmap = await decode(request);
    return { result: bitmap, transfer: [bitmap] };
  }
  if (request.kind === "preview") {
    const bitmap = await preview(request);
    return { result: bitmap, transfer: [bitmap] };
  }
  const made = await prepare(request);
  return { result: made, transfer: [made.thumbnail] };
});
