import type { Texts } from "../lib/i18n/texts.ts";
import { duration, fill, intlLocale, number, plural, seconds } from "../lib/i18n/format.ts";
import type { TimelineEntry } from "../lib/pages/session.ts";
import { outcome } from "./outcome.ts";
import { useTexts } from "./texts.ts";

const CLOCK = {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
} as const;

/** The text of one entry; empty if there is nothing to say. */
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
    case "away":
    case "again":
      return t.timeline[what.type];
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
    case "request":
      return t.timeline.requests[what.request];
    case "granted":
      return fill(t.timeline.granted, { duration: seconds(t, what.seconds) });
    case "burned":
      return t.timeline.burn;
    case "ended":
      return t.timeline.ended;
    default:
      return what satisfies never;
  }
}

/** True for a peer's leaving right after they were turned away: it needs no line of its own. */
function isImplied({ what }: TimelineEntry, before: TimelineEntry | undefined): boolean {
  return what.type === "peer" && what.times === 0 && before?.what.type === "turned_away";
}

/** The newest entry, without one that is implied by the entry before it. */
export function lastSaid(entries: readonly TimelineEntry[]): TimelineEntry | undefined {
  return entries.findLast((entry, index) => !isImplied(entry, entries[index - 1]));
}

/** The text with the number of the picture that the entry is about. */
function withNumber(t: Texts, text: string, { what }: TimelineEntry): string {
  switch (what.type) {
    case "outgoing":
    case "request":
    case "granted":
      return fill(t.joined.entry, { n: number(t, what.picture.n + 1), text });
    default:
      return text;
  }
}

/**
 * What happened so far, each with its time; `numbered` adds the picture's number if there are
 * several.
 */
export function Timeline(
  { entries, numbered }: { entries: readonly TimelineEntry[]; numbered: boolean },
) {
  const t = useTexts();
  const clock = new Intl.DateTimeFormat(intlLocale(t), CLOCK);
  return (
    <section class="timeline" aria-label={t.timeline.title}>
      <ol data-field="timeline">
        {entries.map((entry, index) => {
          const text = describe(t, entry);
          if (text === "" || isImplied(entry, entries[index - 1])) return null;
          return (
            <li key={index}>
              <time dateTime={entry.time.toISOString()}>{clock.format(entry.time)}</time>
              <span>{numbered ? withNumber(t, text, entry) : text}</span>
            </li>
          );
        })}
      </ol>
    </section>
  );
}
