/**
 * A bound connection: sealed control messages and chunk records between exactly the two ends of the handshake.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { Bytes } from "../protocol/bytes.ts";
import type { ControlMessage } from "../protocol/control.ts";
import { MODE } from "../protocol/handshake.ts";
import { MAX_RECORD_LENGTH } from "../protocol/record.ts";
import {
  ControlOpener,
  ControlSealer,
  encodeControl,
  type OpenedControl,
} from "../e2e/control_record.ts";
import type { SessionKeys } from "../e2e/handshake.ts";
import { type DataChannelLike, FlowChannel } from "./flow_channel.ts";

/** Chromium reports `disconnected` after 2–5 s without an answer; this much more may pass before it counts as lost. */
const DISCONNECT_GRACE_MS = 6_000;

/** How long closing waits until the last control records have left. */
const LINGER_MS = 1_000;
const LINGER_STEP_MS = 20;

/** Why a link ended: either side closed it, the network did, or the other side broke the protocol. */
export type LinkEnd = "closed" | "lost" | "protocol";

/** What the owner of a link is told; set once, before anything can arrive. */
export interface LinkHandlers {
  /** Next control message, in order. Throwing {@linkcode ProtocolError} ends the link. */
  onControl(opened: OpenedControl): void | Promise<void>;
  /** Next record of the file channel, in order. Throwing ends the link. */
  onRecord(record: Bytes): void;
  /** The other side does not answer, or answers again; `onEnd` follows where it stays silent. */
  onSteady(steady: boolean): void;
  /** Called once; nothing follows. */
  onEnd(why: LinkEnd): void;
}

/** What is needed of an RTCPeerConnection. */
type Connection = Pick<RTCPeerConnection, "connectionState" | "onconnectionstatechange" | "close">;

type Channel = DataChannelLike & Pick<RTCDataChannel, "onclose">;

/** The parts that make a link. */
export interface LinkParts {
  readonly pc: Connection;
  readonly control: Channel;
  readonly files: Channel;
  readonly keys: SessionKeys;
}

/** Sends and receives on the two channels after the binding was verified. */
export class SecureLink {
  readonly sas: Bytes;
  /** By what the viewer proved himself. */
  readonly by: "link" | "code";
  readonly #parts: LinkParts;
  readonly #sealer: ControlSealer;
  readonly #opener: ControlOpener;
  readonly #controlFlow: FlowChannel;
  readonly #filesFlow: FlowChannel;
  #handlers: LinkHandlers | null = null;
  #sending: Promise<void> = Promise.resolve();
  #receiving: Promise<void> = Promise.resolve();
  #ended = false;
  #disconnected: ReturnType<typeof setTimeout> | undefined;

  constructor(parts: LinkParts) {
    this.#parts = parts;
    this.sas = parts.keys.sas;
    this.by = parts.keys.mode === MODE.code ? "code" : "link";
    this.#sealer = new ControlSealer(parts.keys.controlOut);
    this.#opener = new ControlOpener(parts.keys.controlIn);
    this.#controlFlow = new FlowChannel(parts.control);
    this.#filesFlow = new FlowChannel(parts.files);
    parts.control.onclose = () => this.#end("closed");
    parts.files.onclose = () => this.#end("closed");
    parts.pc.onconnectionstatechange = () => this.#connectionChanged();
  }

  /** Says who listens; has to be called in the turn in which the link was handed over, or messages are lost. */
  listen(handlers: LinkHandlers): void {
    this.#handlers = handlers;
  }

  /** Takes a message of either channel; called by whoever owns the channels' `onmessage`. */
  receive(channel: "control" | "files", data: unknown): void {
    if (this.#ended) return;
    const bytes = toBytes(data);
    if (bytes === null) return this.#end("protocol");
    if (channel === "files") return this.#receiveRecord(bytes);
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

  /**
   * Seals and sends a control message, after all that were sent before. Resolves to its plaintext when it was handed
   * to the channel. Rejects when the link is gone.
   */
  sendControl(message: ControlMessage): Promise<Bytes> {
    const plaintext = encodeControl(message);
    const sent = this.#sending.then(async () => {
      await this.#controlFlow.send(await this.#sealer.seal(plaintext));
    });
    // One that could not be sent must not keep the next one from saying so itself.
    this.#sending = sent.catch(() => {});
    return sent.then(() => plaintext);
  }

  /** Sends a chunk record as soon as the queue has room. Rejects when the link is gone or `signal` aborts. */
  sendRecord(record: Bytes, signal?: AbortSignal): Promise<void> {
    return this.#filesFlow.send(record, signal);
  }

  /** Closes after everything that was sent has left, at most a second later. Idempotent; `onEnd` is not called. */
  async close(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#disconnected);
    // A queue on a dead path would never drain.
    await Promise.race([this.#sending, pause(LINGER_MS)]);
    const { control, pc } = this.#parts;
    for (let waited = 0; waited < LINGER_MS; waited += LINGER_STEP_MS) {
      if (control.bufferedAmount === 0 || control.readyState !== "open") break;
      await pause(LINGER_STEP_MS);
    }
    // An empty queue only says that the bytes went to SCTP: WebKit drops them when it closes in the same turn.
    await pause(LINGER_STEP_MS * 5);
    pc.close();
  }

  #receiveRecord(record: Bytes): void {
    try {
      this.#handlers?.onRecord(record);
    } catch {
      this.#end("protocol");
    }
  }

  #connectionChanged(): void {
    const state = this.#parts.pc.connectionState;
    clearTimeout(this.#disconnected);
    if (this.#ended) return;
    if (state === "connected" || state === "disconnected") {
      this.#handlers?.onSteady(state === "connected");
    }
    if (state === "failed") this.#end("lost");
    if (state === "closed") this.#end("closed");
    if (state === "disconnected") {
      this.#disconnected = setTimeout(() => this.#end("lost"), DISCONNECT_GRACE_MS);
    }
  }

  #end(why: LinkEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    clearTimeout(this.#disconnected);
    this.#parts.pc.close();
    this.#handlers?.onEnd(why);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** The bytes of a channel's message; `null` for text, and for more than the longest record has. */
export function toBytes(data: unknown): Bytes | null {
  if (data instanceof ArrayBuffer) return withinRecord(new Uint8Array(data));
  return data instanceof Uint8Array && data.buffer instanceof ArrayBuffer
    ? withinRecord(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
    : null;
}

function withinRecord(bytes: Bytes): Bytes | null {
  return bytes.length <= MAX_RECORD_LENGTH ? bytes : null;
}
