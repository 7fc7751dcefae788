import { define } from "../lib/server/state.ts";

/** The process is alive and answers; this does not check its store. */
export const handler = define.handlers({
  GET: () => new Response("ok\n", { headers: { "cache-control": "no-store" } }),
});
