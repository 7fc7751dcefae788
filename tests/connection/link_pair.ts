/**
 * Links between two ends of a handshake, without a network.
 *
 * @module
 */
import type { SessionKeys } from "../../lib/e2e/handshake.ts";
import { RtcTransport } from "../../lib/connection/rtc_transport.ts";
import { SecureLink } from "../../lib/connection/secure_link.ts";
import { FakeDataChannel } from "./fake_channel.ts";
import { agree, type KeyPair } from "./keys.ts";

/** What a link needs from an RTCPeerConnection. */
export class FakeConnection {
  connectionState: RTCPeerConnectionState = "connected";
  onconnectionstatechange: (() => void) | null = null;
  getStats = (): Promise<RTCStatsReport> => Promise.resolve(new Map());
  closes = 0;
  readonly #channels: readonly FakeDataChannel[];

  constructor(...channels: readonly FakeDataChannel[]) {
    this.#channels = channels;
  }

  become(state: RTCPeerConnectionState): void {
    this.connectionState = state;
    this.onconnectionstatechange?.();
  }

  /** As in a browser: this side's own events don't report it; the other side's channels close. */
  close(): void {
    this.closes++;
    this.connectionState = "closed";
    for (const channel of this.#channels) {
      channel.readyState = "closed";
      const { other } = channel;
      if (other !== null) queueMicrotask(() => other.close());
    }
  }
}

/** One end of a link, with what it runs over. */
export interface LinkEnd {
  readonly link: SecureLink;
  readonly pc: FakeConnection;
  readonly control: FakeDataChannel;
  readonly files: FakeDataChannel;
}

function linkEnd(keys: SessionKeys, control: FakeDataChannel, files: FakeDataChannel): LinkEnd {
  const pc = new FakeConnection(control, files);
  const transport = new RtcTransport({ pc, control, files });
  const link = new SecureLink({ transport, keys });
  return { link, pc, control, files };
}

/** Two links that are bound to each other; an attacker on the path controls the channels. */
export async function linkPair(): Promise<{ s: LinkEnd; r: LinkEnd; keys: KeyPair }> {
  const keys = await agree();
  const [controlS, controlR] = FakeDataChannel.pair();
  const [filesS, filesR] = FakeDataChannel.pair();
  return { s: linkEnd(keys.s, controlS, filesS), r: linkEnd(keys.r, controlR, filesR), keys };
}
