/**
 * Announces its text to screen readers when it changes. It must exist from the first render on,
 * otherwise nothing is announced.
 */
export function Announcer({ text }: { text: string }) {
  return <p class="visually-hidden" role="status">{text}</p>;
}
