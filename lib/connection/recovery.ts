/**
 * Keeps two verified peers connected: chooses the route, and another one when it breaks. The sender
 * decides; the viewer asks and follows. Their messages are sealed and sent over the server, and
 * recovery waits while the server is unreachable.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { Bytes } from "../protocol/bytes.ts";
import { parseRepairMessage, type RepairMessage } from "../protocol/repair.ts";
import type { IceServer } from "../protocol/signaling.ts";
import type { SessionKeys } from "../e2e/handshake.ts";
import { ProtocolError } from "../e2e/suite.ts";
import { whenMoved } from "./network.ts";
import { judge, POLL_MS, suspect, UNSEEN } from "./path_monitor.ts";
import type { Peer } from "./peer.ts";
import { type Frame, RelayTransport } from "./relay_transport.ts";
import type { Route } from "./route.ts";
import { SecureLink } from "./secure_link.ts";
import { Timers } from "./timers.ts";
import type { TransportState } from "./transport.ts";

/**
 * How long a direct connection may take, from the offer on, before the encrypted relay takes over,
 * in ms.
 */
const DIRECT_MS = 2_500;

/** How long a connection may be silent before recovery starts, in ms. */
const PATIENCE_MS = 6_000;

/** How long one recovery action may take before the next one starts, in ms. */
const TRY_MS = 8_000;

/** Minimum interval between recovery actions, in ms. */
const LEAST_MS = 500;

/** Settings of a {@linkcode Recovery}. */
export interface RecoveryOptions {
  readonly keys: SessionKeys;
  /** Whether the server relays encrypted records. */
  readonly mayRelay: () => boolean;
  /** Sends a sealed message over the server; lost while the server is unreachable. */
  readonly say: (message: Bytes) => void;
  /** Sends a frame over the encrypted relay; false while the server is unreachable. */
  readonly pass: (frame: Bytes) => boolean;
  /** The ICE servers to use; `null` if their credentials have expired. */
  readonly iceServers: () => readonly IceServer[] | null;
  /**
   * Takes the seat on a new socket, because the old one may be dead. New ICE servers arrive with
   * it.
   */
  readonly renew: () => void;
  /** Called once, when the secure link is bound. */
  readonly onBound: () => void;
  /**
   * Called once instead of `onBound`: the peer's first message on the relay does not match the
   * handshake.
   */
  readonly onBroken: () => void;
  /** The route in use, each time that it changes. */
  readonly onRoute: (route: Route) => void;
  /** Whether the peer answers on the bound link, each time that this may have changed. */
  readonly onHealth: (health: Health) => void;
}

/** `away`: the peer's page closed the connection. */
export type Health = "answers" | "silent" | "away";

function healthOf(state: TransportState): Health {
  switch (state) {
    case "up":
      return "answers";
    case "shaky":
    case "stuck":
      return "silent";
    case "closed":
      return "away";
    default:
      return state satisfies never;
  }
}

/** Finds and keeps a route between two browsers. */
export class Recovery {
  readonly #options: RecoveryOptions;
  #peer: Peer | null = null;
  #link: SecureLink | null = null;
  #relay: RelayTransport | null = null;
  /** Both sides are in their seats, according to the server. */
  #reachable = true;
  /** The number of the sender's last recovery action. */
  #k = 0;
  #tries = 0;
  #actedAt = -Infinity;
  #followedAt = -Infinity;
  #route: Route | null = null;
  #bound = false;
  #telling: Promise<void> = Promise.resolve();
  readonly #timers = new Timers<"act" | "look">();
  #over = false;
  #seatIsGone = false;
  /** The peer's page closed the connection. */
  #away = false;
  /** This side may be in another network, and has not acted on it yet. */
  #moved = false;
  /** The direct connection at the last poll. */
  #path = UNSEEN;
  readonly #wakeups = new AbortController();

  constructor(options: RecoveryOptions) {
    this.#options = options;
    // After a network change, act at once instead of waiting until the old route has timed out.
    whenMoved(() => {
      this.#moved = true;
      this.#act();
    }, this.#wakeups.signal);
  }

  get bound(): boolean {
    return this.#bound;
  }

  /** The secure link, once there is one; it may not be bound yet. */
  get link(): SecureLink | null {
    return this.#link;
  }

  /** Starts the attempt to connect directly; `peer` is `null` if one of the two browsers can't. */
  begin(peer: Peer | null): void {
    this.#peer = peer;
    if (this.#options.keys.role !== "S" || !this.#options.mayRelay()) return;
    if (peer === null) this.#useRelay();
    else this.#actIn(DIRECT_MS);
  }

  /** The direct connection is bound. */
  connected(link: SecureLink): void {
    // The peer was told a moment ago to switch to the encrypted relay.
    if (this.#link !== null || this.#over) return void link.close();
    this.#timers.clear("act");
    this.#bound = true;
    this.#link = link;
    link.watch((state) => this.#changed(state));
    this.#options.onBound();
    this.#tellRoute();
    this.#look();
  }

  /** No direct connection was found. Returns false if there is no relay to fall back to. */
  failed(): boolean {
    this.#peer = null;
    if (!this.#options.mayRelay()) return false;
    if (this.#options.keys.role === "S") this.#useRelay();
    return true;
  }

  /** Sets whether both sides are in their seats. */
  setReachable(reachable: boolean): void {
    const back = reachable && !this.#reachable;
    this.#reachable = reachable;
    if (reachable) this.#seatIsGone = false;
    else this.#relay?.broke();
    // Messages that were sent meanwhile were lost.
    if (back && (this.#moved || this.#link?.steady === false)) this.#act();
  }

  /** A message sent over the server reached nobody. */
  undelivered(): void {
    this.#relay?.broke();
  }

  /**
   * The server, or the peer's seat there, is gone for good. Ends the secure link if it uses the
   * encrypted relay, or if the peer's page has closed the connection: nothing can bring it back.
   */
  seatGone(): void {
    this.#reachable = false;
    this.#seatIsGone = true;
    if (this.#relay !== null || this.#away) this.#link?.giveUp();
  }

  /**
   * Takes M7. Throws {@linkcode ProtocolError} if it can't be opened or parsed; the caller decides
   * whether that matters, as a message may have been overtaken by a newer one.
   */
  async receive(message: Bytes): Promise<void> {
    const said = parseRepairMessage(await this.#options.keys.repairOpener.open(message));
    if (said === null) throw new ProtocolError();
    if (!this.#over) await this.#heed(said);
  }

  /** Takes a frame of the encrypted relay. */
  receiveFrame(frame: Frame): void {
    this.#relay?.receive(frame);
  }

  /** A candidate was found after the two were connected. */
  found(candidate: string): void {
    this.#tell({ t: "candidate", c: candidate });
  }

  /** Stops recovery; a bound secure link is not touched. Idempotent. */
  close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#timers.clearAll();
    this.#wakeups.abort();
    if (!this.#bound) this.#link?.giveUp();
  }

  async #heed(said: RepairMessage): Promise<void> {
    const sender = this.#options.keys.role === "S";
    switch (said.t) {
      case "ask":
        if (sender) this.#act();
        return;
      case "offer": {
        if (sender || this.#peer === null || this.#relay !== null) return;
        this.#k = said.k;
        this.#followedAt = performance.now();
        const sdp = await this.#peer.follow(said.sdp, this.#options.iceServers() ?? []);
        return void this.#tell({ t: "answer", k: said.k, sdp });
      }
      case "answer":
        // An answer to an offer that was given up would be applied to the newer one.
        if (sender && said.k === this.#k) await this.#peer?.accept(said.sdp);
        return;
      case "candidate":
        return await this.#peer?.take(said.c);
      case "relay":
        // Not awaited: it waits for messages that arrive after this one.
        if (!sender && said.k > this.#k) this.#moveTo(said.k);
        return;
      default:
        said satisfies never;
    }
  }

  #changed(state: TransportState): void {
    this.#timers.clear("act");
    if (this.#bound) this.#options.onHealth(healthOf(state));
    this.#away = state === "closed";
    if (this.#away && this.#seatIsGone) return this.#link?.giveUp();
    if (state === "up") {
      this.#tries = 0;
      this.#tellRoute();
    } else if (state === "stuck") this.#act();
    else this.#actIn(PATIENCE_MS);
  }

  #actIn(ms: number): void {
    if (!this.#over) this.#timers.set("act", ms, () => this.#act());
  }

  /** Takes the next recovery action. */
  #act(): void {
    const now = performance.now();
    const early = this.#actedAt + LEAST_MS - now;
    if (this.#over || !this.#reachable) return;
    if (early > 0) return this.#actIn(early);
    this.#actedAt = now;
    this.#moved = false;
    if (this.#options.keys.role === "R") {
      this.#tell({ t: "ask" });
      if (this.#link?.steady === false) this.#actIn(TRY_MS);
      return;
    }
    const direct = this.#relay === null && this.#peer !== null;
    const relay = this.#options.mayRelay();
    // A direct connection that once worked gets an ICE restart before the slower relay is used.
    if (direct && this.#link !== null && (this.#tries++ === 0 || !relay)) this.#restart();
    else if (relay) this.#useRelay();
    if (this.#link?.steady === true) this.#tries = 0;
    else this.#actIn(TRY_MS);
  }

  /**
   * Polls the direct connection while it is in use: browsers report a break late, or not at all.
   */
  async #look(): Promise<void> {
    const pair = await this.#peer?.pair() ?? null;
    if (this.#over || this.#relay !== null || this.#link?.ended !== false) return;
    if (pair !== null) {
      const now = performance.now();
      const actedAt = Math.max(this.#actedAt, this.#followedAt);
      const online = navigator.onLine !== false;
      const { state, switched, silent } = judge(this.#path, { now, pair, actedAt, online });
      this.#path = state;
      if (switched) this.#peer?.nudge();
      // The browser may have switched to another candidate pair by itself.
      this.#noteRoute(pair.route);
      if (silent && this.#link.steady && this.#reachable) {
        this.#path = suspect(state);
        this.#moved = true;
        this.#options.renew();
        this.#act();
      }
    }
    this.#timers.set("look", POLL_MS, () => this.#look());
  }

  async #restart(): Promise<void> {
    const servers = this.#options.iceServers();
    if (servers === null) {
      // New credentials arrive with the new socket; `setReachable` continues from there.
      this.#moved = true;
      return this.#options.renew();
    }
    const k = ++this.#k;
    try {
      const sdp = await this.#peer?.restart(servers);
      if (sdp !== undefined && k === this.#k) await this.#tell({ t: "offer", k, sdp });
    } catch {
      // Closed meanwhile, or the previous restart is still under way: the next retry follows.
    }
  }

  async #useRelay(): Promise<void> {
    const k = ++this.#k;
    // The peer has to receive this before the first frame.
    await this.#tell({ t: "relay", k });
    if (k === this.#k && !this.#over) await this.#moveTo(k);
  }

  async #moveTo(k: number): Promise<void> {
    this.#k = k;
    const { keys, pass, onBound } = this.#options;
    const relay = this.#relay = new RelayTransport(k, pass);
    const link = this.#link ?? new SecureLink({ keys });
    if (this.#link === null) {
      this.#link = link;
      link.watch((state) => this.#changed(state));
      this.#peer?.close();
    }
    if (this.#bound) this.#options.onHealth("silent");
    const moved = await link.move(relay, k, () => {
      if (!this.#bound) onBound();
      this.#bound = true;
    });
    if (moved) this.#changed("up");
    else if (link.ended && !this.#bound && !this.#over) this.#options.onBroken();
  }

  async #tellRoute(): Promise<void> {
    this.#noteRoute(await this.#link?.route() ?? null);
  }

  #noteRoute(route: Route | null): void {
    if (route === null || route === this.#route) return;
    this.#route = route;
    this.#options.onRoute(route);
  }

  /** Sends a message, after all that were sent before. */
  #tell(message: RepairMessage): Promise<void> {
    return this.#telling = this.#telling.then(async () => {
      const sealed = await this.#options.keys.repairSealer.seal(JSON.stringify(message));
      if (!this.#over) this.#options.say(sealed);
    });
  }
}
