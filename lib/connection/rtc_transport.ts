/**
 * Two DataChannels of one RTCPeerConnection.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { Bytes } from "../protocol/bytes.ts";
import { type DataChannelLike, FlowChannel } from "./flow_channel.ts";
import { pause } from "./pause.ts";
import { roundTripOf, type Route, routeOf } from "./route.ts";
import type { Lane, Transport, TransportHandlers, TransportState } from "./transport.ts";

/** How long flushing waits at most for the last control records to leave, in ms. */
const LINGER_MS = 1_000;
const LINGER_STEP_MS = 20;

/** The part of an RTCPeerConnection that is used here. */
type Connection = Pick<
  RTCPeerConnection,
  "connectionState" | "onconnectionstatechange" | "close" | "getStats"
>;

type Channel = DataChannelLike & Pick<RTCDataChannel, "onclose" | "onmessage">;

/** The parts of the transport. */
export interface RtcParts {
  readonly pc: Connection;
  readonly control: Channel;
  readonly files: Channel;
}

/** Carries messages from browser to browser. */
export class RtcTransport implements Transport {
  readonly #parts: RtcParts;
  readonly #flow: Readonly<Record<Lane, FlowChannel>>;
  #handlers: TransportHandlers | null = null;
  #over = false;

  /** Takes channels that are open. */
  constructor(parts: RtcParts) {
    const { pc, control, files } = this.#parts = parts;
    this.#flow = { control: new FlowChannel(control), files: new FlowChannel(files) };
    control.onmessage = ({ data }) => this.receive("control", data);
    files.onmessage = ({ data }) => this.receive("files", data);
    control.onclose = files.onclose = () => this.#tell("closed");
    pc.onconnectionstatechange = () => this.#changed();
  }

  listen(handlers: TransportHandlers): void {
    this.#handlers = handlers;
  }

  /** Takes a message that arrived before the channels' handlers were set. */
  receive(lane: Lane, data: unknown): void {
    // An empty message only shows which candidate pair it arrived on: see `Peer.nudge()`.
    if (data instanceof ArrayBuffer && data.byteLength === 0) return;
    this.#handlers?.onMessage(lane, data);
  }

  route(): Promise<Route | null> {
    return routeOf(this.#parts.pc);
  }

  /** The round trip in ms; `null` if the engine does not tell. */
  roundTrip(): Promise<number | null> {
    return roundTripOf(this.#parts.pc);
  }

  /** The lane for files, so that an owner of several transports can choose one with room. */
  get files(): Pick<FlowChannel, "room" | "queued" | "onRoom"> {
    return this.#flow.files;
  }

  send(lane: Lane, message: Bytes, signal?: AbortSignal): Promise<void> {
    return this.#flow[lane].send(message, signal);
  }

  async flush(): Promise<boolean> {
    const { control, pc } = this.#parts;
    for (let waited = 0; waited < LINGER_MS; waited += LINGER_STEP_MS) {
      if (control.bufferedAmount === 0 || control.readyState !== "open") break;
      await pause(LINGER_STEP_MS);
    }
    // An empty queue only means that SCTP has the bytes: WebKit drops them if the connection is
    // closed in the same task.
    if (pc.connectionState === "connected") await pause(LINGER_STEP_MS);
    return false;
  }

  close(): void {
    this.#over = true;
    this.#parts.pc.close();
    this.#flow.control.abandon();
    this.#flow.files.abandon();
  }

  #changed(): void {
    switch (this.#parts.pc.connectionState) {
      case "connected":
        return this.#tell("up");
      case "disconnected":
        return this.#tell("shaky");
      case "failed":
        // ICE can be restarted from this state: the channels, and what they hold, are still good.
        return this.#tell("stuck");
      case "closed":
        return this.#tell("closed");
    }
  }

  #tell(state: TransportState): void {
    if (!this.#over) this.#handlers?.onState(state);
    this.#over ||= state === "closed";
  }
}
