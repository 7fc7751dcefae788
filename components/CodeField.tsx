import { useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { useTexts } from "./texts.ts";

/** Ids within the page; it has one such field. */
const ID = { field: "code", hint: "code-hint", problem: "code-problem", list: "code-words" };
const optionId = (index: number) => `${ID.list}-${index}`;

interface Props {
  readonly value: string;
  /** Words that the one being typed may become; as few as fit over a phone's keyboard. */
  readonly suggestions: readonly string[];
  /** What is wrong with what stands there, in words. */
  readonly problem: string | null;
  readonly onType: (text: string) => void;
  readonly onComplete: (word: string) => void;
}

/**
 * The field for a code that somebody was told, with suggestions for the word being typed: a
 * combobox with a list box (WAI-ARIA 1.2), whose options lie in a row that is there all the time,
 * so that nothing moves under a finger.
 */
export function CodeField({ value, suggestions, problem, onType, onComplete }: Props) {
  const t = useTexts();
  const field = useRef<HTMLInputElement>(null);
  const active = useSignal(-1);
  const closed = useSignal(false);
  const open = suggestions.length > 0 && !closed.value;
  const chosen = open ? suggestions[active.value] : undefined;

  // It is what the page is for, and whatever is wrong with it is mended here.
  useLayoutEffect(() => field.current?.focus({ preventScroll: true }), []);
  useLayoutEffect(() => {
    if (problem !== null) field.current?.focus({ preventScroll: true });
  }, [problem]);

  function take(word: string) {
    active.value = -1;
    onComplete(word);
    field.current?.focus();
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
        // With nothing chosen it sends the form.
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
        {t.code.hint} <span class="whole">{t.code.example}</span>
      </p>
      {
        /* Without a name, and marked for the usual password managers: this is nothing to fill in or to keep. */
      }
      <input
        ref={field}
        id={ID.field}
        class="code"
        type="text"
        data-field="code"
        data-1p-ignore
        data-bwignore
        data-lpignore="true"
        data-form-type="other"
        autocomplete="off"
        autocapitalize="none"
        autocorrect="off"
        spellcheck={false}
        enterkeyhint="go"
        maxLength={200}
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
        onKeyDown={press}
      />
      <div class="below">
        <p id={ID.problem} class="problem" role="alert">{problem}</p>
        {open && (
          <ul id={ID.list} role="listbox" aria-label={t.code.suggestions}>
            {suggestions.map((word, index) => (
              <li
                key={word}
                id={optionId(index)}
                role="option"
                aria-selected={index === active.value}
                // Keeps the focus in the field, and with it a phone's keyboard.
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
