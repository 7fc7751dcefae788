import type { PageTexts } from "../lib/i18n/texts.ts";

/**
 * Notice that the code has changed since the last visit; `lib/app/build_notice.ts` fills it in and
 * shows it.
 */
export function CodeChanged({ t }: { t: PageTexts }) {
  return (
    <aside class="changed" data-field="code-changed" hidden>
      <p>
        <strong data-text="changed.title">{t.changed.title}</strong>{" "}
        <span class="whole" dir="ltr">
          <code data-field="build-before" /> → <code data-field="build-now" />
        </span>
      </p>
      <p data-text="changed.text">{t.changed.text}</p>
      <p class="actions">
        <button type="button" data-action="dismiss" data-text="changed.dismiss">
          {t.changed.dismiss}
        </button>
        <a href="/build" target="_blank" data-text="changed.more">{t.changed.more}</a>
      </p>
    </aside>
  );
}
