import { en } from "../lib/i18n/en.ts";

/** How long a picture may be seen, as radio buttons; 0 = until closed. */
export function Seconds(
  { choices, value, onChange }: {
    choices: readonly number[];
    value: number;
    onChange: (seconds: number) => void;
  },
) {
  return (
    <fieldset class="seconds">
      <legend>{en.send.secondsLegend}</legend>
      <div class="segments">
        {choices.map((seconds) => (
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
