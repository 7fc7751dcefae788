import type { Texts } from "../lib/i18n/texts.ts";
import { duration, fill } from "../lib/i18n/format.ts";
import type { IncomingPicture } from "../lib/pictures/inbox.ts";

/** The outcome of a picture, for its viewer; empty while it is not finished. */
export function closingText(t: Texts, { state }: Pick<IncomingPicture, "state">): string {
  switch (state.at) {
    case "closed":
      if (state.ms === 0) return t.view.closedUnseen;
      return fill(state.why === "revoked" ? t.view.revokedWhile : t.view.closed, {
        duration: duration(t, state.ms),
      });
    case "revoked":
      return t.view.revoked;
    case "lost":
      return t.view.forgotten;
    case "failed":
      if (state.code === "timeout") return t.view.notUnlocked;
      return state.code === "undecodable" ? t.view.undecodable : t.view.refused;
    default:
      return "";
  }
}
