/**
 * Speaks to screen readers whenever its text changes; it is there from the first render on, or
 * nothing would be heard.
 */
export function Announcer({ text }: { text: string }) {
  return <p class="visually-hidden" role="status">{text}</p>;
}
