import { DEFAULT_RULES } from "../lib/protocol/display_options.ts";
import { MAX_MARK_LENGTH } from "../lib/protocol/limits.ts";
import type { SenderModel } from "../lib/pages/sender_model.ts";
import { Check } from "./Check.tsx";
import { DisplayOptions } from "./DisplayOptions.tsx";
import { Relay } from "./Relay.tsx";
import { TextField } from "./TextField.tsx";
import { useTexts } from "./texts.ts";

/** The settings of this side; `connected` hides those that can't change any more. */
export function Choices(
  { model, connected = false }: { model: SenderModel | null; connected?: boolean },
) {
  const t = useTexts();
  const rules = model?.picker.rules.value ?? DEFAULT_RULES;
  return (
    <>
      <DisplayOptions rules={rules} onChange={(changed) => model?.setRules(changed)} />
      <Check
        name="keep"
        label={t.send.keep}
        hint={t.send.keepHint}
        on={model?.keep.value ?? false}
        onChange={(on) => model?.setKeep(on)}
      />
      <Check
        name="full-size"
        label={t.clean.fullSize}
        hint={t.clean.fullSizeHint}
        on={model?.picker.fullSize.value ?? false}
        onChange={(on) => model?.setFullSize(on)}
      />
      {!connected && (
        <Relay
          on={model?.relay.value ?? false}
          onChange={(on) => model?.setRelay(on)}
        />
      )}
      <TextField
        name="mark"
        label={t.send.mark}
        hint={t.send.markHint}
        value={rules.mark}
        maxLength={MAX_MARK_LENGTH}
        onInput={(mark) => model?.setRules({ mark })}
      />
    </>
  );
}
