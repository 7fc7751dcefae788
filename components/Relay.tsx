import { Check } from "./Check.tsx";
import { useTexts } from "./texts.ts";

/** Checkbox that hides this side's address from the peer. */
export function Relay({ on, onChange }: { on: boolean; onChange: (on: boolean) => void }) {
  const t = useTexts();
  return (
    <Check name="relay" label={t.relay.label} hint={t.relay.hint} on={on} onChange={onChange} />
  );
}
