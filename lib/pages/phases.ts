/**
 * The states of a session and the words of the automation contract, as pure functions.
 *
 * This module is browser compatible.
 *
 * @module
 */
import type { ConnectFailure } from "../connection/connection_state.ts";
import type { IncomingPicture } from "../pictures/inbox.ts";
import type { OutgoingPicture } from "../pictures/outgoing_list.ts";
import { isFinished } from "../pictures/outgoing.ts";

/** Why a session ended after it had begun. */
export type EndReason =
  /** All pictures were seen. */
  | "done"
  /** Their sender took them back. */
  | "burned"
  /** This side left. */
  | "left"
  /** The other side left. */
  | "peer_left"
  /** The connection broke. */
  | "lost"
  /** The other side's software did not keep to the protocol. */
  | "protocol"
  /** The two compared what they see, and somebody on either side said that it differs. */
  | "mismatch";

/** Why a session never began. */
export type FailReason =
  | ConnectFailure
  /** No crypto.subtle: the page was not served over HTTPS. */
  | "insecure"
  /** No workers, OffscreenCanvas or createImageBitmap. */
  | "old_browser"
  /** An incomplete fragment. */
  | "bad_link"
  /** A fragment with what no link of this site has. */
  | "foreign_link"
  /** The page was reloaded after the grace period. */
  | "forgotten";

/**
 *     idle ─→ starting ─→ waiting ⇄ connecting ─→ live ─→ ended
 *       └────────┴───────────┴──────────┴──→ failed      (ended from waiting: the sender gave up)
 */
export type Life =
  | { readonly at: "idle" }
  | { readonly at: "starting" }
  /** Has a seat; the peer is not here. */
  | { readonly at: "waiting" }
  | { readonly at: "connecting" }
  | { readonly at: "live" }
  | { readonly at: "ended"; readonly reason: EndReason }
  /** `retry`: seconds after which to retry with a busy server, if it said so. */
  | { readonly at: "failed"; readonly reason: FailReason; readonly retry?: number };

/** What can happen to a session. */
export type LifeEvent =
  | { readonly type: "start" }
  | { readonly type: "seated" }
  | { readonly type: "peer"; readonly here: boolean }
  | { readonly type: "bound" }
  | { readonly type: "end"; readonly reason: EndReason }
  | { readonly type: "fail"; readonly reason: FailReason; readonly retry?: number | undefined };

/**
 * The next state. Events that don't apply to the current one are ignored: they arrive late, from
 * something that was abandoned.
 */
export function transition(life: Life, event: LifeEvent): Life {
  if (life.at === "ended" || life.at === "failed") return life;
  switch (event.type) {
    case "start":
      return life.at === "idle" ? { at: "starting" } : life;
    case "seated":
      return life.at === "starting" ? { at: "waiting" } : life;
    case "peer":
      if (life.at !== "waiting" && life.at !== "connecting") return life;
      return { at: event.here ? "connecting" : "waiting" };
    case "bound":
      return { at: "live" };
    case "end":
      return { at: "ended", reason: event.reason };
    case "fail":
      return life.at === "live" ? life : failed(event);
    default:
      return event satisfies never;
  }
}

function failed({ reason, retry }: Extract<LifeEvent, { type: "fail" }>): Life {
  return retry === undefined ? { at: "failed", reason } : { at: "failed", reason, retry };
}

/** `main[data-phase]` on `/`. */
export type SenderPhase =
  | "idle"
  | "preparing"
  | "waiting"
  | "connecting"
  | "connected"
  | "sending"
  | "delivered"
  | "opened"
  | "shown"
  | "closed"
  | "ended"
  | "failed";

/** `main[data-phase]` on `/join`. */
export type ViewerPhase =
  | "idle"
  | "connecting"
  | "connected"
  | "receiving"
  | "delivered"
  | "viewing"
  | "closed"
  | "ended"
  | "failed";

/** The sender's phase: the session's until it is live, then that of the current or last picture. */
export function senderPhase(
  life: Life,
  { pictures, at, preparing }: {
    pictures: readonly OutgoingPicture[];
    /** Index of the picture that people are at; later ones may already be on their way. */
    at: number;
    preparing: boolean;
  },
): SenderPhase {
  switch (life.at) {
    case "idle":
      return preparing ? "preparing" : "idle";
    case "starting":
      return "preparing";
    case "live": {
      const current = pictures[at];
      if (current !== undefined && current.state.at !== "queued") return picturePhase(current);
      const before = pictures.findLast(({ state }) => isFinished(state));
      return before === undefined ? "connected" : picturePhase(before);
    }
    default:
      return life.at;
  }
}

function picturePhase({ state }: OutgoingPicture): SenderPhase {
  switch (state.at) {
    case "queued":
      return "connected";
    case "sending":
    case "delivered":
    case "opened":
    case "shown":
      return state.at;
    case "asked":
      return "delivered";
    default:
      return "closed";
  }
}

/** The viewer's phase: the session's until it is live, then that of the last picture. */
export function viewerPhase(life: Life, picture: IncomingPicture | null): ViewerPhase {
  switch (life.at) {
    case "idle":
      return "idle";
    case "starting":
    case "waiting":
    case "connecting":
      return "connecting";
    case "live":
      break;
    default:
      return life.at;
  }
  switch (picture?.state.at) {
    case undefined:
      return "connected";
    case "receiving":
      return "receiving";
    case "delivered":
    case "opening":
      return "delivered";
    case "viewing":
      return "viewing";
    default:
      return "closed";
  }
}
