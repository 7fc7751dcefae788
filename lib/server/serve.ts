/**
 * Serves the production build: `deno task start` and the container run this.
 */
import { deadline } from "@std/async/deadline";
import { delay } from "@std/async/delay";
import type { Rooms } from "../rooms/rooms.ts";
import { type Config, config, ConfigError } from "../ops/config.ts";
import { complain, log, setLevel, tell } from "../ops/log.ts";
import { metrics } from "../ops/metrics.ts";
import { isLoopback } from "../ops/client_address.ts";
import type { OwnStun } from "../ops/turn.ts";
import { serveMetrics } from "./metrics_server.ts";

type Fetch = (req: Request, info: Deno.ServeHandlerInfo) => Response | Promise<Response>;

/** The default export of `_fresh/server.js`. */
interface Server {
  fetch: Fetch;
}

/**
 * Platforms kill a process 5 s (Deno Deploy) or 10 s (docker) after asking it to stop: stay well
 * below.
 */
const SHUTDOWN_MS = 3_000;

/** Time for all sockets to send their close frames before the listener is closed, in ms. */
const FAREWELL_MS = 200;

/**
 * An address in its usual form: a dual-stack socket reports IPv4 addresses as `::ffff:192.0.2.1`.
 */
export function plainAddress(hostname: string): string {
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(hostname)?.[1] ?? hostname;
}

/** The address to print: one that can be clicked. */
export function urlOf(hostname: string, port: number, scheme: "http" | "https" = "http"): string {
  const host = ["0.0.0.0", "::", "::1", "127.0.0.1"].includes(hostname)
    ? "localhost"
    : hostname.includes(":")
    ? `[${hostname}]`
    : hostname;
  return `${scheme}://${host}:${port}/`;
}

function listen(fetch: Fetch, settings: Config): Deno.HttpServer<Deno.NetAddr> {
  const { HOST: host, PORT: port } = settings;
  const tls = readTls(settings);
  const bind = (hostname: string) =>
    Deno.serve({
      hostname,
      port,
      ...tls,
      // For pages rendered per request; files that the build compressed are left as they are.
      automaticCompression: true,
      // A platform can replace our socket with one of its own (DENO_SERVE_ADDRESS), which need not
      // be a TCP socket.
      onListen: (addr: Deno.Addr) => {
        const where = "hostname" in addr
          ? urlOf(addr.hostname, addr.port, tls === null ? "http" : "https")
          : addr.transport;
        tell(`Ephemeral P2P Image is ready: ${where}`);
      },
      onError(error) {
        log.error("request failed", { reason: error instanceof Error ? error.name : "unknown" });
        return new Response("Internal server error", { status: 500 });
      },
    }, (req, info) => fetch(req, plainInfo(info)));
  if (host !== "") return bind(host);
  try {
    // One socket for both families: browsers try localhost as ::1 first, `docker run -p` uses IPv4.
    return bind("::");
  } catch (error) {
    // No fallback to IPv4 when the port is taken: localhost would then lead to whatever uses the
    // port on IPv6.
    if (error instanceof Deno.errors.AddrInUse) throw error;
    return bind("0.0.0.0");
  }
}

/**
 * Certificate and key, or `null` if none is configured. Throws a ConfigError that names the file
 * that could not be read.
 */
function readTls({ TLS_CERT, TLS_KEY }: Config): { cert: string; key: string } | null {
  if (TLS_CERT === "") return null;
  const read = (name: "TLS_CERT" | "TLS_KEY", path: string) => {
    try {
      return Deno.readTextFileSync(path);
    } catch (error) {
      const why = error instanceof Error ? error.name : "unknown";
      throw new ConfigError([
        `${name} is not valid: the file ${path} can't be read (${why}); ` +
        "it has to be below tls/, /etc/letsencrypt/ or /run/secrets/",
      ]);
    }
  };
  return { cert: read("TLS_CERT", TLS_CERT), key: read("TLS_KEY", TLS_KEY) };
}

function plainInfo(info: Deno.ServeHandlerInfo): Deno.ServeHandlerInfo {
  const { remoteAddr, completed } = info;
  if (!("hostname" in remoteAddr)) return info;
  return { remoteAddr: { ...remoteAddr, hostname: plainAddress(remoteAddr.hostname) }, completed };
}

function stopOnSignal(server: Deno.HttpServer, rooms: Rooms): void {
  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    log.info("shutting down");
    // Closes sockets with the code that tells clients to reconnect. server.shutdown() would use
    // 1001, and would not wait for frames still being sent.
    rooms.shutdown();
    await delay(FAREWELL_MS);
    // Rejects if a connection breaks meanwhile or the deadline passes; the process exits in both
    // cases.
    await deadline(server.shutdown(), SHUTDOWN_MS).catch(() => {});
    // Exit explicitly: an open client of the store would keep the process alive.
    Deno.exit(0);
  };
  Deno.addSignalListener("SIGINT", stop);
  // Windows has no SIGTERM.
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", stop);
}

/**
 * True if Deno's own OpenTelemetry is on and records traces. They contain request paths, which the
 * app can't shorten.
 */
function recordsPaths(env: Readonly<Record<string, string | undefined>>): boolean {
  return /^(1|true)$/i.test(env["OTEL_DENO"] ?? "") && env["OTEL_TRACES_SAMPLER"] !== "always_off";
}

async function loadBuild(): Promise<Server> {
  const module: { default: Server } = await import("../../_fresh/server.js");
  return module.default;
}

/**
 * Answers STUN if it is on and somebody could reach it; `null` otherwise. Without it everything
 * else works, so a port that is taken is only reported.
 */
async function answerStun(settings: Config, served: number): Promise<OwnStun | null> {
  const { STUN, STUN_PORT, STUN_HOST, HOST } = settings;
  // Deno Deploy has no UDP.
  if (STUN === "off" || isDenoDeploy()) return null;
  // Behind a proxy on the same machine the packets still come from outside; which port is open for
  // them, only the operator can know.
  const hidden = isLoopback(HOST);
  if (hidden && STUN_PORT === "") return null;
  try {
    const { openStun } = await import("./stun_server.ts");
    const { port } = await openStun({
      host: hidden ? "" : HOST,
      port: STUN_PORT === "" ? served : STUN_PORT,
      perMinute: settings.LIMIT_STUN_PER_MINUTE,
      perMinutePerIp: settings.LIMIT_STUN_PER_MINUTE_PER_IP,
      counters: metrics,
    });
    return { host: STUN_HOST, port };
  } catch (error) {
    log.warn("no STUN: its UDP port can't be used", { reason: codeOf(error) });
    return null;
  }
}

/** The system's word for an error, such as EADDRINUSE. */
function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}

/** What this server can bring together, and what it can't, for whoever started it. */
function reachOf({ ICE_SERVERS, TURN_URLS, RELAY }: Config, stun: boolean): string {
  const direct = stun || ICE_SERVERS.length > 0 || TURN_URLS.length > 0
    ? "Two people connect directly from most homes"
    : "Two people connect directly within one network; for two homes, it needs STUN";
  if (RELAY === "on") return `${direct}; elsewhere pictures go through here, encrypted.`;
  if (TURN_URLS.length > 0) return `${direct}; elsewhere through the TURN server.`;
  return `${direct}. Many mobile and office networks need RELAY=on or a TURN server.`;
}

function isDenoDeploy(): boolean {
  return Deno.env.has("DENO_DEPLOY") || Deno.env.has("DENO_DEPLOYMENT_ID");
}

/**
 * Reads the environment and serves until a signal arrives. Prints one sentence if it can't start.
 */
export async function serve(): Promise<void> {
  try {
    const settings = config();
    setLevel(settings.LOG_LEVEL);
    if (isDenoDeploy() && settings.REDIS_URL === "") {
      log.warn("rooms are in memory, and Deno Deploy runs several instances: set REDIS_URL");
    }
    if (recordsPaths(Deno.env.toObject())) {
      log.warn("telemetry records the path of each request, and those of /ws/ name rooms", {
        remedy: "OTEL_TRACES_SAMPLER=always_off",
      });
    }
    const { fetch } = await loadBuild();
    // Loaded after the settings were parsed: it reads them too, and would report errors in its own
    // way.
    const { offerStun, rooms } = await import("./instance.ts");
    const server = listen(fetch, settings);
    stopOnSignal(server, rooms);
    const { METRICS_HOST: hostname, METRICS_PORT, METRICS_TOKEN: token } = settings;
    if (METRICS_PORT !== "") serveMetrics({ hostname, port: Number(METRICS_PORT), token, rooms });
    const stun = await answerStun(settings, server.addr.port);
    offerStun(stun);
    if (!isDenoDeploy()) tell(reachOf(settings, stun !== null));
    // Everything was read from it. Code that a request reaches finds no secret there.
    Deno.permissions.revokeSync({ name: "env" });
  } catch (error) {
    complain(`Cannot start the server: ${explain(error)}`);
    Deno.exit(1);
  }
}

function explain(error: unknown): string {
  if (error instanceof ConfigError) return error.problems.join("\n  ");
  const { PORT: port } = config();
  if (error instanceof Deno.errors.AddrInUse) {
    return `port ${port} is taken; stop what uses it or set PORT to another one`;
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return `this system does not let us listen on port ${port} (${error.message})`;
  }
  if (error instanceof Deno.errors.AddrNotAvailable) {
    return `HOST is not an address of this machine`;
  }
  if (error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND") {
    return `there is no build yet; run "deno task build" first (${error.message})`;
  }
  return error instanceof Error ? error.stack ?? error.message : String(error);
}

if (import.meta.main) await serve();
