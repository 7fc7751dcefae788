/**
 * Keys of a real handshake, and links between two ends of it without a network.
 *
 * @module
 */
import { SenderHandshake, type SessionKeys, ViewerHandshake } from "../../lib/e2e/handshake.ts";
import { loadKem } from "../../lib/e2e/kem.ts";
import { createLinkSecret, deriveRoom } from "../../lib/e2e/link.ts";
import { randomBytes } from "../../lib/e2e/suite.ts";
import { RtcTransport } from "../../lib/connection/rtc_transport.ts";
import { SecureLink } from "../../lib/connection/secure_link.ts";
import type { Bytes } from "../../lib/protocol/bytes.ts";
import { FakeDataChannel } from "./fake_channel.ts";

/** Both ends of one handshake. */
export interface KeyPair {
  readonly s: SessionKeys;
  readonly r: SessionKeys;
}

/**
 * Runs a handshake whose M4 seals nothing yet: the sender's next message has the sequence number of
 * an offer.
 */
export async function agree(
  fingerprints: { readonly s?: Bytes; readonly r?: Bytes } = {},
): Promise<KeyPair & { confirm(sdp: string): Promise<Bytes> }> {
  const [{ rid, psk }, kem] = await Promise.all([deriveRoom(createLinkSecret()), loadKem()]);
  const link = { room: rid, psk };
  const sender = await SenderHandshake.start({
    link,
    code: null,
    kem,
    fingerprint: fingerprints.s ?? randomBytes(32),
  });
  const viewer = await ViewerHandshake.start({
    secret: link,
    kem,
    fingerprint: fingerprints.r ?? randomBytes(32),
  });
  const m3 = await viewer.receiveHello(await sender.receiveCommit(viewer.commit));
  const s = await sender.receiveHello(m3);
  // The viewer's keys exist once M4 was opened; this is the first sealed message from S for both.
  const { keys: r } = await viewer.receiveConfirmation(await sender.confirm(""));
  return {
    s,
    r,
    confirm: (sdp) => s.signalSealer.seal(0x04, sdp, new Uint8Array(32)),
  };
}

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

/** For tests in which neither the connection's health nor its route matters. */
export const STEADY = {
  onSteady(): void {},
  onAway() {},
  onBreak: () => ({ image: 0, chunk: 0 }),
  onResume(): void {},
};

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
