import type { Texts } from "../lib/i18n/en.ts";
import { duration, fill, number, plural } from "../lib/i18n/format.ts";
import type { OutgoingPicture } from "../lib/session/outbox.ts";
import type { TimelineEntry } from "../lib/session/session.ts";
import { useTexts } from "./texts.ts";

const CLOCK = {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
} as const;

/** What became of a finished picture, in words. */
export function outcome(t: Texts, { state }: OutgoingPicture): string {
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
      return t.status.queued;
    default:
      return t.timeline[state.at];
  }
}

/** One entry in words; empty where there is nothing to say. */
export function describe(t: Texts, { what }: TimelineEntry): string {
  switch (what.type) {
    case "waiting":
      return t.timeline.waiting;
    case "peer":
      if (what.times <= 1) return what.here ? t.timeline.peerHere : t.timeline.peerGone;
      return what.here
        ? fill(t.timeline.peerHereAgain, { n: number(t, what.times) })
        : plural(t, t.timeline.peerGoneAgain, what.times);
    case "live":
      return t.timeline.live;
    case "outgoing":
      return outcome(t, what.picture);
    case "incoming": {
      const { state } = what.picture;
      if (state.at === "receiving") return t.timeline.incoming;
      return state.at === "closed"
        ? fill(t.timeline.incomingClosed, { duration: duration(t, state.ms) })
        : "";
    }
    case "turned_away":
      return what.withdrawn ? t.code.withdrawn : t.timeline.turnedAway[what.claim];
    case "burned":
      return t.timeline.burn;
    case "ended":
      return t.timeline.ended;
    default:
      return what satisfies never;
  }
}

/** Who was turned away is not here any more: that is not worth a line of its own. */
function isImplied({ what }: TimelineEntry, before: TimelineEntry | undefined): boolean {
  return what.type === "peer" && what.times === 0 && before?.what.type === "turned_away";
}

/** The newest entry that says something. */
export function lastSaid(entries: readonly TimelineEntry[]): TimelineEntry | undefined {
  return entries.findLast((entry, index) => !isImplied(entry, entries[index - 1]));
}

/** What happened so far, with the time of each; `numbered` says which picture where there are several. */
export function Timeline(
  { entries, numbered }: { entries: readonly TimelineEntry[]; numbered: boolean },
) {
  const t = useTexts();
  const clock = new Intl.DateTimeFormat(t.language, CLOCK);
  return (
    <section class="timeline" aria-label={t.timeline.title}>
      <ol data-field="timeline">
        {entries.map((entry, index) => {
          const text = describe(t, entry);
          if (text === "" || isImplied(entry, entries[index - 1])) return null;
          const n = entry.what.type === "outgoing" && numbered
            ? `${entry.what.picture.n + 1}. `
            : "";
          return (
            <li key={index}>
              <time dateTime={entry.time.toISOString()}>{clock.format(entry.time)}</time>
              <span>{n}{text}</span>
            </li>
          );
        })}
      </ol>
    </section>
  );
}
