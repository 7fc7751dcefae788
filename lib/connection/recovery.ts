/**
 * Keeps two who proved themselves connected: chooses the way through, and another one where that
 * breaks. The sender decides, the viewer asks; what they say goes sealed over the server, and waits
 * while that is out of reach.
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
import type { Peer } from "./peer.ts";
import { type Frame, RelayTransport } from "./relay_transport.ts";
import type { Pair, Route } from "./route.ts";
import { SecureLink } from "./secure_link.ts";
import type { TransportState } from "./transport.ts";

/**
 * A direct way has this long, from the offer on, before the server's relay takes over, in
 * milliseconds.
 */
const DIRECT_MS = 2_500;

/** How long a connection may fall silent before something is done about it, in milliseconds. */
const PATIENCE_MS = 6_000;

/** How long a repair has before the next one, in milliseconds. */
const TRY_MS = 8_000;

/** Who is asked more often than this does not do more, in milliseconds. */
const LEAST_MS = 500;

/** What was begun has this long before silence begins it again, in milliseconds. */
const SETTLE_MS = 2_000;

/** How often a direct way that works is looked at, in milliseconds. */
const LOOK_MS = 200;

/**
 * A way on which a question of ICE stays unanswered for so long, with nothing else heard, may lead
 * out of a network that is gone, in milliseconds. Chromium asks every 2.5 s, and says
 * "disconnected" 5 s after the first question that was lost. Twice as long after each time: a
 * network that only loses much must not be made to start over all the time.
 */
const ANSWER_MS = 400;

/**
 * The same where nothing at all was heard, for engines that don't count what they ask; Firefox asks
 * every 4 to 6 s.
 */
const SILENCE_MS = 7_000;

/** Settings of a {@linkcode Repair}. */
export interface RepairOptions {
  readonly keys: SessionKeys;
  /** True where the server passes encrypted records on. */
  readonly mayRelay: () => boolean;
  /** Passes a sealed message on; lost where the server is out of reach. */
  readonly say: (message: Bytes) => void;
  /** Passes a frame on; false where the server is out of reach. */
  readonly pass: (frame: Bytes) => boolean;
  /** By which servers to get through; `null` where those that are known are too old. */
  readonly iceServers: () => readonly IceServer[] | null;
  /**
   * Takes the seat at the server on a new socket, as the old one may be dead; new ICE servers come
   * with it.
   */
  readonly renew: () => void;
  /** Called once: the link is there. */
  readonly onBound: (link: SecureLink) => void;
  /** Called once instead: what the other side began with was not what the handshake says. */
  readonly onBroken: () => void;
  /** Which way it goes, each time that it changes. */
  readonly onRoute: (route: Route) => void;
}

/** Finds and keeps the way between two browsers. */
export class Repair {
  readonly #options: RepairOptions;
  #peer: Peer | null = null;
  #link: SecureLink | null = null;
  #relay: RelayTransport | null = null;
  /** Both are in their seats, as far as the server says. */
  #reachable = true;
  /** What the sender began last. */
  #k = 0;
  #tries = 0;
  #actedAt = -Infinity;
  #followedAt = -Infinity;
  #route: Route | null = null;
  #bound = false;
  #telling: Promise<void> = Promise.resolve();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #over = false;
  #abandoned = false;
  /** The other page closed the connection. */
  #away = false;
  /** This side may be in another network, and has not said so yet. */
  #moved = false;
  /**
   * How the direct way was at the last look, since when it has been silent, and since when a
   * question waits.
   */
  #seen: Pair | null = null;
  #silentSince = 0;
  #waitingSince = Infinity;
  /** How often it was taken for dead. */
  #doubts = 0;
  #looking: ReturnType<typeof setTimeout> | undefined;
  readonly #wakeups = new AbortController();

  constructor(options: RepairOptions) {
    this.#options = options;
    // Nobody has to wait until the old way is known to be dead.
    whenMoved(() => {
      this.#moved = true;
      this.#act();
    }, this.#wakeups.signal);
  }

  get bound(): boolean {
    return this.#bound;
  }

  /** A try to connect directly; `null` where one of the two browsers can't. */
  begin(peer: Peer | null): void {
    this.#peer = peer;
    if (this.#options.keys.role !== "S" || !this.#options.mayRelay()) return;
    if (peer === null) this.#useRelay();
    else this.#again(DIRECT_MS);
  }

  /** The direct way is there. */
  connected(link: SecureLink): void {
    // The other one was told to go on over the server, a moment ago.
    if (this.#link !== null || this.#over) return void link.close();
    clearTimeout(this.#timer);
    this.#bound = true;
    this.#link = link;
    link.watch((state) => this.#changed(state));
    this.#options.onBound(link);
    this.#tellRoute();
    this.#look();
  }

  /** The direct way was not found. Returns false where that was the last one. */
  failed(): boolean {
    this.#peer = null;
    if (!this.#options.mayRelay()) return false;
    if (this.#options.keys.role === "S") this.#useRelay();
    return true;
  }

  /** Says whether both are in their seats. */
  setReachable(reachable: boolean): void {
    const back = reachable && !this.#reachable;
    this.#reachable = reachable;
    if (!reachable) this.#relay?.broke();
    // Whatever was said meanwhile was lost.
    if (back && (this.#moved || this.#link?.steady === false)) this.#act();
  }

  /** Something that was passed on reached nobody. */
  mislaid(): void {
    this.#relay?.broke();
  }

  /**
   * The server, or the other one's seat there, is gone for good: who went on over it is alone, and
   * whoever is away stays away.
   */
  abandon(): void {
    this.#reachable = false;
    this.#abandoned = true;
    if (this.#relay !== null || this.#away) this.#link?.giveUp();
  }

  /** Takes M7. What can't be opened or read is left out: it may have been overtaken. */
  async receive(message: Bytes): Promise<void> {
    const said = parseRepairMessage(await this.#options.keys.repairOpener.open(message));
    if (said === null) throw new ProtocolError();
    if (!this.#over) await this.#heed(said);
  }

  /** Takes a frame of the encrypted relay. */
  receiveFrame(frame: Frame): void {
    this.#relay?.receive(frame);
  }

  /** A candidate that was found once the two were connected. */
  found(candidate: string): void {
    this.#tell({ t: "candidate", c: candidate });
  }

  /** Does nothing any more; the link is not touched. Idempotent. */
  close(): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#looking);
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
        // One to an offer that was given up would be taken for another.
        if (sender && said.k === this.#k) await this.#peer?.accept(said.sdp);
        return;
      case "candidate":
        return await this.#peer?.take(said.c);
      case "relay":
        // Not waited for: what comes behind it is what it waits for.
        if (!sender && said.k > this.#k) this.#moveTo(said.k);
        return;
      default:
        said satisfies never;
    }
  }

  #changed(state: TransportState): void {
    clearTimeout(this.#timer);
    this.#away = state === "closed";
    if (this.#away && this.#abandoned) return this.#link?.giveUp();
    if (state === "up") {
      this.#tries = 0;
      this.#tellRoute();
    } else if (state === "stuck") this.#act();
    else this.#again(PATIENCE_MS);
  }

  #again(ms: number): void {
    clearTimeout(this.#timer);
    if (!this.#over) this.#timer = setTimeout(() => this.#act(), ms);
  }

  /** Does the next thing that may help. */
  #act(): void {
    const now = performance.now();
    const early = this.#actedAt + LEAST_MS - now;
    if (this.#over || !this.#reachable) return;
    if (early > 0) return this.#again(early);
    this.#actedAt = now;
    this.#moved = false;
    if (this.#options.keys.role === "R") {
      this.#tell({ t: "ask" });
      if (this.#link?.steady === false) this.#again(TRY_MS);
      return;
    }
    const direct = this.#relay === null && this.#peer !== null;
    const relay = this.#options.mayRelay();
    // Once it was there, a direct way is worth another look before the slow one.
    if (direct && this.#link !== null && (this.#tries++ === 0 || !relay)) this.#restart();
    else if (relay) this.#useRelay();
    if (this.#link?.steady === true) this.#tries = 0;
    else this.#again(TRY_MS);
  }

  /**
   * Looks at the direct way for as long as it is used: that it broke is told late, or not at all.
   */
  async #look(): Promise<void> {
    const pair = await this.#peer?.pair() ?? null;
    if (this.#over || this.#relay !== null || this.#link?.ended !== false) return;
    if (this.#seen !== null && pair?.id !== this.#seen.id) this.#peer?.nudge();
    // The browser may have gone over to another pair by itself.
    this.#noteRoute(pair?.route ?? null);
    if (pair !== null && this.#isSilent(pair) && this.#link.steady && this.#reachable) {
      this.#doubts++;
      this.#moved = true;
      this.#options.renew();
      this.#act();
    }
    this.#looking = setTimeout(() => this.#look(), LOOK_MS);
  }

  #isSilent(pair: Pair): boolean {
    const now = performance.now();
    const before = this.#seen;
    this.#seen = pair;
    if (pair.id !== before?.id || pair.heard !== before.heard) {
      this.#silentSince = now;
      this.#waitingSince = Infinity;
    }
    // Without any network there is nothing to be done, and the browser says when there is one.
    const begun = Math.max(this.#actedAt, this.#followedAt);
    if (now - begun < SETTLE_MS || navigator.onLine === false) return false;
    if (pair.unanswered) this.#waitingSince = Math.min(this.#waitingSince, now);
    const patience = 2 ** this.#doubts;
    return now - this.#waitingSince >= Math.max(ANSWER_MS * patience, 2 * pair.roundTrip) ||
      now - this.#silentSince >= SILENCE_MS * patience;
  }

  async #restart(): Promise<void> {
    const servers = this.#options.iceServers();
    if (servers === null) {
      // They come with the new socket, and it goes on from there.
      this.#moved = true;
      return this.#options.renew();
    }
    const k = ++this.#k;
    try {
      const sdp = await this.#peer?.restart(servers);
      if (sdp !== undefined && k === this.#k) await this.#tell({ t: "offer", k, sdp });
    } catch {
      // Closed meanwhile, or in the middle of the one before: the next try follows.
    }
  }

  async #useRelay(): Promise<void> {
    const k = ++this.#k;
    // It has to be there before the first frame.
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
    const moved = await link.move(relay, k, () => {
      if (!this.#bound) onBound(link);
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

  /** Says it, behind all that was said before. */
  #tell(message: RepairMessage): Promise<void> {
    return this.#telling = this.#telling.then(async () => {
      const sealed = await this.#options.keys.repairSealer.seal(JSON.stringify(message));
      if (!this.#over) this.#options.say(sealed);
    });
  }
}
