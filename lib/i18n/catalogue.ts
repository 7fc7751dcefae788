/**
 * All texts of all languages. For the server: a page carries those of one language, and asks for another when it is wanted.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { en, type Texts } from "./en.ts";
import { enPages, type PageTexts } from "./en_pages.ts";
import { LANGUAGE_COOKIE, type LANGUAGES, type LanguageTag, pickLanguage } from "./languages.ts";

/** One language, with everything that is said in it. */
export interface Speech {
  readonly language: typeof LANGUAGES[number];
  readonly texts: Texts;
  readonly pages: PageTexts;
}

/** The texts, by tag. */
export const TEXTS: Readonly<Record<LanguageTag, { texts: Texts; pages: PageTexts }>> = {
  en: { texts: en, pages: enPages },
};

/** The language of a request, by its cookie or its `Accept-Language`. */
export function speechOf(req: Request): Speech {
  const cookies = req.headers.get("cookie") ?? "";
  const chosen = new RegExp(`(?:^|;\\s*)${LANGUAGE_COOKIE}=([\\w-]{1,16})`).exec(cookies)?.[1];
  const accepted = req.headers.get("accept-language");
  const language = pickLanguage({ chosen: chosen ?? null, accepted });
  return { language, ...TEXTS[language.tag] };
}
