/**
 * What this browser has to have before anything starts.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { loadKem } from "../e2e/kem.ts";

/** Says what is missing: `insecure` without WebCrypto (the page did not come over HTTPS), `no_webrtc`, or `null`. */
export function findObstacle(): "insecure" | "no_webrtc" | null {
  if (globalThis.crypto?.subtle === undefined) return "insecure";
  return typeof globalThis.RTCPeerConnection === "undefined" ? "no_webrtc" : null;
}

/** Fetches what this browser lacks, while the server that it comes from is there. */
export function warmUp(): void {
  loadKem().catch(() => {
    // Asked for again, and answered for, when a session begins.
  });
}

/** The signaling server of this page: `ws(s)://host`. */
export function signalingServer(location: Location): string {
  return `${location.protocol === "https:" ? "wss:" : "ws:"}//${location.host}`;
}
