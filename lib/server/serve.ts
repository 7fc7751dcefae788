/**
 * Serves the production build: `deno task start` and the container run this.
 */
import type { Rooms } from "../rooms/rooms.ts";
import { complain, log, parseLevel, tell } from "./log.ts";
import { parseOrigins } from "./origin.ts";

type Fetch = (req: Request, info: Deno.ServeHandlerInfo) => Response | Promise<Response>;

/** What `_fresh/server.js` exports by default. */
interface Server {
  fetch: Fetch;
}

/** A platform that stops us kills after 5 s (Deno Deploy) or 10 s (docker): stay well below. */
const SHUTDOWN_MS = 3_000;

/** How long the close frames of all sockets have until the listener goes. */
const FAREWELL_MS = 200;

/** Parses PORT; undefined means 3000. Throws a RangeError that names the variable. */
export function parsePort(value: string | undefined): number {
  if (value === undefined || value === "") return 3000;
  const port = Number(value);
  if (!/^\d{1,5}$/.test(value) || port > 65_535) {
    throw new RangeError(
      `PORT is not valid: "${value}" is not a number from 0 to 65535`,
    );
  }
  return port;
}

/** Parses HOST; undefined means every address, IPv4 and IPv6. Throws a RangeError. */
export function parseHost(value: string | undefined): string | null {
  if (value === undefined || value === "") return null;
  if (!/^[\w.:%-]+$/.test(value)) {
    throw new RangeError(
      `HOST is not valid: "${value}" is not a host name or an IP address`,
    );
  }
  return value;
}

/** An address as it is usually written: one socket for IPv4 and IPv6 reports `::ffff:192.0.2.1`. */
export function plainAddress(hostname: string): string {
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(hostname)?.[1] ?? hostname;
}

/** The address to show: one that can be clicked on. */
export function urlOf(hostname: string, port: number): string {
  const host = ["0.0.0.0", "::", "::1", "127.0.0.1"].includes(hostname)
    ? "localhost"
    : hostname.includes(":")
    ? `[${hostname}]`
    : hostname;
  return `http://${host}:${port}/`;
}

function listen(fetch: Fetch, host: string | null, port: number): Deno.HttpServer<Deno.NetAddr> {
  const serve = (hostname: string) =>
    Deno.serve({
      hostname,
      port,
      onListen: (addr) =>
        tell(
          `Ephemeral P2P Image is ready: ${urlOf(addr.hostname, addr.port)}`,
        ),
      onError(error) {
        log.error("request failed", { reason: error instanceof Error ? error.name : "unknown" });
        return new Response("Internal server error", { status: 500 });
      },
    }, (req, info) => fetch(req, plainInfo(info)));
  if (host !== null) return serve(host);
  try {
    // One socket for both: browsers try localhost as ::1 first, `docker run -p` comes over IPv4.
    return serve("::");
  } catch (error) {
    // Not without IPv6: localhost would then lead to whatever has the port there.
    if (error instanceof Deno.errors.AddrInUse) throw error;
    return serve("0.0.0.0");
  }
}

function plainInfo(info: Deno.ServeHandlerInfo<Deno.NetAddr>): Deno.ServeHandlerInfo {
  const { remoteAddr, completed } = info;
  return { remoteAddr: { ...remoteAddr, hostname: plainAddress(remoteAddr.hostname) }, completed };
}

function stopOnSignal(server: Deno.HttpServer, rooms: Rooms): void {
  let stopping = false;
  const stop = async () => {
    if (stopping) return;
    stopping = true;
    log.info("shutting down");
    // With the code that says "come back"; server.shutdown() would say 1001, and is quicker than frames on their way.
    rooms.shutdown();
    await new Promise((resolve) => setTimeout(resolve, FAREWELL_MS));
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => timer = setTimeout(resolve, SHUTDOWN_MS));
    // Rejects when a connection breaks meanwhile: it is gone either way.
    await Promise.race([server.shutdown().catch(() => {}), late]);
    clearTimeout(timer);
    // Not left to the event loop: an open client of a store would keep the process alive.
    Deno.exit(0);
  };
  Deno.addSignalListener("SIGINT", stop);
  // Windows knows no SIGTERM.
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", stop);
}

async function loadBuild(): Promise<Server> {
  const module: { default: Server } = await import("../../_fresh/server.js");
  return module.default;
}

/** Reads the environment, serves until a signal comes, and says in one sentence why it can't. */
async function main(): Promise<void> {
  try {
    parseLevel(Deno.env.get("LOG_LEVEL"));
    parseOrigins(Deno.env.get("PUBLIC_ORIGIN"));
    const port = parsePort(Deno.env.get("PORT"));
    const host = parseHost(Deno.env.get("HOST"));
    const { fetch } = await loadBuild();
    // Loaded only now: it reads PUBLIC_ORIGIN, which had to be checked first.
    const { rooms } = await import("../rooms/instance.ts");
    stopOnSignal(listen(fetch, host, port), rooms);
  } catch (error) {
    complain(`Cannot start the server: ${explain(error)}`);
    Deno.exit(1);
  }
}

function explain(error: unknown): string {
  const port = Deno.env.get("PORT") || "3000";
  if (error instanceof Deno.errors.AddrInUse) {
    return `port ${port} is taken; stop what uses it or set PORT to another one`;
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return `this system does not let us listen on port ${port} (${error.message})`;
  }
  if (error instanceof Deno.errors.AddrNotAvailable) {
    return `HOST is not an address of this machine`;
  }
  if (error instanceof RangeError) return error.message;
  if (error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND") {
    return `there is no build yet; run "deno task build" first (${error.message})`;
  }
  return error instanceof Error ? error.stack ?? error.message : String(error);
}

if (import.meta.main) await main();
