import { LANGUAGES } from "../lib/i18n/languages.ts";
import type { PageTexts } from "../lib/i18n/texts.ts";

/** Pages that a static site has in every language. */
const TRANSLATED = ["/", "/join", "/security", "/build"];

/**
 * The language switch of a static site: links to the same page in other languages. On pages with an
 * island, `lib/i18n/static_switch.ts` handles them without a reload.
 */
export function LanguageLinks({ t, page }: { t: PageTexts; page: string }) {
  const rest = TRANSLATED.includes(page) && page !== "/" ? `${page}/` : "/";
  return (
    <nav class="language" data-language>
      <details>
        <summary data-text="footer.language">{t.footer.language}</summary>
        <ul>
          {LANGUAGES.map(({ tag, name }) => (
            <li key={tag}>
              <a href={`/${tag}${rest}`} hreflang={tag} lang={tag}>{name}</a>
            </li>
          ))}
        </ul>
      </details>
    </nav>
  );
}
