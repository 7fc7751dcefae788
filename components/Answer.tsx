import { useRef } from "preact/hooks";
import type { Session } from "../lib/pages/session.ts";
import type { ViewerModel } from "../lib/pages/viewer_model.ts";
import { PictureInput } from "./PictureInput.tsx";
import { Problems } from "./Problems.tsx";
import { Seconds } from "./Seconds.tsx";
import { Sent } from "./Sent.tsx";
import { useTexts } from "./texts.ts";

/** Sends a picture back. */
export function Answer(
  { model, session, choices, burn }: {
    readonly model: ViewerModel;
    readonly session: Session;
    /** Viewing times to choose from, in seconds. */
    readonly choices: readonly number[];
    /** Takes back what was sent; `null` if there is nothing to take back. */
    readonly burn: (() => void) | null;
  },
) {
  const t = useTexts();
  const input = useRef<HTMLInputElement>(null);
  const preparing = model.picker.preparing.value;
  const pictures = session.outbox.pictures.value;
  return (
    <section class="answer">
      <PictureInput
        input={input}
        label={t.send.sendBack}
        disabled={preparing}
        onChoose={(files) => model.choose(files)}
      />
      <Problems problems={model.picker.problems.value} />
      <Sent pictures={pictures} />
      <Seconds
        choices={choices}
        value={model.picker.rules.value.seconds}
        onChange={(seconds) => model.setRules({ seconds })}
      />
      <button
        type="button"
        data-action="choose"
        disabled={preparing}
        onClick={() => input.current?.click()}
      >
        {preparing ? t.send.preparing : t.send.sendBack}
      </button>
      {burn !== null && (
        <button type="button" class="danger" data-action="burn" onClick={burn}>
          {t.view.burnOwn}
        </button>
      )}
    </section>
  );
}
