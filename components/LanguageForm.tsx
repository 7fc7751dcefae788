import type { PageTexts } from "../lib/i18n/texts.ts";
import { LANGUAGES, type LanguageTag } from "../lib/i18n/languages.ts";

/**
 * The language switch at the bottom of every page: a plain form, which works without JavaScript. On
 * pages with an island, `lib/i18n/switch.ts` handles it without a reload, so that a running session
 * is not interrupted.
 */
export function LanguageForm(
  { t, chosen, page }: { t: PageTexts; chosen: LanguageTag; page: string },
) {
  return (
    <form class="language" method="post" action="/language" data-language>
      <input type="hidden" name="page" value={page} />
      <label>
        <span data-text="footer.language">{t.footer.language}</span>
        <select name="language" autocomplete="off">
          {LANGUAGES.map(({ tag, name }) => (
            <option key={tag} value={tag} lang={tag} selected={tag === chosen}>{name}</option>
          ))}
        </select>
      </label>
      <button type="submit" data-text="footer.change">{t.footer.change}</button>
    </form>
  );
}
