/**
 * The page of peer_browser_test.ts: two peers of lib/connection in one page, and between them what
 * the test asks for.
 *
 * @module
 */
import { createIdentity, type Identity, Peer } from "../../lib/connection/peer.ts";
import { SecureLink } from "../../lib/connection/secure_link.ts";
import type { SessionKeys } from "../../lib/e2e/handshake.ts";
import type { Bytes } from "../../lib/protocol/bytes.ts";
import { HANDSHAKE } from "../../lib/protocol/handshake.ts";
import { agree, STEADY } from "./keys.ts";

/** How the viewer's side differs from an honest one. */
export type Cheat =
  | "none"
  /** A certificate of their own, named in the SDP. */
  | "other certificate"
  /** The same, but the SDP claims the certificate of the handshake. */
  | "other certificate, honest SDP"
  /** The relay changes one bit of the answer. */
  | "changed answer";

/** The result. */
export interface Meeting {
  readonly bound: readonly [sender: boolean, viewer: boolean];
  readonly failures: readonly string[];
  readonly refused: number;
}

/** The result of a transfer. */
export interface Transfer {
  readonly received: number;
  readonly inOrder: boolean;
  readonly mostBuffered: number;
  /** Control messages that arrived before the last record did. */
  readonly controlBefore: number;
  readonly ends: readonly string[];
}

/** What a test may ask for. */
export interface PeerHarness {
  meet(cheat: Cheat): Promise<Meeting>;
  /** Sends `count` records, followed by one control message. */
  transfer(count: number, size: number): Promise<Transfer>;
  /**
   * Leaves from one side. Resolves to why the other one's link ended, and the last message that it
   * received.
   */
  leave(): Promise<{ why: string; heard: number }>;
}

declare global {
  var peers: PeerHarness;
}

/** The offer in M4 follows a MAC. */
const OFFER_AT = 2 + 32;

let links: { s: SecureLink; r: SecureLink } | null = null;

async function cheatingIdentity(honest: Identity, cheat: Cheat): Promise<Identity> {
  if (cheat === "none" || cheat === "changed answer") return honest;
  const { certificate } = await createIdentity();
  return { certificate, fingerprint: honest.fingerprint };
}

function hex(fingerprint: Bytes): string {
  return Array.from(fingerprint, (byte) => byte.toString(16).padStart(2, "0").toUpperCase())
    .join(":");
}

globalThis.peers = {
  async meet(cheat) {
    const [s, honest] = await Promise.all([createIdentity(), createIdentity()]);
    const keys = await agree({ s: s.fingerprint, r: honest.fingerprint });
    const r = await cheatingIdentity(honest, cheat);
    const bound: { s?: SecureLink; r?: SecureLink } = {};
    const failures: string[] = [];
    let refused = 0;
    const over = Promise.withResolvers<void>();
    // Made before either is used: each sends to the other.
    const make = (identity: Identity, own: SessionKeys, send: (message: Bytes) => void) =>
      new Peer({
        identity,
        keys: own,
        iceServers: [],
        send,
        onBound: (transport) => {
          bound[own.role === "S" ? "s" : "r"] = new SecureLink({ keys: own, transport });
          if (bound.s !== undefined && bound.r !== undefined) over.resolve();
        },
        onFailed: (why) => {
          failures.push(why);
          over.resolve();
        },
      });
    let turn: Promise<void> = Promise.resolve();
    const queue = (step: () => Promise<void>) => {
      turn = turn.then(step).catch(() => {
        refused++;
        over.resolve();
      });
    };
    const sender: Peer = make(s, keys.s, (message) => {
      queue(async () => {
        if (message[0] !== HANDSHAKE.offer) return await viewer.receive(message);
        await viewer.answer(await keys.r.signalOpener.open(message, OFFER_AT));
      });
    });
    const claim = async (answer: Bytes) => {
      const sdp = (await keys.s.signalOpener.open(answer)).replace(
        /^(a=fingerprint:sha-256 ).*$/m,
        (_, name) => name + hex(honest.fingerprint),
      );
      return sdp;
    };
    const viewer: Peer = make(r, keys.r, (message) => {
      queue(async () => {
        if (message[0] === HANDSHAKE.answer && cheat === "changed answer") {
          return await sender.receive(message.with(50, (message[50] ?? 0) ^ 1));
        }
        if (message[0] !== HANDSHAKE.answer || cheat !== "other certificate, honest SDP") {
          return await sender.receive(message);
        }
        // The attacker has the keys and can seal anything; here the harness does it for them.
        const sdp = await claim(message);
        const open = keys.s.signalOpener.open.bind(keys.s.signalOpener);
        keys.s.signalOpener.open = () => {
          keys.s.signalOpener.open = open;
          return Promise.resolve(sdp);
        };
        await sender.receive(message);
      });
    });
    await sender.offer(keys.confirm);
    await over.promise;
    if (bound.s !== undefined && bound.r !== undefined) links = { s: bound.s, r: bound.r };
    return {
      bound: [bound.s !== undefined, bound.r !== undefined],
      failures,
      refused,
    };
  },

  async transfer(count, size) {
    if (links === null) throw new Error("Not connected");
    const { s, r } = links;
    let mostBuffered = 0;
    const { send } = RTCDataChannel.prototype;
    RTCDataChannel.prototype.send = function (this: RTCDataChannel, data: unknown) {
      Reflect.apply(send, this, [data]);
      mostBuffered = Math.max(mostBuffered, this.bufferedAmount);
    };
    let received = 0;
    let control = 0;
    let inOrder = true;
    let controlBefore = 0;
    const ends: string[] = [];
    const all = Promise.withResolvers<void>();
    s.listen({
      ...STEADY,
      onControl: () => {},
      onRecord: () => {},
      onEnd: (why) => void ends.push(why),
    });
    r.listen({
      ...STEADY,
      onControl: () => void control++,
      onRecord: (record) => {
        inOrder &&= record[0] === received % 256 && record.length === size;
        if (++received < count) return;
        controlBefore = control;
        all.resolve();
      },
      onEnd: (why) => {
        ends.push(why);
        all.resolve();
      },
    });
    for (let i = 0; i < count; i++) {
      await s.sendRecord(new Uint8Array(size).fill(i % 256));
      if (i === Math.floor(count / 2)) s.sendControl({ t: "more", n: 0 });
    }
    await all.promise;
    RTCDataChannel.prototype.send = send;
    return { received, inOrder, mostBuffered, controlBefore, ends };
  },

  leave() {
    if (links === null) throw new Error("Not connected");
    const { s, r } = links;
    let heard = 0;
    return new Promise((resolve) => {
      r.listen({
        ...STEADY,
        onControl: () => void heard++,
        onRecord: () => {},
        onAway: () => resolve({ why: "away", heard }),
        onEnd: (why) => resolve({ why, heard }),
      });
      s.sendControl({ t: "more", n: 0 });
      s.close();
    });
  },
};
