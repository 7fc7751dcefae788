/**
 * All texts of all languages, for the server. A page carries the texts of one language, and
 * requests another one when somebody chooses it.
 *
 * This module is browser compatible.
 *
 * @module
 */
import { getCookies } from "@std/http/cookie";
import { type Language, LANGUAGE_COOKIE, type LanguageTag, pickLanguage } from "./languages.ts";
import * as locales from "./locales.ts";
import type { Locale } from "./texts.ts";

/** One language, with all its texts. */
export interface Speech extends Pick<Locale, "island" | "pages"> {
  readonly language: Language;
}

/** The texts by language tag. A text missing in a language is a type error here. */
export const TEXTS: Readonly<Record<LanguageTag, Locale>> = locales;

/** The language of a request, by its cookie or its `Accept-Language`. */
export function speechOf(req: Request): Speech {
  const chosen = getCookies(req.headers)[LANGUAGE_COOKIE];
  const accepted = req.headers.get("accept-language");
  const language = pickLanguage({ chosen: chosen ?? null, accepted });
  const { island, pages } = TEXTS[language.tag];
  return { language, island, pages };
}
