import { en } from "../lib/i18n/en.ts";
import { VIEW_SECONDS } from "../lib/session/picker.ts";

/** How long a picture may be seen, as radio buttons. */
export function Seconds(
  { value, onChange }: { value: number; onChange: (seconds: number) => void },
) {
  return (
    <fieldset class="seconds">
      <legend>{en.send.secondsLegend}</legend>
      <div class="segments">
        {VIEW_SECONDS.map((seconds) => (
          <label key={seconds}>
            <input
              type="radio"
              name="seconds"
              value={seconds}
              checked={seconds === value}
              aria-label={en.send.secondsSpoken(seconds)}
              onChange={() => onChange(seconds)}
            />
            <span aria-hidden="true">{en.send.secondsOption(seconds)}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
