import { useRef } from "preact/hooks";
import { CopyButton } from "./CopyButton.tsx";
import { useTexts } from "./texts.ts";
import { fill, leftToRight } from "../lib/i18n/format.ts";

/** The code that can be used instead of the link; `host` is where it is typed. */
export function ShareCode({ code, host }: { code: string; host: string }) {
  const t = useTexts();
  const shown = useRef<HTMLElement>(null);
  function select() {
    if (shown.current !== null) getSelection()?.selectAllChildren(shown.current);
  }
  return (
    <div class="share-code">
      <p class="hint">{fill(t.code.share, { address: leftToRight(`${host}/join`) })}</p>
      <div class="code-row">
        <code ref={shown} class="code" dir="ltr" data-field="share-code">{code}</code>
        <CopyButton
          action="copy-code"
          label={t.code.copy}
          text={code}
          failed={t.code.copyFailed}
          onPress={select}
        />
      </div>
    </div>
  );
}
