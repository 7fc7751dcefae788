import { CopyButton } from "./CopyButton.tsx";
import { useTexts } from "./texts.ts";

/**
 * Returns the diagnostics text for somebody who is asked for help; `null` if it is not available.
 */
export type Diagnose = () => string | null;

/** Copies the diagnostics, and says what they don't contain. */
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
