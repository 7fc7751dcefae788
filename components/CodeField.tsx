import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { Filled } from "./Filled.tsx";
import { useTexts } from "./texts.ts";

/** Element ids; there is one such field on a page. */
const ID = { field: "code", hint: "code-hint", problem: "code-problem", list: "code-words" };
const optionId = (index: number) => `${ID.list}-${index}`;

interface Props {
  readonly value: string;
  /** Suggestions for the word being typed; few enough to fit above a phone's keyboard. */
  readonly suggestions: readonly string[];
  /** What is wrong with the text, as a sentence. */
  readonly problem: string | null;
  readonly onType: (text: string) => void;
  readonly onComplete: (word: string) => void;
}

/**
 * The field for a code that somebody was told, with suggestions for the word being typed: a
 * combobox with a list box (WAI-ARIA 1.2). The row of options is always there, so that nothing
 * moves under a finger.
 */
export function CodeField({ value, suggestions, problem, onType, onComplete }: Props) {
  const t = useTexts();
  const field = useRef<HTMLInputElement>(null);
  const active = useSignal(-1);
  const closed = useSignal(false);
  const open = suggestions.length > 0 && !closed.value;
  const chosen = open ? suggestions[active.value] : undefined;

  // The page exists for this field, and any problem is fixed here.
  useLayoutEffect(() => field.current?.focus({ preventScroll: true }), []);
  useLayoutEffect(() => {
    if (problem !== null) field.current?.focus({ preventScroll: true });
  }, [problem]);

  function take(word: string) {
    active.value = -1;
    onComplete(word);
    field.current?.focus();
  }

  /** Keeps lines apart, which the field would join without a space in between. */
  function paste(event: JSX.TargetedClipboardEvent<HTMLInputElement>) {
    const text = event.clipboardData?.getData("text/plain") ?? "";
    if (!/[\r\n]/.test(text)) return;
    event.preventDefault();
    const { value: before, selectionStart, selectionEnd } = event.currentTarget;
    const start = selectionStart ?? before.length;
    active.value = -1;
    closed.value = false;
    onType(before.slice(0, start) + text + before.slice(selectionEnd ?? start));
  }

  function press(event: KeyboardEvent) {
    if (!open || event.isComposing) return;
    const last = suggestions.length - 1;
    switch (event.key) {
      case "ArrowDown":
        active.value = active.value >= last ? 0 : active.value + 1;
        break;
      case "ArrowUp":
        active.value = active.value <= 0 ? last : active.value - 1;
        break;
      case "Enter":
        // Without a chosen suggestion, Enter submits the form.
        if (chosen === undefined) return;
        take(chosen);
        break;
      case "Tab": {
        const word = chosen ?? (last === 0 ? suggestions[0] : undefined);
        if (word === undefined || event.shiftKey) return;
        take(word);
        break;
      }
      case "Escape":
        closed.value = true;
        active.value = -1;
        break;
      default:
        return;
    }
    event.preventDefault();
  }

  return (
    <>
      <label for={ID.field}>{t.code.label}</label>
      <p id={ID.hint} class="small">
        <Filled
          text={t.code.hint}
          values={{ example: <span class="whole" dir="ltr">{t.code.example}</span> }}
        />
      </p>
      {
        /* No name, and marked for the usual password managers: there is nothing to fill in or to
           store. */
      }
      <input
        ref={field}
        id={ID.field}
        class="code"
        dir="ltr"
        type="text"
        data-field="code"
        data-1p-ignore
        data-bwignore
        data-lpignore="true"
        data-form-type="other"
        autocomplete="off"
        autocapitalize="none"
        // With this spelling Preact sets the attribute. The property is a boolean in new browsers,
        // and any string would switch it on.
        autoCorrect="off"
        spellcheck={false}
        enterkeyhint="go"
        // A whole message may be pasted, with the link or the code in it.
        maxLength={4_000}
        role="combobox"
        aria-autocomplete="list"
        aria-expanded={open}
        aria-controls={ID.list}
        aria-activedescendant={chosen === undefined ? undefined : optionId(active.value)}
        aria-invalid={problem !== null}
        aria-describedby={problem === null ? ID.hint : `${ID.problem} ${ID.hint}`}
        value={value}
        onInput={(event) => {
          active.value = -1;
          closed.value = false;
          onType(event.currentTarget.value);
        }}
        onPaste={paste}
        onKeyDown={press}
      />
      <div class="below">
        <p id={ID.problem} class="problem" role="alert">{problem}</p>
        {open && (
          <ul id={ID.list} role="listbox" dir="ltr" aria-label={t.code.suggestions}>
            {suggestions.map((word, index) => (
              <li
                key={word}
                id={optionId(index)}
                role="option"
                aria-selected={index === active.value}
                // Keeps the focus in the field, and with it the phone's keyboard.
                onMouseDown={(event) => event.preventDefault()}
                onClick={() => take(word)}
              >
                {word}
              </li>
            ))}
          </ul>
        )}
      </div>
    </>
  );
}
