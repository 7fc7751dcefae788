import { useTexts } from "./texts.ts";

/**
 * Says, after a while, that the page does not do anything yet. The style sheet lets it appear, for
 * no script has run; an island takes it away with its first render.
 */
export function ScriptMissing() {
  const t = useTexts();
  return <p class="late" role="status" data-field="late">{t.status.late}</p>;
}
