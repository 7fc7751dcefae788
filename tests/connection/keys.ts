/**
 * Keys of a real handshake. Pages use this too: nothing here may need a server.
 *
 * @module
 */
import { SenderHandshake, type SessionKeys, ViewerHandshake } from "../../lib/e2e/handshake.ts";
import { loadKem } from "../../lib/e2e/kem.ts";
import { createLinkSecret, deriveRoom } from "../../lib/e2e/link.ts";
import { randomBytes } from "../../lib/e2e/suite.ts";
import type { Bytes } from "../../lib/protocol/bytes.ts";

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

/** For tests in which neither the connection's health nor its route matters. */
export const STEADY = {
  onSteady(): void {},
  onAway() {},
  onBreak: () => ({ image: 0, chunk: 0 }),
  onResume(): void {},
};
