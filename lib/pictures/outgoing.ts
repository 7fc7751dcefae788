/**
 * The life of one picture, seen by its owner.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { AbortCode, ClosedReason } from "../protocol/control.ts";

/**
 *     queued ─→ sending ─→ delivered ─→ (asked ─→) opened ─→ shown ─→ closed
 *       ↑──────────┴───────────┴────────────┘ its viewer's page was loaded again
 *
 * and from there to an end that nobody wished for:
 * burned, unseen (before it was opened) · refused, unreadable · unconfirmed (once it was opened).
 */
export type Outgoing =
  | { readonly at: "queued" }
  /** `sent` bytes of the picture are on their way. */
  | { readonly at: "sending"; readonly sent: number }
  /** All of it is with the viewer, unreadable. */
  | { readonly at: "delivered" }
  /** The viewer asked to see it, and this side is to say whether he may. */
  | { readonly at: "asked" }
  /** The viewer got the key. */
  | { readonly at: "opened" }
  /** On the viewer's screen; `still`: only its first frame, though it moves. */
  | { readonly at: "shown"; readonly still?: true }
  /** The viewer's software reported it closed after `ms` on screen. */
  | { readonly at: "closed"; readonly why: ClosedReason; readonly ms: number }
  /** Taken back before it could be seen. */
  | { readonly at: "burned" }
  /**
   * The viewer's side said that it could not use it; `opened` when that was after it got the key.
   */
  | { readonly at: "refused"; readonly code: AbortCode; readonly opened: boolean }
  /** The file could not be read any more. */
  | { readonly at: "unreadable" }
  /** The session ended before it could be seen. */
  | { readonly at: "unseen" }
  /** It was open, and no word came that it was closed. */
  | { readonly at: "unconfirmed" };

/** What can happen to it. */
export type OutgoingEvent =
  | { readonly type: "progress"; readonly sent: number }
  | { readonly type: "got" }
  /** `ask`: whether this side wanted to be asked. */
  | { readonly type: "open"; readonly ask: boolean }
  | { readonly type: "allow" }
  | { readonly type: "shown"; readonly still?: true }
  | { readonly type: "closed"; readonly why: ClosedReason; readonly ms: number }
  | { readonly type: "abort"; readonly code: AbortCode }
  | { readonly type: "unreadable" }
  | { readonly type: "burn" }
  /** The viewer's page was loaded again, and has nothing of it. */
  | { readonly type: "again" }
  /** It is open for longer than it may be. */
  | { readonly type: "overdue" }
  /** The session is over, whoever ended it. */
  | { readonly type: "over" };

/**
 * The next state; `null` where the event does not fit, which from the other side is a breach of the
 * protocol.
 */
export function transition(state: Outgoing, event: OutgoingEvent): Outgoing | null {
  switch (event.type) {
    case "progress":
      return state.at === "queued" || state.at === "sending"
        ? { at: "sending", sent: event.sent }
        : null;
    case "got":
      return state.at === "sending" ? { at: "delivered" } : null;
    case "open":
      return state.at === "delivered" ? { at: event.ask ? "asked" : "opened" } : null;
    case "allow":
      return state.at === "asked" ? { at: "opened" } : null;
    case "shown":
      if (state.at !== "opened") return null;
      return event.still === true ? { at: "shown", still: true } : { at: "shown" };
    case "closed":
      // Closed without having been shown: he asked, but left or lost it before the first frame, and
      // saw nothing.
      return state.at === "shown" ||
          ((state.at === "asked" || state.at === "opened") && event.ms === 0)
        ? { at: "closed", why: event.why, ms: event.ms }
        : null;
    case "abort":
      // Nobody can find fault with what was never announced, nor fail to show what he has shown.
      return state.at === "sending" || state.at === "delivered" || state.at === "asked" ||
          state.at === "opened"
        ? { at: "refused", code: event.code, opened: state.at === "opened" }
        : null;
    case "unreadable":
      return state.at === "sending" ? { at: "unreadable" } : null;
    case "overdue":
      return isOpen(state) ? { at: "unconfirmed" } : null;
    case "again":
      if (state.at === "queued" || isOpen(state) || isFinished(state)) return state;
      return { at: "queued" };
    case "burn":
      // Once the key is out, only the viewer can say what became of it.
      if (isFinished(state) || isOpen(state)) return state;
      return { at: "burned" };
    case "over":
      if (isFinished(state)) return state;
      return isOpen(state) ? { at: "unconfirmed" } : { at: "unseen" };
    default:
      return event satisfies never;
  }
}

/** True when its key is with the viewer and nothing was heard of its end. */
export function isOpen(state: Outgoing): boolean {
  return state.at === "opened" || state.at === "shown";
}

/** True when nothing more can happen to it. */
export function isFinished(state: Outgoing): boolean {
  switch (state.at) {
    case "closed":
    case "burned":
    case "refused":
    case "unreadable":
    case "unseen":
    case "unconfirmed":
      return true;
    default:
      return false;
  }
}
