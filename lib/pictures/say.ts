/**
 * Says something to the peer.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { ControlMessage } from "../protocol/control.ts";
import type { SecureLink } from "../connection/secure_link.ts";

/** Sends a control message whose fate changes nothing here; without a secure link nothing. */
export function say(link: SecureLink | null, message: ControlMessage): void {
  link?.sendControl(message).catch(() => {
    // The secure link is gone, and reports its own end.
  });
}
