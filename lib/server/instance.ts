/**
 * The rooms of this process, with their store, limits and metrics.
 *
 * @module
 */
import { log } from "../ops/log.ts";
import { config } from "../ops/config.ts";
import { Admission } from "../rooms/admission.ts";
import type { OriginRules } from "../ops/origin.ts";
import { metrics } from "../ops/metrics.ts";
import { iceIssuer, type OwnStun } from "../ops/turn.ts";
import { MemoryRoomStore } from "../rooms/memory_store.ts";
import { RelayBudget } from "../rooms/relay_budget.ts";
import { Rooms } from "../rooms/rooms.ts";
import type { RoomStore } from "../rooms/store.ts";

const settings = config();

// Logs only the error's name: its message could contain what a client sent.
function onError(error: unknown): void {
  metrics.count("store_errors", "any");
  log.error("room store failed", { reason: error instanceof Error ? error.name : "unknown" });
}

/**
 * If REDIS_URL is set, rooms are kept in Redis only, and never in memory, even while Redis is down.
 */
async function openStore(): Promise<RoomStore> {
  const { REDIS_URL: url, LIMIT_ROOMS: maxRooms } = settings;
  const limits = { maxRooms };
  if (url === "") return new MemoryRoomStore({ limits });
  // Loaded on demand, so that servers without Redis don't load its client.
  const { RedisRoomStore } = await import("../rooms/redis_store.ts");
  return new RedisRoomStore({
    url,
    limits,
    onError,
    onChange(reason) {
      if (reason === null) log.info("redis is there");
      else log.warn("redis is away", { reason });
    },
  });
}

const admission = new Admission({
  sockets: settings.LIMIT_SOCKETS,
  socketsPerIp: settings.LIMIT_SOCKETS_PER_IP,
  upgradesPerMinute: settings.LIMIT_UPGRADES_PER_MINUTE,
  upgradesPerMinutePerIp: settings.LIMIT_UPGRADES_PER_MINUTE_PER_IP,
  creationsPerMinute: settings.LIMIT_CREATIONS_PER_MINUTE,
  creationsPerMinutePerIp: settings.LIMIT_CREATIONS_PER_MINUTE_PER_IP,
  turnPerMinute: settings.LIMIT_TURN_PER_MINUTE,
  turnPerMinutePerIp: settings.LIMIT_TURN_PER_MINUTE_PER_IP,
  failedJoinsPerMinute: settings.LIMIT_FAILED_JOINS_PER_MINUTE,
  failedJoinsPerMinutePerIp: settings.LIMIT_FAILED_JOINS_PER_MINUTE_PER_IP,
  messagesPerSecond: settings.LIMIT_MESSAGES_PER_SECOND,
  sessionBytes: settings.LIMIT_SESSION_BYTES,
}, {
  onLimit(limit) {
    metrics.count("limits", limit);
    log.debug("limit hit", { limit });
  },
});

const relay = settings.RELAY === "on"
  ? new RelayBudget({
    bytes: settings.LIMIT_RELAY_BYTES,
    bytesPerSecond: settings.LIMIT_RELAY_BYTES_PER_SECOND,
    seconds: settings.LIMIT_RELAY_SECONDS,
    bytesPerMinute: settings.LIMIT_RELAY_BYTES_PER_MINUTE,
    bytesPerMinutePerIp: settings.LIMIT_RELAY_BYTES_PER_MINUTE_PER_IP,
  })
  : null;

let stun: OwnStun | null = null;

/** Hands out the STUN of this process from now on, or no more. */
export function offerStun(offered: OwnStun | null): void {
  stun = offered;
}

/** The one instance that the routes use. */
export const rooms: Rooms = new Rooms(await openStore(), {
  admission,
  ice: iceIssuer({
    servers: settings.ICE_SERVERS,
    turnUrls: settings.TURN_URLS,
    turnSecret: settings.TURN_SECRET,
    admit: (address) => admission.turn(address) === null,
    stun: () => stun,
    relay: relay !== null,
  }),
  ...(relay === null ? {} : { relay }),
  counters: metrics,
  onError,
});

/** Whose pages may open a WebSocket here. */
export const origins: OriginRules = {
  publicOrigins: settings.PUBLIC_ORIGIN,
  allowedOrigins: settings.ALLOWED_ORIGINS,
};
