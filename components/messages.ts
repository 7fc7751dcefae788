import type { Texts, Why } from "../lib/i18n/texts.ts";
import { fill, seconds } from "../lib/i18n/format.ts";
import type { FailReason, Life } from "../lib/session/phases.ts";
import type { PickProblem } from "../lib/session/picker.ts";

/** The words for a server that said for how many seconds it is busy. */
export function busyFor(t: Texts, retry: number): Why {
  return { ...t.busyFor, todo: fill(t.busyFor.todo, { duration: seconds(t, retry) }) };
}

/** The words for the sender of a session that is over; `again`: this page was loaded again in the middle of it. */
export function senderWhy(
  t: Texts,
  life: Extract<Life, { at: "ended" | "failed" }>,
  { again = false }: { readonly again?: boolean } = {},
): Why {
  if (life.at === "ended") return t.ended.sender[life.reason];
  if (life.retry !== undefined) return busyFor(t, life.retry);
  const later = again ? whyAgain(t, life.reason, "sender") : null;
  if (later !== null) return later;
  const own: Partial<Record<FailReason, Why>> = t.failedSender;
  return own[life.reason] ?? t.failed[life.reason];
}

/** The words for a viewer whose session never began, or not once more (`again`); `by`: what he came with. */
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

/** Where the usual words would not be true of a page before this one, which may have shown or seen a picture; `null` elsewhere. */
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

/** All three in one, for a screen reader and for a form. */
export function spoken({ title, happened, todo }: Why): string {
  return `${title}. ${happened} ${todo}`;
}

/** What is wrong with a file, which is named where it has a name. */
export function nameProblem(t: Texts, { name, reason }: PickProblem): string {
  const text = t.picture[reason];
  return name === "" ? text : fill(t.pictureNamed, { name, text });
}
