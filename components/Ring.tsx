/**
 * A ring that empties: `fraction` is what is left, 1 → 0. The number inside is visual only; screen
 * readers get the text elsewhere.
 */
export function Ring({ fraction, label }: { fraction: number; label: string }) {
  return (
    <svg class="ring" viewBox="0 0 44 44" aria-hidden="true">
      <circle class="ring-track" cx="22" cy="22" r="19" pathLength={1} />
      <circle
        class="ring-left"
        cx="22"
        cy="22"
        r="19"
        pathLength={1}
        stroke-dasharray="1"
        stroke-dashoffset={1 - fraction}
      />
      <text x="22" y="22" dy="0.36em" text-anchor="middle">{label}</text>
    </svg>
  );
}
