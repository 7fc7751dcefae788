/**
 * The states of one picture at its viewer's.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { AbortCode, ClosedReason } from "../protocol/control.ts";

/**
 *     receiving ─→ delivered ─→ opening ─→ viewing ─→ closed
 *         └────────────┴────────────┴──→ revoked, failed, lost
 */
export type Incoming =
  /** `received` bytes have arrived, as ciphertext. */
  | { readonly at: "receiving"; readonly received: number }
  /** All of it has arrived, unreadable. */
  | { readonly at: "delivered" }
  /** Waits for its owner to allow it, for the key, or for its first frame on this screen. */
  | { readonly at: "opening"; readonly waits: "owner" | "key" | "frame" }
  /** On screen. */
  | { readonly at: "viewing" }
  | { readonly at: "closed"; readonly why: ClosedReason; readonly ms: number }
  /** Its owner took it back before it was seen. */
  | { readonly at: "revoked" }
  | { readonly at: "failed"; readonly code: AbortCode }
  /** The session ended before it was seen. */
  | { readonly at: "lost" };

/** The events of a picture. */
export type IncomingEvent =
  | { readonly type: "progress"; readonly received: number }
  | { readonly type: "complete" }
  | { readonly type: "open"; readonly ask: boolean }
  /** The key arrived. */
  | { readonly type: "unlock" }
  | { readonly type: "painted" }
  | { readonly type: "closed"; readonly why: ClosedReason; readonly ms: number }
  | { readonly type: "revoke" }
  | { readonly type: "fail"; readonly code: AbortCode }
  | { readonly type: "over" };

/** The next state; `null` if the event is not possible in this one. */
export function transition(state: Incoming, event: IncomingEvent): Incoming | null {
  switch (event.type) {
    case "progress":
      return state.at === "receiving" ? { at: "receiving", received: event.received } : null;
    case "complete":
      return state.at === "receiving" ? { at: "delivered" } : null;
    case "open":
      return state.at === "delivered"
        ? { at: "opening", waits: event.ask ? "owner" : "key" }
        : null;
    case "unlock":
      // A key is sent once.
      return state.at === "opening" && state.waits !== "frame"
        ? { at: "opening", waits: "frame" }
        : null;
    case "painted":
      return state.at === "opening" ? { at: "viewing" } : null;
    case "closed":
      return state.at === "viewing" || state.at === "opening"
        ? { at: "closed", why: event.why, ms: event.ms }
        : null;
    case "revoke":
      return isFinished(state) ? null : { at: "revoked" };
    case "fail":
      return isFinished(state) ? null : { at: "failed", code: event.code };
    case "over":
      return isFinished(state) ? null : { at: "lost" };
    default:
      return event satisfies never;
  }
}

/** True when nothing more can happen to it. */
export function isFinished(state: Incoming): boolean {
  switch (state.at) {
    case "closed":
    case "revoked":
    case "failed":
    case "lost":
      return true;
    default:
      return false;
  }
}
