/**
 * A bound connection: sealed control messages and chunk records between exactly the two ends of the
 * handshake. It outlives what carries it: on another transport both ends say first how far they
 * got, and go on there, with nothing lost and nothing twice.
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
import { pause } from "./pause.ts";
import type { Route } from "./route.ts";
import type { Lane, Transport, TransportState } from "./transport.ts";

/** How long closing waits until the last control records were sealed. */
const LINGER_MS = 1_000;

/** Messages that may wait behind a binding under way: 4 MiB. */
const MAX_HELD = 64;

/**
 * `11 ‖ k u32 ‖ control u32 ‖ image u32 ‖ chunk u32`: what a further transport begins with, and a
 * MAC of 32 bytes behind it.
 */
const REBIND_LENGTH = 1 + 4 * 4;
const TAG_LENGTH = 32;

/** Why a link ended: nothing came through for two minutes, or the other side broke the protocol. */
export type LinkEnd = "lost" | "protocol";

/** The chunk that has to come next: all before it are here. */
export interface Position {
  readonly image: number;
  readonly chunk: number;
}

/** What the owner of a link is told; set once, before anything can arrive. */
export interface LinkHandlers {
  /** Next control message, in order. Throwing {@linkcode ProtocolError} ends the link. */
  onControl(opened: OpenedControl): void | Promise<void>;
  /** Next record of the file channel, in order. Throwing ends the link. */
  onRecord(record: Bytes): void;
  /**
   * The other side does not answer, or answers again; `onEnd` follows where it stays silent for two
   * minutes.
   */
  onSteady(steady: boolean): void;
  /**
   * The other side's page closed what carried the records, without a goodbye: it is closed, or
   * being loaded again.
   */
  onAway(): void;
  /**
   * What carried the records is gone: says which chunk has to come next, and forgets what has no
   * place yet.
   */
  onBreak(): Position;
  /** Another transport is there; the other side waits for this chunk of this side's. */
  onResume(position: Position): void;
  /** Called once; nothing follows. */
  onEnd(why: LinkEnd): void;
}

/** Hears how the transport in use is doing, to repair it. */
export type Watcher = (state: TransportState) => void;

/** Settings of a {@linkcode SecureLink}. */
export interface LinkOptions {
  readonly keys: SessionKeys;
  /**
   * One on which both bindings were verified; without, {@linkcode SecureLink.move} brings the
   * first.
   */
  readonly transport?: Transport;
}

/** Sends and receives on one transport after the other. */
export class SecureLink {
  readonly sas: Bytes;
  /** By what the viewer proved himself. */
  readonly by: Proof;
  /** Another link of this session was there before, with a page that was loaded again since. */
  readonly again: boolean;
  readonly #keys: SessionKeys;
  readonly #sealer: ControlSealer;
  readonly #opener: ControlOpener;
  /** All that was ever sealed, by number: a few hundred records of some hundred bytes. */
  readonly #log: Bytes[] = [];
  #transport: Transport | null = null;
  /** One that waits for the other side's word. */
  #next: Transport | null = null;
  /**
   * The one before: closed only when the other side has left it as well, which would take it for
   * the end.
   */
  #last: Transport | null = null;
  #handlers: LinkHandlers | null = null;
  #watcher: Watcher | null = null;
  #sending: Promise<void> = Promise.resolve();
  #receiving: Promise<void> = Promise.resolve();
  #ended = false;
  #steady = true;
  #grace: ReturnType<typeof setTimeout> | undefined;

  constructor({ keys, transport }: LinkOptions) {
    this.#keys = keys;
    this.sas = keys.sas;
    this.by = keys.by;
    this.again = keys.again;
    this.#sealer = new ControlSealer(keys.controlOut);
    this.#opener = new ControlOpener(keys.controlIn);
    if (transport !== undefined) this.#listenTo(transport);
  }

  /**
   * Says who listens; has to be called in the turn in which the link was handed over, or messages
   * are lost.
   */
  listen(handlers: LinkHandlers): void {
    this.#handlers = handlers;
  }

  /** Says who is to hear how the transport is doing. */
  watch(watcher: Watcher): void {
    this.#watcher = watcher;
  }

  /** True once nothing more comes of it. */
  get ended(): boolean {
    return this.#ended;
  }

  /** False while nothing gets through. */
  get steady(): boolean {
    return this.#steady;
  }

  /**
   * Goes on with the `k`-th transport, which says nothing before the other side has said where it
   * is. Resolves when both have, to false where this one was given up before; `ready` is called
   * just before anything behind that is looked at. What the transport before it carried is over at
   * once.
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
    const held: { lane: Lane; data: unknown }[] = [];
    let heard = false;
    transport.listen({
      onMessage: (lane, data) => {
        if (heard) {
          return void (held.length < MAX_HELD ? held.push({ lane, data }) : this.#end("protocol"));
        }
        heard = true;
        due.resolve(lane === "control" ? toBytes(data) : null);
      },
      onState: (state) => this.#changed(transport, state),
    });
    // Behind all that came before and is still being read: it counts.
    const told = this.#receiving = this.#receiving.then(async () => {
      if (transport !== this.#next) return;
      const position = this.#handlers?.onBreak() ?? { image: 0, chunk: 0 };
      const head = encodeHead(k, this.#opener.next, position);
      await transport.send("control", concat(head, await this.#keys.bindAgain(head)));
    }).catch(() => {
      // It went at once: whoever repairs hears of it.
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
      // Only now is anything behind it looked at.
      for (const { lane, data } of held) this.#receive(transport, lane, data);
      return true;
    } catch {
      if (transport === this.#next) this.#end("protocol");
      return false;
    }
  }

  /**
   * Seals and sends a control message, after all that were sent before. Resolves to its plaintext
   * when it was handed to the transport, or will be to the next one. Rejects when the link is gone.
   */
  sendControl(message: ControlMessage): Promise<Bytes> {
    const plaintext = encodeControl(message);
    const sent = this.#sending.then(async () => {
      if (this.#ended && this.#transport === null) throw new ChannelClosedError();
      const record = await this.#sealer.seal(plaintext);
      this.#log.push(record);
      await this.#pass(record);
    });
    // One that could not be sent must not keep the next one from saying so itself.
    this.#sending = sent.catch(() => {});
    return sent.then(() => plaintext);
  }

  /**
   * Sends a chunk record as soon as there is room. Rejects when what carries it is gone, or
   * `signal` aborts.
   */
  async sendRecord(record: Bytes, signal?: AbortSignal): Promise<void> {
    if (this.#transport === null) throw new ChannelClosedError();
    await this.#transport.send("files", record, signal);
  }

  /** Which way it goes now; `null` where nobody can tell. */
  async route(): Promise<Route | null> {
    return await this.#transport?.route() ?? null;
  }

  /** Ends it where no repair helps. */
  giveUp(): void {
    this.#end("lost");
  }

  /**
   * Ends it at once and without a word: another one takes its place. Nothing is called afterwards.
   */
  drop(): void {
    this.#ended = true;
    clearTimeout(this.#grace);
    this.#dropTransports();
  }

  /** Ends it because of what the other side said. */
  reject(): void {
    this.#end("protocol");
  }

  /**
   * Closes after everything that was sent has left, at most two seconds later. Idempotent; `onEnd`
   * is not called.
   */
  async close(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#grace);
    // A queue on a dead path would never drain.
    await Promise.race([this.#sending, pause(LINGER_MS)]);
    await this.#transport?.flush();
    this.#dropTransports();
  }

  #listenTo(transport: Transport): void {
    this.#transport = transport;
    transport.listen({
      onMessage: (lane, data) => this.#receive(transport, lane, data),
      onState: (state) => this.#changed(transport, state),
    });
  }

  /** What the other side has not heard goes first; whatever is sealed from now on follows. */
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
      // It is in the log, for the next one.
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

  #receive(transport: Transport, lane: Lane, data: unknown): void {
    if (this.#ended || transport !== this.#transport) return;
    const bytes = toBytes(data);
    if (bytes === null) return this.#end("protocol");
    if (lane === "files") return this.#receiveRecord(bytes);
    // Opening is asynchronous, and order is what the records' nonces count.
    this.#receiving = this.#receiving.then(async () => {
      if (this.#ended) return;
      try {
        await this.#handlers?.onControl(await this.#opener.open(bytes));
      } catch {
        this.#end("protocol");
      }
    });
  }

  #receiveRecord(record: Bytes): void {
    try {
      this.#handlers?.onRecord(record);
    } catch {
      this.#end("protocol");
    }
  }

  #changed(transport: Transport, state: TransportState): void {
    if (this.#ended || (transport !== this.#transport && transport !== this.#next)) return;
    if (transport === this.#transport) this.#setSteady(state === "up");
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

interface Head extends Position {
  /** The control record that has to come next. */
  readonly control: number;
}

function encodeHead(k: number, control: number, { image, chunk }: Position): Bytes {
  const head = new Uint8Array(REBIND_LENGTH);
  const view = new DataView(head.buffer);
  head[0] = RECORD.rebind;
  for (const [i, value] of [k, control, image, chunk].entries()) view.setUint32(1 + 4 * i, value);
  return head;
}

/** The bytes of a channel's message; `null` for text, and for more than the longest record has. */
export function toBytes(data: unknown, longest = MAX_RECORD_LENGTH): Bytes | null {
  if (data instanceof ArrayBuffer) return within(new Uint8Array(data), longest);
  return data instanceof Uint8Array && data.buffer instanceof ArrayBuffer
    ? within(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), longest)
    : null;
}

function within(bytes: Bytes, longest: number): Bytes | null {
  return bytes.length <= longest ? bytes : null;
}
