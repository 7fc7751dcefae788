import { useTexts } from "./texts.ts";

/** The switch that hides the own address from the other side. */
export function Relay(
  { on, onChange }: { on: boolean; onChange: (on: boolean) => void },
) {
  const t = useTexts();
  return (
    <label class="check">
      <input
        type="checkbox"
        name="relay"
        checked={on}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      <span>
        {t.relay.label}
        <small>{t.relay.hint}</small>
      </span>
    </label>
  );
}
