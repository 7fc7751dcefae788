/**
 * The browser's end of `/ws/<room>`: takes a seat, keeps it through lost sockets and server
 * restarts, and exchanges messages with the other seat.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { CLOSE } from "../protocol/close_codes.ts";
import {
  HEARTBEAT_TIMEOUT_MS,
  MAX_RETRY_S,
  SEAT_GRACE_MS,
  SUBPROTOCOL,
} from "../protocol/limits.ts";
import {
  type ClientMessage,
  parseServerMessage,
  type ServerMessage,
} from "../protocol/signaling.ts";
import { whenMoved } from "./network.ts";
import { Timers } from "./timers.ts";

/**
 * Delay before the first reconnect, and the longest one, in ms. The delay doubles each time, and
 * half of it is random.
 */
const BACKOFF_FIRST_MS = 250;
const BACKOFF_MAX_MS = 8_000;

/** How often a page that never had a seat tries before it reports the server unreachable. */
const FIRST_ATTEMPTS = 3;

/**
 * How long a page that had a seat keeps trying after a refusal, in ms. Longer than the grace
 * period: a viewer whose new token was lost in transit is refused until the server has given up
 * their old seat.
 */
const REFUSED_PATIENCE_MS = SEAT_GRACE_MS + 15_000;

/** Why the client gave up for good. */
export type SignalingEnd =
  | "refused"
  | "gone"
  | "superseded"
  | "busy"
  /** The sender turned this viewer away. */
  | "dismissed"
  /** The server creates rooms only for people who have entered its access key. */
  | "access"
  | "unreachable"
  | "protocol";

/** Callbacks of a client. */
export interface SignalingHandlers {
  /** A valid message of the server other than `ping`, in order. */
  onMessage(message: ServerMessage): void;
  /** The connection to the server was lost, or is back. */
  onContact(contact: boolean): void;
  /**
   * Called once; no callback follows. Not called after `end()`. With `busy`, `retry` is the number
   * of seconds after which to try again, if the server gave one.
   */
  onEnd(why: SignalingEnd, retry?: number): void;
}

/** Settings of a {@linkcode SignalingClient}. */
export interface SignalingOptions {
  /** `ws(s)://host/ws/<room>`. */
  readonly url: string;
  /** `create` or `join`: takes the seat the first time, and again after a resume was refused. */
  readonly first: ClientMessage;
  /** Takes back a seat that this page already had, before anything else. */
  readonly rtok?: string;
  readonly handlers: SignalingHandlers;
}

/** Takes a seat and keeps it. */
export class SignalingClient {
  readonly #options: SignalingOptions;
  #socket: WebSocket | null = null;
  #resumeToken: string | null = null;
  /** When this page was last in a seat, by performance.now(); `null` if it never was. */
  #seatedAt: number | null = null;
  #seated = false;
  /** The delay before reconnecting that the server asked for on this socket, in seconds. */
  #wait: number | undefined;
  #attempts = 0;
  #over = false;
  readonly #timers = new Timers<"retry" | "watchdog">();
  readonly #wakeups = new AbortController();

  constructor(options: SignalingOptions) {
    this.#options = options;
    if (options.rtok !== undefined) {
      this.#resumeToken = options.rtok;
      this.#seatedAt = performance.now();
    }
    const { signal } = this.#wakeups;
    const wake = () => this.#wake();
    whenMoved(() => this.renew(), signal);
    globalThis.addEventListener("pageshow", wake, { signal });
    globalThis.document?.addEventListener("visibilitychange", wake, { signal });
    this.#connect();
  }

  /**
   * Sends opaque data to the other seat. Lost if the socket is: the handshake starts over after a
   * resume.
   */
  relay(d: string): void {
    if (this.#seated) this.#send({ t: "relay", d });
  }

  /**
   * Sends a frame of the encrypted relay. Returns false if it can't: frames in flight may be lost.
   */
  data(d: string): boolean {
    if (!this.#seated || this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#send({ t: "data", d });
    return true;
  }

  /** Sends a message about the seats or the attempt, if there is a seat. Lost if the socket is. */
  say(message: Extract<ClientMessage, { t: "dismiss" | "withdraw" | "outcome" }>): void {
    if (this.#seated) this.#send(message);
  }

  /**
   * Takes the seat on a new socket at once. After a change of network the old socket may be dead,
   * which would take 50 s to show. The server then reports again who is there, and sends both sides
   * their ICE servers.
   */
  renew(): void {
    const socket = this.#socket;
    if (this.#over) return;
    if (socket?.readyState === WebSocket.OPEN) {
      socket.close();
      this.#closed(1006);
    }
    // A socket that is being opened may still fail, as Chromium's do when the network changes. That
    // is not the server's fault, so the attempts are counted from 0.
    this.#attempts = 0;
    this.#wake();
  }

  /**
   * Stops for good: sends `last` (`delete` or `leave`) if there is a seat, then closes. Without
   * `last` the seat counts as lost, and the server keeps it for the grace period. Idempotent.
   */
  end(last?: ClientMessage): void {
    if (this.#over) return;
    if (this.#seated && last !== undefined) this.#send(last);
    this.#stop();
  }

  #send(message: ClientMessage): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #connect(): void {
    this.#timers.clear("retry");
    this.#attempts++;
    const socket = new WebSocket(this.#options.url, SUBPROTOCOL);
    let opened = false;
    this.#socket = socket;
    this.#wait = undefined;
    this.#watch();
    socket.onopen = () => {
      opened = true;
      const rtok = this.#resumeToken;
      this.#send(rtok === null ? this.#options.first : { t: "resume", rtok });
    };
    socket.onmessage = (event) => {
      if (socket !== this.#socket) return;
      this.#watch();
      const message = typeof event.data === "string" ? parseServerMessage(event.data) : null;
      if (message === null) this.#finish("protocol");
      else this.#receive(message);
    };
    socket.onclose = (event) => {
      if (socket !== this.#socket) return;
      this.#closed(event.code);
      if (!opened && !this.#over) this.#askWhy();
    };
  }

  #receive(message: ServerMessage): void {
    if (message.t === "ping") return this.#send({ t: "pong" });
    const seated = message.t === "created" || message.t === "joined";
    if (seated) {
      this.#resumeToken = message.rtok;
      this.#seated = true;
      this.#attempts = 0;
      this.#options.handlers.onContact(true);
    }
    if (message.t === "err") this.#wait = message.retry;
    this.#options.handlers.onMessage(message);
    // Confirms that the token was kept: the server may forget the previous one.
    if (seated && !this.#over) this.#send({ t: "pong" });
  }

  #closed(code: number): void {
    const wasSeated = this.#seated;
    if (wasSeated) this.#seatedAt = performance.now();
    this.#seated = false;
    this.#socket = null;
    this.#timers.clear("watchdog");
    if (this.#over) return;
    if (wasSeated) this.#options.handlers.onContact(false);
    switch (code) {
      case CLOSE.refused:
        return this.#refused();
      case CLOSE.gone:
        return this.#finish("gone");
      case CLOSE.superseded:
        return this.#finish("superseded");
      case CLOSE.busy:
        return this.#busy();
      case CLOSE.dismissed:
        return this.#finish("dismissed");
      case CLOSE.access:
        return this.#finish("access");
      case CLOSE.malformed:
      case CLOSE.tooLarge:
      case CLOSE.outOfTurn:
        return this.#finish("protocol");
      default:
        if (this.#seatedAt === null && this.#attempts >= FIRST_ATTEMPTS) {
          return this.#finish("unreachable");
        }
        this.#schedule(wasSeated);
    }
  }

  /**
   * A room that is gone may exist again: after a server restart the sender creates it anew, and the
   * viewer waits for that.
   */
  #refused(): void {
    const hadToken = this.#resumeToken !== null;
    this.#resumeToken = null;
    // Retried however long this page was away: a sender can create the room anew, and a viewer can
    // try to join.
    if (hadToken) return this.#schedule(true);
    const since = this.#seatedAt === null ? Infinity : performance.now() - this.#seatedAt;
    if (this.#options.first.t !== "join" || since > REFUSED_PATIENCE_MS) {
      return this.#finish("refused");
    }
    this.#schedule(false);
  }

  /**
   * A page that had a seat waits as long as the server asks, up to {@linkcode REFUSED_PATIENCE_MS}.
   * In all other cases this reports that the server is busy.
   */
  #busy(): void {
    const wait = (this.#wait ?? Infinity) * 1_000;
    if (this.#seatedAt === null || wait > REFUSED_PATIENCE_MS) {
      return this.#finish("busy", this.#wait);
    }
    this.#scheduleIn(wait + random() * BACKOFF_MAX_MS);
  }

  /**
   * A page can't read the answer that a server gives in place of an upgrade, so this asks once more
   * without one. Retries continue meanwhile: an answer may never arrive.
   */
  async #askWhy(): Promise<void> {
    const answer = await fetch(this.#options.url.replace(/^ws/, "http")).catch(() => null);
    const wait = Number(answer?.headers.get("retry-after"));
    const busy = answer?.status === 429 || answer?.status === 503;
    if (!busy || !(wait >= 1 && wait <= MAX_RETRY_S) || this.#over || this.#seated) return;
    this.#timers.clearAll();
    this.#socket?.close();
    this.#socket = null;
    this.#wait = wait;
    this.#busy();
  }

  #schedule(atOnce: boolean): void {
    const longest = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** (this.#attempts - 1));
    const wait = atOnce ? BACKOFF_FIRST_MS : longest;
    // Half of the delay is random, so that a restarted server does not meet all its clients at
    // once.
    this.#scheduleIn(wait / 2 + random() * wait / 2);
  }

  #scheduleIn(ms: number): void {
    this.#timers.set("retry", ms, () => this.#connect());
  }

  /**
   * The page or the network is back: reconnects without waiting for the timer, which may have been
   * suspended.
   */
  #wake(): void {
    if (!this.#over && this.#socket === null && globalThis.document?.visibilityState !== "hidden") {
      this.#connect();
    }
  }

  /**
   * The server pings every 20 s: a socket without a message for 50 s is dead, whatever its state
   * says.
   */
  #watch(): void {
    this.#timers.set("watchdog", HEARTBEAT_TIMEOUT_MS, () => {
      const socket = this.#socket;
      if (socket === null) return;
      socket.close();
      // On a dead network the `close` event would be late; this socket's events are ignored from
      // now on.
      this.#closed(1006);
    });
  }

  #finish(why: SignalingEnd, retry?: number): void {
    if (this.#over) return;
    this.#stop();
    this.#options.handlers.onEnd(why, retry);
  }

  #stop(): void {
    this.#over = true;
    this.#seated = false;
    this.#timers.clearAll();
    this.#wakeups.abort();
    // Messages sent before are still delivered: close() queues behind them.
    this.#socket?.close(CLOSE.done);
    this.#socket = null;
  }
}

/** A random number from 0 up to, but not including, 1. */
function random(): number {
  return (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) / 2 ** 32;
}
