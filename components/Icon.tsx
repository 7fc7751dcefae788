/** SVG paths in a box of 24 × 24. */
const SHAPES = {
  settings: "M4 7h9m5 0h2M4 17h2m5 0h9M15.5 4.5v5M8.5 14.5v5",
  earlier: "M14 6l-6 6 6 6",
  later: "M10 6l6 6-6 6",
  remove: "M6 6l12 12M18 6L6 18",
  edit: "M7 3v14h14M3 7h14v14",
} as const;

/** A round button with an icon. Its name is read by screen readers, and shown as a tooltip. */
export function Icon(
  { action, label, shape, onPress }: {
    action: string;
    label: string;
    shape: keyof typeof SHAPES;
    onPress: () => void;
  },
) {
  return (
    <button
      type="button"
      class={`icon ${shape}`}
      data-action={action}
      aria-label={label}
      title={label}
      onClick={onPress}
    >
      <svg viewBox="0 0 24 24" aria-hidden="true">
        <path d={SHAPES[shape]} />
      </svg>
    </button>
  );
}
