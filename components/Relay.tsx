import { Check } from "./Check.tsx";
import { useTexts } from "./texts.ts";

/** The switch that hides the own address from the other side. */
export function Relay({ on, onChange }: { on: boolean; onChange: (on: boolean) => void }) {
  const t = useTexts();
  return (
    <Check name="relay" label={t.relay.label} hint={t.relay.hint} on={on} onChange={onChange} />
  );
}
