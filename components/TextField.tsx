/** A text input with its label and an explanation. */
export function TextField(
  { name, label, hint, value, maxLength, onInput }: {
    name: string;
    label: string;
    hint: string;
    value: string;
    /** In UTF-16 units. */
    maxLength: number;
    onInput: (text: string) => void;
  },
) {
  return (
    <label class="field">
      {label}
      <input
        type="text"
        name={name}
        autocomplete="off"
        dir="auto"
        maxLength={maxLength}
        value={value}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
      <small>{hint}</small>
    </label>
  );
}
