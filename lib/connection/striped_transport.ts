/**
 * Several RTCPeerConnections as one transport, for long routes on which packets get lost. Each has
 * its own congestion window, which grows by one packet per round trip and halves with each loss, so
 * four of them carry more (docs/connectivity.md has the figures).
 *
 * Everything starts on one connection, and control messages stay there. If that connection proves
 * slow and the round trip is long, the sender sets up the others, signaling over the first. From
 * then on each record carries the number of records before it. The receiver puts them in order and
 * reports how far it is, so that records on a connection that failed can be resent on the first.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { Bytes } from "../protocol/bytes.ts";
import { HANDSHAKE } from "../protocol/handshake.ts";
import { MAX_PLACED_LENGTH, PLACE_LENGTH, RECORD } from "../protocol/record.ts";
import {
  ARRIVED_EVERY,
  encodeArrived,
  encodePlaced,
  encodeStripe,
  placeOf,
  STRIPE_WINDOW,
  STRIPES,
} from "../protocol/stripe.ts";
import type { ConnectionKeys, SessionKeys } from "../e2e/handshake.ts";
import { ProtocolError, take } from "../e2e/suite.ts";
import { ChannelClosedError } from "./flow_channel.ts";
import type { Peer, PeerOptions } from "./peer.ts";
import type { Route } from "./route.ts";
import type { RtcTransport } from "./rtc_transport.ts";
import { toBytes } from "./secure_link.ts";
import type { Lane, Transport, TransportHandlers, TransportState } from "./transport.ts";

/**
 * Shortest round trip, in ms, from which further connections are opened. Below it, one connection
 * has the processor to itself.
 */
const FAR_MS = 15;

/**
 * The first connection is judged each time that sending on it has taken this long in total, in ms.
 * It counts as slow if it took fewer than `FEW` records in that time: less than 2 MiB a second. A
 * connection that loses nothing is faster after its first second, and gains little from others.
 */
const LOOK_MS = 1_000;
const FEW = 32;

/** Options that differ for each further connection. */
export type StripeOptions = Pick<PeerOptions, "keys" | "longest" | "send" | "onBound" | "onFailed">;

/** Settings of a {@linkcode StripedTransport}. */
export interface StripedOptions {
  /** The first connection; it is bound. */
  readonly first: RtcTransport;
  readonly keys: Pick<SessionKeys, "role" | "stripe">;
  /** Makes a further connection, with the same certificate, servers and policy. */
  readonly connect: (options: StripeOptions) => Peer;
}

/** A record that is not known to have arrived in order, and the connection that carried it. */
interface Kept {
  readonly message: Bytes;
  way: RtcTransport;
}

/** Carries messages over one connection, or over several. */
export class StripedTransport implements Transport {
  readonly #options: StripedOptions;
  readonly #first: RtcTransport;
  /** All connections that carry records, `#first` at index 0. */
  #ways: readonly RtcTransport[];
  readonly #peers = new Map<number, Peer>();
  #handlers: TransportHandlers | null = null;
  #asked = false;
  /**
   * Total time that sending on the first connection has taken since it was last judged, and the
   * number of records sent in that time.
   */
  #waited = 0;
  #taken = 0;
  /** Another connection failed: this transport uses only the first one from then on. */
  #dropped = false;
  #over = false;
  /** Number of records sent, and number of those known to have arrived. */
  #sent = 0;
  #arrived = 0;
  /** There has been more than one connection: from then on each record carries its place. */
  #placing = false;
  /** Records with a place that are not known to have arrived, by place. */
  readonly #kept = new Map<number, Kept>();
  /**
   * The next place that is expected, the one last reported to the peer, and records that arrived
   * out of order.
   */
  #next = 0;
  #told = 0;
  readonly #early = new Map<number, Bytes>();
  #waiting: (() => void)[] = [];
  #turn: Promise<void> = Promise.resolve();

  constructor(options: StripedOptions) {
    this.#options = options;
    this.#first = options.first;
    this.#ways = [options.first];
  }

  listen(handlers: TransportHandlers): void {
    this.#handlers = handlers;
    this.#first.listen({
      onMessage: (lane, data) => this.#receive(this.#first, lane, data),
      onState: (state) => this.#firstChanged(state),
    });
  }

  route(): Promise<Route | null> {
    return this.#first.route();
  }

  async send(lane: Lane, message: Bytes, signal?: AbortSignal): Promise<void> {
    if (lane === "control") return await this.#first.send(lane, message, signal);
    this.#placing ||= this.#ways.length > 1;
    if (this.#placing) return await this.#sendPlaced(message, signal);
    const begun = performance.now();
    await this.#first.send(lane, message, signal);
    this.#sent++;
    this.#taken++;
    this.#waited += performance.now() - begun;
    if (this.#waited >= LOOK_MS) this.#judge();
  }

  flush(): Promise<boolean> {
    return this.#first.flush();
  }

  close(): void {
    this.#over = true;
    this.#first.close();
    this.#closeOthers();
    this.#early.clear();
    this.#wake();
  }

  async #sendPlaced(record: Bytes, signal?: AbortSignal): Promise<void> {
    let way = this.#free();
    while (way === null) {
      await this.#change(signal);
      way = this.#free();
    }
    signal?.throwIfAborted();
    const place = this.#sent++;
    const message = encodePlaced(place, record);
    this.#kept.set(place, { message, way });
    // A connection that has just failed rejects; the record is then resent with the others.
    await way.send("files", message).catch(() => this.#drop());
  }

  /**
   * The connection with the shortest queue; `null` if all are full, or if too many records are in
   * flight.
   */
  #free(): RtcTransport | null {
    if (this.#over) throw new ChannelClosedError();
    if (this.#sent - this.#arrived >= STRIPE_WINDOW) return null;
    const free = this.#ways.filter(({ files }) => files.room);
    free.sort((a, b) => a.files.queued - b.files.queued);
    return free[0] ?? null;
  }

  /** Resolves when `#free` may have a different result. */
  #change(signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const aborted = () => reject(signal?.reason);
      if (signal?.aborted) return aborted();
      signal?.addEventListener("abort", aborted, { once: true });
      this.#waiting.push(() => {
        signal?.removeEventListener("abort", aborted);
        resolve();
      });
    });
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #judge(): void {
    if (this.#taken < FEW) this.#openWhereFar();
    this.#waited = this.#taken = 0;
  }

  /** Sender: sets the other connections up, once. */
  async #openWhereFar(): Promise<void> {
    if (this.#asked || this.#options.keys.role !== "S") return;
    this.#asked = true;
    const roundTrip = await this.#first.roundTrip();
    if (roundTrip === null || roundTrip < FAR_MS) {
      // The round trip may become longer.
      this.#asked = false;
      return;
    }
    try {
      for (let n = 1; n <= STRIPES && !this.#over && !this.#dropped; n++) {
        const { peer, keys } = await this.#make(n);
        await peer.offer((sdp) => keys.signalSealer.seal(HANDSHAKE.offer, sdp));
      }
    } catch {
      // This browser can't open more connections: one has to do.
      this.#drop();
    }
  }

  async #make(n: number): Promise<{ peer: Peer; keys: ConnectionKeys }> {
    const keys = await this.#options.keys.stripe(n);
    if (this.#over || this.#dropped) throw new ChannelClosedError();
    const peer = this.#options.connect({
      keys,
      longest: MAX_PLACED_LENGTH,
      send: (message) => this.#say(encodeStripe(n, message)),
      onBound: (transport) => this.#bound(transport),
      onFailed: (why) => why === "protocol" ? this.#breach() : this.#drop(),
    });
    this.#peers.set(n, peer);
    return { peer, keys };
  }

  #say(message: Bytes): void {
    this.#first.send("control", message).catch(() => {
      // The first connection is gone, and with it the whole transport.
    });
  }

  #bound(way: RtcTransport): void {
    if (this.#over || this.#dropped) return way.close();
    way.listen({
      onMessage: (lane, data) => this.#receive(way, lane, data),
      // A further connection is never recovered: whatever breaks one is likely to break all.
      onState: (state) => state === "up" ? undefined : this.#drop(),
    });
    if (this.#ways.length === 1) this.#first.files.onRoom(() => this.#wake());
    way.files.onRoom(() => this.#wake());
    this.#ways = [...this.#ways, way];
    // Records in flight on the first connection count as well.
    this.#tell();
    this.#wake();
  }

  #receive(way: RtcTransport, lane: Lane, data: unknown): void {
    if (this.#over) return;
    const bytes = toBytes(data, MAX_PLACED_LENGTH);
    if (lane === "files" && bytes?.[0] === RECORD.placed) return this.#receivePlaced(bytes);
    // The further connections carry only records with a place.
    if (way !== this.#first) return this.#breach();
    if (lane === "files") {
      this.#next++;
      this.#handlers?.onMessage(lane, data);
      return this.#deliver();
    }
    switch (bytes?.[0]) {
      case RECORD.stripe:
        this.#turn = this.#turn.then(() => this.#signal(bytes)).catch(() => this.#breach());
        return;
      case RECORD.arrived:
        return this.#heard(bytes);
      default:
        this.#handlers?.onMessage(lane, data);
    }
  }

  async #signal(bytes: Bytes): Promise<void> {
    const n = bytes[1] ?? 0;
    const message = take(bytes, 2, bytes.length - 2);
    if (this.#over || this.#dropped) return;
    if (message[0] !== HANDSHAKE.offer) return await this.#peers.get(n)?.receive(message);
    if (this.#options.keys.role === "S" || n < 1 || n > STRIPES) throw new ProtocolError();
    const { peer, keys } = await this.#make(n);
    await peer.answer(await keys.signalOpener.open(message));
  }

  #receivePlaced(message: Bytes): void {
    const place = placeOf(message);
    if (place === null || place >= this.#next + STRIPE_WINDOW) return this.#breach();
    // A duplicate was resent because the peer could not know that the record had arrived.
    if (place >= this.#next) this.#early.set(place, message.subarray(PLACE_LENGTH));
    this.#deliver();
  }

  #deliver(): void {
    for (;;) {
      const record = this.#early.get(this.#next);
      if (record === undefined || this.#over) break;
      this.#early.delete(this.#next++);
      this.#handlers?.onMessage("files", record);
    }
    const striped = this.#ways.length > 1 || this.#told > 0;
    if (striped && this.#next - this.#told >= ARRIVED_EVERY) this.#tell();
  }

  #tell(): void {
    this.#told = this.#next;
    if (!this.#over) this.#say(encodeArrived(this.#next));
  }

  #heard(message: Bytes): void {
    const place = placeOf(message);
    if (place === null || message.length !== PLACE_LENGTH || place > this.#sent) {
      return this.#breach();
    }
    while (this.#arrived < place) this.#kept.delete(this.#arrived++);
    this.#wake();
  }

  #firstChanged(state: TransportState): void {
    if (state !== "up") this.#drop();
    this.#handlers?.onState(state);
  }

  /**
   * Continues with the first connection alone, and resends on it what the others may not have
   * delivered.
   */
  async #drop(): Promise<void> {
    if (this.#over || this.#dropped) return;
    this.#dropped = true;
    this.#closeOthers();
    const lost = [...this.#kept.values()].filter(({ way }) => way !== this.#first);
    for (const kept of lost) kept.way = this.#first;
    this.#wake();
    try {
      for (const { message } of lost) await this.#first.send("files", message);
    } catch {
      // The whole transport is gone.
    }
  }

  #closeOthers(): void {
    for (const peer of this.#peers.values()) peer.close();
    for (const way of this.#ways.slice(1)) way.close();
    this.#peers.clear();
    this.#ways = [this.#first];
  }

  /** Reports a breach of the protocol: the owner treats a message without bytes as one. */
  #breach(): void {
    if (!this.#over) this.#handlers?.onMessage("control", null);
  }
}
