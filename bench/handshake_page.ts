/**
 * The page's side of the handshake benchmark, which the driver calls through
 * `globalThis.handshakes`.
 *
 * @module
 */
import { SenderHandshake, ViewerHandshake } from "../lib/e2e/handshake.ts";
import type { Code } from "../lib/e2e/code.ts";
import { javascriptKem, type Kem, nativeKem } from "../lib/e2e/kem.ts";
import { createLinkSecret, deriveRoom } from "../lib/e2e/link.ts";
import { randomBytes } from "../lib/e2e/suite.ts";

/** About the length of Chromium's SDP offer. */
const OFFER = "x".repeat(700);

const CODE: Code = { digits: "4821", words: "crystal-orbit-lemon" };

/** The ways to establish keys that are measured. */
export const WAYS = ["link", "link, ML-KEM in JavaScript", "code"] as const;

/** One of {@linkcode WAYS}. */
export type Way = typeof WAYS[number];

/** What the driver can call in a page. */
export interface HandshakeBench {
  /**
   * Milliseconds of one handshake, both sides, from generating its first key until both sides have
   * the session keys.
   */
  run(way: Way): Promise<number>;
}

declare global {
  var handshakes: HandshakeBench;
}

async function kemOf(way: Way): Promise<Kem> {
  if (way === "link, ML-KEM in JavaScript") return await javascriptKem();
  const kem = await nativeKem();
  if (kem === null) throw new Error("Cannot measure: this browser has no ML-KEM");
  return kem;
}

globalThis.handshakes = {
  async run(way) {
    // Exists before anybody joins, so it is not measured.
    const { rid, psk } = await deriveRoom(createLinkSecret());
    const link = { room: rid, psk };
    const kem = await kemOf(way);
    const own = () => ({ kem, fingerprint: randomBytes(32) });
    const secret = way === "code" ? CODE : link;
    const s = { ...own(), link, code: CODE };
    const r = { ...own(), secret };

    const start = performance.now();
    const viewer = await ViewerHandshake.start(r);
    const sender = await SenderHandshake.start(s);
    const helloS = await sender.receiveCommit(viewer.commit);
    const helloR = await viewer.receiveHello(helloS);
    await sender.receiveHello(helloR);
    await viewer.receiveConfirmation(await sender.confirm(OFFER));
    return performance.now() - start;
  },
};
