import { en } from "../lib/i18n/en.ts";
import type { OutgoingPicture } from "../lib/session/outbox.ts";
import type { TimelineEntry } from "../lib/session/session.ts";

const TIME = new Intl.DateTimeFormat(en.language, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  hourCycle: "h23",
});

/** What became of a finished picture, in words. */
export function outcome({ state }: OutgoingPicture): string {
  switch (state.at) {
    case "closed":
      return en.outcome.closed(state.ms, en.outcome.why[state.why]);
    case "refused":
      return state.opened ? en.outcome.refusedOpened : en.outcome.refused[state.code];
    case "unreadable":
    case "burned":
    case "unseen":
    case "unconfirmed":
      return en.outcome[state.at];
    case "queued":
      return en.status.queued;
    default:
      return en.timeline[state.at];
  }
}

/** One entry in words; empty where there is nothing to say. */
export function describe({ what }: TimelineEntry): string {
  switch (what.type) {
    case "waiting":
      return en.timeline.waiting;
    case "peer":
      return what.here ? en.timeline.peerHere(what.times) : en.timeline.peerGone(what.times);
    case "live":
      return en.timeline.live;
    case "outgoing":
      return outcome(what.picture);
    case "incoming": {
      const { state } = what.picture;
      if (state.at === "receiving") return en.timeline.incoming;
      return state.at === "closed" ? en.timeline.incomingClosed(state.ms) : "";
    }
    case "turned_away":
      return what.withdrawn ? en.code.withdrawn : en.timeline.turnedAway[what.claim];
    case "burned":
      return en.timeline.burn;
    case "ended":
      return en.timeline.ended;
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
  return (
    <section class="timeline" aria-label={en.timeline.title}>
      <ol data-field="timeline">
        {entries.map((entry, index) => {
          const text = describe(entry);
          if (text === "" || isImplied(entry, entries[index - 1])) return null;
          const n = entry.what.type === "outgoing" && numbered
            ? `${entry.what.picture.n + 1}. `
            : "";
          return (
            <li key={index}>
              <time dateTime={entry.time.toISOString()}>{TIME.format(entry.time)}</time>
              <span>{n}{text}</span>
            </li>
          );
        })}
      </ol>
    </section>
  );
}
