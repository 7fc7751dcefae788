import { useTexts } from "./texts.ts";

/**
 * Says, after a while, that the page is not interactive yet. The style sheet reveals it, because no
 * JavaScript has run; an island removes it with its first render.
 */
export function ScriptMissing() {
  const t = useTexts();
  return <p class="late" role="status" data-field="late">{t.status.late}</p>;
}
