/**
 * The messages for recovering a connection, which the two sides send sealed over the server.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { MAX_RELAY_LENGTH } from "./limits.ts";
import { parseObject } from "./signaling.ts";

/** A recovery message; `k` is the number of the sender's recovery action. */
export type RepairMessage =
  /** Viewer: nothing gets through; the sender has to act. */
  | { readonly t: "ask" }
  /** Sender: ICE is restarted. */
  | { readonly t: "offer"; readonly k: number; readonly sdp: string }
  | { readonly t: "answer"; readonly k: number; readonly sdp: string }
  /** A candidate of the latest description; empty after the last candidate. */
  | { readonly t: "candidate"; readonly c: string }
  /** Sender: both sides switch to the server's encrypted relay. */
  | { readonly t: "relay"; readonly k: number };

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 1 && value < 2 ** 32;
}

/**
 * Parses the plaintext of M7. Returns a fresh object with only the fields of the union, or `null`.
 */
export function parseRepairMessage(raw: string): RepairMessage | null {
  const value = parseObject(raw, MAX_RELAY_LENGTH);
  if (value === null) return null;
  const { t, k, sdp, c } = value;
  switch (t) {
    case "ask":
      return { t };
    case "offer":
    case "answer":
      return isCount(k) && typeof sdp === "string" ? { t, k, sdp } : null;
    case "candidate":
      return typeof c === "string" ? { t, c } : null;
    case "relay":
      return isCount(k) ? { t, k } : null;
    default:
      return null;
  }
}
