/**
 * All texts of all languages. For the server: a page carries those of one language, and asks for another when it is wanted.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { en, type Texts } from "./en.ts";
import { enPages, type PageTexts } from "./en_pages.ts";
import { ar } from "./ar.ts";
import { arPages } from "./ar_pages.ts";
import { de } from "./de.ts";
import { dePages } from "./de_pages.ts";
import { es } from "./es.ts";
import { esPages } from "./es_pages.ts";
import { fr } from "./fr.ts";
import { frPages } from "./fr_pages.ts";
import { he } from "./he.ts";
import { hePages } from "./he_pages.ts";
import { it } from "./it.ts";
import { itPages } from "./it_pages.ts";
import { ja } from "./ja.ts";
import { jaPages } from "./ja_pages.ts";
import { pl } from "./pl.ts";
import { plPages } from "./pl_pages.ts";
import { pt } from "./pt.ts";
import { ptPages } from "./pt_pages.ts";
import { ru } from "./ru.ts";
import { ruPages } from "./ru_pages.ts";
import { zh } from "./zh.ts";
import { zhPages } from "./zh_pages.ts";
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
  de: { texts: de, pages: dePages },
  es: { texts: es, pages: esPages },
  fr: { texts: fr, pages: frPages },
  it: { texts: it, pages: itPages },
  pt: { texts: pt, pages: ptPages },
  pl: { texts: pl, pages: plPages },
  ru: { texts: ru, pages: ruPages },
  ja: { texts: ja, pages: jaPages },
  zh: { texts: zh, pages: zhPages },
  ar: { texts: ar, pages: arPages },
  he: { texts: he, pages: hePages },
};

/** The language of a request, by its cookie or its `Accept-Language`. */
export function speechOf(req: Request): Speech {
  const cookies = req.headers.get("cookie") ?? "";
  const chosen = new RegExp(`(?:^|;\\s*)${LANGUAGE_COOKIE}=([\\w-]{1,16})`).exec(cookies)?.[1];
  const accepted = req.headers.get("accept-language");
  const language = pickLanguage({ chosen: chosen ?? null, accepted });
  return { language, ...TEXTS[language.tag] };
}
