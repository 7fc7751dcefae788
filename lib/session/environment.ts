/**
 * What this browser has to have before anything starts.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { loadKem } from "../e2e/kem.ts";

/**
 * Says what is missing: `insecure` without WebCrypto (the page did not come over HTTPS), `no_webrtc`, `old_browser`
 * without what decodes pictures off the page, or `null`. Asked before anything starts: a picture whose key was
 * released to a browser that can't show it would be spent.
 */
export function findObstacle(): "insecure" | "no_webrtc" | "old_browser" | null {
  if (globalThis.crypto?.subtle === undefined) return "insecure";
  if (typeof globalThis.RTCPeerConnection === "undefined") return "no_webrtc";
  const needed = ["Worker", "OffscreenCanvas", "createImageBitmap"];
  return needed.some((name) => !(name in globalThis)) ? "old_browser" : null;
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
