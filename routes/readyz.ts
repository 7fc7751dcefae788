import { rooms } from "../lib/server/instance.ts";
import { define } from "../lib/server/state.ts";

/**
 * Whether a load balancer should send anybody here: not while the store is away, nor from a signal
 * to stop on.
 */
export const handler = define.handlers({
  GET() {
    const headers = { "cache-control": "no-store" };
    return rooms.ready
      ? new Response("ready\n", { headers })
      : new Response("not ready\n", { status: 503, headers });
  },
});
