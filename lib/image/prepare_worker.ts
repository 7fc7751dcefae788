/**
 * The prepare worker: a classic script, as the decode worker is. It is fetched with the first picture that somebody chooses.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { answerEach } from "./image_worker.ts";
import { prepare } from "./prepare.ts";
import type { Made, PrepareRequest } from "./preparer.ts";

answerEach<PrepareRequest, Made>(async (request) => {
  const prepared = await prepare(request);
  return { result: prepared, transfer: [prepared.thumbnail] };
});
