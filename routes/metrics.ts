import { HttpError } from "fresh";
import { rooms } from "../lib/server/instance.ts";
import { config } from "../lib/ops/config.ts";
import { LagMeter, mayRead, metrics } from "../lib/ops/metrics.ts";
import { define } from "../lib/server/state.ts";

const { METRICS_TOKEN } = config();
const lag = METRICS_TOKEN === "" ? null : new LagMeter();

const GAUGES = [
  { name: "rooms", help: "Rooms with a seat in this process", read: () => rooms.countRooms() },
  { name: "sockets", help: "Open sockets", read: () => rooms.size },
  { name: "ready", help: "Whether anybody can be seated here", read: () => Number(rooms.ready) },
  {
    name: "event_loop_lag_seconds",
    help: "Longest delay of the event loop since it was read last",
    read: () => lag?.take() ?? 0,
  },
  {
    name: "resident_memory_bytes",
    help: "Memory of the process (RSS)",
    read: () => Deno.memoryUsage().rss,
  },
];

/**
 * Metrics in Prometheus' text format, for requests with METRICS_TOKEN; not found if none is
 * configured.
 */
export const handler = define.handlers({
  GET({ req }) {
    if (METRICS_TOKEN === "") throw new HttpError(404);
    const headers = { "cache-control": "no-store", "content-type": "text/plain; charset=utf-8" };
    if (!mayRead(req, METRICS_TOKEN)) {
      const challenge = { ...headers, "www-authenticate": "Bearer" };
      return new Response("unauthorized\n", { status: 401, headers: challenge });
    }
    headers["content-type"] = "text/plain; version=0.0.4; charset=utf-8";
    return new Response(metrics.render(GAUGES), { headers });
  },
});
