import { define } from "../lib/server/state.ts";

/** The process lives and answers; says nothing about its store. */
export const handler = define.handlers({
  GET: () => new Response("ok\n", { headers: { "cache-control": "no-store" } }),
});
