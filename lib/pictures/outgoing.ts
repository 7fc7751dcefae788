/**
 * The states of one picture at its owner's.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { AbortCode, ClosedReason } from "../protocol/control.ts";

/**
 *     queued ─→ sending ─→ delivered ─→ (asked ─→) opened ─→ shown ─→ closed
 *       ↑──────────┴───────────┴────────────┘ the viewer's page was reloaded
 *
 * The other final states: burned and unseen, only before it was opened; unconfirmed, only after it
 * was opened; refused and unreadable.
 */
export type Outgoing =
  | { readonly at: "queued" }
  /** `sent` bytes of the picture were sent. */
  | { readonly at: "sending"; readonly sent: number }
  /** The viewer has all of it, unreadable. */
  | { readonly at: "delivered" }
  /** The viewer asked to see it, and this side has to decide. */
  | { readonly at: "asked" }
  /** The viewer got the key. */
  | { readonly at: "opened" }
  /** On the viewer's screen. `still`: only its first frame, although it is animated. */
  | { readonly at: "shown"; readonly still?: true }
  /** The viewer's page reported it closed after `ms` on screen. */
  | { readonly at: "closed"; readonly why: ClosedReason; readonly ms: number }
  /** Taken back before it could be seen. */
  | { readonly at: "burned" }
  /**
   * The viewer's page reported that it can't use the picture. `opened`: that was after it had the
   * key.
   */
  | { readonly at: "refused"; readonly code: AbortCode; readonly opened: boolean }
  /** The file could not be read any more. */
  | { readonly at: "unreadable" }
  /** The session ended before it could be seen. */
  | { readonly at: "unseen" }
  /** It was open, and no report arrived that it was closed. */
  | { readonly at: "unconfirmed" };

/** The events of a picture. */
export type OutgoingEvent =
  | { readonly type: "progress"; readonly sent: number }
  | { readonly type: "got" }
  /** `ask`: this side wanted to be asked first. */
  | { readonly type: "open"; readonly ask: boolean }
  | { readonly type: "allow" }
  | { readonly type: "shown"; readonly still?: true }
  | { readonly type: "closed"; readonly why: ClosedReason; readonly ms: number }
  | { readonly type: "abort"; readonly code: AbortCode }
  | { readonly type: "unreadable" }
  | { readonly type: "burn" }
  /** The viewer's page was reloaded, and has lost the picture. */
  | { readonly type: "again" }
  /** It has been open for longer than allowed. */
  | { readonly type: "overdue" }
  /** The session is over, whoever ended it. */
  | { readonly type: "over" };

/**
 * The next state; `null` if the event is not possible in this one, which is a breach of the
 * protocol if the event is the peer's.
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
      // Closed without having been shown: the viewer asked to see it, but left or lost it before
      // the first frame, and saw nothing.
      return state.at === "shown" ||
          ((state.at === "asked" || state.at === "opened") && event.ms === 0)
        ? { at: "closed", why: event.why, ms: event.ms }
        : null;
    case "abort":
      // A picture that was never announced can't be refused, nor one that was shown.
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

/** True if the viewer has its key and has not reported its end. */
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
