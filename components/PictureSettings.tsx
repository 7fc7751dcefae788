import { useLayoutEffect, useRef } from "preact/hooks";
import { fill, foreign, number } from "../lib/i18n/format.ts";
import { MAX_ALT_LENGTH, MAX_CAPTION_LENGTH, MAX_MARK_LENGTH } from "../lib/protocol/limits.ts";
import type { ViewRules } from "../lib/protocol/display_options.ts";
import type { Details, OutgoingPicture } from "../lib/pictures/outgoing_list.ts";
import { Check } from "./Check.tsx";
import { DisplayOptions } from "./DisplayOptions.tsx";
import { Seconds } from "./Seconds.tsx";
import { TextField } from "./TextField.tsx";
import { useTexts } from "./texts.ts";

interface Props {
  readonly picture: OutgoingPicture;
  readonly choices: readonly number[];
  readonly onChange: (details: Partial<Details>) => void;
  readonly onClose: () => void;
}

/** Settings of one picture, in a sheet over the page. Every change takes effect at once. */
export function PictureSettings({ picture, choices, onChange, onClose }: Props) {
  const t = useTexts();
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => dialog.current?.showModal(), []);
  const { n, rules, caption, alt, named, name } = picture;
  const change = (changed: Partial<ViewRules>) => onChange({ rules: { ...rules, ...changed } });
  return (
    <dialog class="sheet" ref={dialog} aria-labelledby="sheet-title" onClose={onClose}>
      <h2 id="sheet-title">{fill(t.settings.title, { n: number(t, n + 1) })}</h2>
      <Seconds
        name={`seconds-${picture.id}`}
        choices={choices}
        value={rules.seconds}
        onChange={(seconds) => change({ seconds })}
      />
      <DisplayOptions ofPicture rules={rules} onChange={change} />
      <TextField
        name="caption"
        label={t.settings.caption}
        hint={t.settings.captionHint}
        value={caption}
        maxLength={MAX_CAPTION_LENGTH}
        onInput={(text) => onChange({ caption: text })}
      />
      <TextField
        name="alt"
        label={t.settings.alt}
        hint={t.settings.altHint}
        value={alt}
        maxLength={MAX_ALT_LENGTH}
        onInput={(text) => onChange({ alt: text })}
      />
      <TextField
        name="picture-mark"
        label={t.send.mark}
        hint={t.send.markHint}
        value={rules.mark}
        maxLength={MAX_MARK_LENGTH}
        onInput={(mark) => change({ mark })}
      />
      {name !== "" && (
        <Check
          name="named"
          label={t.settings.name}
          hint={fill(t.settings.nameHint, { name: foreign(name) })}
          on={named}
          onChange={(on) => onChange({ named: on })}
        />
      )}
      <div class="actions">
        <button
          type="button"
          class="primary"
          data-action="settings-done"
          onClick={() => dialog.current?.close()}
        >
          {t.settings.done}
        </button>
      </div>
    </dialog>
  );
}
