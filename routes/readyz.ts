import { rooms } from "../lib/server/instance.ts";
import { define } from "../lib/server/state.ts";

/**
 * Whether a load balancer should send requests here: not while the store is unreachable, nor after
 * a signal to stop.
 */
export const handler = define.handlers({
  GET() {
    const headers = { "cache-control": "no-store" };
    return rooms.ready
      ? new Response("ready\n", { headers })
      : new Response("not ready\n", { status: 503, headers });
  },
});
