/**
 * Which languages there are, and which one somebody reads.
 *
 * This module is browser compatible.
 *
 * @module
 */

/** The languages, each by its own name. The first one is for who reads none of them. */
export const LANGUAGES = [
  { tag: "en", name: "English", dir: "ltr" },
  { tag: "de", name: "Deutsch", dir: "ltr" },
  { tag: "es", name: "Español", dir: "ltr" },
  { tag: "fr", name: "Français", dir: "ltr" },
  { tag: "it", name: "Italiano", dir: "ltr" },
  { tag: "pt", name: "Português", dir: "ltr" },
  { tag: "pl", name: "Polski", dir: "ltr" },
  { tag: "ru", name: "Русский", dir: "ltr" },
  { tag: "ja", name: "日本語", dir: "ltr" },
  { tag: "zh", name: "中文", dir: "ltr" },
  { tag: "ar", name: "العربية", dir: "rtl" },
  { tag: "he", name: "עברית", dir: "rtl" },
] as const;

/** The tag of one of {@linkcode LANGUAGES}. */
export type LanguageTag = typeof LANGUAGES[number]["tag"];

/** Name of the cookie that keeps what somebody chose. */
export const LANGUAGE_COOKIE = "language";

/** More wishes than this in one header are nobody's. */
const MAX_WISHES = 20;

/** The language of this tag; `null` where there is none. */
export function findLanguage(tag: string): typeof LANGUAGES[number] | null {
  return LANGUAGES.find((language) => language.tag === tag) ?? null;
}

/**
 * The best language for a request: the one that was chosen, else the first that its `Accept-Language` (RFC 9110 §12.5.4)
 * wants most. `pt-BR` finds `pt`; a quality of 0 excludes.
 */
export function pickLanguage(
  { chosen, accepted }: { chosen: string | null; accepted: string | null },
): typeof LANGUAGES[number] {
  const known = chosen === null ? null : findLanguage(chosen);
  if (known !== null) return known;
  const wishes = (accepted ?? "").split(",", MAX_WISHES).flatMap((part) => {
    const [range = "", quality = ""] = part.trim().toLowerCase().split(/\s*;\s*q\s*=\s*/);
    const q = quality === "" ? 1 : Number(quality);
    const tag = oldTag(range.split("-")[0] ?? "");
    const language = findLanguage(tag);
    return language === null || !(q > 0 && q <= 1) ? [] : [{ language, q }];
  });
  // Sorting is stable: of two that are wanted as much, the first stands first.
  wishes.sort((a, b) => b.q - a.q);
  return wishes[0]?.language ?? LANGUAGES[0];
}

/** Hebrew was `iw` once, and some browsers still say so. */
function oldTag(tag: string): string {
  return tag === "iw" ? "he" : tag;
}
