/** A checkbox with a sentence that explains it. */
export function Check(
  { name, label, hint, on, onChange }: {
    name: string;
    label: string;
    hint: string;
    on: boolean;
    onChange: (on: boolean) => void;
  },
) {
  return (
    <label class="check">
      <input
        type="checkbox"
        name={name}
        checked={on}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      <span>
        {label}
        <small>{hint}</small>
      </span>
    </label>
  );
}
