import type { Texts } from "../lib/i18n/texts.ts";
import { duration, fill } from "../lib/i18n/format.ts";
import type { OutgoingPicture } from "../lib/pictures/outgoing_list.ts";

/** The outcome of a finished picture, or the progress of any other. */
export function outcome(t: Texts, { state, coming }: OutgoingPicture): string {
  switch (state.at) {
    case "closed":
      return fill(state.ms === 0 ? t.outcome.closedUnseen : t.outcome.closed, {
        duration: duration(t, state.ms),
        why: t.outcome.why[state.why],
      });
    case "refused":
      return state.opened ? t.outcome.refusedOpened : t.outcome.refused[state.code];
    case "unreadable":
    case "burned":
    case "unseen":
    case "unconfirmed":
      return t.outcome[state.at];
    case "queued":
      return coming === null ? t.status.queued : t.send.preparingPicture;
    case "shown":
      return state.still === true ? t.timeline.shownStill : t.timeline.shown;
    default:
      return t.timeline[state.at];
  }
}

/** Finished and not recoverable: nothing of it is left to show. */
export function isGone({ state }: OutgoingPicture): boolean {
  switch (state.at) {
    case "closed":
    case "burned":
    case "refused":
    case "unreadable":
    case "unconfirmed":
      return true;
    default:
      return false;
  }
}
