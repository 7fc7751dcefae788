import { CopyButton } from "./CopyButton.tsx";
import { useTexts } from "./texts.ts";

/** What can be told to somebody who is to help; `null` where it can't be put together. */
export type Diagnose = () => string | null;

/** Copies it, and says what is not in it. */
export function Diagnostics({ diagnose }: { diagnose: Diagnose }) {
  const t = useTexts();
  return (
    <p class="diagnostics">
      <CopyButton
        action="diagnostics"
        label={t.diagnostics.copy}
        text={diagnose}
        failed={t.diagnostics.copyFailed}
      />
      <small>{t.diagnostics.hint}</small>
    </p>
  );
}
