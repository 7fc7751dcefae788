import { useRef } from "preact/hooks";
import { en } from "../lib/i18n/en.ts";
import { CopyButton } from "./CopyButton.tsx";

/** The code that says the same as the link; `host` is where it is typed. */
export function ShareCode({ code, host }: { code: string; host: string }) {
  const shown = useRef<HTMLElement>(null);
  function select() {
    if (shown.current !== null) getSelection()?.selectAllChildren(shown.current);
  }
  return (
    <div class="share-code">
      <p class="hint">{en.code.share(host)}</p>
      <div class="code-row">
        <code ref={shown} class="code" data-field="share-code">{code}</code>
        <CopyButton
          action="copy-code"
          label={en.code.copy}
          text={code}
          failed={en.code.copyFailed}
          onPress={select}
        />
      </div>
    </div>
  );
}
