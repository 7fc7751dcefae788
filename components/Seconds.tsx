import { useTexts } from "./texts.ts";
import { fill, number, seconds as inWords } from "../lib/i18n/format.ts";

/** Radio buttons for the viewing time of a picture; 0 = until closed. */
export function Seconds(
  { name = "seconds", choices, value, onChange }: {
    /** Name of the radio group; there may be one on the page and one in a sheet. */
    name?: string;
    choices: readonly number[];
    value: number;
    onChange: (seconds: number) => void;
  },
) {
  const t = useTexts();
  return (
    <fieldset class="seconds">
      <legend>{t.send.secondsLegend}</legend>
      <div class="segments">
        {choices.map((seconds) => (
          <label key={seconds}>
            <input
              type="radio"
              name={name}
              value={seconds}
              checked={seconds === value}
              aria-label={seconds === 0 ? t.send.untilClosedSpoken : inWords(t, seconds)}
              onChange={() => onChange(seconds)}
            />
            <span aria-hidden="true">
              {seconds === 0 ? t.send.untilClosed : fill(t.units.short, { n: number(t, seconds) })}
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
