import type { Texts, Why } from "../lib/i18n/texts.ts";
import { fill, foreign, list, plural, sentences } from "../lib/i18n/format.ts";
import type { FailReason, Life } from "../lib/pages/phases.ts";
import type { PickProblem } from "../lib/pages/picker.ts";

/** The text for a server that is busy for another `retry` seconds. */
export function busyFor(t: Texts, retry: number): Why {
  return { ...t.busyFor, todo: plural(t, t.busyFor.todo, retry) };
}

/**
 * The text for the sender of a closed session; `again`: this page was reloaded during the session;
 * `elsewhere`: the host that has the rooms, if it is another one than this page's.
 */
export function senderWhy(
  t: Texts,
  life: Extract<Life, { at: "ended" | "failed" }>,
  { again = false, elsewhere = null }: {
    readonly again?: boolean;
    readonly elsewhere?: string | null;
  } = {},
): Why {
  if (life.at === "ended") return t.ended.sender[life.reason];
  if (life.reason === "access" && elsewhere !== null) {
    return {
      ...t.accessElsewhere,
      todo: fill(t.accessElsewhere.todo, { host: foreign(elsewhere) }),
    };
  }
  if (life.retry !== undefined) return busyFor(t, life.retry);
  const later = again ? whyAgain(t, life.reason, "sender") : null;
  if (later !== null) return later;
  const own: Partial<Record<FailReason, Why>> = t.failedSender;
  return own[life.reason] ?? t.failed[life.reason];
}

/**
 * The text for a viewer whose session never began, or could not be restored after a reload
 * (`again`); `by`: how they joined.
 */
export function viewerWhy(
  t: Texts,
  reason: FailReason,
  { by, retry, again = false }: {
    readonly by: "link" | "code";
    readonly retry: number | undefined;
    readonly again?: boolean;
  },
): Why {
  if (retry !== undefined) return busyFor(t, retry);
  const later = again ? whyAgain(t, reason, "viewer") : null;
  if (later !== null) return later;
  const byCode: Partial<Record<FailReason, Why>> = t.failedCode;
  return by === "code" && byCode[reason] || t.failed[reason];
}

/**
 * Replaces texts that may be untrue after a reload, because the page before it may have shown a
 * picture; `null` if the usual text fits.
 */
function whyAgain(t: Texts, reason: FailReason, who: "sender" | "viewer"): Why | null {
  switch (reason) {
    case "room_deleted":
    case "room_expired":
      return who === "sender" ? t.failedSender.forgotten : t.failed.forgotten;
    case "verification":
      return { ...t.failed.verification, happened: t.ended[who].mismatch.happened };
    default:
      return null;
  }
}

/** All three parts in one string, for a screen reader or a form. */
export function spoken(t: Texts, { title, happened, todo }: Why): string {
  return sentences(t, [fill(t.joined.sentence, { text: title }), happened, todo]);
}

/** At most this many files with the same problem are named; the rest are counted. */
const NAMED_FILES = 12;

/**
 * What is wrong with files: one sentence for each kind of problem, naming the files that have
 * names.
 */
export function nameProblems(
  t: Texts,
  problems: readonly PickProblem[],
): readonly { readonly reason: PickProblem["reason"]; readonly text: string }[] {
  const names = new Map<PickProblem["reason"], string[]>();
  for (const { reason, name } of problems) names.set(reason, [...names.get(reason) ?? [], name]);
  return [...names].map(([reason, files]) => ({ reason, text: nameFiles(t, reason, files) }));
}

function nameFiles(t: Texts, reason: PickProblem["reason"], files: readonly string[]): string {
  const text = t.picture[reason];
  const known = files.filter((name) => name !== "");
  const [only] = known;
  if (files.length === 1) {
    return only === undefined ? text : fill(t.pictureNamed, { name: foreign(only), text });
  }
  const quoted = known.slice(0, NAMED_FILES).map((name) =>
    fill(t.fileName, { name: foreign(name) })
  );
  const more = files.length - quoted.length;
  if (more > 0) quoted.push(plural(t, t.moreFiles, more));
  return fill(t.picturesNamed, { names: list(t, quoted), text });
}
