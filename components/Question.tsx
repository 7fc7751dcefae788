import { useLayoutEffect, useRef } from "preact/hooks";

interface Props {
  readonly title: string;
  readonly text: string;
  /** Labels of the two buttons; automation finds them as `yes` and `no`. */
  readonly yes: string;
  readonly no: string;
  readonly onAnswer: (yes: boolean) => void;
}

/** Asks, in a dialog, before something is lost. Escape means no. */
export function Question({ title, text, yes, no, onAnswer }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const answer = useRef(false);
  useLayoutEffect(() => dialog.current?.showModal(), []);
  const close = (said: boolean) => {
    answer.current = said;
    // The dialog returns the focus to where it was, and only then learns that it is closed.
    dialog.current?.close();
  };
  return (
    <dialog
      class="sheet question"
      ref={dialog}
      role="alertdialog"
      aria-labelledby="question-title"
      aria-describedby="question-text"
      data-field="question"
      onClose={() => onAnswer(answer.current)}
    >
      <h2 id="question-title">{title}</h2>
      <p id="question-text">{text}</p>
      <div class="actions">
        <button type="button" class="primary" data-action="no" onClick={() => close(false)}>
          {no}
        </button>
        <button type="button" data-action="yes" onClick={() => close(true)}>{yes}</button>
      </div>
    </dialog>
  );
}
