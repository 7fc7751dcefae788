/**
 * Metrics on a listener of their own, so that no proxy in front of the app can pass a request on to
 * them by mistake.
 *
 * @module
 */
import { ConfigError } from "../ops/config.ts";
import { type Gauge, LagMeter, mayRead, metrics } from "../ops/metrics.ts";
import type { Rooms } from "../rooms/rooms.ts";

/** Options of {@linkcode serveMetrics}. */
export interface MetricsServerOptions {
  readonly hostname: string;
  readonly port: number;
  /** The Bearer token with which the metrics are read. */
  readonly token: string;
  readonly rooms: Rooms;
}

function gaugesOf(rooms: Rooms, lag: LagMeter): readonly Gauge[] {
  return [
    { name: "rooms", help: "Rooms with a seat in this process", read: () => rooms.countRooms() },
    { name: "sockets", help: "Open sockets", read: () => rooms.size },
    { name: "ready", help: "Whether anybody can be seated here", read: () => Number(rooms.ready) },
    {
      name: "event_loop_lag_seconds",
      help: "Longest delay of the event loop since it was read last",
      read: () => lag.take(),
    },
    {
      name: "resident_memory_bytes",
      help: "Memory of the process (RSS)",
      read: () => Deno.memoryUsage().rss,
    },
  ];
}

function answer(req: Request, token: string, gauges: readonly Gauge[]): Response {
  const headers = { "cache-control": "no-store", "content-type": "text/plain; charset=utf-8" };
  if (req.method !== "GET" || new URL(req.url).pathname !== "/metrics") {
    return new Response("not found\n", { status: 404, headers });
  }
  if (!mayRead(req, token)) {
    const challenge = { ...headers, "www-authenticate": "Bearer" };
    return new Response("unauthorized\n", { status: 401, headers: challenge });
  }
  headers["content-type"] = "text/plain; version=0.0.4; charset=utf-8";
  return new Response(metrics.render(gauges), { headers });
}

/**
 * Answers `/metrics` in Prometheus' text format. Throws a ConfigError if the address can't be had.
 */
export function serveMetrics({ hostname, port, token, rooms }: MetricsServerOptions): void {
  const gauges = gaugesOf(rooms, new LagMeter());
  try {
    Deno.serve({ hostname, port, onListen() {} }, (req) => answer(req, token, gauges));
  } catch (error) {
    const why = error instanceof Error ? error.name : "unknown";
    throw new ConfigError([
      `METRICS_PORT is not valid: ${port} of ${hostname} can't be listened on (${why})`,
    ]);
  }
}
