import type { PickProblem } from "../lib/pages/picker.ts";
import { nameProblems } from "./messages.ts";
import { Notice } from "./Notice.tsx";
import { useTexts } from "./texts.ts";

/**
 * What is wrong with chosen files. `linkGone`: the link was withdrawn with the only picture, and
 * somebody may already have it.
 */
export function Problems(
  { problems, linkGone = false }: {
    readonly problems: readonly PickProblem[];
    readonly linkGone?: boolean;
  },
) {
  const t = useTexts();
  return (
    <>
      {nameProblems(t, problems).map(({ reason, text }) => (
        <Notice key={reason} reason={reason}>{text}</Notice>
      ))}
      {linkGone && <p data-field="link-gone">{t.send.linkGone}</p>}
    </>
  );
}
