/**
 * A bound connection: it carries sealed control messages and chunk records between exactly the two
 * ends of the handshake. It outlives its transports. On a new transport both ends first report how
 * far they got and continue from there: nothing is lost and nothing arrives twice.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { type Bytes, concat } from "../protocol/bytes.ts";
import type { ControlMessage } from "../protocol/control.ts";
import { SEAT_GRACE_MS } from "../protocol/limits.ts";
import { MAX_RECORD_LENGTH, RECORD } from "../protocol/record.ts";
import {
  ControlOpener,
  ControlSealer,
  encodeControl,
  type OpenedControl,
} from "../e2e/control_record.ts";
import type { Proof, SessionKeys } from "../e2e/handshake.ts";
import { ProtocolError, take } from "../e2e/suite.ts";
import { ChannelClosedError } from "./flow_channel.ts";
import { resolvesWithin } from "./pause.ts";
import type { Route } from "./route.ts";
import type { Lane, Transport, TransportState } from "./transport.ts";

/** How long closing waits for the last control records to be sealed, in ms. */
const LINGER_MS = 1_000;

/**
 * How long closing waits for the peer's own goodbye after this side's, in ms. If the network lost
 * the goodbye, SCTP sends it again after its timeout of at most a second, and once more after
 * twice that.
 */
const GOODBYE_MS = 4_000;

/** How long the peer's page has to answer a probe, in ms. A slow round trip, and a busy page. */
const PROBE_MS = 1_500;

/** Most messages that may be held while a transport's first message is verified: 4 MiB. */
const MAX_HELD = 64;

/**
 * `11 ‖ k u32 ‖ control u32 ‖ image u32 ‖ chunk u32`, followed by a MAC of 32 bytes: the first
 * message on each further transport.
 */
const REBIND_LENGTH = 1 + 4 * 4;
const TAG_LENGTH = 32;

/** `15 ‖ n u32` asks whether the peer's page is there, `16 ‖ n u32` answers; then the same MAC. */
const PROBE_LENGTH = 1 + 4;

/**
 * Why a link ended. `lost`: nothing got through for two minutes, or recovery became impossible.
 * `protocol`: the peer broke the protocol.
 */
export type LinkEnd = "lost" | "protocol";

/** The next chunk that is expected: all before it have arrived. */
export interface Position {
  readonly image: number;
  readonly chunk: number;
}

/** Callbacks of a link; set once, before anything can arrive. */
export interface LinkHandlers {
  /** The next control message, in order. Throwing ends the link. */
  onControl(opened: OpenedControl): void | Promise<void>;
  /** The next record of the file channel, in order. Throwing ends the link. */
  onRecord(record: Bytes): void;
  /**
   * The peer stopped answering, or answers again. `onEnd` follows if it stays silent for two
   * minutes.
   */
  onSteady(steady: boolean): void;
  /**
   * The peer's page closed the transport without a goodbye message: it was closed or is being
   * reloaded.
   */
  onAway(): void;
  /**
   * The transport is gone. Returns the next chunk that is expected, and discards chunks that
   * arrived out of order.
   */
  onBreak(): Position;
  /** A new transport is in use; the peer expects this chunk of this side's next. */
  onResume(position: Position): void;
  /** Called once; no callback follows. */
  onEnd(why: LinkEnd): void;
}

/** Receives the state of the transport in use, in order to repair it. */
export type Watcher = (state: TransportState) => void;

/** Settings of a {@linkcode SecureLink}. */
export interface LinkOptions {
  readonly keys: SessionKeys;
  /**
   * A transport on which both bindings are verified. Without one, {@linkcode SecureLink.move}
   * provides the first.
   */
  readonly transport?: Transport;
}

/** Sends and receives over a succession of transports. */
export class SecureLink {
  readonly sas: Bytes;
  /** What the viewer used as proof. */
  readonly by: Proof;
  /** This session had another link before one of the pages was reloaded. */
  readonly resumed: boolean;
  readonly #keys: SessionKeys;
  readonly #sealer: ControlSealer;
  readonly #opener: ControlOpener;
  /** All control records ever sealed, by number: a few hundred, of a few hundred bytes each. */
  readonly #log: Bytes[] = [];
  #transport: Transport | null = null;
  /** The next transport, which waits for the peer's first message. */
  #next: Transport | null = null;
  /**
   * The previous transport. It is closed only after the peer has left it too: the peer would take
   * an earlier close for the end of the connection.
   */
  #last: Transport | null = null;
  #handlers: LinkHandlers | null = null;
  #watcher: Watcher | null = null;
  #sending: Promise<void> = Promise.resolve();
  #receiving: Promise<void> = Promise.resolve();
  #ended = false;
  #steady = true;
  /** This side said goodbye; resolved once the peer did so as well, or can't any more. */
  #saidGoodbye = false;
  readonly #goodbye = Promise.withResolvers<void>();
  /** The probes sent so far, and what resolves when the last one is answered. */
  #probes = 0;
  #answered = Promise.withResolvers<void>();
  #grace: ReturnType<typeof setTimeout> | undefined;

  constructor({ keys, transport }: LinkOptions) {
    this.#keys = keys;
    this.sas = keys.sas;
    this.by = keys.by;
    this.resumed = keys.resumed;
    this.#sealer = new ControlSealer(keys.controlOut);
    this.#opener = new ControlOpener(keys.controlIn);
    if (transport !== undefined) this.#listenTo(transport);
  }

  /**
   * Sets the handlers. Has to be called synchronously when the link is handed over, or messages are
   * lost.
   */
  listen(handlers: LinkHandlers): void {
    this.#handlers = handlers;
  }

  /** Sets the watcher of the transport's state. */
  watch(watcher: Watcher): void {
    this.#watcher = watcher;
  }

  /** True once the link has ended. */
  get ended(): boolean {
    return this.#ended;
  }

  /** False while nothing gets through to the peer. */
  get steady(): boolean {
    return this.#steady;
  }

  /**
   * Moves to the `k`-th transport. Each side first sends its position there, and nothing else
   * before it has the peer's. Resolves to true once both positions are known, and to false if this
   * transport was given up or the link ended before. `ready` is called just before any later
   * message is read. The previous transport is ignored at once.
   */
  async move(transport: Transport, k: number, ready: () => void = () => {}): Promise<boolean> {
    if (this.#ended) return false;
    const first = this.#handlers === null;
    this.#last ??= this.#transport;
    this.#transport = null;
    this.#next?.close();
    this.#next = transport;
    this.#setSteady(false);
    const due = Promise.withResolvers<Bytes | null>();
    const held: Held[] = [];
    let heard = false;
    transport.listen({
      onMessage: (lane, data) => {
        if (heard) {
          if (held.length >= MAX_HELD) return this.#end("protocol");
          const opened = Promise.withResolvers<void>();
          held.push({ lane, data, opened });
          return opened.promise;
        }
        heard = true;
        due.resolve(lane === "control" ? toBytes(data) : null);
      },
      onState: (state) => this.#changed(transport, state),
    });
    // Sent after all earlier messages were opened, because they count for the position.
    const told = this.#receiving = this.#receiving.then(async () => {
      if (transport !== this.#next) return;
      const position = this.#handlers?.onBreak() ?? { image: 0, chunk: 0 };
      const head = encodeHead(k, this.#opener.next, position);
      await transport.send("control", concat(head, await this.#keys.bindAgain(head)));
    }).catch(() => {
      // The transport failed at once; the watcher is told.
    });
    await told;
    try {
      const position = await this.#verify(await due.promise, k);
      if (transport !== this.#next || this.#ended) return false;
      this.#next = null;
      this.#last?.close();
      this.#last = null;
      this.#listenTo(transport);
      ready();
      this.#goOn(transport, first ? null : position);
      // Later messages are read only now.
      for (const { lane, data, opened } of held) {
        opened.resolve(this.#receive(transport, lane, data));
      }
      return true;
    } catch {
      if (transport === this.#next) this.#end("protocol");
      return false;
    }
  }

  /**
   * Seals and sends a control message, after all earlier ones. Resolves to its plaintext once the
   * record was handed to the transport, or is kept for the next one. Rejects if the link has ended.
   */
  sendControl(message: ControlMessage): Promise<Bytes> {
    const plaintext = encodeControl(message);
    this.#saidGoodbye ||= message.t === "bye";
    const sent = this.#sending.then(async () => {
      if (this.#ended && this.#transport === null) throw new ChannelClosedError();
      const record = await this.#sealer.seal(plaintext);
      this.#log.push(record);
      await this.#pass(record);
    });
    // A failure must not keep the next message from being sent, or from reporting its own failure.
    this.#sending = sent.catch(() => {});
    return sent.then(() => plaintext);
  }

  /**
   * Sends a chunk record as soon as there is room. Rejects if the transport is gone or `signal`
   * aborts.
   */
  async sendRecord(record: Bytes, signal?: AbortSignal): Promise<void> {
    if (this.#transport === null) throw new ChannelClosedError();
    await this.#transport.send("files", record, signal);
  }

  /** The route in use; `null` if it is unknown. */
  async route(): Promise<Route | null> {
    return await this.#transport?.route() ?? null;
  }

  /**
   * Whether the peer's page answers on this link, which only the peer can do. Asks it, unless
   * nothing gets through anyway.
   */
  async answers(): Promise<boolean> {
    const transport = this.#transport;
    if (this.#ended || !this.#steady || transport === null) return false;
    const probe = encodeProbe(RECORD.probe, ++this.#probes);
    this.#answered = Promise.withResolvers();
    const { promise } = this.#answered;
    try {
      await transport.send("control", concat(probe, await this.#keys.bindAgain(probe)));
    } catch {
      return false;
    }
    return await resolvesWithin(promise, PROBE_MS);
  }

  /** Ends the link as lost, once what has arrived is opened: it may be a goodbye. */
  giveUp(): void {
    this.#receiving.then(() => this.#end("lost"));
  }

  /**
   * Ends the link at once, without a goodbye message: another one takes its place. No callback is
   * called afterwards.
   */
  drop(): void {
    this.#ended = true;
    clearTimeout(this.#grace);
    this.#dropTransports();
  }

  /** Ends the link because the peer broke the protocol. */
  reject(): void {
    this.#end("protocol");
  }

  /**
   * Closes once everything that was sent has left, and a goodbye was answered by the peer's; after
   * at most six seconds. Idempotent; `onEnd` is not called.
   */
  async close(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#grace);
    // On a dead route the queue would never drain.
    await resolvesWithin(this.#sending, LINGER_MS);
    const opened = await this.#transport?.flush() ?? true;
    // Closing now would take back what the network lost, and the peer would read "lost".
    if (!opened && this.#saidGoodbye) await resolvesWithin(this.#goodbye.promise, GOODBYE_MS);
    this.#dropTransports();
  }

  #listenTo(transport: Transport): void {
    this.#transport = transport;
    transport.listen({
      onMessage: (lane, data) => this.#receive(transport, lane, data),
      onState: (state) => this.#changed(transport, state),
    });
  }

  /**
   * Resends the control records that the peer has not received; records sealed from now on follow.
   */
  #goOn(transport: Transport, position: Head | null): void {
    const missed = this.#log.slice(position?.control ?? 0);
    this.#sending = this.#sending.then(async () => {
      for (const record of missed) await this.#pass(record);
    }).catch(() => {});
    this.#sending.then(() => {
      if (this.#transport !== transport) return;
      this.#setSteady(true);
      if (position !== null) this.#handlers?.onResume(position);
    });
  }

  async #pass(record: Bytes): Promise<void> {
    const transport = this.#transport;
    try {
      await transport?.send("control", record);
    } catch (error) {
      // The record is in the log, for the next transport.
      if (this.#ended) throw error;
      if (transport === this.#transport && !(error instanceof ChannelClosedError)) {
        this.#end("lost");
      }
    }
  }

  async #verify(message: Bytes | null, k: number): Promise<Head> {
    if (message?.length !== REBIND_LENGTH + TAG_LENGTH) throw new ProtocolError();
    const head = take(message, 0, REBIND_LENGTH);
    if (!await this.#keys.verifyAgain(head, take(message, REBIND_LENGTH, TAG_LENGTH))) {
      throw new ProtocolError();
    }
    const view = new DataView(head.buffer);
    const [number, control, image, chunk] = [1, 5, 9, 13].map((at) => view.getUint32(at));
    if (head[0] !== RECORD.rebind || number !== k || (control ?? 0) > this.#log.length) {
      throw new ProtocolError();
    }
    return { control: control ?? 0, image: image ?? 0, chunk: chunk ?? 0 };
  }

  /** Resolves, if it takes a while, once the message was opened and handled. */
  #receive(transport: Transport, lane: Lane, data: unknown): void | Promise<void> {
    if (transport !== this.#transport) return;
    const bytes = toBytes(data);
    if (lane === "files") return bytes === null ? this.reject() : this.#receiveRecord(bytes);
    // Opening is asynchronous, but has to keep the order: the nonces are counters.
    return this.#receiving = this.#receiving.then(async () => {
      if (this.#over) return;
      try {
        if (bytes === null) throw new ProtocolError();
        await this.#open(transport, bytes);
      } catch {
        this.#end("protocol");
      }
    });
  }

  /** Ended, and not waiting for the peer's goodbye either. */
  get #over(): boolean {
    return this.#ended && this.#transport === null;
  }

  async #open(transport: Transport, bytes: Bytes): Promise<void> {
    if (bytes[0] === RECORD.probe || bytes[0] === RECORD.alive) {
      return await this.#receiveProbe(transport, bytes);
    }
    const opened = await this.#opener.open(bytes);
    if (opened.message.t === "bye") this.#goodbye.resolve();
    if (!this.#ended) await this.#handlers?.onControl(opened);
  }

  async #receiveProbe(transport: Transport, message: Bytes): Promise<void> {
    if (message.length !== PROBE_LENGTH + TAG_LENGTH) throw new ProtocolError();
    const head = take(message, 0, PROBE_LENGTH);
    if (!await this.#keys.verifyAgain(head, take(message, PROBE_LENGTH, TAG_LENGTH))) {
      throw new ProtocolError();
    }
    const n = new DataView(head.buffer).getUint32(1);
    // The answer to an earlier probe says nothing about now.
    if (head[0] === RECORD.alive) return n === this.#probes ? this.#answered.resolve() : undefined;
    // A page that is leaving is no longer there for its peer.
    if (this.#ended) return;
    const answer = encodeProbe(RECORD.alive, n);
    // Not awaited: the lane may be full, and the messages after this one must not wait for that.
    transport.send("control", concat(answer, await this.#keys.bindAgain(answer))).catch(() => {
      // The transport is gone, and the answer with it.
    });
  }

  #receiveRecord(record: Bytes): void {
    if (this.#ended) return;
    try {
      this.#handlers?.onRecord(record);
    } catch {
      this.#end("protocol");
    }
  }

  #changed(transport: Transport, state: TransportState): void {
    if (transport === this.#transport) this.#setSteady(state === "up");
    if (state !== "closed") return this.#tell(transport, state);
    // What arrived before is opened before: a goodbye may be among it.
    this.#receiving = this.#receiving.then(() => this.#tell(transport, state));
  }

  #tell(transport: Transport, state: TransportState): void {
    if (transport !== this.#transport && transport !== this.#next) return;
    if (this.#ended) {
      // Nothing is repaired any more, so no goodbye will follow.
      if (state === "closed" || state === "stuck") this.#goodbye.resolve();
      return;
    }
    if (state === "closed") this.#handlers?.onAway();
    this.#watcher?.(state);
  }

  #setSteady(steady: boolean): void {
    if (this.#ended || steady === this.#steady) return;
    this.#steady = steady;
    clearTimeout(this.#grace);
    if (!steady) this.#grace = setTimeout(() => this.#end("lost"), SEAT_GRACE_MS);
    this.#handlers?.onSteady(steady);
  }

  #end(why: LinkEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#grace);
    this.#dropTransports();
    this.#handlers?.onEnd(why);
  }

  #dropTransports(): void {
    for (const transport of [this.#transport, this.#next, this.#last]) transport?.close();
    this.#transport = this.#next = this.#last = null;
  }
}

/** A message that waits until the first one of its transport is verified. */
interface Held {
  readonly lane: Lane;
  readonly data: unknown;
  /** Resolved once it was opened. */
  readonly opened: PromiseWithResolvers<void>;
}

interface Head extends Position {
  /** The next control record that is expected. */
  readonly control: number;
}

function encodeHead(k: number, control: number, { image, chunk }: Position): Bytes {
  const head = new Uint8Array(REBIND_LENGTH);
  const view = new DataView(head.buffer);
  head[0] = RECORD.rebind;
  for (const [i, value] of [k, control, image, chunk].entries()) view.setUint32(1 + 4 * i, value);
  return head;
}

function encodeProbe(type: number, n: number): Bytes {
  const head = new Uint8Array(PROBE_LENGTH);
  head[0] = type;
  new DataView(head.buffer).setUint32(1, n);
  return head;
}

/** The bytes of a channel's message; `null` for text and for anything longer than `longest`. */
export function toBytes(data: unknown, longest = MAX_RECORD_LENGTH): Bytes | null {
  if (data instanceof ArrayBuffer) return within(new Uint8Array(data), longest);
  return data instanceof Uint8Array && data.buffer instanceof ArrayBuffer
    ? within(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), longest)
    : null;
}

function within(bytes: Bytes, longest: number): Bytes | null {
  return bytes.length <= longest ? bytes : null;
}
