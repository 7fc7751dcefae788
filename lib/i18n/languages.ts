/**
 * The languages, and which one a request prefers.
 *
 * This module is browser compatible.
 *
 * @module
 */
import * as locales from "./locales.ts";

/** The tag of one of {@linkcode LANGUAGES}. */
export type LanguageTag = keyof typeof locales;

/** One language, as it is listed. */
export interface Language {
  readonly tag: LanguageTag;
  /** Its own name for itself. */
  readonly name: string;
  readonly dir: "ltr" | "rtl";
}

/** The language for people whose own is not available. */
const FALLBACK: LanguageTag = "en";

/** The languages, in the order of their own names. */
export const LANGUAGES: readonly Language[] = tags()
  .map((tag) => describe(tag))
  .sort((a, b) => a.name.localeCompare(b.name, FALLBACK));

function tags(): LanguageTag[] {
  const isTag = (key: string): key is LanguageTag => key in locales;
  return Object.keys(locales).filter(isTag);
}

function describe(tag: LanguageTag): Language {
  const { name, dir } = locales[tag];
  return { tag, name, dir: dir === "rtl" ? "rtl" : "ltr" };
}

/** Name of the cookie that stores the chosen language. */
export const LANGUAGE_COOKIE = "language";

/** Only the first entries of the header are read; no real browser sends more. */
const MAX_WISHES = 20;

/** The language with this tag; `null` if there is none. */
export function findLanguage(tag: string): Language | null {
  return LANGUAGES.find((language) => language.tag === tag) ?? null;
}

/**
 * The best language for a request: the chosen one, otherwise the one that its `Accept-Language`
 * (RFC 9110 §12.5.4) ranks highest. `pt-BR` matches `pt`; a quality of 0 excludes.
 */
export function pickLanguage(
  { chosen, accepted }: { chosen: string | null; accepted: string | null },
): Language {
  const known = chosen === null ? null : findLanguage(chosen);
  if (known !== null) return known;
  const wishes = (accepted ?? "").split(",", MAX_WISHES).flatMap((part) => {
    const [range = "", quality = ""] = part.trim().toLowerCase().split(/\s*;\s*q\s*=\s*/);
    const q = quality === "" ? 1 : Number(quality);
    const tag = oldTag(range.split("-")[0] ?? "");
    const language = findLanguage(tag);
    return language === null || !(q > 0 && q <= 1) ? [] : [{ language, q }];
  });
  // Sorting is stable: of two with equal quality, the first in the header comes first.
  wishes.sort((a, b) => b.q - a.q);
  return wishes[0]?.language ?? describe(FALLBACK);
}

/** Hebrew used to be `iw`, and some browsers still send that. */
function oldTag(tag: string): string {
  return tag === "iw" ? "he" : tag;
}
