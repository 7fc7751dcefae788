/**
 * What this browser has to have before anything starts.
 *
 * This module is browser compatible.
 *
 * @module
 */

/** Says what is missing: `insecure` without WebCrypto (the page did not come over HTTPS), `no_webrtc`, or `null`. */
export function findObstacle(): "insecure" | "no_webrtc" | null {
  if (globalThis.crypto?.subtle === undefined) return "insecure";
  return typeof globalThis.RTCPeerConnection === "undefined" ? "no_webrtc" : null;
}

/** The signaling server of this page: `ws(s)://host`. */
export function signalingServer(location: Location): string {
  return `${location.protocol === "https:" ? "wss:" : "ws:"}//${location.host}`;
}
