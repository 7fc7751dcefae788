/**
 * Answers STUN on a UDP port of this process, so that two browsers behind routers learn their
 * addresses from the server that they use anyway, and no other one is asked.
 *
 * @module
 */
import { clientKey, parseAddress } from "../ops/client_address.ts";
import { type Clock, systemClock } from "../ops/clock.ts";
import type { Counters } from "../ops/metrics.ts";
import { RateLimit } from "../ops/rate_limits.ts";
import { formatBindingResponse, parseBindingRequest } from "../ops/stun.ts";

/** The limit's key for all clients together. */
const ALL = "";

/** Settings of {@linkcode openStun}. */
export interface StunOptions {
  /** Address to bind to; empty for all, IPv4 and IPv6. */
  readonly host: string;
  readonly port: number;
  /** Responses a minute, in total and per client. */
  readonly perMinute: number;
  readonly perMinutePerIp: number;
  readonly counters?: Counters;
  readonly clock?: Clock;
}

/** Decides what is answered to a packet; it knows no socket. */
export class StunResponder {
  readonly #all: RateLimit;
  readonly #each: RateLimit;
  readonly #counters: Counters | undefined;

  constructor(
    { perMinute, perMinutePerIp, counters, clock = systemClock }: Omit<
      StunOptions,
      "host" | "port"
    >,
  ) {
    this.#all = new RateLimit(perMinute, { clock });
    this.#each = new RateLimit(perMinutePerIp, { clock });
    this.#counters = counters;
  }

  /**
   * The response to a packet from `address` and `port`; `null` for anything but a Binding request,
   * and above the limits. An address that was forged gets no more than the limit of one client.
   */
  answer(packet: Uint8Array, address: string, port: number): Uint8Array | null {
    const request = parseBindingRequest(packet);
    const bytes = parseAddress(address);
    if (request === null || bytes === null) {
      this.#counters?.count("stun", "ignored");
      return null;
    }
    const limited = this.#each.take(clientKey(address, null, [])) > 0 || this.#all.take(ALL) > 0;
    this.#counters?.count("stun", limited ? "limited" : "answered");
    return limited ? null : formatBindingResponse(request, bytes, port);
  }
}

/** An open port. */
export interface StunServer {
  readonly port: number;
  close(): void;
}

/**
 * Binds the port and answers from then on. Rejects if it can't be bound. Deno's own sockets for UDP
 * are unstable, those of `node:dgram` are not.
 */
export async function openStun(options: StunOptions): Promise<StunServer> {
  // Takes a while to load, and the pages need not wait for it.
  const { createSocket } = await import("node:dgram");
  const responder = new StunResponder(options);
  const bind = async (address: string) => {
    const socket = createSocket(address.includes(":") ? "udp6" : "udp4");
    const bound = Promise.withResolvers<void>();
    // Afterwards this is a packet that could not be sent, which its client asks for again.
    socket.on("error", bound.reject);
    socket.on("message", (packet, { address: from, port }) => {
      const response = responder.answer(packet, from, port);
      if (response !== null) socket.send(response, port, from, () => {});
    });
    socket.bind({ address, port: options.port }, bound.resolve);
    await bound.promise;
    return socket;
  };
  const socket = options.host !== "" ? await bind(options.host) : await bindAll(bind);
  return { port: socket.address().port, close: () => void socket.close() };
}

/** One socket for both families; IPv4 alone where the machine has no IPv6. */
async function bindAll<T>(bind: (address: string) => Promise<T>): Promise<T> {
  try {
    return await bind("::");
  } catch (error) {
    if (error instanceof Error && Reflect.get(error, "code") === "EADDRINUSE") throw error;
    return await bind("0.0.0.0");
  }
}
