import { en } from "../lib/i18n/en.ts";

/** The switch that hides the own address from the other side. */
export function Relay(
  { on, onChange }: { on: boolean; onChange: (on: boolean) => void },
) {
  return (
    <label class="check">
      <input
        type="checkbox"
        name="relay"
        checked={on}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      <span>
        {en.relay.label}
        <small>{en.relay.hint}</small>
      </span>
    </label>
  );
}
